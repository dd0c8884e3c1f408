import type { BatchView as BatchStatus } from '@facewright/protocol';
import type { JSX } from 'preact';
import { describeCode } from '../errors/describe-failure.ts';
import { Problem } from '../errors/problem.tsx';
import { Resend } from '../errors/resend.tsx';
import { formatBytes } from '../i18n/format.ts';
import { useTexts } from '../i18n/language.ts';
import { loadThumbnail } from '../jobs/jobs.ts';
import { service } from '../service.ts';
import { Icon } from '../ui/icons.tsx';
import { useObjectUrl } from '../ui/use-object-url.ts';
import { usePromise } from '../ui/use-promise.ts';
import { useStore } from '../ui/use-store.ts';
import { followBatch } from './batches.ts';
import '../history/history.css';
import './batch.css';

/** Several photos at once: how far each is, and all results in one archive. */
export function BatchView({ id }: { readonly id: string }): JSX.Element {
  const { t } = useTexts();
  const tracker = followBatch(id);
  const { view, sentBytes, totalBytes, failure, retryInS } = useStore(tracker.state);
  if (view === null) {
    return (
      <div class="batch">
        {failure === null ? (
          <section class="progress" aria-labelledby="batch-title">
            <h1 id="batch-title">{totalBytes === 0 ? t.app.loading : t.batch.uploading}</h1>
            {totalBytes > 0 && (
              <>
                <progress class="bar" value={sentBytes} max={totalBytes} aria-labelledby="batch-title" />
                <p class="progress-note">{t.job.uploaded(formatBytes(sentBytes), formatBytes(totalBytes))}</p>
              </>
            )}
          </section>
        ) : (
          <Problem failure={failure} isMain>
            <Resend delayS={retryInS} onSend={() => tracker.send()} />
            <a class="button" href="#/">
              {t.job.another}
            </a>
          </Problem>
        )}
      </div>
    );
  }
  const { counts } = view;
  const ended = counts.succeeded + counts.failed + counts.canceled;
  return (
    <div class="batch">
      <div class="section-head">
        <div>
          <h1>{t.batch.title(counts.total)}</h1>
          <p class="fine" role="status">
            {view.state === 'canceled' ? t.batch.canceled : t.batch.done(ended, counts.total)}
            {counts.failed > 0 && ` · ${t.batch.failed(counts.failed)}`}
          </p>
        </div>
        <div class="batch-actions">
          {view.state === 'processing' && (
            <button type="button" class="button" onClick={() => void tracker.cancel().catch(() => undefined)}>
              {t.batch.cancel}
            </button>
          )}
          {view.archive !== undefined && (
            <a class="button-primary" href={service.resolve(view.archive.url)} download="faces.zip">
              <Icon name="download" />
              {t.batch.archive}
            </a>
          )}
        </div>
      </div>
      <progress class="bar" value={ended} max={counts.total} aria-label={t.batch.done(ended, counts.total)} />
      <ul class="cards">
        {view.photos.map((photo, i) => (
          <li key={photo.reconstruction ?? i}>
            <BatchCard photo={photo} place={i} />
          </li>
        ))}
      </ul>
      {tracker.refused.length > 0 && (
        <section class="batch-refused">
          <h2>{t.batch.refused(tracker.refused.length)}</h2>
          {tracker.refused.map(({ name, failure: reason }) => (
            <Problem key={name} failure={reason} subject={name} />
          ))}
        </section>
      )}
    </div>
  );
}

function BatchCard({ photo, place }: { readonly photo: BatchStatus['photos'][number]; readonly place: number }): JSX.Element {
  const texts = useTexts();
  const { t } = texts;
  const thumbnail = usePromise(
    () => (photo.reconstruction === undefined ? Promise.resolve(null) : loadThumbnail(photo.reconstruction)),
    [photo.reconstruction],
  );
  const url = useObjectUrl(thumbnail.state === 'done' ? thumbnail.value?.blob : null);
  const picture = url === null ? <span class="card-picture card-empty" /> : <img class="card-picture card-photo" src={url} alt="" />;
  return (
    <article class={`card card-${photo.state}`}>
      {photo.reconstruction !== undefined && photo.state !== 'failed' ? (
        <a class="card-link" href={`#/face/${photo.reconstruction}`}>
          <span class="visually-hidden">{`${t.batch.open}: ${photo.name} `}</span>
          {picture}
          <span class="card-state">{t.history.states[photo.state]}</span>
        </a>
      ) : (
        <span class="card-link">
          {picture}
          <span class="card-state">{t.history.states[photo.state]}</span>
        </span>
      )}
      <div class="card-text">
        <p class="card-time">{photo.name === '' ? t.batch.photo(place + 1) : photo.name}</p>
        {photo.error !== undefined && (
          <p class="fine">
            {describeCode(photo.error.code, texts).title}. {describeCode(photo.error.code, texts).hint}
          </p>
        )}
      </div>
    </article>
  );
}

import type { ReconstructionView } from '@facewright/protocol';
import type { ComponentChildren, JSX } from 'preact';
import { describeCode } from '../errors/describe-failure.ts';
import { formatSpan, formatTime } from '../i18n/format.ts';
import { useTexts } from '../i18n/language.ts';
import { loadThumbnail } from '../jobs/jobs.ts';
import { service } from '../service.ts';
import { useObjectUrl } from '../ui/use-object-url.ts';
import { usePromise } from '../ui/use-promise.ts';
import './history.css';

export interface FaceCardProps {
  readonly job: ReconstructionView;
  readonly children?: ComponentChildren;
}

/** One job at a glance: its picture, when it was made, how long it stays. */
export function FaceCard({ job, children }: FaceCardProps): JSX.Element {
  const texts = useTexts();
  const { t, locale } = texts;
  const preview = job.result?.files.find(({ name }) => name === 'preview.png');
  const made = formatTime(job.createdAt, locale);
  const leftS = job.expiresAt === undefined ? null : (Date.parse(job.expiresAt) - Date.now()) / 1000;
  return (
    <article class={`card card-${job.state}`}>
      <a class="card-link" href={`#/face/${job.id}`}>
        <span class="visually-hidden">{`${t.history.open}: ${t.history.thumbnailAlt(made)} `}</span>
        {preview === undefined ? (
          <PhotoOf id={job.id} />
        ) : (
          <img class="card-picture" src={service.resolve(preview.url)} alt="" loading="lazy" />
        )}
        {job.state !== 'succeeded' && <span class="card-state">{t.history.states[job.state]}</span>}
      </a>
      <div class="card-text">
        <p class="card-time">{made}</p>
        <p class="fine">
          {job.error === undefined
            ? leftS !== null && t.history.expiresIn(formatSpan(leftS, t))
            : describeCode(job.error.code, texts).title}
        </p>
      </div>
      {children}
    </article>
  );
}

/** The photo of a job that has no face, where this browser sent it. */
function PhotoOf({ id }: { readonly id: string }): JSX.Element {
  const photo = usePromise(() => loadThumbnail(id), [id]);
  const url = useObjectUrl(photo.state === 'done' ? photo.value?.blob : null);
  return url === null ? <span class="card-picture card-empty" /> : <img class="card-picture card-photo" src={url} alt="" />;
}

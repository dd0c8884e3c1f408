import type { ReconstructionView } from '@facewright/protocol';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { refreshAccount, useAccount } from '../account.ts';
import { type Failure, failureFrom, isKeyProblem } from '../errors/failure.ts';
import { askForKey } from '../errors/key-question.ts';
import { Problem } from '../errors/problem.tsx';
import { formatBytes, formatSpan } from '../i18n/format.ts';
import { useTexts } from '../i18n/language.ts';
import { dropAllThumbnails, dropJob } from '../jobs/jobs.ts';
import { countPhotos, forgetAllPhotos, forgetPhoto } from '../jobs/photo-store.ts';
import { service } from '../service.ts';
import { announce } from '../ui/announce.tsx';
import { ConfirmDialog } from '../ui/confirm-dialog.tsx';
import { Icon } from '../ui/icons.tsx';
import { goTo } from '../ui/route.ts';
import { FaceCard } from './face-card.tsx';
import './history.css';

const PAGE = 24;

/** Everything that the reader has made and that is still kept. */
export function HistoryView(): JSX.Element {
  const { t } = useTexts();
  const account = useAccount();
  const [jobs, setJobs] = useState<readonly ReconstructionView[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [selected, setSelected] = useState<readonly string[]>([]);
  const [deleting, setDeleting] = useState<ReconstructionView | null>(null);
  const [photoCount, setPhotoCount] = useState(0);

  const load = async (after: string | null) => {
    setFailure(null);
    try {
      const page = await service.list({ limit: PAGE, ...(after === null ? {} : { after }) });
      setJobs((before) => [...(after === null ? [] : (before ?? [])), ...page.reconstructions]);
      setNext(page.next ?? null);
    } catch (e) {
      const problem = failureFrom(e);
      if (isKeyProblem(problem) && (await askForKey(problem))) return load(after);
      setFailure(problem);
    }
  };
  useEffect(() => {
    void load(null);
    refreshAccount();
    void countPhotos().then(setPhotoCount);
  }, []);

  const remove = async (job: ReconstructionView) => {
    setDeleting(null);
    try {
      await service.delete(job.id);
      dropJob(job.id);
      await forgetPhoto(job.id);
      setJobs((before) => before?.filter(({ id }) => id !== job.id) ?? null);
      setSelected((before) => before.filter((id) => id !== job.id));
      announce(t.result.deleted);
      refreshAccount();
    } catch (e) {
      setFailure(failureFrom(e));
    }
  };
  const select = (id: string, on: boolean) =>
    setSelected((before) => (on ? [...before, id].slice(-2) : before.filter((other) => other !== id)));

  return (
    <div class="history">
      <div class="section-head">
        <h1>{t.history.title}</h1>
        {(jobs?.length ?? 0) > 1 && (
          <button
            type="button"
            class="button"
            disabled={selected.length !== 2}
            onClick={() => goTo({ name: 'compare', ids: [selected[0]!, selected[1]!] })}
          >
            <Icon name="compare" />
            {t.history.compare(selected.length)}
          </button>
        )}
      </div>
      {account !== null && (
        <div class="storage">
          <p>
            {t.history.storage(formatBytes(account.usage.storageBytes), formatBytes(account.limits.storageBytes))}
            {' · '}
            {t.history.keep(formatSpan(account.resultTtlS, t))}
          </p>
          <progress
            class="meter"
            value={account.usage.storageBytes}
            max={account.limits.storageBytes}
            aria-label={t.history.storage(formatBytes(account.usage.storageBytes), formatBytes(account.limits.storageBytes))}
          />
        </div>
      )}
      {failure !== null && (
        <Problem failure={failure}>
          <button type="button" class="button" onClick={() => void load(null)}>
            {t.app.retry}
          </button>
        </Problem>
      )}
      {jobs !== null && jobs.length === 0 && (
        <div class="empty">
          <h2>{t.history.empty}</h2>
          <p>{t.history.emptyText}</p>
          <a class="button-primary" href="#/">
            {t.app.newFace}
          </a>
        </div>
      )}
      {jobs === null && failure === null && <p class="fine">{t.app.loading}</p>}
      <ul class="cards cards-large">
        {jobs?.map((job) => (
          <li key={job.id}>
            <FaceCard job={job}>
              <div class="card-actions">
                {job.state === 'succeeded' && (
                  <label class="check">
                    <input type="checkbox" checked={selected.includes(job.id)} onChange={(e) => select(job.id, e.currentTarget.checked)} />
                    {t.history.select}
                  </label>
                )}
                <button
                  type="button"
                  class="button-icon card-delete"
                  aria-label={t.result.delete}
                  title={t.result.delete}
                  onClick={() => setDeleting(job)}
                >
                  <Icon name="trash" />
                </button>
              </div>
            </FaceCard>
          </li>
        ))}
      </ul>
      {next !== null && (
        <button type="button" class="button" onClick={() => void load(next)}>
          {t.history.more}
        </button>
      )}
      {photoCount > 0 && (
        <section class="local-photos">
          <h2>{t.history.local}</h2>
          <p>{t.history.localText(photoCount)}</p>
          <button
            type="button"
            class="button"
            onClick={() => {
              dropAllThumbnails();
              setPhotoCount(0);
              void forgetAllPhotos();
            }}
          >
            {t.history.localDelete}
          </button>
        </section>
      )}
      {deleting !== null && (
        <ConfirmDialog
          title={t.result.delete}
          text={t.result.deleteSure}
          action={t.app.delete}
          onConfirm={() => void remove(deleting)}
          onClose={() => setDeleting(null)}
        />
      )}
    </div>
  );
}

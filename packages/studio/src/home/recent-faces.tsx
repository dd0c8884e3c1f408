import type { JSX } from 'preact';
import { FaceCard } from '../history/face-card.tsx';
import { useTexts } from '../i18n/language.ts';
import { service } from '../service.ts';
import { usePromise } from '../ui/use-promise.ts';

const SHOWN = 4;

/** The reader's latest faces, and the one that is being made; nothing where there are none. */
export function RecentFaces({ runningId }: { readonly runningId: string | null }): JSX.Element | null {
  const { t } = useTexts();
  const loaded = usePromise((signal) => service.list({ limit: SHOWN, signal }), []);
  if (loaded.state !== 'done' || loaded.value.reconstructions.length === 0) return null;
  const jobs = loaded.value.reconstructions;
  const running = jobs.find(({ id, state }) => id === runningId && (state === 'queued' || state === 'processing'));
  return (
    <section class="recent" aria-labelledby="recent-title">
      {running !== undefined && (
        <p class="running">
          <span class="dot" />
          {t.home.running}
          <a href={`#/face/${running.id}`}>{t.home.runningOpen}</a>
        </p>
      )}
      <div class="section-head">
        <h2 id="recent-title">{t.home.recent}</h2>
        <a href="#/history">{t.home.allRecent}</a>
      </div>
      <ul class="cards">
        {jobs.map((job) => (
          <li key={job.id}>
            <FaceCard job={job} />
          </li>
        ))}
      </ul>
    </section>
  );
}

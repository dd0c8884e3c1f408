import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { formatBytes, formatSpan } from '../i18n/format.ts';
import { useTexts } from '../i18n/language.ts';
import type { JobState } from '../jobs/job-state.ts';
import { Icon } from '../ui/icons.tsx';

/** The protocol's stages; its own list would bring its schema library along. */
const STAGES = ['decode', 'detect', 'landmarks', 'fit', 'texture', 'export'] as const;

export interface ProgressPanelProps {
  readonly state: JobState;
  readonly onCancel: () => Promise<void>;
}

/** What happens now: upload, queue, stages. */
export function ProgressPanel({ state, onCancel }: ProgressPanelProps): JSX.Element {
  const { t } = useTexts();
  const { phase, upload, queue, progress, view } = state;
  const [isCanceling, setIsCanceling] = useState(false);
  const uploadRatio = upload === null || upload.totalBytes === 0 ? 0 : upload.sentBytes / upload.totalBytes;
  const isUploading = phase === 'uploading' || phase === 'preparing';
  const stage = phase === 'processing' ? (progress?.index ?? 0) : -1;
  const title = isUploading
    ? phase === 'uploading'
      ? t.job.uploading
      : t.job.preparing
    : phase === 'queued'
      ? t.job.waiting
      : t.job.working;
  const ratio = isUploading ? uploadRatio : phase === 'queued' ? 0 : (progress?.ratio ?? 0);
  return (
    <section class="progress" aria-labelledby="progress-title">
      <h1 id="progress-title">{title}</h1>
      <progress class="bar" value={ratio} max={1} aria-labelledby="progress-title" />
      <p class="progress-note">
        {phase === 'uploading' && upload !== null && t.job.uploaded(formatBytes(upload.sentBytes), formatBytes(upload.totalBytes))}
        {phase === 'queued' && queue !== null && (
          <>
            {t.job.position(queue.position)}
            {queue.etaS >= 1 && `, ${t.job.eta(formatSpan(queue.etaS, t))}`}
          </>
        )}
        {phase === 'processing' && (view?.attempt ?? 1) > 1 && t.job.attempt}
      </p>
      <ol class="stages">
        {STAGES.map((name, i) => {
          const status = i < stage ? 'done' : i === stage ? 'now' : 'later';
          return (
            <li key={name} class={`stage stage-${status}`} aria-current={status === 'now' ? 'step' : undefined}>
              <span class="stage-mark" aria-hidden="true">
                {status === 'done' && <Icon name="check" />}
              </span>
              {t.job.stages[name]}
              <span class="visually-hidden">
                {', '}
                {status === 'done' ? t.job.stageDone : status === 'now' ? t.job.stageNow : t.job.stageLater}
              </span>
            </li>
          );
        })}
      </ol>
      {state.reconnecting && <Reconnecting text={t.job.reconnecting} />}
      <button
        type="button"
        class="button"
        disabled={isCanceling}
        onClick={() => {
          setIsCanceling(true);
          onCancel()
            .catch(() => undefined)
            .finally(() => setIsCanceling(false));
        }}
      >
        {t.job.cancel}
      </button>
    </section>
  );
}

/** Told only when it lasts: a proxy that ends a stream now and then is no news. */
function Reconnecting({ text }: { readonly text: string }): JSX.Element | null {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), 1200);
    return () => clearTimeout(timer);
  }, []);
  return shown ? (
    <p class="reconnecting" role="status">
      <span class="dot" />
      {text}
    </p>
  ) : null;
}

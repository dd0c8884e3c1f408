import type { FaceChoice } from '@facewright/protocol';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Failure, mayHelpAgain } from '../errors/failure.ts';
import { Problem } from '../errors/problem.tsx';
import { Resend } from '../errors/resend.tsx';
import { useTexts } from '../i18n/language.ts';
import { PhotoWithPoints } from '../progress/photo-with-points.tsx';
import { ProgressPanel } from '../progress/progress-panel.tsx';
import { ResultView } from '../result/result-view.tsx';
import { announce } from '../ui/announce.tsx';
import { Icon } from '../ui/icons.tsx';
import { usePromise } from '../ui/use-promise.ts';
import { useStore } from '../ui/use-store.ts';
import { takePhoto } from '../upload/intake.ts';
import { resendDelayS } from './job-tracker.ts';
import { followJob, loadThumbnail } from './jobs.ts';
import './job.css';

/** One photo on its way to a face, from the upload to the result or the reason why there is none. */
export function JobView({ id }: { readonly id: string }): JSX.Element {
  const { t } = useTexts();
  const tracker = followJob(id);
  const state = useStore(tracker.state);
  const photo = usePromise(() => loadThumbnail(id), [id]);
  const thumbnail = photo.state === 'done' ? photo.value : null;
  const startedAt = useRef(performance.now());
  const [wholeMs, setWholeMs] = useState<number | null>(null);
  const { phase } = state;

  useEffect(() => {
    const words: Partial<Record<typeof phase, string>> = {
      uploading: t.job.uploading,
      queued: t.job.waiting,
      processing: t.job.working,
      succeeded: t.result.title,
      canceled: t.job.canceled,
      lost: t.job.gone,
    };
    if (words[phase] !== undefined) announce(words[phase]);
    // Only what was followed from the upload on has a time that means something to the reader.
    if (phase === 'succeeded' && tracker.upload !== null) setWholeMs((before) => before ?? performance.now() - startedAt.current);
  }, [phase, t]);

  if (phase === 'succeeded' && state.view?.result !== undefined) {
    return <ResultView view={state.view} result={state.view.result} landmarks={state.landmarks} thumbnail={thumbnail} wholeMs={wholeMs} />;
  }
  const faces = severalFaces(state.failure);
  return (
    <div class="job">
      <div class="job-photo">
        <PhotoWithPoints
          thumbnail={thumbnail}
          isLoading={photo.state === 'loading'}
          landmarks={state.landmarks}
          faces={faces}
          onChoose={
            tracker.upload === null ? undefined : (index) => takePhoto(tracker.upload!.photo, { ...tracker.upload!.options, face: index })
          }
          isWorking={phase === 'processing' || phase === 'uploading' || phase === 'queued'}
        />
      </div>
      <div class="job-side">
        {phase === 'lost' || phase === 'canceled' ? (
          <Ended
            title={
              phase === 'canceled'
                ? t.job.canceled
                : tracker.upload === null && photo.state === 'done' && thumbnail !== null
                  ? t.job.interrupted
                  : t.job.gone
            }
            text={
              phase === 'canceled'
                ? t.job.canceledText
                : tracker.upload === null && thumbnail !== null
                  ? t.job.interruptedText
                  : t.job.goneText
            }
          >
            {tracker.upload !== null && (
              <button type="button" class="button" onClick={() => takePhoto(tracker.upload!.photo, tracker.upload!.options)}>
                {t.job.sendAgain}
              </button>
            )}
          </Ended>
        ) : state.failure !== null && (phase === 'failed' || phase === 'refused') ? (
          <Problem failure={state.failure} isMain>
            {faces.length > 0 && tracker.upload === null && <p>{t.job.severalAgain}</p>}
            {phase === 'refused' && tracker.upload !== null && mayHelpAgain(state.failure) && (
              <Resend delayS={resendDelayS(state)} onSend={() => tracker.send()} />
            )}
            {phase === 'refused' && tracker.upload === null && (
              <button type="button" class="button" onClick={() => tracker.follow()}>
                {t.app.retry}
              </button>
            )}
            <a class="button" href="#/">
              {t.job.another}
            </a>
          </Problem>
        ) : (
          <ProgressPanel state={state} onCancel={() => tracker.cancel()} />
        )}
      </div>
    </div>
  );
}

function Ended({
  title,
  text,
  children,
}: {
  readonly title: string;
  readonly text: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { t } = useTexts();
  return (
    <div class="ended">
      <h1>{title}</h1>
      <p>{text}</p>
      <div class="problem-actions">
        {children}
        <a class="button-primary" href="#/">
          <Icon name="upload" />
          {t.job.another}
        </a>
      </div>
    </div>
  );
}

/** The faces of a photo that shows several, for choosing one. */
function severalFaces(failure: Failure | null): readonly FaceChoice[] {
  if (failure?.kind !== 'service' || failure.code !== 'FW_FACE_SEVERAL') return [];
  const { faces } = (failure.params ?? {}) as { faces?: readonly FaceChoice[] };
  return Array.isArray(faces) ? faces : [];
}

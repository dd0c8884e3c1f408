import type { ReconstructionView } from '@facewright/protocol';
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { failureFrom, isKeyProblem } from '../errors/failure.ts';
import { askForKey } from '../errors/key-question.ts';
import { Problem } from '../errors/problem.tsx';
import { formatTime } from '../i18n/format.ts';
import { useTexts } from '../i18n/language.ts';
import { service } from '../service.ts';
import { Icon } from '../ui/icons.tsx';
import { Segmented } from '../ui/segmented.tsx';
import { usePromise } from '../ui/use-promise.ts';
import { FaceCanvas } from '../viewer/face-canvas.tsx';
import type { FaceScene } from '../viewer/face-scene.ts';
import { FACE_VIEWS, type FaceView } from '../viewer/face-views.ts';
import './history.css';

/** Two faces beside each other that turn together. */
export function CompareView({ ids }: { readonly ids: readonly [string, string] }): JSX.Element {
  const { t } = useTexts();
  const [view, setView] = useState<FaceView>('textured');
  const scenes = useRef<(FaceScene | null)[]>([null, null]);
  return (
    <div class="compare">
      <div class="section-head">
        <a class="button-quiet" href="#/history">
          <Icon name="back" />
          {t.history.title}
        </a>
        <h1>{t.history.compareTitle}</h1>
        <Segmented
          small
          label={t.result.view}
          value={view}
          choices={FACE_VIEWS.map((value) => ({ value, label: t.result.views[value], title: t.result.viewTitles[value] }))}
          onChange={setView}
        />
      </div>
      <div class="compare-pair">
        {ids.map((id, i) => (
          <Side
            key={id}
            id={id}
            view={view}
            onScene={(scene) => {
              scenes.current[i] = scene;
            }}
            onOrbit={(orbit) => scenes.current[1 - i]?.setOrbit(orbit)}
          />
        ))}
      </div>
    </div>
  );
}

async function readJob(id: string, signal: AbortSignal): Promise<ReconstructionView> {
  try {
    return await service.get(id, { signal });
  } catch (e) {
    const failure = failureFrom(e);
    if (isKeyProblem(failure) && (await askForKey(failure))) return readJob(id, signal);
    throw e;
  }
}

interface SideProps {
  readonly id: string;
  readonly view: FaceView;
  readonly onScene: (scene: FaceScene | null) => void;
  readonly onOrbit: (orbit: ReturnType<FaceScene['getOrbit']>) => void;
}

function Side({ id, view, onScene, onOrbit }: SideProps): JSX.Element {
  const { t, locale } = useTexts();
  const job = usePromise((signal) => readJob(id, signal), [id]);
  if (job.state === 'failed') return <Problem failure={failureFrom(job.error)} />;
  if (job.state === 'loading') return <p class="fine">{t.app.loading}</p>;
  const { result, createdAt } = job.value;
  const glb = result?.files.find(({ name }) => name.endsWith('.glb'));
  return (
    <figure class="compare-side">
      {glb === undefined ? (
        <p>{t.job.gone}</p>
      ) : (
        <FaceCanvas
          file={glb}
          preview={result?.files.find(({ name }) => name === 'preview.png')}
          view={view}
          onScene={onScene}
          onOrbit={onOrbit}
        />
      )}
      <figcaption>
        <a href={`#/face/${id}`}>{t.history.madeAt(formatTime(createdAt, locale))}</a>
        {result !== undefined && <span class="fine">{result.model.id}</span>}
      </figcaption>
    </figure>
  );
}

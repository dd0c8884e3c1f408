import type { ResultFile } from '@facewright/protocol';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Failure, failureFrom } from '../errors/failure.ts';
import { Problem } from '../errors/problem.tsx';
import { useTexts } from '../i18n/language.ts';
import { service } from '../service.ts';
import { downloadGlb } from './download-glb.ts';
import type { FaceScene, OrbitState } from './face-scene.ts';
import type { FaceView } from './face-views.ts';
import { hasWebgl } from './has-webgl.ts';
import type { FaceModel } from './load-face.ts';
import './viewer.css';

export interface FaceCanvasProps {
  readonly file: ResultFile;
  /** Shown where there is no 3D. */
  readonly preview?: ResultFile | undefined;
  readonly view: FaceView;
  readonly onScene?: (scene: FaceScene | null) => void;
  readonly onFace?: (face: FaceModel) => void;
  readonly onOrbit?: (orbit: OrbitState) => void;
}

const TURN_DEG = 8;
const ZOOM = 1.12;

/** A face that can be turned. The code that draws it is loaded with the first one. */
export function FaceCanvas({ file, preview, view, onScene, onFace, onOrbit }: FaceCanvasProps): JSX.Element {
  const { t } = useTexts();
  const canvas = useRef<HTMLCanvasElement>(null);
  const scene = useRef<FaceScene | null>(null);
  const [progress, setProgress] = useState<number | null>(0);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [attempt, setAttempt] = useState(0);
  const [withoutWebgl, setWithoutWebgl] = useState(() => !hasWebgl());
  const callbacks = useRef({ onScene, onFace, onOrbit });
  callbacks.current = { onScene, onFace, onOrbit };

  useEffect(() => {
    const element = canvas.current;
    if (withoutWebgl || element === null) return;
    const controller = new AbortController();
    setFailure(null);
    setProgress(0);
    const observer = new ResizeObserver(() => scene.current?.resize());
    const start = async () => {
      const [{ createFaceScene }, { loadFace }, glb] = await Promise.all([
        import('./face-scene.ts'),
        import('./load-face.ts'),
        downloadGlb(file, controller.signal, setProgress),
      ]);
      if (controller.signal.aborted) return;
      const face = await loadFace(glb);
      if (controller.signal.aborted) return face.dispose();
      try {
        scene.current = createFaceScene({
          canvas: element,
          onOrbit: (orbit) => callbacks.current.onOrbit?.(orbit),
          // What was on the graphics card is gone; everything is made anew.
          onContextLost: () => setAttempt((n) => n + 1),
        });
      } catch {
        face.dispose();
        setWithoutWebgl(true);
        return;
      }
      scene.current.setView(view);
      scene.current.setFace(face);
      scene.current.setWeights(face.photoExpression);
      observer.observe(element);
      setProgress(null);
      callbacks.current.onScene?.(scene.current);
      callbacks.current.onFace?.(face);
    };
    start().catch((e: unknown) => controller.signal.aborted || setFailure(failureFrom(e)));
    return () => {
      controller.abort();
      observer.disconnect();
      callbacks.current.onScene?.(null);
      scene.current?.dispose();
      scene.current = null;
    };
    // Links of the same file change with every reading of the job; its content does not.
  }, [file.sha256, attempt, withoutWebgl]);
  useEffect(() => scene.current?.setView(view), [view]);

  if (withoutWebgl) {
    return (
      <div class="viewer-pictures">
        {preview !== undefined && <img src={service.resolve(preview.url)} alt={t.result.previewAlt} />}
        <p role="status">{t.result.noWebgl}</p>
      </div>
    );
  }
  const onKeyDown = (e: KeyboardEvent) => {
    const act = KEYS[e.key];
    if (act === undefined || scene.current === null || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    act(scene.current);
  };
  return (
    <>
      {/* A new canvas for every attempt: one that lost its context does not get another. */}
      {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it takes its own keys, which is what the role application is for */}
      <canvas
        key={attempt}
        ref={canvas}
        class={progress === null ? 'face-canvas' : 'face-canvas face-canvas-waiting'}
        tabIndex={0}
        role="application"
        aria-label={t.result.viewerLabel}
        data-ready={progress === null}
        onKeyDown={onKeyDown}
      />
      {progress !== null && failure === null && (
        <p class="viewer-loading" role="status">
          {t.result.loading(Math.round(100 * progress))}
        </p>
      )}
      {failure !== null && (
        <div class="viewer-problem">
          <Problem failure={failure}>
            <button type="button" class="button" onClick={() => setAttempt(attempt + 1)}>
              {t.app.retry}
            </button>
          </Problem>
        </div>
      )}
    </>
  );
}

const KEYS: Readonly<Record<string, (scene: FaceScene) => void>> = {
  ArrowLeft: (scene) => scene.turn(-TURN_DEG, 0),
  ArrowRight: (scene) => scene.turn(TURN_DEG, 0),
  ArrowUp: (scene) => scene.turn(0, -TURN_DEG),
  ArrowDown: (scene) => scene.turn(0, TURN_DEG),
  '+': (scene) => scene.turn(0, 0, ZOOM),
  '=': (scene) => scene.turn(0, 0, ZOOM),
  '-': (scene) => scene.turn(0, 0, 1 / ZOOM),
  _: (scene) => scene.turn(0, 0, 1 / ZOOM),
  '0': (scene) => scene.lookFromFront(),
  Home: (scene) => scene.lookFromFront(),
};

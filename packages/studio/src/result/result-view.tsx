import type { JobLandmarks, JobResult, ReconstructionView } from '@facewright/protocol';
import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.ts';
import { PhotoWithPoints } from '../progress/photo-with-points.tsx';
import { Segmented } from '../ui/segmented.tsx';
import { Slider } from '../ui/slider.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { useObjectUrl } from '../ui/use-object-url.ts';
import { usePromise } from '../ui/use-promise.ts';
import type { Thumbnail } from '../upload/create-thumbnail.ts';
import { FaceCanvas } from '../viewer/face-canvas.tsx';
import type { FaceScene } from '../viewer/face-scene.ts';
import { FACE_VIEWS, type FaceView } from '../viewer/face-views.ts';
import { hasWebgl } from '../viewer/has-webgl.ts';
import { DEFAULT_LIGHT, type LightState } from '../viewer/light-state.ts';
import type { FaceModel } from '../viewer/load-face.ts';
import { chooseWindow, type PhotoWindow } from '../viewer/photo-window.ts';
import type { Backdrop } from './backdrops.ts';
import { CaptureButtons } from './capture-buttons.tsx';
import { ExpressionPanel } from './expression-panel.tsx';
import { FilesPanel } from './files-panel.tsx';
import { loadMeasurements } from './load-measurements.ts';
import { LookPanel } from './look-panel.tsx';
import { MeasurePanel } from './measure-panel.tsx';
import './result.css';

export interface ResultViewProps {
  readonly view: ReconstructionView;
  readonly result: JobResult;
  readonly landmarks: JobLandmarks | null;
  readonly thumbnail: Thumbnail | null;
  /** From the choice of the photo to the result, where this page saw it. */
  readonly wholeMs: number | null;
}

type Arrangement = 'model' | 'beside' | 'overlay';
type Tab = 'look' | 'expression' | 'measure' | 'files';

/** A finished face: turn it, light it, move it, compare it with the photo, take it away. */
export function ResultView({ view: job, result, landmarks, thumbnail, wholeMs }: ResultViewProps): JSX.Element {
  const { t } = useTexts();
  const [view, setView] = useState<FaceView>('textured');
  const [arrangement, setArrangement] = useState<Arrangement>('model');
  const [tab, setTab] = useState<Tab>('look');
  const [light, setLight] = useState<LightState>(DEFAULT_LIGHT);
  const [backdrop, setBackdrop] = useState<Backdrop>('studio');
  const [overlay, setOverlay] = useState(0.7);
  const [weights, setWeights] = useState<Readonly<Record<string, number>>>({});
  const [face, setFace] = useState<FaceModel | null>(null);
  const [scene, setScene] = useState<FaceScene | null>(null);
  const [isPhotoForgotten, setIsPhotoForgotten] = useState(false);
  const stage = useRef<HTMLDivElement>(null);
  const photo = isPhotoForgotten ? null : thumbnail;
  const photoUrl = useObjectUrl(photo?.blob);
  const measurements = usePromise((signal) => loadMeasurements(result, signal), [job.id]);
  const camera = measurements.state === 'done' ? measurements.value.camera : null;
  const points = measurements.state === 'done' ? measurements.value.landmarks : null;
  const window = camera === null ? null : chooseWindow(camera.image, points?.points ?? null);
  const glb = result.files.find(({ name }) => name.endsWith('.glb'));
  const preview = result.files.find(({ name }) => name === 'preview.png');

  const onFace = useCallback((loaded: FaceModel) => {
    setFace(loaded);
    setWeights(loaded.photoExpression);
  }, []);
  useEffect(() => scene?.setLight(light), [scene, light]);
  useEffect(() => scene?.setWeights(weights), [scene, weights]);
  useEffect(() => {
    if (arrangement === 'overlay' && camera !== null && window !== null) {
      // The photo shows its own expression, so must the mesh that lies over it.
      if (face !== null) setWeights(face.photoExpression);
      scene?.setPhotoCamera({ output: camera, window });
    } else {
      scene?.setPhotoCamera(null);
    }
  }, [scene, arrangement, camera, face]);

  const canOverlay = photo !== null && camera !== null;
  return (
    <div class="result">
      <h1 class="visually-hidden">{t.result.title}</h1>
      <div ref={stage} class={`stage-area stage-${arrangement} backdrop-${backdrop}`}>
        {arrangement === 'beside' && photo !== null && photoUrl !== null && (
          <div class="stage-photo">
            <PhotoWithPoints
              thumbnail={photo}
              isLoading={false}
              landmarks={landmarksFrom(landmarks, points)}
              faces={[]}
              isWorking={false}
            />
          </div>
        )}
        <div class="stage-canvas">
          {arrangement === 'overlay' && photoUrl !== null && window !== null && camera !== null && (
            <WindowedPhoto
              url={photoUrl}
              alt={t.result.photoAlt}
              window={window}
              widthPx={camera.image.widthPx}
              heightPx={camera.image.heightPx}
            />
          )}
          {glb !== undefined && (
            <div class="stage-layer" style={{ opacity: arrangement === 'overlay' ? overlay : 1 }}>
              <FaceCanvas file={glb} preview={preview} view={view} onScene={setScene} onFace={onFace} />
            </div>
          )}
          {face === null && hasWebgl() && photo !== null && photoUrl !== null && (
            <div class="stage-waiting" aria-hidden="true">
              <PhotoWithPoints thumbnail={photo} isLoading={false} landmarks={landmarksFrom(landmarks, points)} faces={[]} isWorking />
            </div>
          )}
        </div>
        {hasWebgl() && (
          <div class="stage-bar stage-bar-top">
            <Segmented
              small
              label={t.result.arrangement}
              value={arrangement}
              choices={[
                { value: 'model', label: t.result.arrangements.model },
                { value: 'beside', label: t.result.arrangements.beside, disabled: photo === null },
                { value: 'overlay', label: t.result.arrangements.overlay, disabled: !canOverlay },
              ]}
              onChange={setArrangement}
            />
            <CaptureButtons scene={scene} stage={stage} isDisabled={scene === null} canTurn={arrangement !== 'overlay'} />
          </div>
        )}
        {hasWebgl() && (
          <div class="stage-bar stage-bar-bottom">
            {arrangement === 'overlay' ? (
              <div class="overlay-slider">
                <Slider
                  label={t.result.overlayAmount}
                  value={overlay}
                  min={0}
                  max={1}
                  step={0.01}
                  format={(v) => `${Math.round(100 * v)} %`}
                  onInput={setOverlay}
                />
              </div>
            ) : (
              <p class="stage-help">{t.result.viewerHelp}</p>
            )}
            <Segmented
              small
              label={t.result.view}
              value={view}
              choices={FACE_VIEWS.map((value) => ({ value, label: t.result.views[value], title: t.result.viewTitles[value] }))}
              onChange={setView}
            />
          </div>
        )}
      </div>
      <aside class="panel">
        <Tabs
          value={tab}
          onChange={setTab}
          tabs={[
            { value: 'look', label: t.result.tabs.look },
            { value: 'expression', label: t.result.tabs.expression },
            { value: 'measure', label: t.result.tabs.measure },
            { value: 'files', label: t.result.tabs.files },
          ]}
        >
          {tab === 'look' && (
            <LookPanel
              result={result}
              light={light}
              onLight={setLight}
              photo={photo}
              canOverlay={canOverlay}
              hasCamera={camera !== null}
              backdrop={backdrop}
              onBackdrop={setBackdrop}
              glb={glb}
              isCompact={job.options.compact}
              onFiles={() => setTab('files')}
            />
          )}
          {tab === 'expression' && <ExpressionPanel face={face} weights={weights} onWeights={setWeights} scene={scene} />}
          {tab === 'measure' && (
            <MeasurePanel
              job={job}
              result={result}
              measurements={measurements.state === 'done' ? measurements.value : null}
              mesh={face?.facts ?? null}
              wholeMs={wholeMs}
            />
          )}
          {tab === 'files' && (
            <FilesPanel
              job={job}
              result={result}
              hasPhoto={photo !== null}
              onForgetPhoto={() => (setIsPhotoForgotten(true), setArrangement('model'))}
            />
          )}
        </Tabs>
      </aside>
    </div>
  );
}

interface WindowedPhotoProps {
  readonly url: string;
  readonly alt: string;
  readonly window: PhotoWindow;
  /** Of the full-size photo. */
  readonly widthPx: number;
  readonly heightPx: number;
}

/** The part of the photo around the face, where the scene's camera puts the same pixels. */
function WindowedPhoto({ url, alt, window, widthPx, heightPx }: WindowedPhotoProps): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const image = useRef<HTMLImageElement>(null);
  useEffect(() => {
    const outer = frame.current;
    const inner = image.current;
    if (outer === null || inner === null) return;
    const place = () => {
      const scale = Math.min(outer.clientWidth / window.width, outer.clientHeight / window.height);
      inner.style.width = `${widthPx * scale}px`;
      inner.style.height = `${heightPx * scale}px`;
      inner.style.left = `${(outer.clientWidth - window.width * scale) / 2 - window.x * scale}px`;
      inner.style.top = `${(outer.clientHeight - window.height * scale) / 2 - window.y * scale}px`;
    };
    const observer = new ResizeObserver(place);
    observer.observe(outer);
    return () => observer.disconnect();
  }, [window.x, window.y, window.width, window.height, widthPx, heightPx]);
  return (
    <div ref={frame} class="windowed-photo">
      <img ref={image} src={url} alt={alt} />
    </div>
  );
}

/** The landmarks of the events, or those of the file where the events are long past. */
function landmarksFrom(
  live: JobLandmarks | null,
  file: { readonly image: { widthPx: number; heightPx: number }; readonly points: readonly [number, number, number][] } | null,
): JobLandmarks | null {
  if (live !== null || file === null) return live;
  return { ...file.image, points: file.points.map(([x, y]) => [x, y] as [number, number]) };
}

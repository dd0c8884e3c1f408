import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.ts';
import { canvasToBlob } from '../ui/canvas-to-blob.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Icon } from '../ui/icons.tsx';
import { useObjectUrl } from '../ui/use-object-url.ts';
import { judgeLight, type LightVerdict } from './judge-light.ts';

type Stage =
  | { readonly name: 'consent' }
  | { readonly name: 'starting' }
  | { readonly name: 'live' }
  | { readonly name: 'taken'; readonly photo: Blob }
  | { readonly name: 'failed'; readonly reason: 'denied' | 'none' | 'busy' | 'insecure' };

const QUALITY = 0.95;
/** Between two looks at the light, ms. */
const LIGHT_MS = 400;

/** Takes a photo with the camera. It is turned on only when the reader says so, and off as soon as the window closes. */
export function CameraDialog({ onClose, onPhoto }: { readonly onClose: () => void; readonly onPhoto: (photo: Blob) => void }): JSX.Element {
  const { t } = useTexts();
  const [stage, setStage] = useState<Stage>({ name: 'consent' });
  const [light, setLight] = useState<LightVerdict | null>(null);
  const video = useRef<HTMLVideoElement>(null);
  const stream = useRef<MediaStream | null>(null);
  const closing = useRef(new AbortController());
  const url = useObjectUrl(stage.name === 'taken' ? stage.photo : null);

  const stop = () => {
    for (const track of stream.current?.getTracks() ?? []) track.stop();
    stream.current = null;
  };
  useEffect(
    () => () => {
      closing.current.abort();
      stop();
    },
    [],
  );
  useEffect(() => {
    if (stage.name !== 'live') return;
    const element = video.current;
    if (element !== null) {
      element.srcObject = stream.current;
      element.play().catch(() => undefined);
    }
    const timer = setInterval(() => element !== null && setLight(judgeLight(element)), LIGHT_MS);
    return () => clearInterval(timer);
  }, [stage.name]);

  const start = async () => {
    if (navigator.mediaDevices?.getUserMedia === undefined) return setStage({ name: 'failed', reason: 'insecure' });
    setStage({ name: 'starting' });
    try {
      const started = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: 'user', width: { ideal: 1920 }, height: { ideal: 1440 } },
      });
      stream.current = started;
      // The window was closed while the browser asked.
      if (closing.current.signal.aborted) return stop();
      setStage({ name: 'live' });
    } catch (e) {
      const name = e instanceof Error ? e.name : '';
      const reason =
        name === 'NotAllowedError' || name === 'SecurityError'
          ? 'denied'
          : name === 'NotFoundError' || name === 'OverconstrainedError'
            ? 'none'
            : 'busy';
      setStage({ name: 'failed', reason });
    }
  };
  const take = () => {
    const element = video.current;
    if (element === null || element.videoWidth === 0) return;
    const canvas = document.createElement('canvas');
    canvas.width = element.videoWidth;
    canvas.height = element.videoHeight;
    // Not mirrored: the mirror is for the eyes of the reader only.
    canvas.getContext('2d')?.drawImage(element, 0, 0);
    stop();
    setStage({ name: 'taken', photo: canvasToBlob(canvas, 'image/jpeg', QUALITY) });
  };

  return (
    <Dialog title={t.camera.title} onClose={onClose} wide>
      {(stage.name === 'consent' || stage.name === 'starting' || stage.name === 'failed') && (
        <div class="camera-consent">
          <Guide />
          {stage.name === 'failed' ? (
            <p class="camera-failed" role="alert">
              {t.camera[stage.reason]}
            </p>
          ) : (
            <p>{t.camera.consent}</p>
          )}
          <button type="button" class="button-primary" disabled={stage.name === 'starting'} onClick={() => void start()}>
            <Icon name="camera" />
            {stage.name === 'starting' ? t.camera.starting : stage.name === 'failed' ? t.app.retry : t.camera.turnOn}
          </button>
        </div>
      )}
      {stage.name === 'live' && (
        <>
          <div class="mirror">
            <video ref={video} class="mirror-picture" muted playsInline aria-label={t.camera.mirror} />
            <svg class="mirror-guide" viewBox="0 0 400 300" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
              <path
                class="mirror-shade"
                fill-rule="evenodd"
                d="M0 0h400v300H0ZM200 40c-46 0-72 38-72 92 0 66 36 122 72 122s72-56 72-122c0-54-26-92-72-92Z"
              />
              <path class="mirror-oval" d="M200 40c-46 0-72 38-72 92 0 66 36 122 72 122s72-56 72-122c0-54-26-92-72-92Z" />
              <path class="mirror-cross" d="M200 52v190M140 122h120" />
            </svg>
            {light !== null && (
              <p class={`mirror-light mirror-light-${light}`} role="status">
                {t.camera.light[light]}
              </p>
            )}
          </div>
          <div class="dialog-actions">
            <Guide />
            <button type="button" class="button-primary" onClick={take}>
              <Icon name="camera" />
              {t.camera.take}
            </button>
          </div>
        </>
      )}
      {stage.name === 'taken' && (
        <>
          <div class="mirror">{url !== null && <img class="mirror-picture mirror-taken" src={url} alt={t.camera.taken} />}</div>
          <div class="dialog-actions">
            <button type="button" class="button" onClick={() => void start()}>
              {t.camera.again}
            </button>
            <button type="button" class="button-primary" onClick={() => onPhoto(stage.photo)}>
              {t.camera.use}
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}

function Guide(): JSX.Element {
  const { t } = useTexts();
  return (
    <ul class="camera-guide">
      {t.camera.guide.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

import type { JSX, RefObject } from 'preact';
import { useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.ts';
import { announce } from '../ui/announce.tsx';
import { Icon } from '../ui/icons.tsx';
import { saveFile } from '../ui/save-file.ts';
import type { FaceScene } from '../viewer/face-scene.ts';
import { recordTurntable } from '../viewer/record-turntable.ts';
import { takePicture } from './take-picture.ts';

export interface CaptureButtonsProps {
  readonly scene: FaceScene | null;
  /** What fills the screen. */
  readonly stage: RefObject<HTMLElement | null>;
  readonly isDisabled: boolean;
  /** Not while the photo's own camera is looked through. */
  readonly canTurn: boolean;
}

/** The front again, screenshot, turntable as GIF and as video, full screen. */
export function CaptureButtons({ scene, stage, isDisabled, canTurn }: CaptureButtonsProps): JSX.Element {
  const { t } = useTexts();
  const [recorded, setRecorded] = useState<number | null>(null);
  const canRecord = typeof MediaRecorder !== 'undefined';
  const record = async (kind: 'gif' | 'video') => {
    const canvas = stage.current?.querySelector('canvas.face-canvas');
    if (scene === null || !(canvas instanceof HTMLCanvasElement)) return;
    setRecorded(0);
    try {
      const backdrop = solidOf(canvas);
      if (kind === 'gif') {
        const { makeTurntableGif } = await import('../viewer/make-turntable-gif.ts');
        saveFile(await makeTurntableGif(scene, canvas, backdrop, setRecorded), 'face-turntable.gif');
      } else {
        const { video, extension } = await recordTurntable(scene, canvas, backdrop, setRecorded);
        saveFile(video, `face-turntable.${extension}`);
      }
    } catch {
      announce(t.result.recordingMissing);
    } finally {
      setRecorded(null);
    }
  };
  return (
    <div class="capture">
      {recorded !== null && <span class="capture-note">{t.result.recording(Math.round(100 * recorded))}</span>}
      <button
        type="button"
        class="button-icon"
        disabled={isDisabled || !canTurn || recorded !== null}
        aria-label={t.result.front}
        title={t.result.front}
        onClick={() => scene?.lookFromFront()}
      >
        <Icon name="reset" />
      </button>
      <button
        type="button"
        class="button-icon"
        disabled={isDisabled}
        aria-label={t.result.screenshot}
        title={t.result.screenshot}
        onClick={() => scene !== null && stage.current !== null && saveFile(takePicture(scene, stage.current), 'face.png')}
      >
        <Icon name="image" />
      </button>
      <button
        type="button"
        class="button-icon button-word"
        disabled={isDisabled || !canTurn || recorded !== null}
        aria-label={t.result.turntableGif}
        title={t.result.turntableGif}
        onClick={() => void record('gif')}
      >
        GIF
      </button>
      {canRecord && (
        <button
          type="button"
          class="button-icon"
          disabled={isDisabled || !canTurn || recorded !== null}
          aria-label={t.result.turntable}
          title={t.result.turntable}
          onClick={() => void record('video')}
        >
          <Icon name="film" />
        </button>
      )}
      {document.fullscreenEnabled && (
        <button
          type="button"
          class="button-icon capture-full"
          aria-label={t.result.fullscreen}
          title={t.result.fullscreen}
          onClick={() => void (document.fullscreenElement === null ? stage.current?.requestFullscreen() : document.exitFullscreen())}
        >
          <Icon name="expand" />
        </button>
      )}
    </div>
  );
}

/** The colour behind the face as `rgb(…)`: the styles name it in ways that only they understand. */
function solidOf(canvas: HTMLCanvasElement): string {
  const probe = document.createElement('span');
  probe.style.color = 'var(--stage-solid)';
  canvas.parentElement?.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

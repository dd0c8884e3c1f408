import type { JSX, RefObject } from 'preact';
import { useState } from 'preact/hooks';
import { useTexts } from '../i18n/language.ts';
import { announce } from '../ui/announce.tsx';
import { Icon } from '../ui/icons.tsx';
import { saveFile } from '../ui/save-file.ts';
import type { FaceScene } from '../viewer/face-scene.ts';
import { recordTurntable } from '../viewer/record-turntable.ts';

export interface CaptureButtonsProps {
  readonly scene: FaceScene | null;
  /** What fills the screen. */
  readonly stage: RefObject<HTMLElement | null>;
  readonly jobId: string;
  readonly isDisabled: boolean;
}

/** Screenshot, turntable video, full screen. */
export function CaptureButtons({ scene, stage, isDisabled }: CaptureButtonsProps): JSX.Element {
  const { t } = useTexts();
  const [recorded, setRecorded] = useState<number | null>(null);
  const canRecord = typeof MediaRecorder !== 'undefined';
  const record = async () => {
    const canvas = stage.current?.querySelector('canvas.face-canvas');
    if (scene === null || !(canvas instanceof HTMLCanvasElement)) return;
    setRecorded(0);
    try {
      const backdrop = getComputedStyle(canvas).getPropertyValue('--stage-solid').trim() || '#d8d4cd';
      const { video, extension } = await recordTurntable(scene, canvas, backdrop, setRecorded);
      saveFile(video, `face-turntable.${extension}`);
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
        disabled={isDisabled}
        aria-label={t.result.screenshot}
        title={t.result.screenshot}
        onClick={() => scene !== null && saveFile(scene.takeScreenshot(), 'face.png')}
      >
        <Icon name="image" />
      </button>
      {canRecord && (
        <button
          type="button"
          class="button-icon"
          disabled={isDisabled || recorded !== null}
          aria-label={t.result.turntable}
          title={t.result.turntable}
          onClick={() => void record()}
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

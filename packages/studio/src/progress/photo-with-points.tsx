import type { FaceChoice, JobLandmarks } from '@facewright/protocol';
import type { CSSProperties, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useTexts } from '../i18n/language.ts';
import { Icon } from '../ui/icons.tsx';
import { prefersReducedMotion } from '../ui/theme.ts';
import { useObjectUrl } from '../ui/use-object-url.ts';
import type { Thumbnail } from '../upload/create-thumbnail.ts';
import { LANDMARK_LINES } from './landmark-lines.ts';

export interface PhotoWithPointsProps {
  readonly thumbnail: Thumbnail | null;
  readonly isLoading: boolean;
  readonly landmarks: JobLandmarks | null;
  /** Faces to choose from; pixels of the full-size photo. */
  readonly faces: readonly FaceChoice[];
  readonly onChoose?: ((index: number) => void) | undefined;
  readonly isWorking: boolean;
}

/** Time in which the points appear, from the top down, ms. */
const REVEAL_MS = 700;
/** On any skin; the styles give it a dark seam. */
const COLOR = '#fff';

/** The photo as the browser has it, with what has been measured in it so far. */
export function PhotoWithPoints({ thumbnail, isLoading, landmarks, faces, onChoose, isWorking }: PhotoWithPointsProps): JSX.Element {
  const { t } = useTexts();
  const url = useObjectUrl(thumbnail?.blob);
  if (thumbnail === null || url === null) {
    return (
      <div class={isWorking ? 'photo-frame photo-missing photo-working' : 'photo-frame photo-missing'}>
        <Icon name="face" />
        {!isLoading && <p>{t.job.noPhoto}</p>}
      </div>
    );
  }
  const { widthPx, heightPx } = thumbnail;
  return (
    <div class={isWorking ? 'photo-frame photo-working' : 'photo-frame'} style={{ '--ratio': widthPx / heightPx } as CSSProperties}>
      <img src={url} width={widthPx} height={heightPx} alt={landmarks === null ? t.job.photoAlt : t.job.photoWithPoints} />
      {landmarks !== null && <Points landmarks={landmarks} widthPx={widthPx} heightPx={heightPx} />}
      {faces.map((face) => (
        <FaceBox key={face.index} face={face} scale={[100 / thumbnail.sourceWidthPx, 100 / thumbnail.sourceHeightPx]} onChoose={onChoose} />
      ))}
    </div>
  );
}

function Points({
  landmarks,
  widthPx,
  heightPx,
}: {
  readonly landmarks: JobLandmarks;
  readonly widthPx: number;
  readonly heightPx: number;
}): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const context = element.getContext('2d');
    if (context === null) return;
    const scale = widthPx / landmarks.widthPx;
    const points = landmarks.points.map(([x, y]) => [x * scale, y * scale] as const);
    const ys = points.map(([, y]) => y);
    const top = Math.min(...ys);
    const height = Math.max(...ys) - top || 1;
    const unit = Math.max(0.8, height / 360);
    let frame = 0;
    let begin: number | null = null;
    const draw = (now: number) => {
      begin ??= now;
      const ratio = prefersReducedMotion() ? 1 : Math.min(1, (now - begin) / REVEAL_MS);
      const limit = top + height * ratio * 1.02;
      context.clearRect(0, 0, widthPx, heightPx);
      context.lineJoin = 'round';
      context.strokeStyle = COLOR;
      context.fillStyle = COLOR;
      context.globalAlpha = 0.75;
      context.lineWidth = unit * 0.9;
      for (const line of LANDMARK_LINES) {
        context.beginPath();
        line.forEach((index, i) => {
          const [x, y] = points[index]!;
          const previous = points[line[Math.max(0, i - 1)]!]!;
          if (i === 0 || y > limit || previous[1] > limit) context.moveTo(x, y);
          else context.lineTo(x, y);
        });
        context.stroke();
      }
      context.globalAlpha = 0.9;
      for (const [x, y] of points) {
        if (y > limit) continue;
        context.beginPath();
        context.arc(x, y, unit * 1.15, 0, 2 * Math.PI);
        context.fill();
      }
      if (ratio < 1) frame = requestAnimationFrame(draw);
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, [landmarks, widthPx, heightPx]);
  return (
    <div class="photo-points" aria-hidden="true" data-points={landmarks.points.length}>
      <canvas ref={canvas} width={widthPx} height={heightPx} />
    </div>
  );
}

interface FaceBoxProps {
  readonly face: FaceChoice;
  /** Percent of the picture per pixel of the photo, x and y. */
  readonly scale: readonly [number, number];
  readonly onChoose: ((index: number) => void) | undefined;
}

function FaceBox({ face, scale, onChoose }: FaceBoxProps): JSX.Element {
  const { t } = useTexts();
  const { x, y, width, height } = face.box;
  const style: CSSProperties = {
    left: `${x * scale[0]}%`,
    top: `${y * scale[1]}%`,
    width: `${width * scale[0]}%`,
    height: `${height * scale[1]}%`,
  };
  return (
    <button type="button" class="face-box" style={style} disabled={onChoose === undefined} onClick={() => onChoose?.(face.index)}>
      <span>{t.job.face(face.index)}</span>
    </button>
  );
}

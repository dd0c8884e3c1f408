import type { FaceLandmarks } from '../nets/face-networks.ts';
import type { PhotoView } from '../photo/photo.ts';
import { computeRobustStatistics, computeTone, computeToneDistance, SKIN_SPREAD } from './skin-color.ts';

/** Top of the forehead and its neighbours, and the chin (MediaPipe's numbers). */
const FOREHEAD_TOP = [10, 338, 109, 297, 67];
const CHIN = 152;

/** The crown lies about a third of the face's height above the uppermost landmarks: skin that has not ended there is a bald head's. */
const MAX_FOREHEAD_RATIO = 0.31;
/** Part of the strip above the hairline (short hair has no more) from which the hair's colour is taken, relative to the face's height. */
const STRIP = [0.02, 0.065] as const;
/** Where the background is looked at: to the left and right of that strip, relative to the face's height. */
const BESIDE = [0.75, 0.85, 0.95, -0.75, -0.85, -0.95];
const STEP = 0.004;
/** Spread of hair's tone, as in head-colors. */
const HAIR_SPREAD: readonly [number, number, number] = [0.3, 0.05, 0.05];

/**
 * Walks up from the forehead in the photo until the skin ends; where what follows is of a hair's colour and not the background's,
 * returns its colours, shape (N,3), sRGB. Empty where skin goes on or background follows (bald), or the photo ends first. Needed for heads
 * larger than the fitted skull, whose hair begins beyond it.
 */
export function findHairAbove(landmarks: FaceLandmarks, view: PhotoView, skinTone: readonly number[]): number[] {
  const { points } = landmarks;
  const upX = points[3 * FOREHEAD_TOP[0]] - points[3 * CHIN];
  const upY = points[3 * FOREHEAD_TOP[0] + 1] - points[3 * CHIN + 1];
  const { rgb, width, height } = view.raster;
  const tone = new Float32Array(3);
  /** Place in the raster, -1 outside; s along the face's height, t across. */
  const placeAt = (landmark: number, s: number, t: number): number => {
    const column = Math.floor((points[3 * landmark] + s * upX - t * upY - view.x) / view.scaleX);
    const row = Math.floor((points[3 * landmark + 1] + s * upY + t * upX - view.y) / view.scaleY);
    return column < 0 || row < 0 || column >= width || row >= height ? -1 : 3 * (row * width + column);
  };
  const strip: number[] = [];
  const beside: number[] = [];
  const stripTones: number[] = [];
  const besideTones: number[] = [];
  const add = (p: number, colors: number[], tones: number[]): void => {
    if (p < 0) return;
    colors.push(rgb[p], rgb[p + 1], rgb[p + 2]);
    computeTone(rgb[p], rgb[p + 1], rgb[p + 2], tone, 0);
    tones.push(tone[0], tone[1], tone[2]);
  };
  let columns = 0;
  for (const l of FOREHEAD_TOP) {
    let end = -1;
    let run = 0;
    for (let s = -0.04; s < MAX_FOREHEAD_RATIO + 4 * STEP; s += STEP) {
      const p = placeAt(l, s, 0);
      if (p < 0) break;
      computeTone(rgb[p], rgb[p + 1], rgb[p + 2], tone, 0);
      if (computeToneDistance(tone, 0, skinTone, 0, SKIN_SPREAD) > 4) {
        if (++run === 4) {
          end = s - 3 * STEP;
          break;
        }
      } else run = 0;
    }
    if (end < -0.03 || end > MAX_FOREHEAD_RATIO) continue;
    columns++;
    for (let s = end + STRIP[0]; s < end + STRIP[1]; s += STEP) {
      add(placeAt(l, s, 0), strip, stripTones);
      for (const t of BESIDE) add(placeAt(l, s, t), beside, besideTones);
    }
  }
  if (columns < 3 || strip.length < 90 || beside.length < 90) return [];
  const hair = computeRobustStatistics(stripTones, 3).median;
  const background = computeRobustStatistics(besideTones, 3).median;
  const isHairColor = hair[0] < skinTone[0] + 0.25 && hair[2] > -0.03 && hair[1] < 0.06;
  const differs = computeToneDistance(Float32Array.from(hair), 0, background, 0, HAIR_SPREAD) > 1.5;
  return isHairColor && differs ? strip : [];
}

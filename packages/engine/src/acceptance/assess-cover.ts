import type { Raster } from '../photo/raster.ts';
import { computeRobustStatistics, computeTone, computeToneDistance, SKIN_SPREAD } from '../texture/skin-color.ts';

/** Parts of a face that are bare skin, or of a beard's colour, in nearly every photo. */
export type CoverPart = 'rightCheek' | 'leftCheek' | 'nose' | 'chin';

/** Landmarks on each part (MediaPipe's numbers; right and left are the person's). */
const PART_LANDMARKS: Readonly<Record<CoverPart, readonly number[]>> = {
  rightCheek: [50, 101, 118, 117, 123, 205, 36, 187, 147, 116, 111, 100, 142, 203, 206],
  leftCheek: [280, 330, 347, 346, 352, 425, 266, 411, 376, 345, 340, 329, 371, 423, 426],
  nose: [6, 197, 195, 5, 4, 1, 45, 275, 51, 281, 3, 248, 122, 351],
  chin: [200, 199, 175, 201, 421, 208, 428, 32, 262, 18],
};
/** More places that tell what this person's skin looks like. A fringe or a hat covers them in many good photos, so that they say nothing else. */
const FOREHEAD = [9, 151, 107, 336, 108, 337, 69, 299, 104, 333];

/** Standard deviations of the skin's tone (see SKIN_SPREAD) from which on a place is not this skin, light and shade included. */
const FOREIGN_DISTANCE = 3.5;
/** Foreheads of people are up to 0.06 redder than the whole face (red excess over the brightness); over a mask by 0.09 and more. */
const MASK_PALENESS = 0.08;
/** A chin that is darker than the skin by this much (logarithm of the brightness) may be a beard. */
const BEARD_DARKNESS = 0.35;

/**
 * Share of each part of a face that does not look like the rest of its skin. The networks give landmarks of a face behind a mask, a hand
 * or a blanket with full confidence; the colours tell.
 *
 * @param points - shape (478,3), image frame of the raster
 * @returns 0..1 for each part; places outside the raster are left out, a part of which half is outside has 0
 * Source: own derivation; the figures behind the bounds are in docs/decisions/acceptance.md.
 */
export function assessCover(raster: Raster, points: Float64Array): Readonly<Record<CoverPart, number>> {
  const tone = new Float32Array(3);
  const readTone = (landmark: number): boolean => {
    const x = Math.floor(points[3 * landmark]!);
    const y = Math.floor(points[3 * landmark + 1]!);
    if (!(x >= 0 && y >= 0 && x < raster.width && y < raster.height)) return false;
    const o = 3 * (y * raster.width + x);
    computeTone(raster.rgb[o]!, raster.rgb[o + 1]!, raster.rgb[o + 2]!, tone, 0);
    return true;
  };
  const { rightCheek, leftCheek, nose } = PART_LANDMARKS;
  const tonesOf = (landmarks: readonly number[]): number[] => landmarks.flatMap((l) => (readTone(l) ? [...tone] : []));
  const forehead = computeRobustStatistics(tonesOf(FOREHEAD), 3);
  const all = computeRobustStatistics(tonesOf([...rightCheek, ...leftCheek, ...nose, ...FOREHEAD]), 3);
  // Where most of the face is behind a mask, the median is the mask's. Skin is redder.
  const { median, spread } = forehead.median[2]! - all.median[2]! > MASK_PALENESS ? forehead : all;
  // As in the texture: hard light and toned photos vary more than plain ones.
  const skinSpread = SKIN_SPREAD.map((s, k) => Math.max(s, Math.min(1.8 * s, 0.8 * spread[k]!))) as [number, number, number];
  const shareOf = (part: CoverPart): number => {
    const landmarks = PART_LANDMARKS[part];
    let seen = 0;
    let foreign = 0;
    for (const l of landmarks) {
      if (!readTone(l)) continue;
      seen++;
      if (part === 'chin' && tone[0]! < median[0]! - BEARD_DARKNESS) continue;
      if (computeToneDistance(tone, 0, median, 0, skinSpread) > FOREIGN_DISTANCE) foreign++;
    }
    return 2 * seen < landmarks.length ? 0 : foreign / seen;
  };
  return Object.fromEntries(Object.keys(PART_LANDMARKS).map((part) => [part, shareOf(part as CoverPart)])) as Record<CoverPart, number>;
}

import { FacewrightError } from '@facewright/protocol';
import type { FaceLandmarks } from '../nets/face-networks.ts';
import type { PhotoView } from '../photo/photo.ts';
import type { CompletionWorkspace } from './complete-surface.ts';
import { findHairAbove } from './find-hair-above.ts';
import type { SurfaceObservation } from './observe-surface.ts';
import { pullPush } from './pull-push.ts';
import { computeRobustStatistics, computeTone, computeToneDistance, SKIN_SPREAD, TONE_CHANNELS } from './skin-color.ts';
import { smoothstep } from './smoothstep.ts';
import type { SurfaceTables } from './surface-tables.ts';

/** Colours of one person in one photo. */
export interface HeadColors {
  /** Median of the bare skin, sRGB 0..255. */
  readonly skin: readonly [number, number, number];
  /** Its tone (see computeTone). */
  readonly skinTone: readonly number[];
  /** Standard deviations of the tone between neighbouring places of this skin in this light. */
  readonly skinSpread: readonly [number, number, number];
  /** Shape (F,F,3): tone that skin has at each place of the first surface, light and make-up included. */
  readonly localSkinTone: Float32Array;
  /** 0..1: how colourful the photo is; 0 for black and white. What is painted follows. */
  readonly saturation: number;
  /** The scalp's hair, or null where the scalp is bare. */
  readonly hair: HairColor | null;
}

export interface HairColor {
  readonly rgb: readonly [number, number, number];
  readonly tone: readonly number[];
  readonly toneSpread: readonly [number, number, number];
  /** Standard deviation of the strands' brightness relative to their mean. */
  readonly contrast: number;
}

/** Distances from the skin's tone, in standard deviations: below the first it is skin, above the second it is not. */
export const SKIN_SURE = 2.4;
export const SKIN_NOT = 3.9;

/** Scalp texels (of those that are looked at) that must be seen before the photo decides about hair. */
const MIN_SCALP_TEXELS = 20;
/** Every third of them is looked at. */
const HAIR_STRIDE = 3;
/** Share of the scalp seen that must not be skin for it to bear hair. */
const MIN_HAIR_SHARE = 0.4;
/** Lower bounds of the bands, millimetres above the usual hairline. */
const HAIR_BANDS_MM: readonly number[] = [6, 16, 28, 44];
/** As many samples as give a median to a level of 8 bits; more cost time only. */
const MAX_SAMPLES = 600;

interface ObservedSurface {
  readonly tables: SurfaceTables;
  readonly observation: SurfaceObservation;
}

/**
 * Estimates skin colour (from the bare parts of the face, or from all of it where those are not seen) and hair colour (from the scalp above
 * the hairline).
 *
 * @throws FW_FIT_FAILED where the photo shows nothing of the face's inside
 */
export function estimateHeadColors(
  surfaces: readonly ObservedSurface[],
  landmarks: FaceLandmarks,
  view: PhotoView,
  workspace: CompletionWorkspace,
  localSkinTone: Float32Array,
): HeadColors {
  const face = surfaces[0];
  const bare = collect([face], (tables, p) => tables.core[p] > 0.5, 0.4);
  const samples = bare.length >= 90 ? bare : collect([face], (tables, p) => tables.outsideMm[p] < -12, 0.1);
  // Colours are never invented: a face of which three texels are not seen is not where the fit says.
  if (samples.length < 9) throw new FacewrightError('FW_FIT_FAILED', { reason: 'the photo shows no skin where the face should be' });
  const skin = computeRobustStatistics(samples, 3).median;
  const tones = computeTones(samples);
  const { median: skinTone, spread: varied } = computeRobustStatistics(tones, TONE_CHANNELS);
  // Hard light and toned photos vary more than plain ones: up to twice as much is allowed.
  const skinSpread = SKIN_SPREAD.map((s, k) => Math.max(s, Math.min(1.8 * s, 0.8 * varied[k]))) as [number, number, number];
  computeLocalTone(face, skinTone, skinSpread, workspace, localSkinTone);
  const rgb: [number, number, number] = [skin[0], skin[1], skin[2]];
  return {
    skin: rgb,
    skinTone,
    skinSpread,
    localSkinTone,
    saturation: smoothstep(0.01, 0.08, skinTone[2]),
    hair: estimateHair(surfaces, skinTone, skinSpread, localSkinTone, rgb, () => findHairAbove(landmarks, view, skinTone)),
  };
}

/** Skin's tone where it is sure, carried on smoothly to where it is not known; then once more with all that agrees with that. */
function computeLocalTone(
  { tables, observation }: ObservedSurface,
  skinTone: readonly number[],
  skinSpread: readonly [number, number, number],
  workspace: CompletionWorkspace,
  out: Float32Array,
): void {
  const { seen, tone } = observation;
  const { texels, core, outsideMm } = tables;
  const weights = workspace.planes[0].fill(0);
  const first = workspace.colors;
  for (let i = 0; i < texels.length; i++) {
    const p = texels[i];
    if (core[p] < 0.5 || seen[p] < 0.3) continue;
    // Strands, glasses and highlights that lie over the bare places do not count.
    if (computeToneDistance(tone, 3 * p, skinTone, 0, [0.3, 0.07, 0.06]) < 2.5) weights[p] = seen[p];
  }
  first.set(tone);
  pullPush(first, weights, workspace.three, skinTone, 0.3, texels);
  for (let i = 0; i < texels.length; i++) {
    const p = texels[i];
    if (weights[p] > 0 || seen[p] < 0.2 || outsideMm[p] > 0) continue;
    if (computeToneDistance(tone, 3 * p, first, 3 * p, skinSpread) < 2) weights[p] = 0.5 * seen[p];
  }
  out.set(tone);
  pullPush(out, weights, workspace.three, skinTone, 0.3, texels);
}

function estimateHair(
  surfaces: readonly ObservedSurface[],
  skinTone: readonly number[],
  skinSpread: readonly [number, number, number],
  localSkinTone: Float32Array,
  skin: readonly [number, number, number],
  findAbove: () => number[],
): HairColor | null {
  // The scalp in bands above the usual hairline: the uppermost one that is seen decides, for hairlines may be high.
  const bands = HAIR_BANDS_MM.map(() => ({ texels: 0, hair: 0, samples: [] as number[] }));
  for (const { tables, observation } of surfaces) {
    const reference = tables === surfaces[0].tables ? localSkinTone : null;
    for (let i = 0; i < tables.texels.length; i += HAIR_STRIDE) {
      const p = tables.texels[i];
      const height = tables.hairlineMm[p];
      if (height < HAIR_BANDS_MM[0] || observation.seen[p] < 0.12) continue;
      let band = 0;
      while (band + 1 < bands.length && height >= HAIR_BANDS_MM[band + 1]) band++;
      const distance = computeToneDistance(observation.tone, 3 * p, reference ?? skinTone, reference === null ? 0 : 3 * p, skinSpread);
      const other = smoothstep(SKIN_SURE, SKIN_NOT, distance);
      bands[band].texels++;
      bands[band].hair += other;
      // Edge-on there may be background among them.
      if (other > 0.9 && observation.seen[p] > 0.35)
        bands[band].samples.push(observation.rgb[3 * p], observation.rgb[3 * p + 1], observation.rgb[3 * p + 2]);
    }
  }
  const seenBands = bands.filter((b) => b.texels >= MIN_SCALP_TEXELS);
  const top = seenBands.at(-1);
  if (top === undefined) {
    // The photo ends at the forehead: most people have hair; its colour is that of the darkest places of the face (brows, lashes).
    const luma = 0.299 * skin[0] + 0.587 * skin[1] + 0.114 * skin[2];
    const dark: number[] = [];
    const inside = collect([surfaces[0]], (tables, p) => tables.outsideMm[p] < -12, 0.5);
    for (let i = 0; i < inside.length; i += 3) {
      if (0.299 * inside[i] + 0.587 * inside[i + 1] + 0.114 * inside[i + 2] < 0.45 * luma)
        dark.push(inside[i], inside[i + 1], inside[i + 2]);
    }
    return describeHair(dark.length >= 60 ? dark : [60, 45, 38], 0.25);
  }
  if (top.hair >= MIN_HAIR_SHARE * top.texels && top.samples.length >= 45) return describeHair(top.samples, null);
  const above = findAbove();
  return above.length >= 90 ? describeHair(above, null) : null;
}

function describeHair(samples: readonly number[], contrast: number | null): HairColor {
  const rgb = computeRobustStatistics(samples, 3).median;
  const { median, spread } = computeRobustStatistics(computeTones(samples), TONE_CHANNELS);
  return {
    rgb: [rgb[0], rgb[1], rgb[2]],
    tone: median,
    // Hair shines and lies in its own shade, so brightness says little; its hue says little too where it is dark.
    toneSpread: [Math.max(0.45, 1.3 * spread[0]), Math.max(0.07, spread[1]), Math.max(0.07, spread[2])],
    contrast: contrast ?? Math.max(0.13, Math.min(0.27, 0.45 * spread[0])),
  };
}

function collect(surfaces: readonly ObservedSurface[], isWanted: (tables: SurfaceTables, p: number) => boolean, minSeen: number): number[] {
  const places: number[] = [];
  const samples: number[] = [];
  for (const { tables, observation } of surfaces) {
    places.length = 0;
    for (const p of tables.texels) if (observation.seen[p] > minSeen && isWanted(tables, p)) places.push(p);
    const step = Math.max(1, Math.floor(places.length / MAX_SAMPLES));
    for (let i = 0; i < places.length; i += step) {
      const p = 3 * places[i];
      samples.push(observation.rgb[p], observation.rgb[p + 1], observation.rgb[p + 2]);
    }
  }
  return samples;
}

function computeTones(rgb: readonly number[]): Float32Array {
  const tones = new Float32Array(rgb.length);
  for (let i = 0; i + 2 < rgb.length; i += 3) computeTone(rgb[i], rgb[i + 1], rgb[i + 2], tones, i);
  return tones;
}

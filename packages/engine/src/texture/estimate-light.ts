import type { KernelMemory } from '../kernels/kernel-memory.ts';
import { factorCholesky, solveCholesky } from '../math/cholesky.ts';
import type { SurfaceObservation } from './observe-surface.ts';
import { computeToneDistance, TONE_CHANNELS, writeColorOfTone } from './skin-color.ts';
import type { SurfaceTables } from './surface-tables.ts';

/** Functions of a direction: real spherical harmonics up to the second order, without their constants. */
const TERMS = 9;
/** Every seventh place is enough for 27 numbers. */
const STRIDE = 7;
/** Fewer samples than this tell no light. */
const MIN_SAMPLES = 120;
/** Rounds of reweighting: shadows, highlights and stubble count less. */
const ROUNDS = 3;
/** Residual of the logarithm of brightness at which a sample counts half. */
const ROBUST_SCALE = 0.2;
/** Weight of "no light of this kind", relative to that of all samples, for terms of the first and the second order. */
const RIDGE = [0, 0.004, 0.02] as const;
/** What is hardly seen, or near lids and lips (millimetres), tells no light. */
const MIN_SEEN = 0.25;
const RIM_MM = 12;

/**
 * Middle and half axes of the ellipsoid whose directions stand for those of the head, millimetres in the model's frame: the neutral head's own, rounded.
 */
const MIDDLE = [0, -5, -60] as const;
const HALF_AXES = [85, 115, 105] as const;

/**
 * Directions that vary slowly over the head: those of an ellipsoid. Light that is told by the mesh's own normals changes within a few millimetres at brows,
 * lids and lips, just where a fitted mesh lies beside the true face by as much: each would get a halo.
 *
 * @param positions - shape (V,3), model frame, mm
 * @returns shape (V,3), unit
 */
export function computeLightDirections(positions: Float32Array): Float32Array {
  const out = new Float32Array(positions.length);
  for (let o = 0; o < out.length; o += 3) {
    const [x, y, z] = MIDDLE.map((m, k) => (positions[o + k] - m) / HALF_AXES[k] ** 2);
    const length = Math.hypot(x, y, z) || 1;
    out[o] = x / length;
    out[o + 1] = y / length;
    out[o + 2] = z / length;
  }
  return out;
}

/** How the tone of skin (see computeTone) depends on where it lies: shape (TERMS,3). */
export type LightModel = Float64Array;

/**
 * Estimates how the photo's light depends on the direction from the middle of the head: tone = sum of coefficients times spherical harmonics, least
 * squares over the bare skin, reweighted so that what is not skin or lies in a cast shadow counts little.
 *
 * Source: nine numbers are enough for diffuse light from all around (Ramamoorthi, Hanrahan, "An efficient representation for irradiance environment
 * maps", SIGGRAPH 2001); here for the logarithm of brightness, which keeps every light positive.
 *
 * @param directions - shape (V,3), see {@link computeLightDirections}
 * @param localSkinTone - shape (F,F,3)
 * @returns null where too little skin is seen
 */
export function estimateLight(
  { texels, corners, outsideMm, hairlineMm, lidRimMm, lipRimMm }: SurfaceTables,
  { seen, tone }: SurfaceObservation,
  directions: Float32Array,
  localSkinTone: Float32Array,
  skinSpread: readonly [number, number, number],
): LightModel | null {
  const places: number[] = [];
  for (let i = 0; i < texels.length; i += STRIDE) {
    const p = texels[i];
    if (seen[p] < MIN_SEEN || outsideMm[p] > -4 || hairlineMm[p] > -18 || lidRimMm[p] < RIM_MM || lipRimMm[p] < RIM_MM) continue;
    if (computeToneDistance(tone, 3 * p, localSkinTone, 3 * p, skinSpread) < 2.4) places.push(i);
  }
  const n = places.length;
  if (n < MIN_SAMPLES) return null;
  const basis = new Float64Array(TERMS * n);
  const weights = new Float64Array(n);
  for (let s = 0; s < n; s++) {
    const i = places[s];
    writeBasis(directions, 3 * corners[3 * i], basis, TERMS * s);
    weights[s] = seen[texels[i]];
  }
  const out = new Float64Array(TERMS * TONE_CHANNELS);
  const gram = new Float64Array(TERMS * TERMS);
  const right = new Float64Array(TERMS * TONE_CHANNELS);
  const column = new Float64Array(TERMS);
  for (let round = 0; round < ROUNDS; round++) {
    gram.fill(0);
    right.fill(0);
    let total = 0;
    for (let s = 0; s < n; s++) {
      const b = TERMS * s;
      const t = 3 * texels[places[s]];
      let w = weights[s];
      if (round > 0) {
        let residual = tone[t];
        for (let k = 0; k < TERMS; k++) residual -= out[3 * k] * basis[b + k];
        w /= 1 + (residual / ROBUST_SCALE) ** 2;
      }
      total += w;
      for (let j = 0; j < TERMS; j++) {
        const wj = w * basis[b + j];
        for (let k = 0; k <= j; k++) gram[TERMS * j + k] += wj * basis[b + k];
        for (let c = 0; c < 3; c++) right[3 * j + c] += wj * tone[t + c];
      }
    }
    for (let j = 0; j < TERMS; j++) {
      for (let k = 0; k < j; k++) gram[TERMS * k + j] = gram[TERMS * j + k];
      gram[TERMS * j + j] += total * RIDGE[j === 0 ? 0 : j < 4 ? 1 : 2];
    }
    const factor = factorCholesky(gram, TERMS);
    if (factor === null) return null;
    for (let c = 0; c < 3; c++) {
      for (let j = 0; j < TERMS; j++) column[j] = right[3 * j + c];
      const x = solveCholesky(factor, TERMS, column);
      for (let j = 0; j < TERMS; j++) out[3 * j + c] = x[j];
    }
  }
  return out;
}

/** Share of the light's colour that is taken out with its brightness: half-shade is redder than lit skin, but so is blush. */
const COLOR_SHARE = 0.85;
/** Nothing is brightened or dimmed by more than this factor: what differs more is a beard, or a shadow with an edge that would be seen in any case. */
const MAX_GAIN = 1.5;

/**
 * Factors that turn colours of skin in the photo's light into those in even light (kernels/light.ts).
 *
 * @param directions - shape (V,3), in the kernels' memory
 * @param skinTone - tone of skin in even light
 * @param numbers - shape (33), in that memory: scratch
 * @param out - shape (V,3), in that memory, written
 */
export function computeLightGains(
  light: LightModel | null,
  { kernels }: KernelMemory,
  directions: Float32Array,
  skinTone: readonly number[],
  numbers: Float64Array,
  out: Float32Array,
): void {
  if (light === null) {
    out.fill(1);
    return;
  }
  numbers.set(light);
  numbers.set(skinTone, 3 * TERMS);
  writeColorOfTone(skinTone[0], skinTone[1], skinTone[2], numbers, 3 * TERMS + 3);
  kernels.computeLightGains(directions.byteOffset, directions.length / 3, numbers.byteOffset, COLOR_SHARE, MAX_GAIN, out.byteOffset);
}

function writeBasis(directions: Float32Array, o: number, out: Float64Array, b: number): void {
  const x = directions[o];
  const y = directions[o + 1];
  const z = directions[o + 2];
  out[b] = 1;
  out[b + 1] = x;
  out[b + 2] = y;
  out[b + 3] = z;
  out[b + 4] = x * y;
  out[b + 5] = y * z;
  out[b + 6] = x * z;
  out[b + 7] = x * x - y * y;
  out[b + 8] = 3 * z * z - 1;
}

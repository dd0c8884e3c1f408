import type { FaceModel } from '../models/face-model.ts';
import { hash, valueNoise } from './hash-noise.ts';
import type { HeadLayout } from './head-layout.ts';
import { computeTexelGradients, NO_TRIANGLE, type TexelMap } from './texel-map.ts';

/** Rays about the crown per full turn: strands of about 1.5 mm where the head is widest. */
const STRANDS_PER_TURN = 420;
/** Length of a strand's bright or dark stretch, millimetres. */
const STRAND_LENGTH_MM = 20;
/** Samples of the strand pattern across a full turn and along the rays. */
const PATTERN_TURN = 2048;
const PATTERN_ROWS = 64;
const PATTERN_ROWS_PER_LENGTH = 5;

/**
 * Short hair that lies along the rays from the crown: noise stretched along the rays, in three widths, with wavy rays. It is made from places on the
 * head, so that it runs on over the seam between two textures. Shape (size,size), -127..127.
 */
export function paintStrands(model: FaceModel, layout: HeadLayout, map: TexelMap): Int8Array {
  const { size, triangle } = map;
  const gradientX = computeTexelGradients(map, model.triangles, layout.scalpMap, 2, 0);
  const gradientY = computeTexelGradients(map, model.triangles, layout.scalpMap, 2, 1);
  // Nothing is painted far from hair; 30 mm leave room for hairlines lower than usual.
  const bearsHair = Uint8Array.from(map.triangles, (t) => {
    let highest = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < 3; c++) highest = Math.max(highest, layout.hairlineMm[model.triangles[3 * t + c]]);
    return highest > -30 ? 1 : 0;
  });
  const pattern = createStrandPattern();
  const wave = createWave();
  const out = new Int8Array(size * size);
  for (let row = 0; row < size; row++) paintStrandRow(out, triangle, bearsHair, gradientX, gradientY, pattern, wave, size, row);
  return out;
}

/** Samples per texel and side: strands are little wider than a texel, and single samples of them make steps. */
const SAMPLES = 2;

function paintStrandRow(
  out: Int8Array,
  triangle: Uint16Array,
  bearsHair: Uint8Array,
  gradientX: Float64Array,
  gradientY: Float64Array,
  pattern: Int8Array,
  wave: Float32Array,
  size: number,
  row: number,
): void {
  for (let column = 0; column < size; column++) {
    const p = row * size + column;
    const t = triangle[p];
    if (t === NO_TRIANGLE || bearsHair[t] === 0) continue;
    let sum = 0;
    for (let j = 0; j < SAMPLES; j++) {
      const v = row + (j + 0.5) / SAMPLES;
      for (let i = 0; i < SAMPLES; i++) {
        const u = column + (i + 0.5) / SAMPLES;
        const x = gradientX[3 * t] * u + gradientX[3 * t + 1] * v + gradientX[3 * t + 2];
        const y = gradientY[3 * t] * u + gradientY[3 * t + 1] * v + gradientY[3 * t + 2];
        sum += samplePattern(pattern, wave, x, y);
      }
    }
    out[p] = sum / (SAMPLES * SAMPLES);
  }
}

/** Bilinear value of the strand pattern at a place of the unrolled scalp, millimetres. */
function samplePattern(pattern: Int8Array, wave: Float32Array, x: number, y: number): number {
  const bend = wave[((Math.floor(y / 2) & 127) << 7) | (Math.floor(x / 2) & 127)];
  const turn = (Math.atan2(x, y) / (2 * Math.PI) + 0.5 + bend) * PATTERN_TURN;
  const along = (Math.sqrt(x * x + y * y) / STRAND_LENGTH_MM) * PATTERN_ROWS_PER_LENGTH;
  const i = Math.floor(turn);
  const j = Math.floor(along);
  const fi = turn - i;
  const fj = along - j;
  const left = i & (PATTERN_TURN - 1);
  const right = (i + 1) & (PATTERN_TURN - 1);
  const upper = (j & (PATTERN_ROWS - 1)) * PATTERN_TURN;
  const lower = ((j + 1) & (PATTERN_ROWS - 1)) * PATTERN_TURN;
  const top = pattern[upper + left] + fi * (pattern[upper + right] - pattern[upper + left]);
  return top + fj * (pattern[lower + left] + fi * (pattern[lower + right] - pattern[lower + left]) - top);
}

/** Brightness of strands over (along, turn), shape (PATTERN_ROWS, PATTERN_TURN), -127..127; repeats both ways. */
function createStrandPattern(): Int8Array {
  const out = new Int8Array(PATTERN_ROWS * PATTERN_TURN);
  const lengths = PATTERN_ROWS / PATTERN_ROWS_PER_LENGTH;
  // Strands across a turn, stretches along the rays (whole numbers, so that the pattern closes), seed and strength of each width.
  for (const [across, along, seed, strength] of [
    [Math.round(STRANDS_PER_TURN * 1.45), Math.round(lengths * 1.4), 1, 0.75],
    [Math.round(STRANDS_PER_TURN * 0.6), Math.round(lengths * 1.1), 2, 0.5],
    [Math.round(STRANDS_PER_TURN * 0.17), Math.round(lengths * 0.7), 3, 0.3],
  ] as const) {
    // Each strand's own stretches first, then what lies between two strands.
    const stretches = new Float32Array(across * PATTERN_ROWS);
    for (let strand = 0; strand < across; strand++) {
      const shift = along * hash(strand, 0, seed + 100);
      for (let j = 0; j < PATTERN_ROWS; j++)
        stretches[strand * PATTERN_ROWS + j] = strandNoise((j * along) / PATTERN_ROWS + shift, strand, along, seed);
    }
    for (let i = 0; i < PATTERN_TURN; i++) {
      const x = (i * across) / PATTERN_TURN;
      const strand = Math.floor(x);
      const f = x - strand;
      const blend = f * f * (3 - 2 * f);
      const left = (strand % across) * PATTERN_ROWS;
      const right = ((strand + 1) % across) * PATTERN_ROWS;
      for (let j = 0; j < PATTERN_ROWS; j++) {
        const a = stretches[left + j];
        const o = j * PATTERN_TURN + i;
        out[o] = Math.max(-127, Math.min(127, out[o] + 255 * strength * (a + blend * (stretches[right + j] - a) - 0.5)));
      }
    }
  }
  return out;
}

/** Smooth noise along one strand, repeating after `period`. */
function strandNoise(y: number, strand: number, period: number, seed: number): number {
  const j = Math.floor(y);
  const f = y - j;
  const a = hash(strand, j % period, seed);
  const b = hash(strand, (j + 1) % period, seed);
  return a + f * f * (3 - 2 * f) * (b - a);
}

/** Sideways bend of the rays in turns, shape (128,128), one entry per 2 mm; repeats. */
function createWave(): Float32Array {
  const out = new Float32Array(128 * 128);
  for (let row = 0, p = 0; row < 128; row++) {
    for (let column = 0; column < 128; column++, p++) {
      out[p] = 0.005 * (valueNoise(column / 12.8, row / 12.8, 11, 10) - 0.5) + 0.0012 * (valueNoise(column / 4, row / 4, 12, 32) - 0.5);
    }
  }
  return out;
}

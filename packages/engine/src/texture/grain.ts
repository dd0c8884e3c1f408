import type { FaceModel } from '../models/face-model.ts';
import { hash } from './hash-noise.ts';
import type { PhotoFrame } from './photo-frame.ts';
import type { PhotoLevel } from './photo-level.ts';
import type { SurfaceTables } from './surface-tables.ts';

/** Side of the tile that {@link createGrainTile} makes, texels. */
export const GRAIN_TILE = 128;

/** Noise like the fine grain of skin: a band of spatial frequencies, repeats after 128 texels, shape (128,128), standard deviation 40, -127..127. */
export function createGrainTile(): Int8Array {
  const white = new Float32Array(GRAIN_TILE * GRAIN_TILE);
  for (let row = 0; row < GRAIN_TILE; row++)
    for (let column = 0; column < GRAIN_TILE; column++) white[row * GRAIN_TILE + column] = hash(column, row, 77) - 0.5;
  const fine = blurTile(white, 1);
  const wide = blurTile(blurTile(fine, 2), 2);
  const wider = blurTile(blurTile(wide, 5), 5);
  const mixed = new Float32Array(white.length);
  for (let p = 0; p < mixed.length; p++) mixed[p] = fine[p] - wide[p] + 1.6 * (wide[p] - wider[p]);
  let power = 0;
  for (const v of mixed) power += v * v;
  const scale = 40 / Math.sqrt(power / mixed.length);
  return Int8Array.from(mixed, (v) => Math.max(-127, Math.min(127, Math.round(v * scale))));
}

/** Box blur that wraps around. */
function blurTile(tile: Float32Array, radius: number): Float32Array {
  const across = new Float32Array(tile.length);
  const out = new Float32Array(tile.length);
  const inverse = 1 / (2 * radius + 1);
  for (let row = 0; row < GRAIN_TILE; row++) {
    for (let column = 0; column < GRAIN_TILE; column++) {
      let sum = 0;
      for (let k = -radius; k <= radius; k++) sum += tile[row * GRAIN_TILE + ((column + k) & (GRAIN_TILE - 1))];
      across[row * GRAIN_TILE + column] = sum * inverse;
    }
  }
  for (let row = 0; row < GRAIN_TILE; row++) {
    for (let column = 0; column < GRAIN_TILE; column++) {
      let sum = 0;
      for (let k = -radius; k <= radius; k++) sum += across[((row + k) & (GRAIN_TILE - 1)) * GRAIN_TILE + column];
      out[row * GRAIN_TILE + column] = sum * inverse;
    }
  }
  return out;
}

/** Every fifth triangle: some thousand samples for a median. */
const GRAIN_STRIDE = 5;

/**
 * Standard deviation, 8-bit levels, of the photo's fine detail on bare skin: difference of a pixel from the mean of its four neighbours two
 * pixels away (median over the places, so that moles and hair do not count).
 */
export function estimateGrain(tables: SurfaceTables, frame: PhotoFrame, model: FaceModel, level: PhotoLevel): number {
  const samples = new Float64Array(Math.ceil(tables.map.triangles.length / GRAIN_STRIDE));
  let count = 0;
  const { triangles } = tables.map;
  for (let i = 0; i < triangles.length; i += GRAIN_STRIDE) {
    const v = model.triangles[3 * triangles[i]];
    if (frame.facing[v] < 0.7) continue;
    const x = Math.floor((frame.imagePoints[2 * v] - level.originX) * level.scaleX);
    const y = Math.floor((frame.imagePoints[2 * v + 1] - level.originY) * level.scaleY);
    if (x < 2 || y < 2 || x > level.width - 3 || y > level.height - 3) continue;
    const p = 3 * (y * level.width + x) + 1;
    const { rgb } = level;
    samples[count++] = Math.abs(rgb[p] - (rgb[p - 6] + rgb[p + 6] + rgb[p - 6 * level.width] + rgb[p + 6 * level.width]) / 4);
  }
  if (count === 0) return 1.5;
  samples.subarray(0, count).sort();
  return Math.max(0.8, Math.min(4, 1.2 * samples[count >> 1]));
}

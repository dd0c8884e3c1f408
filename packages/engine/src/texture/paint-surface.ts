import type { FaceModel } from '../models/face-model.ts';
import { PLAN, type SurfacePlan } from './complete-surface.ts';
import type { PhotoFrame } from './photo-frame.ts';
import type { PhotoLevel } from './photo-level.ts';
import { FIELD_SIZE, type SurfaceTables } from './surface-tables.ts';
import { computeTexelGradients, NO_TRIANGLE } from './texel-map.ts';

export interface PaintOptions {
  /** Standard deviation of the grain added to completed skin, 8-bit levels. */
  readonly grain: number;
  /** Shape (256,256), -127..127, standard deviation 40. */
  readonly grainTile: Int8Array;
  /** Standard deviation of completed hair's brightness relative to its mean. */
  readonly hairContrast: number;
  /** Receives 0..255 per texel: weight of the photo. */
  readonly observed?: Uint8Array;
}

/** Weights below this are not worth a lookup in the photo (half a level of 8 bits at full contrast would be 0.002). */
const MIN_WEIGHT = 0.004;

/** Paints every texel of a surface by its plan. Shape (size,size,3), sRGB. */
export function paintSurface(
  model: FaceModel,
  tables: SurfaceTables,
  frame: PhotoFrame,
  level: PhotoLevel,
  plan: SurfacePlan,
  options: PaintOptions,
): Uint8Array {
  const { map } = tables;
  const { size, triangle } = map;
  const pixels = new Float64Array(2 * model.vertexCount);
  const mirrored = new Float64Array(2 * model.vertexCount);
  for (let v = 0; v < model.vertexCount; v++) {
    pixels[2 * v] = (frame.imagePoints[2 * v]! - level.originX) * level.scaleX - 0.5;
    pixels[2 * v + 1] = (frame.imagePoints[2 * v + 1]! - level.originY) * level.scaleY - 0.5;
  }
  for (let v = 0; v < model.vertexCount; v++) {
    const m = model.mirrorVertex[v]!;
    mirrored[2 * v] = pixels[2 * m]!;
    mirrored[2 * v + 1] = pixels[2 * m + 1]!;
  }
  const ownX = computeTexelGradients(map, model.triangles, pixels, 2, 0);
  const ownY = computeTexelGradients(map, model.triangles, pixels, 2, 1);
  const otherX = computeTexelGradients(map, model.triangles, mirrored, 2, 0);
  const otherY = computeTexelGradients(map, model.triangles, mirrored, 2, 1);
  const hasHair = options.hairContrast > 0;
  const strands = hasHair ? tables.strands() : null;

  const out = new Uint8Array(size * size * 3);
  const rgb = level.rgb;
  const stride = 3 * level.width;
  const maxX = level.width - 1.001;
  const maxY = level.height - 1.001;
  const C = PLAN.count;
  const line = new Float32Array((FIELD_SIZE + 1) * C);
  const step = FIELD_SIZE / size;
  const { channels } = plan;
  const grainScale = options.grain / 40;
  const contrast = options.hairContrast / 40;
  for (let row = 0, p = 0; row < size; row++) {
    const y = row + 0.5;
    // The two field rows around this one, mixed; the last cell is repeated so that the row can be read past its end.
    const fy = Math.max(0, Math.min(FIELD_SIZE - 1, y * step - 0.5));
    const row0 = Math.floor(fy);
    const row1 = row0 + 1 < FIELD_SIZE ? row0 + 1 : row0;
    const ty = fy - row0;
    const base0 = row0 * FIELD_SIZE * C;
    const base1 = row1 * FIELD_SIZE * C;
    const end = FIELD_SIZE * C;
    for (let i = 0; i < end; i++) {
      const a = channels[base0 + i]!;
      line[i] = a + ty * (channels[base1 + i]! - a);
    }
    for (let i = 0; i < C; i++) line[end + i] = line[end - C + i]!;
    const grainRow = (row & 255) << 8;

    for (let column = 0; column < size; column++, p++) {
      const x = column + 0.5;
      let fx = x * step - 0.5;
      if (fx < 0) fx = 0;
      const cell = fx | 0;
      const tx = fx - cell;
      const i = cell * C;
      const j = i + C;
      const t = triangle[p]!;
      let own = 0;
      let other = 0;
      if (t !== NO_TRIANGLE) {
        own = line[i]! + tx * (line[j]! - line[i]!);
        other = line[i + 1]! + tx * (line[j + 1]! - line[i + 1]!);
        if (options.observed !== undefined) options.observed[p] = 255 * own + 0.5;
      }
      let r = 0;
      let g = 0;
      let b = 0;
      const rest = 1 - own - other;
      if (rest > MIN_WEIGHT) {
        r = line[i + 5]! + tx * (line[j + 5]! - line[i + 5]!);
        g = line[i + 6]! + tx * (line[j + 6]! - line[i + 6]!);
        b = line[i + 7]! + tx * (line[j + 7]! - line[i + 7]!);
        const grain = 1 + (grainScale * options.grainTile[grainRow | (column & 255)]!) / 128;
        r *= grain;
        g *= grain;
        b *= grain;
        if (strands !== null) {
          const hairness = line[i + 11]! + tx * (line[j + 11]! - line[i + 11]!);
          if (hairness > 0.02) {
            const strand = strands[p]!;
            // The hairline is where strands begin and end: noise moves it from strand to strand.
            let mix = 1.5 * hairness - 0.25 + 0.02 * strand * hairness * (1 - hairness);
            mix = mix < 0 ? 0 : mix > 1 ? 1 : mix;
            if (mix > 0) {
              const shine = 1 + contrast * strand;
              r += mix * ((line[i + 8]! + tx * (line[j + 8]! - line[i + 8]!)) * shine - r);
              g += mix * ((line[i + 9]! + tx * (line[j + 9]! - line[i + 9]!)) * shine - g);
              b += mix * ((line[i + 10]! + tx * (line[j + 10]! - line[i + 10]!)) * shine - b);
            }
          }
        }
        r *= rest;
        g *= rest;
        b *= rest;
      }
      const k = 3 * t;
      if (own > MIN_WEIGHT) {
        let sx = ownX[k]! * x + ownX[k + 1]! * y + ownX[k + 2]!;
        let sy = ownY[k]! * x + ownY[k + 1]! * y + ownY[k + 2]!;
        sx = sx < 0 ? 0 : sx > maxX ? maxX : sx;
        sy = sy < 0 ? 0 : sy > maxY ? maxY : sy;
        const cx = sx | 0;
        const cy = sy | 0;
        const ax = sx - cx;
        const ay = sy - cy;
        const q = cy * stride + 3 * cx;
        const d = q + stride;
        const w11 = own * ax * ay;
        const w10 = own * ay - w11;
        const w01 = own * ax - w11;
        const w00 = own - w01 - w10 - w11;
        r += w00 * rgb[q]! + w01 * rgb[q + 3]! + w10 * rgb[d]! + w11 * rgb[d + 3]!;
        g += w00 * rgb[q + 1]! + w01 * rgb[q + 4]! + w10 * rgb[d + 1]! + w11 * rgb[d + 4]!;
        b += w00 * rgb[q + 2]! + w01 * rgb[q + 5]! + w10 * rgb[d + 2]! + w11 * rgb[d + 5]!;
      }
      if (other > MIN_WEIGHT) {
        let sx = otherX[k]! * x + otherX[k + 1]! * y + otherX[k + 2]!;
        let sy = otherY[k]! * x + otherY[k + 1]! * y + otherY[k + 2]!;
        sx = sx < 0 ? 0 : sx > maxX ? maxX : sx;
        sy = sy < 0 ? 0 : sy > maxY ? maxY : sy;
        const cx = sx | 0;
        const cy = sy | 0;
        const ax = sx - cx;
        const ay = sy - cy;
        const q = cy * stride + 3 * cx;
        const d = q + stride;
        const w11 = other * ax * ay;
        const w10 = other * ay - w11;
        const w01 = other * ax - w11;
        const w00 = other - w01 - w10 - w11;
        r +=
          w00 * rgb[q]! +
          w01 * rgb[q + 3]! +
          w10 * rgb[d]! +
          w11 * rgb[d + 3]! +
          other * (line[i + 2]! + tx * (line[j + 2]! - line[i + 2]!));
        g +=
          w00 * rgb[q + 1]! +
          w01 * rgb[q + 4]! +
          w10 * rgb[d + 1]! +
          w11 * rgb[d + 4]! +
          other * (line[i + 3]! + tx * (line[j + 3]! - line[i + 3]!));
        b +=
          w00 * rgb[q + 2]! +
          w01 * rgb[q + 5]! +
          w10 * rgb[d + 2]! +
          w11 * rgb[d + 5]! +
          other * (line[i + 4]! + tx * (line[j + 4]! - line[i + 4]!));
      }
      const o = 3 * p;
      out[o] = r < 0 ? 0 : r > 255 ? 255 : r + 0.5;
      out[o + 1] = g < 0 ? 0 : g > 255 ? 255 : g + 0.5;
      out[o + 2] = b < 0 ? 0 : b > 255 ? 255 : b + 0.5;
    }
  }
  return out;
}

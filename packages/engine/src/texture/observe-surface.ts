import type { KernelMemory } from '../kernels/kernel-memory.ts';
import { FIELD_SIZE } from './field-size.ts';
import type { PhotoFrame } from './photo-frame.ts';
import type { PhotoLevel } from './photo-level.ts';
import { computeTone } from './skin-color.ts';
import { smoothstep } from './smoothstep.ts';
import type { SurfaceTables } from './surface-tables.ts';

/** What a photo shows of a surface, on its field grid. */
export interface SurfaceObservation {
  /** Shape (F,F), 0..1: how well the texel itself is seen (turned to the camera, nothing before it, inside the photo). What colour says is not in it. */
  readonly seen: Float32Array;
  /** Shape (F,F,3), sRGB 0..255: colour of the photo there; meaningless where `seen` is 0. */
  readonly rgb: Float32Array;
  /** Shape (F,F,3): its tone (see computeTone); meaningless where `seen` is 0. */
  readonly tone: Float32Array;
  /** Shape (F,F), millimetres: distance outside the outline of the face landmarks in the photo, negative inside; meaningless where `seen` is 0. */
  readonly beyondMm: Float32Array;
  /** Shape (F,F), millimetres: distance to the outline of the fitted head in the photo (see VisibilityGrid); meaningless where `seen` is 0. */
  readonly outlineMm: Float32Array;
}

/** Cosine to the camera at which a surface begins to count as seen, and from which it counts in full. */
const FACING_ZERO = 0.14;
const FACING_FULL = 0.5;
/** The surface may lie this far behind the nearest one and still be it, millimetres; half as much again is the soft edge. */
const DEPTH_BIAS_MM = 3;
/**
 * Nothing is taken nearer to the outline of the fitted head than the first, all from the second on, millimetres: fits miss the outline by some
 * millimetres, and what lies beyond it is the background.
 */
const OUTLINE_ZERO_MM = 1.5;
const OUTLINE_FULL_MM = 6;
/** Width of the soft edge at the border of the photo, eye distances. */
const BORDER_RATIO = 0.12;
/** Nothing of a lid's or lip's margin is taken nearer to the opening than this, millimetres: eyeball and teeth show through there. */
const RIM_ZERO_MM = 0.5;
const RIM_FULL_MM = 1.6;

/** Memory for observations of one surface, to be used again for every photo. */
export function createSurfaceObservation(memory: KernelMemory): SurfaceObservation {
  const n = FIELD_SIZE * FIELD_SIZE;
  return {
    seen: memory.allocate(Float32Array, n),
    rgb: memory.allocate(Float32Array, 3 * n),
    tone: memory.allocate(Float32Array, 3 * n),
    beyondMm: memory.allocate(Float32Array, n),
    outlineMm: memory.allocate(Float32Array, n),
  };
}

/** Bytes of {@link createSurfaceObservation}. */
export const OBSERVATION_BYTES = 9 * 4 * FIELD_SIZE ** 2 + 80;

/**
 * @param level - photo reduced to about one pixel per field texel
 * @param out - written
 * @param scratch - shape (F,F) twice, in `memory`
 */
export function observeSurface(
  tables: SurfaceTables,
  frame: PhotoFrame,
  level: PhotoLevel,
  out: SurfaceObservation,
  scratch: readonly [Float32Array, Float32Array],
  { kernels }: KernelMemory,
): void {
  const { length } = tables.texels;
  // In pieces: a function that is called often is compiled sooner than a loop in one that is called once.
  for (let i = 0; i < length; i += PIECE) observeTexels(tables, frame, level, out, i, Math.min(length, i + PIECE));
  // Fits are not exact to the texel, and hard edges show.
  kernels.softenEdges(out.seen.byteOffset, tables.field.triangle.byteOffset, FIELD_SIZE, scratch[0].byteOffset, scratch[1].byteOffset);
}

/** Texels per call of {@link observeTexels}. */
const PIECE = 256;

/** Observes the places `from` to before `end` of a surface. */
function observeTexels(
  tables: SurfaceTables,
  frame: PhotoFrame,
  level: PhotoLevel,
  out: SurfaceObservation,
  from: number,
  end: number,
): void {
  const { texels, corners, weights, hairlineMm, lidRimMm, lipRimMm } = tables;
  const { imagePoints, depth, facing, insidePx, beyondMm, visibility: grid } = frame;
  const { seen, rgb, tone } = out;
  const border = 1 / Math.max(1, BORDER_RATIO * frame.eyeDistancePx);
  const { width, height } = level;
  const maxX = Math.max(0, width - 1.001);
  const maxY = Math.max(0, height - 1.001);
  const right = width > 1 ? 3 : 0;
  const down = height > 1 ? 3 * width : 0;
  for (let i = from; i < end; i++) {
    const p = texels[i];
    seen[p] = 0;
    const a = corners[3 * i];
    const b = corners[3 * i + 1];
    const c = corners[3 * i + 2];
    const wb = weights[2 * i];
    const wc = weights[2 * i + 1];
    const wa = 1 - wb - wc;
    const turned = smoothstep(FACING_ZERO, FACING_FULL, wa * facing[a] + wb * facing[b] + wc * facing[c]);
    if (turned === 0) continue;
    const within = (wa * insidePx[a] + wb * insidePx[b] + wc * insidePx[c]) * border;
    if (within <= 0) continue;
    const ix = wa * imagePoints[2 * a] + wb * imagePoints[2 * b] + wc * imagePoints[2 * c];
    const iy = wa * imagePoints[2 * a + 1] + wb * imagePoints[2 * b + 1] + wc * imagePoints[2 * c + 1];
    const gx = Math.max(0, Math.min(grid.width - 1, Math.floor((ix - grid.originX) * grid.scale)));
    const gy = Math.max(0, Math.min(grid.height - 1, Math.floor((iy - grid.originY) * grid.scale)));
    const behind = wa * depth[a] + wb * depth[b] + wc * depth[c] - grid.depth[gy * grid.width + gx];
    if (behind >= 1.5 * DEPTH_BIAS_MM) continue;
    const edge = sampleGrid(grid.outlineMm, grid.width, grid.height, (ix - grid.originX) * grid.scale, (iy - grid.originY) * grid.scale);
    // Hair stands out from the skull: above the hairline the outline of the photo lies further out.
    const inside = Math.max(smoothstep(OUTLINE_ZERO_MM, OUTLINE_FULL_MM, edge), smoothstep(-8, 4, hairlineMm[p]));
    if (inside === 0) continue;
    const margin = smoothstep(RIM_ZERO_MM, RIM_FULL_MM, Math.min(lidRimMm[p], lipRimMm[p]));
    seen[p] = turned * Math.min(1, within) * margin * (1 - smoothstep(DEPTH_BIAS_MM, 1.5 * DEPTH_BIAS_MM, behind)) * inside;
    out.outlineMm[p] = edge;
    out.beyondMm[p] = wa * beyondMm[a] + wb * beyondMm[b] + wc * beyondMm[c];

    // Bilinear, clamped at the border.
    let lx = (ix - level.originX) * level.scaleX - 0.5;
    let ly = (iy - level.originY) * level.scaleY - 0.5;
    lx = lx < 0 ? 0 : lx > maxX ? maxX : lx;
    ly = ly < 0 ? 0 : ly > maxY ? maxY : ly;
    const column = lx | 0;
    const row = ly | 0;
    const fx = lx - column;
    const fy = ly - row;
    const q = 3 * (row * width + column);
    const w11 = fx * fy;
    const w10 = fy - w11;
    const w01 = fx - w11;
    const w00 = 1 - w01 - fy;
    const o = 3 * p;
    const r = w00 * level.rgb[q] + w01 * level.rgb[q + right] + w10 * level.rgb[q + down] + w11 * level.rgb[q + right + down];
    const g =
      w00 * level.rgb[q + 1] + w01 * level.rgb[q + right + 1] + w10 * level.rgb[q + down + 1] + w11 * level.rgb[q + right + down + 1];
    const bl =
      w00 * level.rgb[q + 2] + w01 * level.rgb[q + right + 2] + w10 * level.rgb[q + down + 2] + w11 * level.rgb[q + right + down + 2];
    rgb[o] = r;
    rgb[o + 1] = g;
    rgb[o + 2] = bl;
    computeTone(r, g, bl, tone, o);
  }
}

/** Bilinear value of a grid at (x, y), the centre of the first cell at 0.5; clamped at the border. */
function sampleGrid(values: Float32Array, width: number, height: number, x: number, y: number): number {
  const sx = x < 0.5 ? 0 : x > width - 0.501 ? width - 1.001 : x - 0.5;
  const sy = y < 0.5 ? 0 : y > height - 0.501 ? height - 1.001 : y - 0.5;
  const column = sx | 0;
  const row = sy | 0;
  const fx = sx - column;
  const fy = sy - row;
  const q = row * width + column;
  const upper = values[q] + fx * (values[q + 1] - values[q]);
  const lower = values[q + width] + fx * (values[q + width + 1] - values[q + width]);
  return upper + fy * (lower - upper);
}

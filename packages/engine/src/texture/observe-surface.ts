import type { FaceModel } from '../models/face-model.ts';
import type { PhotoFrame } from './photo-frame.ts';
import type { PhotoLevel } from './photo-level.ts';
import { computeTone } from './skin-color.ts';
import { smoothstep } from './smoothstep.ts';
import type { SurfaceTables } from './surface-tables.ts';
import { NO_TRIANGLE, rasterizeAttribute } from './texel-map.ts';

/** What a photo shows of a surface, on its field grid. */
export interface SurfaceObservation {
  /** Shape (F,F,3), sRGB 0..255: colour of the photo where the texel lies in it, whatever it shows there. */
  readonly rgb: Float32Array;
  /** Shape (F,F,3): its tone (see computeTone); 0 where it is not seen. */
  readonly tone: Float32Array;
  /** Shape (F,F), 0..1: how well the texel itself is seen (turned to the camera, nothing before it, inside the photo). What colour says is not in it. */
  readonly seen: Float32Array;
  /** Shape (F,F), millimetres: distance of the texel's place in the photo outside the outline of the face landmarks there, negative inside. */
  readonly beyondMm: Float32Array;
}

/** Cosine to the camera at which a surface begins to count as seen, and from which it counts in full. */
const FACING_ZERO = 0.14;
const FACING_FULL = 0.5;
/** The surface may lie this far behind the nearest one and still be it, millimetres; half as much again is the soft edge. */
const DEPTH_BIAS_MM = 3;
/** Width of the soft edge at the border of the photo, eye distances. */
const BORDER_RATIO = 0.12;
/** Nothing of a lid's or lip's margin is taken nearer to the opening than this, millimetres: eyeball and teeth show through there. */
const RIM_ZERO_MM = 0.5;
const RIM_FULL_MM = 1.6;

/** @param level - photo reduced to about one pixel per field texel */
export function observeSurface(model: FaceModel, tables: SurfaceTables, frame: PhotoFrame, level: PhotoLevel): SurfaceObservation {
  const { field, lining, lidRimMm, lipRimMm } = tables;
  const { size, triangle } = field;
  const x = rasterizeAttribute(field, model.triangles, frame.imagePoints, 2, 0, 0);
  const y = rasterizeAttribute(field, model.triangles, frame.imagePoints, 2, 1, 0);
  const depth = rasterizeAttribute(field, model.triangles, frame.depth, 1, 0, 0);
  const facing = rasterizeAttribute(field, model.triangles, frame.facing, 1, 0, -1);
  const inside = rasterizeAttribute(field, model.triangles, frame.insidePx, 1, 0, -1);
  const border = 1 / Math.max(1, BORDER_RATIO * frame.eyeDistancePx);
  const grid = frame.visibility;
  const rgb = new Float32Array(size * size * 3);
  const seen = new Float32Array(size * size);
  const { width, height } = level;
  for (let p = 0; p < triangle.length; p++) {
    if (triangle[p] === NO_TRIANGLE || lining[p] === 1) continue;
    const ix = x[p]!;
    const iy = y[p]!;

    // Bilinear, clamped at the border.
    const lx = Math.max(0, Math.min(width - 1.001, (ix - level.originX) * level.scaleX - 0.5));
    const ly = Math.max(0, Math.min(height - 1.001, (iy - level.originY) * level.scaleY - 0.5));
    const column = Math.floor(lx);
    const row = Math.floor(ly);
    const fx = lx - column;
    const fy = ly - row;
    const a = 3 * (row * width + column);
    const right = column + 1 < width ? 3 : 0;
    const down = row + 1 < height ? 3 * width : 0;
    for (let k = 0; k < 3; k++) {
      const top = level.rgb[a + k]! + fx * (level.rgb[a + right + k]! - level.rgb[a + k]!);
      const bottom = level.rgb[a + down + k]! + fx * (level.rgb[a + down + right + k]! - level.rgb[a + down + k]!);
      rgb[3 * p + k] = top + fy * (bottom - top);
    }

    const turned = smoothstep(FACING_ZERO, FACING_FULL, facing[p]!);
    if (turned === 0) continue;
    const within = inside[p]! * border;
    if (within <= 0) continue;
    const margin = smoothstep(RIM_ZERO_MM, RIM_FULL_MM, Math.min(lidRimMm[p]!, lipRimMm[p]!));
    const gx = Math.max(0, Math.min(grid.width - 1, Math.floor((ix - grid.originX) * grid.scale)));
    const gy = Math.max(0, Math.min(grid.height - 1, Math.floor((iy - grid.originY) * grid.scale)));
    const behind = depth[p]! - grid.depth[gy * grid.width + gx]!;
    const visible = 1 - smoothstep(DEPTH_BIAS_MM, 1.5 * DEPTH_BIAS_MM, behind);
    seen[p] = turned * Math.min(1, within) * margin * visible;
  }
  softenEdges(seen, triangle, size);
  const tone = new Float32Array(size * size * 3);
  for (let p = 0; p < seen.length; p++) if (seen[p]! > 0) computeTone(rgb[3 * p]!, rgb[3 * p + 1]!, rgb[3 * p + 2]!, tone, 3 * p);
  return { rgb, tone, seen, beyondMm: rasterizeAttribute(field, model.triangles, frame.beyondMm, 1, 0, 0) };
}

/** Shrinks what is seen by a texel and makes its edge two texels wide: fits are not exact to the texel, and hard edges show. */
function softenEdges(seen: Float32Array, triangle: Uint16Array, size: number): void {
  const lowest = new Float32Array(seen.length);
  // Smallest of the three in a row, then of the three rows; outside the islands nothing counts.
  for (let row = 0; row < size; row++) {
    for (let column = 0, p = row * size; column < size; column++, p++) {
      let v = seen[p]!;
      if (column > 0 && triangle[p - 1] !== NO_TRIANGLE && seen[p - 1]! < v) v = seen[p - 1]!;
      if (column < size - 1 && triangle[p + 1] !== NO_TRIANGLE && seen[p + 1]! < v) v = seen[p + 1]!;
      lowest[p] = v;
    }
  }
  const eroded = new Float32Array(seen.length);
  for (let row = 0; row < size; row++) {
    for (let column = 0, p = row * size; column < size; column++, p++) {
      let v = lowest[p]!;
      if (row > 0 && triangle[p - size] !== NO_TRIANGLE && lowest[p - size]! < v) v = lowest[p - size]!;
      if (row < size - 1 && triangle[p + size] !== NO_TRIANGLE && lowest[p + size]! < v) v = lowest[p + size]!;
      eroded[p] = v;
    }
  }
  for (let row = 0; row < size; row++) {
    for (let column = 0, p = row * size; column < size; column++, p++) {
      const l = column > 0 ? eroded[p - 1]! : eroded[p]!;
      const r = column < size - 1 ? eroded[p + 1]! : eroded[p]!;
      lowest[p] = 0.25 * (l + r) + 0.5 * eroded[p]!;
    }
  }
  for (let row = 0; row < size; row++) {
    for (let column = 0, p = row * size; column < size; column++, p++) {
      if (triangle[p] === NO_TRIANGLE) {
        seen[p] = 0;
        continue;
      }
      const u = row > 0 ? lowest[p - size]! : lowest[p]!;
      const d = row < size - 1 ? lowest[p + size]! : lowest[p]!;
      seen[p] = Math.min(eroded[p]! * 2, 0.25 * (u + d) + 0.5 * lowest[p]!);
    }
  }
}

import type { FaceModel } from '../models/face-model.ts';
import { createRasterBuffers, type RasterBuffers, rasterize } from '../render/rasterize.ts';
import type { PhotoBox } from './photo-level.ts';
import type { TriangleRange } from './texel-map.ts';

/** Depth of the nearest surface seen in the photo, on a grid over the face. */
export interface VisibilityGrid {
  readonly width: number;
  readonly height: number;
  /** Shape (height,width), millimetres from the camera; +Infinity beside the head. */
  readonly depth: Float32Array;
  /**
   * Shape (height,width), millimetres across the line of sight to the outline of the head: 0 beside it, at most {@link OUTLINE_LIMIT_MM}.
   * Openings within it (eyes, mouth) have no outline.
   */
  readonly outlineMm: Float32Array;
  /** Grid coordinate (centre of the first cell at 0.5) = (photo coordinate - origin) * scale. */
  readonly originX: number;
  readonly originY: number;
  readonly scale: number;
}

/** Distances to outlines are not told beyond this, millimetres. */
export const OUTLINE_LIMIT_MM = 40;

/** Cells along the longer side: about 1.5 mm for a head, the accuracy that the fit has anyway. */
const GRID_SIDE = 224;

/** Cells of the grid. */
export const VISIBILITY_CELLS = GRID_SIDE * GRID_SIDE;

/** Memory of {@link computeVisibility}. */
export interface VisibilityBuffers {
  readonly raster: RasterBuffers;
  /** Shape (GRID_SIDE,GRID_SIDE) */
  readonly outlineMm: Float32Array;
}

/** Memory of {@link computeVisibility}, to be used again. */
export const createVisibilityBuffers = (): VisibilityBuffers => ({
  raster: createRasterBuffers(GRID_SIDE, GRID_SIDE),
  outlineMm: new Float32Array(GRID_SIDE * GRID_SIDE),
});

/**
 * Z-buffer of the head as the photo shows it, and how near its outlines are.
 *
 * @param imagePoints - shape (V,2), photo pixels
 * @param depth - shape (V), millimetres, larger = further
 * @param occluders - runs of triangles that hide others
 * @param mmPerPx - millimetres that a photo pixel covers at the face
 */
export function computeVisibility(
  model: FaceModel,
  imagePoints: Float32Array,
  depth: Float32Array,
  occluders: readonly TriangleRange[],
  box: PhotoBox,
  mmPerPx: number,
  buffers: VisibilityBuffers,
): VisibilityGrid {
  const side = Math.max(box.x1 - box.x0, box.y1 - box.y0, 1e-6);
  const scale = (GRID_SIDE - 2) / side;
  const originX = box.x0 - 1 / scale;
  const originY = box.y0 - 1 / scale;
  const screen = new Float32Array(imagePoints.length);
  for (let i = 0; i < screen.length; i += 2) {
    screen[i] = (imagePoints[i] - originX) * scale;
    screen[i + 1] = (imagePoints[i + 1] - originY) * scale;
  }
  let clear = true;
  for (const range of occluders) {
    rasterize(
      {
        screen,
        depth,
        triangles: model.triangles,
        firstTriangle: range.firstTriangle,
        triangleCount: range.triangleCount,
        cullBack: true,
        clear,
      },
      buffers.raster,
    );
    clear = false;
  }
  const { depth: nearest } = buffers.raster;
  computeOutlineDistance(nearest, mmPerPx / scale, buffers.outlineMm);
  return { width: GRID_SIDE, height: GRID_SIDE, depth: nearest, outlineMm: buffers.outlineMm, originX, originY, scale };
}

/**
 * Distance to the outline of the head for every cell: two passes of a chamfer transform (Borgefors, "Distance transformations in digital
 * images", CVGIP 1986) with steps of 1 and the root of 2, at most 8 % too long. What lies beyond the grid is no outline.
 */
function computeOutlineDistance(depth: Float32Array, cellMm: number, out: Float32Array): void {
  const W = GRID_SIDE;
  out.fill(OUTLINE_LIMIT_MM);
  // Beside the head is what a row or a column meets before the head: openings within the head are met by neither.
  for (let k = 0; k < W; k++) {
    clearUpToHead(depth, out, k * W, 1);
    clearUpToHead(depth, out, k * W + W - 1, -1);
    clearUpToHead(depth, out, k, W);
    clearUpToHead(depth, out, (W - 1) * W + k, -W);
  }
  for (let p = W; p < out.length; p += W) spreadAlongRow(out, p, p + W, 1, -W, cellMm);
  for (let p = out.length - W - 1; p >= W - 1; p -= W) spreadAlongRow(out, p, p - W, -1, W, cellMm);
}

/** Sets cells from `first` on, `step` cells apart, to 0 until the head begins. */
function clearUpToHead(depth: Float32Array, out: Float32Array, first: number, step: number): void {
  for (let k = 0, p = first; k < GRID_SIDE && depth[p] === Number.POSITIVE_INFINITY; k++, p += step) out[p] = 0;
}

/** Lowers distances from `first` to before `end` by those of the cell before and of the three in the row `beside` cells away. */
function spreadAlongRow(out: Float32Array, first: number, end: number, step: number, beside: number, cellMm: number): void {
  const diagonal = Math.SQRT2 * cellMm;
  let before = OUTLINE_LIMIT_MM;
  for (let p = first; p !== end; p += step) {
    const q = p + beside;
    let d = out[p];
    d = Math.min(d, before + cellMm, out[q] + cellMm);
    if (p !== first) d = Math.min(d, out[q - step] + diagonal);
    if (p + step !== end) d = Math.min(d, out[q + step] + diagonal);
    out[p] = d;
    before = d;
  }
}

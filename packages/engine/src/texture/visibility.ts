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
  /** Grid coordinate (centre of the first cell at 0.5) = (photo coordinate - origin) * scale. */
  readonly originX: number;
  readonly originY: number;
  readonly scale: number;
}

/** Cells along the longer side: about 1.5 mm for a head, the accuracy that the fit has anyway. */
const GRID_SIDE = 224;

/** Memory of {@link computeVisibility}, to be used again. */
export const createVisibilityBuffers = (): RasterBuffers => createRasterBuffers(GRID_SIDE, GRID_SIDE);

/**
 * Z-buffer of the head as the photo shows it.
 *
 * @param imagePoints - shape (V,2), photo pixels
 * @param depth - shape (V), millimetres, larger = further
 * @param occluders - runs of triangles that hide others
 */
export function computeVisibility(
  model: FaceModel,
  imagePoints: Float32Array,
  depth: Float32Array,
  occluders: readonly TriangleRange[],
  box: PhotoBox,
  buffers: RasterBuffers,
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
      buffers,
    );
    clear = false;
  }
  return { width: GRID_SIDE, height: GRID_SIDE, depth: buffers.depth, originX, originY, scale };
}

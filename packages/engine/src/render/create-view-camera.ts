import { rotationFromAngles } from '../camera/pose-angles.ts';
import { useScratchMemory } from '../kernels/kernel-memory.ts';

/** Where a picture is taken from: a pinhole and the placement of the model before it. */
export interface RenderCamera {
  readonly focalPx: number;
  /** Principal point in the picture, pixels. */
  readonly centerX: number;
  readonly centerY: number;
  /** cameraFromModel, shape (3,3) row-major; a head that looks into the camera has diag(1,-1,-1). */
  readonly rotation: ArrayLike<number>;
  /** Shape (3), millimetres, camera frame. */
  readonly translation: ArrayLike<number>;
}

/**
 * A camera that shows a head whole and centred.
 *
 * @param positions - shape (V,3), millimetres, model frame: what must be in the picture
 * @param view - size of the picture; `yawDeg` turns the face to the right of the picture, `pitchDeg` up (as in `Pose`); `fieldOfViewDeg`
 * is the angle of the picture's height (28 degrees by default: a portrait lens); `margin` the free share of the picture on each side
 */
export function createViewCamera(
  positions: Float32Array | Float64Array,
  view: {
    readonly width: number;
    readonly height: number;
    readonly yawDeg?: number;
    readonly pitchDeg?: number;
    readonly fieldOfViewDeg?: number;
    readonly margin?: number;
  },
): RenderCamera {
  const focalPx = view.height / 2 / Math.tan((((view.fieldOfViewDeg ?? 28) / 2) * Math.PI) / 180);
  const margin = view.margin ?? 0.06;
  const rotation = rotationFromAngles(view.yawDeg ?? 0, view.pitchDeg ?? 0, 0);

  // Extent of the turned head about the model origin; then the distance at which its box, pushed to the near side, just fits.
  const { low, high } = boundPoints(positions, rotation);
  const halfX = (high[0]! - low[0]!) / 2;
  const halfY = (high[1]! - low[1]!) / 2;
  const free = 1 - 2 * margin;
  const distance = Math.max((halfX * focalPx) / ((view.width / 2) * free), (halfY * focalPx) / ((view.height / 2) * free));
  // The outline of a head lies about halfway between its nearest point and its centre.
  const middle = (low[2]! + high[2]!) / 2;
  const nearHalf = (middle - low[2]!) / 2;
  return {
    focalPx,
    centerX: view.width / 2,
    centerY: view.height / 2,
    rotation,
    translation: new Float64Array([-(low[0]! + high[0]!) / 2, -(low[1]! + high[1]!) / 2, distance + nearHalf - middle]),
  };
}

/** Least and most of points along each axis, the rows of `axes`, shape (3,3). */
function boundPoints(points: Float32Array | Float64Array, axes: Float64Array): { readonly low: Float64Array; readonly high: Float64Array } {
  const memory = useScratchMemory(4 * points.length + 256);
  const from = memory.allocate(Float32Array, points.length);
  from.set(points);
  const out = memory.allocate(Float64Array, 6);
  memory.kernels.boundPoints(from.byteOffset, points.length / 3, memory.place(axes).byteOffset, out.byteOffset);
  return { low: out.slice(0, 3), high: out.slice(3) };
}

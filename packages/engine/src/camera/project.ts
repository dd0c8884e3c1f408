import type { Intrinsics, Pose } from './camera.ts';

/**
 * Projects points of the model frame into the photo.
 *
 * @param points - shape (n,3), millimetres, model frame
 * @param out - shape (n,2), written and returned when given
 * @returns shape (n,2), pixels, image frame; a point behind the pinhole gets NaN
 */
export function project(points: ArrayLike<number>, pose: Pose, intrinsics: Intrinsics, out?: Float32Array): Float32Array;
export function project(points: ArrayLike<number>, pose: Pose, intrinsics: Intrinsics, out: Float64Array): Float64Array;
export function project(
  points: ArrayLike<number>,
  pose: Pose,
  intrinsics: Intrinsics,
  out: Float32Array | Float64Array = new Float32Array((points.length / 3) * 2),
): Float32Array | Float64Array {
  const r = pose.rotation;
  const t = pose.translation;
  const { focalPx, centerX, centerY } = intrinsics;
  const r0 = r[0],
    r1 = r[1],
    r2 = r[2],
    r3 = r[3],
    r4 = r[4],
    r5 = r[5],
    r6 = r[6],
    r7 = r[7],
    r8 = r[8];
  const t0 = t[0],
    t1 = t[1],
    t2 = t[2];
  for (let i = 0, j = 0; i < points.length; i += 3, j += 2) {
    const x = points[i];
    const y = points[i + 1];
    const z = points[i + 2];
    const depth = r6 * x + r7 * y + r8 * z + t2;
    const perDepth = depth > 0 ? focalPx / depth : Number.NaN;
    out[j] = centerX + (r0 * x + r1 * y + r2 * z + t0) * perDepth;
    out[j + 1] = centerY + (r3 * x + r4 * y + r5 * z + t1) * perDepth;
  }
  return out;
}

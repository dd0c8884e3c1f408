import type { Intrinsics } from '../camera/camera.ts';

/**
 * Lifts the network's landmarks into space: undoes the perspective of the camera, so that what is left is a face up to scale.
 *
 * The network's z is a depth relative to the head's centre in pixels, so with the head's centre at the distance f (where a pixel is one
 * unit) landmark i lies at ((x - cx) (f - z) / f, -(y - cy) (f - z) / f, z), z toward the viewer and zero in the mean.
 *
 * @param points - shape (478,3), see FaceLandmarks
 * @param landmark - shape (L): which of them
 * @returns shape (L,3), pixels at the depth of the face; axes as the frame "model" (x right, y up, z toward the viewer)
 */
export function unprojectLandmarks(points: Float64Array, landmark: ArrayLike<number>, intrinsics: Intrinsics): Float64Array {
  const { focalPx, centerX, centerY } = intrinsics;
  const count = landmark.length;
  const out = new Float64Array(3 * count);
  let zMean = 0;
  for (let i = 0; i < count; i++) zMean -= points[3 * landmark[i] + 2] / count;
  for (let i = 0; i < count; i++) {
    const l = 3 * landmark[i];
    const z = -points[l + 2] - zMean;
    const perFocal = (focalPx - z) / focalPx;
    out[3 * i] = (points[l] - centerX) * perFocal;
    out[3 * i + 1] = -(points[l + 1] - centerY) * perFocal;
    out[3 * i + 2] = z;
  }
  return out;
}

/**
 * Where lifted landmarks are in the photo: inverse of {@link unprojectLandmarks}.
 *
 * @param lifted - shape (L,3)
 * @returns shape (L,2), pixels
 */
export function projectLifted(lifted: Float64Array, intrinsics: Intrinsics): Float64Array {
  const { focalPx, centerX, centerY } = intrinsics;
  const count = lifted.length / 3;
  const out = new Float64Array(2 * count);
  for (let l = 0; l < count; l++) {
    const perDepth = focalPx / (focalPx - lifted[3 * l + 2]);
    out[2 * l] = centerX + lifted[3 * l] * perDepth;
    out[2 * l + 1] = centerY - lifted[3 * l + 1] * perDepth;
  }
  return out;
}

import type { Intrinsics, Pose } from '../camera/camera.ts';
import { createPose } from '../camera/pose-angles.ts';
import { factorCholesky, solveCholesky } from '../math/cholesky.ts';
import { computeCauchyWeight } from '../math/robust-weight.ts';
import { multiply3, rotationFromVector } from '../math/rotation.ts';

/** Residual at which a landmark counts half, share of the largest extent of the landmarks in the photo: about 4 mm of a 160 mm face. */
const ROBUST_SHARE = 0.025;

const MAX_ITERATIONS = 15;

/**
 * Pose under which a rigid shape projects onto the landmarks: Gauss-Newton on the pixel distances with Cauchy weights, from a start
 * that is near already.
 *
 * @param shape - shape (L,3), millimetres, model frame
 * @param pixels - shape (L,2), image frame
 * @param weight - shape (L)
 * @param start - cameraFromModel rotation and translation, in front of the camera
 * @param isTurnHeld - the rotation of `start` stays: the position alone is sought
 * @returns null where the iteration leaves the numbers (no landmark has weight, a point gets behind the pinhole)
 */
export function fitPose(
  shape: Float64Array,
  pixels: Float64Array,
  weight: Float64Array,
  intrinsics: Intrinsics,
  start: { readonly rotation: Float64Array; readonly translation: Float64Array },
  isTurnHeld = false,
): Pose | null {
  const count = weight.length;
  let rotation = start.rotation;
  let translation = start.translation.slice();
  const robustPx = ROBUST_SHARE * Math.hypot(measureExtent(pixels, 0), measureExtent(pixels, 1));

  const normal = new Float64Array(36);
  const gradient = new Float64Array(6);
  const du = new Float64Array(6);
  const dv = new Float64Array(6);
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    normal.fill(0);
    gradient.fill(0);
    for (let l = 0; l < count; l++) {
      if (weight[l] === 0) continue;
      if (!addLandmark(shape, pixels, l, weight[l], intrinsics, rotation, translation, robustPx, normal, gradient, du, dv)) return null;
    }
    if (isTurnHeld) holdTurn(normal, gradient);
    const factor = factorCholesky(normal, 6);
    if (factor === null) return null;
    const step = solveCholesky(factor, 6, gradient);
    if (!step.every(Number.isFinite)) return null;
    rotation = multiply3(rotationFromVector(-step[0], -step[1], -step[2]), rotation);
    translation = Float64Array.of(translation[0] - step[3], translation[1] - step[4], translation[2] - step[5]);
    // Half a thousandth of a degree and a hundredth of a millimetre sideways: nothing that is seen.
    if (Math.hypot(step[0], step[1], step[2]) < 1e-5 && Math.hypot(step[3], step[4]) < 0.01) break;
  }
  return createPose(rotation, translation);
}

/** Makes the rotation's part of the step zero. */
function holdTurn(normal: Float64Array, gradient: Float64Array): void {
  for (let i = 0; i < 3; i++) {
    gradient[i] = 0;
    for (let j = i + 1; j < 6; j++) normal[6 * j + i] = 0;
    for (let j = 0; j < i; j++) normal[6 * i + j] = 0;
    normal[7 * i] = 1;
  }
}

/** Distance between the least and the largest of every second number, from `axis` on. */
function measureExtent(pixels: Float64Array, axis: 0 | 1): number {
  let low = Infinity;
  let high = -Infinity;
  for (let i = axis; i < pixels.length; i += 2) {
    low = Math.min(low, pixels[i]);
    high = Math.max(high, pixels[i]);
  }
  return high - low;
}

/**
 * Adds what landmark l says to the normal equations. (A function of its own: the loop round it is left once per iteration, and compiling it with
 * all that follows there costs more than the whole fit.)
 *
 * @param du - shape (6), scratch; so is `dv`
 * @returns whether the point lies in front of the pinhole
 */
function addLandmark(
  shape: Float64Array,
  pixels: Float64Array,
  l: number,
  weight: number,
  { focalPx, centerX, centerY }: Intrinsics,
  rotation: Float64Array,
  translation: Float64Array,
  robustPx: number,
  normal: Float64Array,
  gradient: Float64Array,
  du: Float64Array,
  dv: Float64Array,
): boolean {
  const x = shape[3 * l];
  const y = shape[3 * l + 1];
  const z = shape[3 * l + 2];
  // turned about the model's origin; the rotation unknown acts on this arm
  const ax = rotation[0] * x + rotation[1] * y + rotation[2] * z;
  const ay = rotation[3] * x + rotation[4] * y + rotation[5] * z;
  const az = rotation[6] * x + rotation[7] * y + rotation[8] * z;
  const depth = az + translation[2];
  if (!(depth > 0)) return false;
  const px = (ax + translation[0]) / depth;
  const py = (ay + translation[1]) / depth;
  const k = focalPx / depth;
  const eu = centerX + focalPx * px - pixels[2 * l];
  const ev = centerY + focalPx * py - pixels[2 * l + 1];
  const w = weight * computeCauchyWeight(eu * eu + ev * ev, robustPx);
  // d point = omega x arm + tau; d u = k (dX - px dZ), d v = k (dY - py dZ)
  du[0] = k * -px * ay;
  du[1] = k * (az + px * ax);
  du[2] = k * -ay;
  du[3] = k;
  du[4] = 0;
  du[5] = -k * px;
  dv[0] = k * (-az - py * ay);
  dv[1] = k * py * ax;
  dv[2] = k * ax;
  dv[3] = 0;
  dv[4] = k;
  dv[5] = -k * py;
  for (let i = 0; i < 6; i++) {
    gradient[i] = gradient[i] + w * (du[i] * eu + dv[i] * ev);
    for (let j = 0; j <= i; j++) normal[6 * i + j] = normal[6 * i + j] + w * (du[i] * du[j] + dv[i] * dv[j]);
  }
  return true;
}

import { FacewrightError } from '@facewright/protocol';
import type { Intrinsics } from '../camera/camera.ts';
import { project } from '../camera/project.ts';
import { factorCholesky } from '../math/cholesky.ts';
import { multiply3, transpose3 } from '../math/rotation.ts';
import type { Similarity } from '../math/similarity.ts';
import type { FaceModel } from '../models/face-model.ts';
import type { FaceLandmarks } from '../nets/face-networks.ts';
import { LANDMARK_COUNT, OUTER_EYE_CORNERS } from '../nets/landmark-names.ts';
import { alignToLandmarks } from './align-to-landmarks.ts';
import { blendIdentity } from './blend-identity.ts';
import { fitExpression } from './fit-expression.ts';
import { fitGaze } from './fit-gaze.ts';
import { fitPose } from './fit-pose.ts';
import { fitShape } from './fit-shape.ts';
import type { FittedFace, IdentityPrior } from './fitted-face.ts';
import { TEXTURE_TRUST } from './landmark-trust.ts';
import { prepareFit, SIMILARITY_COUNT } from './prepare-fit.ts';
import { readFace } from './read-face.ts';
import { removeViewHabits } from './remove-view-habits.ts';
import { projectLifted, unprojectLandmarks } from './unproject-landmarks.ts';

export interface FitInput {
  readonly model: FaceModel;
  /** Points in the image frame of the full-size photo. */
  readonly landmarks: Pick<FaceLandmarks, 'points' | 'features'> & { readonly presence?: number };
  readonly intrinsics: Intrinsics;
  /** @default the model's own N(0, 1) */
  readonly identityPrior?: IdentityPrior;
}

/** Identity modes in use without a prior from outside: 30 to 100 score the same on scans, and fewer are quicker. */
const DEFAULT_MODES = 60;

/** Residual in eye distances beyond which the points are no face: ten times that of ordinary photos. */
const WORST_RESIDUAL_RATIO = 0.25;

/**
 * Fits a face model to the landmarks of one photo.
 *
 * 1. Landmarks are lifted into space with the camera's perspective. Where the network's features are at hand, rotation and identity are read from both
 * ({@link readFace}). What the network makes of landmarks because the head is turned is taken off. 2. Similarity, mirror-symmetric identity and expression
 * are found in the model frame ({@link fitShape}), the identity is moved toward the one that was read. 3. The position that projects this shape onto the
 * landmarks in the photo, and the rotation, where it was not read ({@link fitPose}); the model is in millimetres, so the distance follows from the focal
 * length. 4. Gaze from the irises, expression from lids and lips in the picture, position again. 5. Vertices, and their place in the photo.
 *
 * @throws FW_FIT_FAILED where the landmarks are not finite, lie on a line or on one another, or face away
 * @throws FW_ARG_INVALID for a prior of the wrong size
 */
export function fitFace(input: FitInput): FittedFace {
  const { model, intrinsics } = input;
  const { points } = input.landmarks;
  const prior = input.identityPrior ?? null;
  if (prior) checkPrior(prior, model.identityCount);
  if (points.length !== 3 * LANDMARK_COUNT || !points.every(Number.isFinite)) throw fitFailed('the landmarks are not numbers');
  const [e0, e1] = OUTER_EYE_CORNERS;
  const eyeDistancePx = Math.hypot(points[3 * e0] - points[3 * e1], points[3 * e0 + 1] - points[3 * e1 + 1]);
  if (!(eyeDistancePx > 1)) throw fitFailed('the eyes are in one place');

  const basis = prepareFit(model, prior ? model.identityCount : DEFAULT_MODES);
  const { count, landmark } = basis;
  const lifted = unprojectLandmarks(points, landmark, intrinsics);
  const { features } = input.landmarks;
  const { readout } = model.landmarks;
  const reading = features && readout ? readFace(model.landmarks, readout, lifted, basis.weight, features) : null;
  removeViewHabits(basis, lifted);
  const shape = fitShape(basis, lifted, prior);
  if (shape === null) throw fitFailed('the landmarks do not span a face');
  const { similarity, expression } = shape;
  const identity = new Float64Array(model.identityCount);
  identity.set(shape.identity);
  // A prior from outside may know the reading already.
  if (reading !== null && prior === null) blendIdentity(identity, reading.identity);

  const pixels = new Float64Array(2 * count);
  for (let l = 0; l < count; l++) {
    pixels[2 * l] = points[3 * landmark[l]];
    pixels[2 * l + 1] = points[3 * landmark[l] + 1];
  }
  const seen = projectLifted(lifted, intrinsics);
  // Landmarks of this person as the network sees them, without and with expression.
  const own = new Float64Array(3 * count);
  const modes = identity.subarray(0, basis.identityCount);
  basis.kernels.addRows(basis.rows.subarray(3 * count * (SIMILARITY_COUNT + basis.expressionCount)), 0, basis.identityCount, modes, own);
  const neutral = basis.mean.slice();
  const edges = basis.expressionMean.slice();
  for (let m = 0; m < own.length; m++) {
    neutral[m] += own[m];
    edges[m] += own[m];
  }
  const posed = neutral.slice();
  const addExpression = (): void => {
    posed.set(neutral);
    basis.kernels.addRows(basis.expressionRows, 0, basis.expressionCount, expression, posed);
  };

  addExpression();
  const placed = placeInFront(similarity, intrinsics);
  const start = reading === null ? placed : { ...placed, rotation: reading.rotation };
  const near = fitPose(posed, seen, basis.weight, intrinsics, start, reading !== null);
  if (near === null) throw fitFailed('no pose explains the landmarks');
  const neutralPositions = model.evaluate(identity, new Float64Array(0));
  fitGaze(model, points, neutralPositions, near, intrinsics, expression);
  fitExpression(basis, edges, seen, near, intrinsics, expression);
  addExpression();
  const pose = fitPose(posed, seen, basis.weight, intrinsics, near, reading !== null);
  if (pose === null || !(pose.translation[2] > 0)) throw fitFailed('no pose explains the landmarks');

  const residualsPx = new Float64Array(LANDMARK_COUNT);
  const predicted = project(posed, pose, intrinsics, new Float64Array(2 * count));
  let squares = 0;
  let weights = 0;
  for (let l = 0; l < count; l++) {
    const d = Math.hypot(predicted[2 * l] - seen[2 * l], predicted[2 * l + 1] - seen[2 * l + 1]);
    residualsPx[landmark[l]] = d;
    squares += basis.weight[l] * d * d;
    weights += basis.weight[l];
  }
  const residualRmsPx = Math.sqrt(squares / weights);
  if (!(residualRmsPx < WORST_RESIDUAL_RATIO * eyeDistancePx)) throw fitFailed('the landmarks do not form a face');

  const positions = addExpressionTo(model, neutralPositions, expression);
  const textureTrust = Float64Array.from(landmark, (l, i) => TEXTURE_TRUST[l] * model.landmarks.confidence[i]);
  const imagePoints = alignToLandmarks(model, project(positions, pose, intrinsics), pixels, textureTrust);
  const confidence = computeConfidence(
    residualRmsPx / eyeDistancePx,
    pose.yawDeg,
    pose.pitchDeg,
    eyeDistancePx,
    input.landmarks.presence ?? 1,
  );
  if (!Number.isFinite(confidence) || !isAllFinite(imagePoints)) throw fitFailed('the result is not a number');
  return {
    model,
    intrinsics,
    pose,
    identity,
    expression,
    positions,
    neutralPositions,
    imagePoints,
    residualsPx,
    residualRmsPx,
    eyeDistancePx,
    confidence,
  };
}

/**
 * How far a fit can be trusted, 0..1: the product of the network's own belief and of three falling curves, each 1/2 at the value
 * where results were seen to become doubtful: residual 6 % of the eye distance (good fits: 2 to 3 %), 50 degrees away from the camera, eye corners
 * 25 px apart.
 */
export function computeConfidence(
  residualRatio: number,
  yawDeg: number,
  pitchDeg: number,
  eyeDistancePx: number,
  presence: number,
): number {
  const half = (x: number): number => 1 / (1 + x ** 4);
  return presence * half(residualRatio / 0.06) * half(Math.hypot(yawDeg, pitchDeg) / 50) * half(25 / eyeDistancePx);
}

/** Rotation and translation that put the model where the unprojected landmarks were, at the depth that gives it its size in pixels. */
function placeInFront(similarity: Similarity, intrinsics: Intrinsics): { rotation: Float64Array; translation: Float64Array } {
  // The similarity is modelFromView; the view's axes (y up, z back) become the camera's (y down, z forward).
  const rotation = multiply3(Float64Array.of(1, 0, 0, 0, -1, 0, 0, 0, -1), transpose3(similarity.rotation));
  const t = similarity.translation;
  const translation = new Float64Array(3);
  // model = scale R view + t, so the model's origin is at -R^T t / scale in the view (pixels); times the scale it is in millimetres.
  for (let k = 0; k < 3; k++) translation[k] = -(rotation[3 * k] * t[0] + rotation[3 * k + 1] * t[1] + rotation[3 * k + 2] * t[2]);
  translation[2] = translation[2] + similarity.scale * intrinsics.focalPx;
  return { rotation, translation };
}

/** Whether all numbers of an array are finite: then and only then their sum is (it cannot overflow for pixels). */
function isAllFinite(values: ArrayLike<number>): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return Number.isFinite(sum);
}

/** The neutral face with the expression on it: the model is linear, so the identity need not be evaluated again. */
function addExpressionTo(model: FaceModel, neutralPositions: Float32Array, expression: Float64Array): Float32Array {
  const positions = neutralPositions.slice();
  if (expression.every((b) => b === 0)) return positions;
  const { neutral } = model;
  const moved = model.evaluate(new Float64Array(0), expression);
  for (let i = 0; i < positions.length; i += BLOCK) addDifference(positions, moved, neutral, i, Math.min(i + BLOCK, positions.length));
  return positions;
}

/** Numbers per call in long loops: a function that is called often is compiled early, see align-to-landmarks.ts. */
const BLOCK = 1024;

/** out += a - b for the numbers [first, last). */
function addDifference(out: Float32Array, a: Float32Array, b: Float32Array, first: number, last: number): void {
  for (let i = first; i < last; i++) out[i] += a[i] - b[i];
}

function checkPrior(prior: IdentityPrior, identityCount: number): void {
  if (prior.mean.length !== identityCount || prior.covariance.length !== identityCount * identityCount) {
    throw new FacewrightError('FW_ARG_INVALID', {
      name: 'identityPrior',
      expected: `a mean of ${identityCount} and a covariance of ${identityCount} x ${identityCount} numbers`,
      actual: `${prior.mean.length} and ${prior.covariance.length}`,
    });
  }
  if (!prior.mean.every(Number.isFinite) || factorCholesky(prior.covariance, identityCount) === null) {
    throw new FacewrightError('FW_ARG_INVALID', {
      name: 'identityPrior',
      expected: 'a finite mean and a positive definite covariance',
      actual: 'another',
    });
  }
}

function fitFailed(reason: string): FacewrightError {
  return new FacewrightError('FW_FIT_FAILED', { reason });
}

import type { Intrinsics, Pose } from '../camera/camera.ts';
import { solveBoxQuadratic } from '../math/box-quadratic.ts';
import type { FaceModel } from '../models/face-model.ts';

/** Standard deviation of a gaze amount; wide: the iris is seen well. */
const GAZE_SIGMA = 0.6;

/** Standard deviation of an iris centre, millimetres. */
const IRIS_SIGMA_MM = 0.7;

/** Below this opening the lids hide the iris, millimetres: the network then places it by habit. */
const LEAST_OPENING_MM = 2.5;

/** One eye of a model: the pupil and the shapes that turn it. */
interface Eye {
  /** Number of the iris centre among the landmarks. */
  readonly irisLandmark: number;
  readonly upperLid: number;
  readonly lowerLid: number;
  readonly pupilVertex: number;
  /** Shape (n): expression, and its displacement of the pupil, shape (n,3). */
  readonly shapes: Uint32Array;
  readonly motion: Float64Array;
  /** Shapes of the lids that go with each (same order), -1 for none. */
  readonly lids: Int32Array;
}

const prepared = new WeakMap<FaceModel, readonly Eye[]>();

/**
 * Turns the eyeballs so that the pupils meet the irises in the picture. Models without shapes that turn the eyeballs (`gaze…`) are left
 * alone. Each gaze shape takes the lid motion of the same name (`eyeLook…`) along, so that ARKit's weights mean the same for both.
 *
 * @param points - shape (478,3), image frame
 * @param neutralPositions - shape (V,3), millimetres
 * @param expression - shape (E), changed in place
 */
export function fitGaze(
  model: FaceModel,
  points: Float64Array,
  neutralPositions: Float32Array,
  pose: Pose,
  intrinsics: Intrinsics,
  expression: Float64Array,
): void {
  const { rotation: r, translation: t } = pose;
  for (const eye of prepareEyes(model)) {
    const n = eye.shapes.length;
    const [x, y, z] = neutralPositions.subarray(3 * eye.pupilVertex, 3 * eye.pupilVertex + 3);
    const depth = r[6] * x + r[7] * y + r[8] * z + t[2];
    const mmPerPx = depth / intrinsics.focalPx;
    const i = 3 * eye.irisLandmark;
    const opening =
      mmPerPx *
      Math.hypot(points[3 * eye.upperLid] - points[3 * eye.lowerLid], points[3 * eye.upperLid + 1] - points[3 * eye.lowerLid + 1]);
    if (opening < LEAST_OPENING_MM) continue;
    const ex = r[0] * x + r[1] * y + r[2] * z + t[0] - (points[i] - intrinsics.centerX) * mmPerPx;
    const ey = r[3] * x + r[4] * y + r[5] * z + t[1] - (points[i + 1] - intrinsics.centerY) * mmPerPx;
    const normal = new Float64Array(n * n);
    const gradient = new Float64Array(n);
    const u = new Float64Array(n);
    const v = new Float64Array(n);
    for (let k = 0; k < n; k++) {
      const [mx, my, mz] = eye.motion.subarray(3 * k, 3 * k + 3);
      u[k] = (r[0] * mx + r[1] * my + r[2] * mz) / IRIS_SIGMA_MM;
      v[k] = (r[3] * mx + r[4] * my + r[5] * mz) / IRIS_SIGMA_MM;
      gradient[k] = (u[k] * ex + v[k] * ey) / IRIS_SIGMA_MM;
    }
    for (let a = 0; a < n; a++) {
      for (let b = 0; b < n; b++) normal[a * n + b] = u[a] * u[b] + v[a] * v[b];
      normal[a * n + a] += 1 / GAZE_SIGMA ** 2;
    }
    const amount = new Float64Array(n);
    solveBoxQuadratic(normal, gradient, new Float64Array(n), new Float64Array(n).fill(1), amount, 1e-4);
    for (let k = 0; k < n; k++) {
      expression[eye.shapes[k]] = amount[k];
      if (eye.lids[k] >= 0) expression[eye.lids[k]] = amount[k];
    }
  }
}

function prepareEyes(model: FaceModel): readonly Eye[] {
  const known = prepared.get(model);
  if (known) return known;
  const eyes: Eye[] = [];
  for (const part of model.parts) {
    if (part.material !== 'iris') continue;
    const pupilVertex = findPupil(model, part.firstTriangle, part.triangleCount);
    const isLeft = model.neutral[3 * pupilVertex] > 0;
    const shapes: number[] = [];
    const motion: number[] = [];
    const lids: number[] = [];
    for (const direction of ['Up', 'Down', 'In', 'Out']) {
      const shape = model.expressionNames.indexOf(`gaze${direction}_${isLeft ? 'L' : 'R'}`);
      if (shape < 0) continue;
      shapes.push(shape);
      motion.push(...model.expressionDelta(shape).subarray(3 * pupilVertex, 3 * pupilVertex + 3));
      lids.push(model.expressionNames.indexOf(`eyeLook${direction}_${isLeft ? 'L' : 'R'}`));
    }
    if (shapes.length === 0) continue;
    // The person's left eye has the landmarks 362 (inner) to 263 (outer) and the iris 473.
    eyes.push({
      irisLandmark: isLeft ? 473 : 468,
      upperLid: isLeft ? 386 : 159,
      lowerLid: isLeft ? 374 : 145,
      pupilVertex,
      shapes: Uint32Array.from(shapes),
      motion: Float64Array.from(motion),
      lids: Int32Array.from(lids),
    });
  }
  prepared.set(model, eyes);
  return eyes;
}

/** Foremost vertex within 2 mm of the axis through the middle of an eyeball. */
function findPupil(model: FaceModel, firstTriangle: number, triangleCount: number): number {
  const { neutral } = model;
  const vertices = model.triangles.subarray(3 * firstTriangle, 3 * (firstTriangle + triangleCount));
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (const v of vertices) {
    for (let k = 0; k < 2; k++) {
      low[k] = Math.min(low[k], neutral[3 * v + k]);
      high[k] = Math.max(high[k], neutral[3 * v + k]);
    }
  }
  let best = vertices[0];
  let bestCost = Infinity;
  for (const v of vertices) {
    const aside = Math.hypot(neutral[3 * v] - (low[0] + high[0]) / 2, neutral[3 * v + 1] - (low[1] + high[1]) / 2);
    const cost = Math.max(0, aside - 2) * 10 - neutral[3 * v + 2];
    if (cost < bestCost) {
      bestCost = cost;
      best = v;
    }
  }
  return best;
}

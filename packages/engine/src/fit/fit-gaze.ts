import type { Intrinsics, Pose } from '../camera/camera.ts';
import { solveBoxQuadratic } from '../math/box-quadratic.ts';
import type { FaceModel } from '../models/face-model.ts';
import { LEFT_IRIS, LEFT_LID_PAIRS, RIGHT_IRIS, RIGHT_LID_PAIRS } from '../nets/landmark-names.ts';

/** Standard deviation of a gaze amount; wide: the irises are seen well. */
const GAZE_SIGMA = 0.6;

/** Standard deviation of an iris centre against the model's pupil, millimetres: the network is better, where the eyeball sits is not known so well. */
const IRIS_SIGMA_MM = 1.5;

/** Below this opening the lids hide the iris, millimetres: the network then places it by habit. */
const LEAST_OPENING_MM = 2.5;

/** Directions both eyes look in together (the person's left and right), with the shape of the left and of the right eye for each. */
const DIRECTIONS = [
  ['Out_L', 'In_R'],
  ['In_L', 'Out_R'],
  ['Up_L', 'Up_R'],
  ['Down_L', 'Down_R'],
] as const;

/** One eye of a model. */
interface Eye {
  /** Numbers among the 478 landmarks. */
  readonly iris: number;
  readonly upperLid: number;
  readonly lowerLid: number;
  readonly pupilVertex: number;
  /** Shape (4), per direction: the expression that turns the eyeball, and the lid motion that goes with it (-1: none). */
  readonly shapes: Int32Array;
  readonly lids: Int32Array;
  /** Shape (4,3): displacement of the pupil, millimetres. */
  readonly motion: Float64Array;
}

const prepared = new WeakMap<FaceModel, readonly Eye[]>();

/**
 * Turns the eyeballs so that the pupils meet the irises in the picture. Both eyes look the same way: how far apart they are is the
 * identity's business, and a squint would be made of its errors. Models without shapes that turn the eyeballs (`gaze…`) are left alone.
 * Each gaze shape takes the lid motion of the same name (`eyeLook…`) along, so that ARKit's weights mean the same for both.
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
  const n = DIRECTIONS.length;
  const normal = new Float64Array(n * n);
  const gradient = new Float64Array(n);
  for (let k = 0; k < n; k++) normal[k * n + k] = 1 / GAZE_SIGMA ** 2;
  const eyes = prepareEyes(model);
  const row = new Float64Array(n);
  for (const eye of eyes) {
    const [x, y, z] = neutralPositions.subarray(3 * eye.pupilVertex, 3 * eye.pupilVertex + 3);
    const mmPerPx = (r[6] * x + r[7] * y + r[8] * z + t[2]) / intrinsics.focalPx;
    const upper = 3 * eye.upperLid;
    const lower = 3 * eye.lowerLid;
    const opening = mmPerPx * Math.hypot(points[upper] - points[lower], points[upper + 1] - points[lower + 1]);
    if (opening < LEAST_OPENING_MM) continue;
    const center = [intrinsics.centerX, intrinsics.centerY];
    for (let axis = 0; axis < 2; axis++) {
      const a = 3 * axis;
      const e = r[a] * x + r[a + 1] * y + r[a + 2] * z + t[axis] - (points[3 * eye.iris + axis] - center[axis]) * mmPerPx;
      for (let k = 0; k < n; k++) {
        row[k] = r[a] * eye.motion[3 * k] + r[a + 1] * eye.motion[3 * k + 1] + r[a + 2] * eye.motion[3 * k + 2];
      }
      for (let k = 0; k < n; k++) {
        gradient[k] += (row[k] * e) / IRIS_SIGMA_MM ** 2;
        for (let j = 0; j < n; j++) normal[k * n + j] += (row[k] * row[j]) / IRIS_SIGMA_MM ** 2;
      }
    }
  }
  const amount = new Float64Array(n);
  solveBoxQuadratic(normal, gradient, new Float64Array(n), new Float64Array(n).fill(1), amount, 1e-4);
  // Left against right and up against down: what both have is no gaze.
  for (let k = 0; k < n; k += 2) {
    const both = Math.min(amount[k], amount[k + 1]);
    amount[k] -= both;
    amount[k + 1] -= both;
  }
  for (const eye of eyes) {
    for (let k = 0; k < n; k++) {
      expression[eye.shapes[k]] = amount[k];
      if (eye.lids[k] >= 0) expression[eye.lids[k]] = amount[k];
    }
  }
}

function prepareEyes(model: FaceModel): readonly Eye[] {
  let eyes = prepared.get(model);
  if (!eyes) {
    eyes = findEyes(model);
    prepared.set(model, eyes);
  }
  return eyes;
}

function findEyes(model: FaceModel): Eye[] {
  const eyes: Eye[] = [];
  for (const part of model.parts) {
    if (part.material !== 'iris') continue;
    const pupilVertex = findPupil(model, part.firstTriangle, part.triangleCount);
    const isLeft = model.neutral[3 * pupilVertex] > 0;
    const names = DIRECTIONS.map((pair) => pair[isLeft ? 0 : 1]);
    const shapes = Int32Array.from(names, (name) => model.expressionNames.indexOf(`gaze${name}`));
    if (shapes.some((shape) => shape < 0)) continue;
    const motion: number[] = [];
    for (const shape of shapes) motion.push(...model.expressionDelta(shape).subarray(3 * pupilVertex, 3 * pupilVertex + 3));
    eyes.push({
      iris: (isLeft ? LEFT_IRIS : RIGHT_IRIS)[0],
      upperLid: (isLeft ? LEFT_LID_PAIRS : RIGHT_LID_PAIRS)[0],
      lowerLid: (isLeft ? LEFT_LID_PAIRS : RIGHT_LID_PAIRS)[1],
      pupilVertex,
      shapes,
      lids: Int32Array.from(names, (name) => model.expressionNames.indexOf(`eyeLook${name}`)),
      motion: Float64Array.from(motion),
    });
  }
  return eyes;
}

/** Foremost vertex within 2 mm of the axis through the middle of an eyeball. */
function findPupil(model: FaceModel, firstTriangle: number, triangleCount: number): number {
  const { neutral } = model;
  const vertices = model.triangles.subarray(3 * firstTriangle, 3 * (firstTriangle + triangleCount));
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (let i = 0; i < vertices.length; i++) {
    for (let k = 0; k < 2; k++) {
      const x = neutral[3 * vertices[i] + k];
      low[k] = Math.min(low[k], x);
      high[k] = Math.max(high[k], x);
    }
  }
  let best = vertices[0];
  let bestCost = Infinity;
  for (let i = 0; i < vertices.length; i++) {
    const v = vertices[i];
    const aside = Math.hypot(neutral[3 * v] - (low[0] + high[0]) / 2, neutral[3 * v + 1] - (low[1] + high[1]) / 2);
    const cost = Math.max(0, aside - 2) * 10 - neutral[3 * v + 2];
    if (cost < bestCost) {
      bestCost = cost;
      best = v;
    }
  }
  return best;
}

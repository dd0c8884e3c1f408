import type { Intrinsics, Pose } from '../camera/camera.ts';
import { solveBoxQuadratic } from '../math/box-quadratic.ts';
import { addRows, multiplyRows } from '../math/dense-rows.ts';
import { computeCauchyWeight } from '../math/robust-weight.ts';
import type { FitBasis } from './prepare-fit.ts';

/** Weight of a landmark of full trust, per square millimetre: 1 mm, about 40 % of them independent. */
const DATA_SCALE = 0.4;

/** Standard deviation of an expression's amount; wider than in the shape's fit, where an expression must not take over what is identity. */
const EXPRESSION_SIGMA = 0.35;

/** The same for shapes that portraits seldom show (shrug, puff, roll, sideways). */
const RARE_SIGMA = 0.12;

/** Slope of the cost at amount zero: an expression that explains next to nothing stays at zero (exponential prior of mean 0.2). */
const SPARSITY = 5;

/** Distance in the picture at which a landmark counts half, millimetres. */
const ROBUST_SCALE_MM = 8;

const ITERATIONS = 8;

/**
 * Expression under which the posed face meets the landmarks in the picture: lids and lips first of all. Depth, which the network
 * sees poorly there, is not used.
 *
 * As in fitShape every step minimises a quadratic that lies above the cost; its matrix is that of motions in space, which bounds those in the
 * picture, so it is the same for every photo.
 *
 * Where eyes and mouth sit on a face is the identity's business, and it knows that to a few millimetres only; so the edges of each eye and of the
 * mouth may shift as a whole (2.5 mm standard deviation, not kept): an expression is what changes their form.
 *
 * @param neutral - shape (L,3), millimetres, model frame: landmarks of this person without expression
 * @param pixels - shape (L,2), image frame
 * @param expression - shape (E), start; changed in place, but for the gaze shapes, which are taken as they are
 */
export function fitExpression(
  basis: FitBasis,
  neutral: Float64Array,
  pixels: Float64Array,
  pose: Pose,
  intrinsics: Intrinsics,
  expression: Float64Array,
): void {
  const { count, expressionCount, expressionRows, expressionTrust, expressionNormal } = basis;
  if (expressionCount === 0) return;
  const { rotation: r, translation: t } = pose;
  // Expression amounts, then the shifts of eyes and mouth.
  const size = expressionRows.length / (3 * count);
  const unknown = new Float64Array(size);
  unknown.set(expression);
  const curvature = expressionNormal.map((n) => DATA_SCALE * n);
  const precision = new Float64Array(size).fill(1 / EXPRESSION_SIGMA ** 2);
  for (let k = 0; k < expressionCount; k++) if (basis.isRare[k]) precision[k] = 1 / RARE_SIGMA ** 2;
  for (let k = 0; k < size; k++) curvature[k * size + k] += precision[k];

  const shape = new Float64Array(3 * count);
  const pull = new Float64Array(3 * count);
  const gradient = new Float64Array(size);
  const low = new Float64Array(size);
  const high = new Float64Array(size);
  const step = new Float64Array(size);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    shape.set(neutral);
    addRows(expressionRows, 0, size, unknown, shape);
    for (let l = 0; l < count; l++) {
      const x = shape[3 * l];
      const y = shape[3 * l + 1];
      const z = shape[3 * l + 2];
      const depth = r[6] * x + r[7] * y + r[8] * z + t[2];
      // Where the ray of the landmark passes the point's depth, seen from the point; then back into the model frame.
      const ex = r[0] * x + r[1] * y + r[2] * z + t[0] - ((pixels[2 * l] - intrinsics.centerX) * depth) / intrinsics.focalPx;
      const ey = r[3] * x + r[4] * y + r[5] * z + t[1] - ((pixels[2 * l + 1] - intrinsics.centerY) * depth) / intrinsics.focalPx;
      const w = DATA_SCALE * expressionTrust[l] * computeCauchyWeight(ex * ex + ey * ey, ROBUST_SCALE_MM);
      pull[3 * l] = w * (r[0] * ex + r[3] * ey);
      pull[3 * l + 1] = w * (r[1] * ex + r[4] * ey);
      pull[3 * l + 2] = w * (r[2] * ex + r[5] * ey);
    }
    multiplyRows(expressionRows, size, pull, gradient);
    for (let k = 0; k < size; k++) {
      const isShift = k >= expressionCount;
      gradient[k] += unknown[k] * precision[k] + (isShift ? 0 : SPARSITY);
      low[k] = (isShift ? -1 : 0) - unknown[k];
      high[k] = 1 - unknown[k];
      if (!isShift && basis.isGaze[k]) low[k] = high[k] = 0;
    }
    step.fill(0);
    solveBoxQuadratic(curvature, gradient, low, high, step, 1e-3);
    let moved = 0;
    for (let k = 0; k < size; k++) {
      unknown[k] += step[k];
      moved = Math.max(moved, Math.abs(step[k]));
    }
    if (moved < 0.003) break;
  }
  expression.set(unknown.subarray(0, expressionCount));
}

import type { Intrinsics, Pose } from '../camera/camera.ts';
import { solveBoxQuadratic } from '../math/box-quadratic.ts';
import { computeCauchyWeight } from '../math/robust-weight.ts';
import type { FitBasis, Lids } from './prepare-fit.ts';

/** Weight of a landmark of full trust, per square millimetre: 1 mm, about 40 % of them independent. */
const DATA_SCALE = 0.4;

/** Standard deviation of an expression's amount; wider than in the shape's fit, where an expression must not take over what is identity. */
const EXPRESSION_SIGMA = 0.35;

/** The same for shapes that portraits seldom show (shrug, puff, roll, funnel, sideways). */
const RARE_SIGMA = 0.08;

/** Slope of the cost at amount zero: an expression that explains next to nothing stays at zero (exponential prior of mean 0.2). */
const SPARSITY = 5;

/** The same for shapes that calm faces are often taken for (mean 0.08). */
const DOUBTFUL_SPARSITY = 12;

/** Distance in the picture at which a landmark counts half, millimetres. */
const ROBUST_SCALE_MM = 8;

/** At most so many steps in the first round, and so many in both. */
const ITERATIONS = 5;
const ALL_ITERATIONS = 9;

/** Amount at which the priors of a main expression have fallen to half in the second round. */
const RELAXED_AMOUNT = 0.08;

/**
 * Opening of the lids in relation to the open eye at which a blink begins (people's eyes differ by a fifth) and at which it is complete (both the
 * network's and the model's lid landmarks keep 1 to 2 mm apart when the lids touch).
 */
const BLINK_STARTS = 0.8;
const BLINK_COMPLETE = 0.2;

/**
 * Expression under which the posed face meets the landmarks in the picture: lids and lips first of all. Depth, which the network
 * sees poorly there, is not used.
 *
 * As in fitShape every step minimises a quadratic that lies above the cost; its matrix is that of motions in space, which bounds those in the
 * picture, so it is the same for every photo.
 *
 * The first round's priors tell which expressions there are; but they also make every amount too small. So in a second round the priors of the main
 * expressions found are lowered, the more the larger the amount (reweighted as in Candes, Wakin & Boyd, J. Fourier Anal. Appl. 14 (2008), eq. 9;
 * the same aim as Meinshausen's relaxed lasso, but continuous in the landmarks), and the blink is measured from the lids' opening alone.
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
  const slope = new Float64Array(size);
  for (let k = 0; k < expressionCount; k++) {
    if (basis.isRare[k]) precision[k] = 1 / RARE_SIGMA ** 2;
    slope[k] = basis.isDoubtful[k] ? DOUBTFUL_SPARSITY : SPARSITY;
  }
  for (let k = 0; k < size; k++) curvature[k * size + k] += precision[k];

  const shape = new Float64Array(3 * count);
  const pull = new Float64Array(3 * count);
  const gradient = new Float64Array(size);
  const low = new Float64Array(size);
  const high = new Float64Array(size);
  const step = new Float64Array(size);
  const isHeld = new Uint8Array(size);
  isHeld.set(basis.isGaze);
  let isRelaxed = false;
  for (let iteration = 0; iteration < ALL_ITERATIONS; iteration++) {
    shape.set(neutral);
    basis.kernels.addRows(expressionRows, 0, size, unknown, shape);
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
    basis.kernels.multiplyRows(expressionRows, size, pull, gradient);
    for (let k = 0; k < size; k++) {
      const isShift = k >= expressionCount;
      gradient[k] += unknown[k] * precision[k] + slope[k];
      low[k] = (isShift ? -1 : 0) - unknown[k];
      high[k] = 1 - unknown[k];
      if (isHeld[k] === 1) low[k] = high[k] = 0;
    }
    step.fill(0);
    solveBoxQuadratic(curvature, gradient, low, high, step, 1e-3);
    let moved = 0;
    for (let k = 0; k < size; k++) {
      unknown[k] += step[k];
      moved = Math.max(moved, Math.abs(step[k]));
    }
    if (moved >= 0.003 && iteration !== ITERATIONS - 1) continue;
    if (isRelaxed) break;
    isRelaxed = true;
    iteration = ITERATIONS - 1;
    for (let k = 0; k < expressionCount; k++) {
      if (basis.isMain[k] === 0) continue;
      const share = RELAXED_AMOUNT / (RELAXED_AMOUNT + unknown[k]);
      slope[k] *= share;
      curvature[k * size + k] -= precision[k] * (1 - share);
      precision[k] *= share;
    }
    for (const lid of basis.lids) {
      unknown[lid.blink] = measureBlink(basis, lid, neutral, unknown, pixels, pose, intrinsics);
      isHeld[lid.blink] = 1;
      if (lid.wide < 0 || unknown[lid.blink] === 0) continue;
      // A lid does not close and open wide.
      unknown[lid.wide] = 0;
      isHeld[lid.wide] = 1;
    }
  }
  expression.set(unknown.subarray(0, expressionCount));
}

/**
 * Blink of an eye, 0..1, from its opening in the picture in relation to the one that it would have without blink, all else as fitted. Own derivation.
 *
 * @param unknown - amounts so far
 */
function measureBlink(
  basis: FitBasis,
  lids: Lids,
  neutral: Float64Array,
  unknown: Float64Array,
  pixels: Float64Array,
  pose: Pose,
  intrinsics: Intrinsics,
): number {
  const { rotation: r, translation: t } = pose;
  const { pairs } = lids;
  const width = 3 * basis.count;
  const place = new Float64Array(2 * pairs.length);
  for (let i = 0; i < pairs.length; i++) {
    const l = pairs[i];
    let x = neutral[3 * l];
    let y = neutral[3 * l + 1];
    let z = neutral[3 * l + 2];
    for (let k = 0; k < basis.expressionCount; k++) {
      if (k === lids.blink || k === lids.wide || unknown[k] === 0) continue;
      const at = k * width + 3 * l;
      x += unknown[k] * basis.expressionRows[at];
      y += unknown[k] * basis.expressionRows[at + 1];
      z += unknown[k] * basis.expressionRows[at + 2];
    }
    const scale = intrinsics.focalPx / (r[6] * x + r[7] * y + r[8] * z + t[2]);
    place[2 * i] = scale * (r[0] * x + r[1] * y + r[2] * z + t[0]);
    place[2 * i + 1] = scale * (r[3] * x + r[4] * y + r[5] * z + t[1]);
  }
  let seen = 0;
  let open = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    const u = 2 * pairs[i];
    const l = 2 * pairs[i + 1];
    seen += Math.hypot(pixels[u] - pixels[l], pixels[u + 1] - pixels[l + 1]);
    open += Math.hypot(place[2 * i] - place[2 * i + 2], place[2 * i + 1] - place[2 * i + 3]);
  }
  if (!(open > 0)) return 0;
  return Math.min(1, Math.max(0, (BLINK_STARTS - seen / open) / (BLINK_STARTS - BLINK_COMPLETE)));
}

import { solveBoxQuadratic } from '../math/box-quadratic.ts';
import { factorCholesky, invertPositiveDefinite, solveCholesky } from '../math/cholesky.ts';
import { multiplyRows } from '../math/dense-rows.ts';
import { computeCauchyWeight } from '../math/robust-weight.ts';
import { multiply3, rotationFromVector } from '../math/rotation.ts';
import { applySimilarity, type Similarity } from '../math/similarity.ts';
import type { IdentityPrior } from './fitted-face.ts';
import { type FitBasis, SIMILARITY_COUNT } from './prepare-fit.ts';
import { estimateRobustSimilarity } from './robust-similarity.ts';

/** Standard deviation of a landmark after the bias is taken off, millimetres. */
const LANDMARK_SIGMA_MM = 2;

/**
 * The network's landmark errors are correlated: 468 of them carry the information of about a tenth as many independent ones
 * (chosen on scans, flat around it: docs/decisions/fit-constants.md).
 */
const INDEPENDENT_RATIO = 0.1;

/** Standard deviation of an expression's amount before the photo is seen. */
const EXPRESSION_SIGMA = 0.2;

/** The same for motions so large that the identity would take most of them (an open jaw is a long face, a smile a wide mouth). */
const LARGE_EXPRESSION_SIGMA = 0.4;

/** Scales of the robust weight, millimetres, one per iteration; the last repeats. Wide first, so that an open mouth is not an outlier. */
const ROBUST_SCALES_MM = [16, 12, 8, 6, 5, 4];

const MAX_ITERATIONS = 24;

/** Ends the iterations: no landmark is moved by more than about this by another step, millimetres. */
const TOLERANCE_MM = 0.02;

/** Shape and placement in the model frame. */
export interface FittedShape {
  /** modelFromLandmark: takes unprojected landmarks to the model frame. */
  readonly similarity: Similarity;
  /** Shape (K), standard deviations. */
  readonly identity: Float64Array;
  /** Shape (E), 0..1. */
  readonly expression: Float64Array;
  /** Shape (L,3), millimetres: model minus landmark in the model frame. */
  readonly residual: Float64Array;
  readonly iterations: number;
}

/**
 * Finds similarity, mirror-symmetric identity and expression that explain unprojected landmarks: the minimum of
 *
 *     c sum_l w_l rho(|mean_l + I_l a + E_l b - (s R p_l + t)|) + (a - m)^T C^-1 (a - m) + sum_e b_e^2 / sigma_e^2,   0 <= b <= 1
 *
 * with Cauchy's rho. (Statistical prior with dense landmarks: Blanz & Vetter, PAMI 25 (2003), eq. 13; here in the model frame.)
 *
 * Every step minimises a quadratic that touches the cost and lies above it (Cauchy's weight never exceeds 1, so the normal matrix
 * with weights 1 bounds the curvature; Hunter & Lange, Am. Stat. 58 (2004)). That matrix does not depend on the photo, so a step costs two
 * products with the columns instead of assembling and factoring a new matrix.
 *
 * @param points - shape (L,3), unprojected landmarks, see {@link unprojectLandmarks}
 * @returns null where the landmarks are degenerate or not finite
 */
export function fitShape(basis: FitBasis, points: Float64Array, prior: IdentityPrior | null): FittedShape | null {
  const { count, identityCount, expressionCount, rows, mean, weight } = basis;
  const size = SIMILARITY_COUNT + expressionCount + identityCount;
  const firstIdentity = SIMILARITY_COUNT + expressionCount;
  const free = SIMILARITY_COUNT + identityCount;
  const dataScale = INDEPENDENT_RATIO / LANDMARK_SIGMA_MM ** 2;

  const system = prior ? prepareSystem(basis, prior, dataScale) : unitPriorSystem(basis, dataScale);
  if (system === null) return null;

  let similarity = estimateRobustSimilarity(points, mean, weight);
  if (similarity === null) return null;
  // Amounts of all rows; the similarity's stay zero, it is kept apart.
  const amounts = new Float64Array(size);
  const expression = amounts.subarray(SIMILARITY_COUNT, firstIdentity);
  const identity = amounts.subarray(firstIdentity);
  if (prior) identity.set(prior.mean);

  const placed = new Float64Array(3 * count);
  const residual = new Float64Array(3 * count);
  const pull = new Float64Array(3 * count);
  const gradient = new Float64Array(size);
  const low = new Float64Array(expressionCount);
  const high = new Float64Array(expressionCount);
  const stepB = new Float64Array(expressionCount);
  const stepF = new Float64Array(free);
  const gradientF = new Float64Array(free);
  const reduced = new Float64Array(expressionCount);
  const computeResidual = (s: Similarity): void => {
    applySimilarity(s, points, placed);
    subtract(mean, placed, residual);
    basis.kernels.addRows(rows, SIMILARITY_COUNT, size, amounts, residual);
  };

  let iterations = 0;
  while (iterations < MAX_ITERATIONS) {
    computeResidual(similarity);
    const scale = ROBUST_SCALES_MM[Math.min(iterations, ROBUST_SCALES_MM.length - 1)];
    iterations++;
    weighResidual(residual, weight, dataScale, scale, pull);
    basis.kernels.multiplyRows(rows, size, pull, gradient);
    addPriorGradient(gradient.subarray(firstIdentity), identity, prior, system.precision);

    // The free unknowns are eliminated, the box-bounded expression is solved, the free ones follow.
    for (let i = 0; i < free; i++) gradientF[i] = gradient[i < SIMILARITY_COUNT ? i : i + expressionCount];
    stepF.set(gradientF);
    solveCholesky(system.freeFactor, free, stepF);
    for (let k = 0; k < expressionCount; k++) {
      reduced[k] = subtractDot(
        gradient[SIMILARITY_COUNT + k] + expression[k] / expressionSigma(basis, k) ** 2,
        system.coupling,
        k * free,
        stepF,
        0,
        free,
      );
      low[k] = -expression[k];
      // Gaze shapes stay at zero here: the lids alone do not tell it.
      high[k] = basis.isGaze[k] ? 0 : 1 - expression[k];
    }
    stepB.fill(0);
    solveBoxQuadratic(system.schur, reduced, low, high, stepB, 1e-4);
    for (let i = 0; i < free; i++) {
      let s = gradientF[i];
      for (let k = 0; k < expressionCount; k++) s += system.coupling[k * free + i] * stepB[k];
      stepF[i] = -s;
    }
    solveCholesky(system.freeFactor, free, stepF);

    for (let k = 0; k < identityCount; k++) identity[k] = identity[k] + stepF[SIMILARITY_COUNT + k];
    for (let k = 0; k < expressionCount; k++) expression[k] = expression[k] + stepB[k];
    similarity = moveSimilarity(similarity, stepF, basis.center);
    if (!stepF.every(Number.isFinite) || !stepB.every(Number.isFinite)) return null;

    if (iterations >= ROBUST_SCALES_MM.length && squaredMotion(basis, stepF, stepB) < TOLERANCE_MM ** 2) break;
  }
  computeResidual(similarity);
  return { similarity, identity: identity.slice(), expression: expression.slice(), residual, iterations };
}

/** out = a - b */
function subtract(a: Float64Array, b: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = a[i] - b[i];
}

/** start - sum over i < n of a[atA + i] b[atB + i], term by term. */
function subtractDot(start: number, a: Float64Array, atA: number, b: Float64Array, atB: number, n: number): number {
  let sum = start;
  for (let i = 0; i < n; i++) sum -= a[atA + i] * b[atB + i];
  return sum;
}

/** Residuals times their robust weights. */
function weighResidual(residual: Float64Array, weight: Float64Array, dataScale: number, scaleMm: number, out: Float64Array): void {
  for (let l = 0; l < weight.length; l++) {
    const x = residual[3 * l];
    const y = residual[3 * l + 1];
    const z = residual[3 * l + 2];
    const w = dataScale * weight[l] * computeCauchyWeight(x * x + y * y + z * z, scaleMm);
    out[3 * l] = w * x;
    out[3 * l + 1] = w * y;
    out[3 * l + 2] = w * z;
  }
}

interface ShapeSystem {
  /** Shape (K,K), inverse of the prior covariance; null for the unit prior. */
  readonly precision: Float64Array | null;
  /** Cholesky factor of the block of the free unknowns, shape (7+K, 7+K). */
  readonly freeFactor: Float64Array;
  /** Shape (E, 7+K) */
  readonly coupling: Float64Array;
  /** Shape (E,E): curvature of the expression once the free unknowns follow. */
  readonly schur: Float64Array;
}

const unitPriorSystems = new WeakMap<FitBasis, ShapeSystem | null>();

const expressionSigma = (basis: FitBasis, k: number): number => (basis.isLarge[k] === 1 ? LARGE_EXPRESSION_SIGMA : EXPRESSION_SIGMA);

/** {@link prepareSystem} of the model's own prior, kept with the basis. */
function unitPriorSystem(basis: FitBasis, dataScale: number): ShapeSystem | null {
  let system = unitPriorSystems.get(basis);
  if (system === undefined) {
    system = prepareSystem(basis, null, dataScale);
    unitPriorSystems.set(basis, system);
  }
  return system;
}

/** Curvature of the majorising quadratic with the prior on it, split into free and bounded unknowns; null where the prior is not positive definite. */
function prepareSystem(basis: FitBasis, prior: IdentityPrior | null, dataScale: number): ShapeSystem | null {
  const { identityCount, expressionCount, normal } = basis;
  const size = SIMILARITY_COUNT + expressionCount + identityCount;
  const free = SIMILARITY_COUNT + identityCount;
  const rowOfFree = (i: number): number => (i < SIMILARITY_COUNT ? i : i + expressionCount);
  const precision = prior ? invertPositiveDefinite(prior.covariance, identityCount) : null;
  if (prior && precision === null) return null;
  const freeBlock = new Float64Array(free * free);
  for (let i = 0; i < free; i++) {
    for (let j = 0; j < free; j++) freeBlock[i * free + j] = dataScale * normal[rowOfFree(i) * size + rowOfFree(j)];
  }
  for (let i = 0; i < identityCount; i++) {
    const row = (SIMILARITY_COUNT + i) * free + SIMILARITY_COUNT;
    if (precision) for (let j = 0; j < identityCount; j++) freeBlock[row + j] = freeBlock[row + j] + precision[i * identityCount + j];
    else freeBlock[row + i] = freeBlock[row + i] + 1;
  }
  const freeFactor = factorCholesky(freeBlock, free);
  if (freeFactor === null) return null;

  const coupling = new Float64Array(expressionCount * free);
  // Rows of half = L^-1 H_fb, so that H_bf H_ff^-1 H_fb is their Gram matrix.
  const half = new Float64Array(expressionCount * free);
  for (let k = 0; k < expressionCount; k++) {
    const row = k * free;
    for (let i = 0; i < free; i++) {
      const h = dataScale * normal[(SIMILARITY_COUNT + k) * size + rowOfFree(i)];
      coupling[row + i] = h;
      half[row + i] = subtractDot(h, freeFactor, i * free, half, row, i) / freeFactor[i * free + i];
    }
  }
  const schur = new Float64Array(expressionCount * expressionCount);
  for (let a = 0; a < expressionCount; a++) {
    for (let b = 0; b <= a; b++) {
      const h = dataScale * normal[(SIMILARITY_COUNT + a) * size + SIMILARITY_COUNT + b];
      schur[a * expressionCount + b] = schur[b * expressionCount + a] = subtractDot(h, half, a * free, half, b * free, free);
    }
    schur[a * expressionCount + a] = schur[a * expressionCount + a] + 1 / expressionSigma(basis, a) ** 2;
  }
  return { precision, freeFactor, coupling, schur };
}

/** The similarity followed by the small motion that the first seven unknowns describe, about `center`. */
function moveSimilarity(s: Similarity, step: Float64Array, center: Float64Array): Similarity {
  const grow = Math.exp(step[0]);
  const turn = rotationFromVector(step[1], step[2], step[3]);
  const translation = new Float64Array(3);
  for (let k = 0; k < 3; k++) {
    let moved = 0;
    for (let j = 0; j < 3; j++) moved += turn[3 * k + j] * (s.translation[j] - center[j]);
    translation[k] = grow * moved + center[k] + step[4 + k];
  }
  return { scale: s.scale * grow, rotation: multiply3(turn, s.rotation), translation };
}

/** Weighted mean square by which a step moves the residuals, square millimetres. */
function squaredMotion(basis: FitBasis, stepF: Float64Array, stepB: Float64Array): number {
  const size = stepB.length + stepF.length;
  const step = new Float64Array(size);
  step.set(stepF.subarray(0, SIMILARITY_COUNT));
  step.set(stepB, SIMILARITY_COUNT);
  step.set(stepF.subarray(SIMILARITY_COUNT), SIMILARITY_COUNT + stepB.length);
  const product = new Float64Array(size);
  multiplyRows(basis.normal, size, step, product);
  let sum = 0;
  for (let i = 0; i < size; i++) sum += product[i] * step[i];
  let weights = 0;
  for (let l = 0; l < basis.count; l++) weights += basis.weight[l];
  return sum / weights;
}

/** Adds the slope of the prior to that of the data; both are about the identity. */
function addPriorGradient(
  gradient: Float64Array,
  identity: Float64Array,
  prior: IdentityPrior | null,
  precision: Float64Array | null,
): void {
  const n = identity.length;
  for (let i = 0; i < n; i++) {
    let g = identity[i];
    if (prior && precision) {
      g = 0;
      for (let j = 0; j < n; j++) g += precision[i * n + j] * (identity[j] - prior.mean[j]);
    }
    gradient[i] += g;
  }
}

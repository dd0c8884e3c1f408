import { beforeAll, expect, it } from 'vitest';
import { createRandom } from '../math/random.ts';
import { computeCauchyWeight } from '../math/robust-weight.ts';
import { applySimilarity } from '../math/similarity.ts';
import { loadFaceModel } from '../models/load-face-model.ts';
import { fitShape } from './fit-shape.ts';
import { type FitBasis, prepareFit, SIMILARITY_COUNT } from './prepare-fit.ts';

let basis: FitBasis;
beforeAll(async () => {
  basis = prepareFit(await loadFaceModel('head'), 24);
});

const expressionPrecision = (k: number): number => 1 / (basis.isLarge[k] ? 0.4 : 0.2) ** 2;

/** Landmarks of a random face of the model, somewhere else, with noise: shape (L,3). */
function createPoints(seed: number): Float64Array {
  const random = createRandom(seed);
  const amounts = new Float64Array(SIMILARITY_COUNT + basis.expressionCount + basis.identityCount);
  for (let k = SIMILARITY_COUNT + basis.expressionCount; k < amounts.length; k++) amounts[k] = random.normal();
  const points = basis.mean.slice();
  for (let m = 0; m < points.length; m++) {
    for (let k = 0; k < amounts.length; k++) points[m] += amounts[k] * basis.rows[k * points.length + m];
    points[m] = 2.5 * (points[m] + random.normal()) + 40;
  }
  return points;
}

/** The cost that fitShape names, at one set of unknowns, by plain loops: the similarity is moved by seven small numbers about the centre. */
function computeCost(
  points: Float64Array,
  found: NonNullable<ReturnType<typeof fitShape>>,
  move: readonly number[],
  row: number,
  amount: number,
): number {
  const placed = applySimilarity(found.similarity, points);
  const width = placed.length;
  let cost = 0;
  for (let l = 0; l < basis.count; l++) {
    let squared = 0;
    for (let c = 0; c < 3; c++) {
      const m = 3 * l + c;
      let e = basis.mean[m] - placed[m];
      for (let j = 0; j < SIMILARITY_COUNT; j++) e += move[j] * similarityMotion(j, placed, l, c);
      for (let k = 0; k < basis.expressionCount; k++) e += found.expression[k] * basis.rows[(SIMILARITY_COUNT + k) * width + m];
      for (let k = 0; k < basis.identityCount; k++)
        e += found.identity[k] * basis.rows[(SIMILARITY_COUNT + basis.expressionCount + k) * width + m];
      if (row >= 0) e += amount * basis.rows[row * width + m];
      squared += e * e;
    }
    // rho of Cauchy's weight at 4 mm: the integral of w(r) r, twice
    cost += (0.1 / 4) * basis.weight[l] * 16 * Math.log1p(squared / 16);
  }
  const add = (k: number, value: number, sigma: number): number => ((value + (k === row ? amount : 0)) / sigma) ** 2;
  for (const [k, b] of found.expression.entries()) cost += add(SIMILARITY_COUNT + k, b, basis.isLarge[k] ? 0.4 : 0.2);
  for (const [k, a] of found.identity.entries()) cost += add(SIMILARITY_COUNT + basis.expressionCount + k, a, 1);
  return cost;
}

/** Minus the motion of a placed landmark under similarity unknown j, coordinate c. */
function similarityMotion(j: number, placed: Float64Array, l: number, c: number): number {
  const q = [0, 1, 2].map((k) => placed[3 * l + k] - basis.center[k]);
  if (j === 0) return -q[c];
  if (j >= 4) return j - 4 === c ? -1 : 0;
  const turn = [
    [0, -q[2], q[1]],
    [q[2], 0, -q[0]],
    [-q[1], q[0], 0],
  ][j - 1];
  return -turn[c];
}

it('stops where the cost has no slope: numeric differences of the cost itself, every unknown', () => {
  for (const seed of [1, 2]) {
    const points = createPoints(seed);
    const found = fitShape(basis, points, null)!;
    const still = new Array<number>(SIMILARITY_COUNT).fill(0);
    const slope = (at: (h: number) => number, h: number): number => (at(h) - at(-h)) / (2 * h);
    // Curvatures are from 1 (weak modes) to some thousands (similarity); the fit may stop 0.02 mm off, that is 0.02 of a unit mode of 1 mm.
    // Every third of them, which makes the plain loops bearable.
    for (let row = SIMILARITY_COUNT; row < SIMILARITY_COUNT + basis.expressionCount + basis.identityCount; row += 3) {
      const s = slope((h) => computeCost(points, found, still, row, h), 1e-4);
      const k = row - SIMILARITY_COUNT;
      const isExpression = k < basis.expressionCount;
      const curvature =
        2 * ((0.1 / 4) * basis.normal[row * basis.normal.length ** 0.5 + row] + (isExpression ? expressionPrecision(k) : 1));
      if (isExpression && found.expression[k] === 0) {
        // At the bound the cost may only rise inward; shapes of the gaze are held at zero whatever the slope.
        if (!basis.isGaze[k]) expect(s / curvature).toBeGreaterThan(-0.02);
      } else {
        expect(Math.abs(s / curvature)).toBeLessThan(0.02);
      }
    }
    for (let j = 0; j < SIMILARITY_COUNT; j++) {
      const step = j < 4 ? 1e-5 : 1e-3;
      const move = (h: number): number[] => still.map((_, i) => (i === j ? h : 0));
      const s = slope((h) => computeCost(points, found, move(h), -1, 0), step);
      const curvature = 2 * (0.1 / 4) * basis.normal[j * basis.normal.length ** 0.5 + j];
      // Radians and log scale turn a face of 80 mm: 0.002 is 0.16 mm, which shape makes up for; translation in millimetres.
      expect(Math.abs(s / curvature)).toBeLessThan(j < 4 ? 0.002 : 0.1);
    }
  }
});

it('equals the slow twin: reweighted normal equations assembled and solved anew in every step', () => {
  const points = createPoints(5);
  const found = fitShape(basis, points, null)!;
  const size = SIMILARITY_COUNT + basis.expressionCount + basis.identityCount;
  const width = 3 * basis.count;
  // One full Gauss-Newton step of iteratively reweighted least squares from the result, on the unknowns that are not at a bound.
  const free = Array.from({ length: size }, (_, i) => i).filter((i) => {
    const k = i - SIMILARITY_COUNT;
    return k < 0 || k >= basis.expressionCount || (found.expression[k] > 0 && found.expression[k] < 1);
  });
  const n = free.length;
  const a = new Float64Array(n * n);
  const g = new Float64Array(n);
  for (let l = 0; l < basis.count; l++) {
    const e = found.residual.subarray(3 * l, 3 * l + 3);
    const w = (0.1 / 4) * basis.weight[l] * computeCauchyWeight(e[0] ** 2 + e[1] ** 2 + e[2] ** 2, 4);
    for (let c = 0; c < 3; c++) {
      for (let i = 0; i < n; i++) {
        const ri = basis.rows[free[i] * width + 3 * l + c];
        g[i] += w * ri * e[c];
        for (let j = 0; j < n; j++) a[i * n + j] += w * ri * basis.rows[free[j] * width + 3 * l + c];
      }
    }
  }
  free.forEach((row, i) => {
    const k = row - SIMILARITY_COUNT;
    if (k < 0) return;
    const isExpression = k < basis.expressionCount;
    a[i * n + i] += isExpression ? expressionPrecision(k) : 1;
    g[i] += isExpression ? expressionPrecision(k) * found.expression[k] : found.identity[k - basis.expressionCount];
  });
  // Gaussian elimination, nothing clever.
  for (let i = 0; i < n; i++) {
    for (let r = i + 1; r < n; r++) {
      const f = a[r * n + i] / a[i * n + i];
      for (let c = i; c < n; c++) a[r * n + c] -= f * a[i * n + c];
      g[r] -= f * g[i];
    }
  }
  const step = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    let sum = g[i];
    for (let c = i + 1; c < n; c++) sum -= a[i * n + c] * step[c];
    step[i] = sum / a[i * n + i];
  }
  const moved = new Float64Array(width);
  free.forEach((row, i) => {
    for (let m = 0; m < width; m++) moved[m] += step[i] * basis.rows[row * width + m];
  });
  let squares = 0;
  let weights = 0;
  for (let l = 0; l < basis.count; l++) {
    weights += basis.weight[l];
    for (let c = 0; c < 3; c++) squares += basis.weight[l] * moved[3 * l + c] ** 2;
  }
  // The fit stops when its own step moves the face by 0.02 mm; its steps are shorter than Newton's by the mean weight, about a half.
  expect(Math.sqrt(squares / weights)).toBeLessThan(0.06);
});

it('moves the landmarks as its rows say (Jacobian against differences)', () => {
  const width = 3 * basis.count;
  const h = 1e-5;
  for (let j = 0; j < SIMILARITY_COUNT; j++) {
    for (let l = 0; l < basis.count; l += 37) {
      for (let c = 0; c < 3; c++) {
        // residual = model - landmark, so a row is minus the motion of a landmark that lies on the mean face
        expect(basis.rows[j * width + 3 * l + c]).toBeCloseTo((similarityMotion(j, basis.mean, l, c) * h) / h, 9);
      }
    }
  }
});

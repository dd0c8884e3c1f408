import { type PredictionTable, REFERENCES, WEIGHT_BITS } from '../src/decode-modes.ts';

/**
 * Chooses what predicts what, so that little is left over.
 *
 * The rows go from coarse to fine (each next one is the farthest from all before it), so that most lie among their predictors
 * instead of beyond them. A vertex is predicted by up to two of its nearest predecessors, whichever explain the identity modes
 * best (orthogonal matching pursuit with a ridge); distance alone would let the upper lip predict the lower. Own derivation.
 *
 * @param positions - shape (V,3)
 * @param vertices - the vertices that get rows
 * @param signal - shape (V,C): numbers of each vertex that the prediction should explain
 * @returns also `order`, shape (H): the vertex of each row
 */
export function buildPredictionTable(
  positions: Float64Array,
  vertices: readonly number[],
  signal: Float32Array,
): PredictionTable & { readonly order: Uint16Array } {
  const columns = (3 * signal.length) / positions.length;
  const order = orderByDistance(positions, vertices);
  const references = new Uint16Array(REFERENCES * order.length);
  const weights = new Int16Array(REFERENCES * order.length);
  order.forEach((v, p) => {
    const candidates = nearestPredecessors(positions, order, p, v);
    const { chosen, weight } = pursue(signal, columns, order, v, candidates);
    chosen.forEach((place, k) => {
      references[REFERENCES * p + k] = place;
      weights[REFERENCES * p + k] = weight[k]!;
    });
  });
  return { order: Uint16Array.from(order), references, weights };
}

/** Candidates per vertex; more than this gains nothing measurable. */
const CANDIDATES = 14;
/** Ridge of the regression, relative to the mean square of a predictor: keeps weights of almost equal predictors small. */
const RIDGE = 1e-5;
/** A weight beyond this would multiply the rounding of its predictor. */
const MAX_WEIGHT = 3;

/** Farthest-point order, starting with the first of the list. */
function orderByDistance(positions: Float64Array, vertices: readonly number[]): number[] {
  const count = vertices.length;
  const distance = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const order: number[] = [];
  let next = 0;
  for (let n = 0; n < count; n++) {
    const v = vertices[next]!;
    order.push(v);
    distance[next] = -1;
    let farthest = -1;
    let best = -1;
    for (let i = 0; i < count; i++) {
      if (distance[i]! < 0) continue;
      const d = squaredDistance(positions, v, vertices[i]!);
      if (d < distance[i]!) distance[i] = d;
      if (distance[i]! > farthest) {
        farthest = distance[i]!;
        best = i;
      }
    }
    next = best;
  }
  return order;
}

/** Places in `order`, nearest first. */
function nearestPredecessors(positions: Float64Array, order: readonly number[], p: number, v: number): number[] {
  const nearest: number[] = [];
  const distances: number[] = [];
  for (let q = 0; q < p; q++) {
    const d = squaredDistance(positions, v, order[q]!);
    if (nearest.length === CANDIDATES && d >= distances[CANDIDATES - 1]!) continue;
    let at = nearest.length;
    while (at > 0 && distances[at - 1]! > d) at--;
    nearest.splice(at, 0, q);
    distances.splice(at, 0, d);
    if (nearest.length > CANDIDATES) {
      nearest.pop();
      distances.pop();
    }
  }
  return nearest;
}

/** Up to two of the candidates with integer weights that predict the columns of `v`. */
function pursue(
  signal: Float32Array,
  columns: number,
  order: readonly number[],
  v: number,
  candidates: readonly number[],
): { chosen: number[]; weight: number[] } {
  const n = candidates.length;
  const gram = new Float64Array(n * n);
  const target = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    target[i] = dot(signal, columns, order[candidates[i]!]!, v);
    for (let j = 0; j <= i; j++) gram[i * n + j] = gram[j * n + i] = dot(signal, columns, order[candidates[i]!]!, order[candidates[j]!]!);
  }
  let chosen: number[] = [];
  let weight: number[] = [];
  while (chosen.length < Math.min(REFERENCES, n)) {
    let best: { chosen: number[]; weight: number[]; gain: number } | null = null;
    for (let i = 0; i < n; i++) {
      if (chosen.includes(i)) continue;
      const trial = [...chosen, i];
      const w = solveRidge(gram, target, n, trial);
      if (!w || w.some((x) => Math.abs(x) > MAX_WEIGHT)) continue;
      const gain = trial.reduce((sum, c, k) => sum + w[k]! * target[c]!, 0);
      if (!best || gain > best.gain) best = { chosen: trial, weight: w, gain };
    }
    if (!best) break;
    chosen = best.chosen;
    weight = best.weight;
  }
  return { chosen: chosen.map((i) => candidates[i]!), weight: weight.map((w) => Math.round(w * 2 ** WEIGHT_BITS)) };
}

/** Weights of the chosen predictors by Cholesky's method, or null where they are linearly dependent. */
function solveRidge(gram: Float64Array, target: Float64Array, n: number, chosen: readonly number[]): number[] | null {
  const m = chosen.length;
  const l: number[][] = [];
  const y: number[] = [];
  for (let i = 0; i < m; i++) {
    const row: number[] = [];
    for (let j = 0; j <= i; j++) {
      let s = gram[chosen[i]! * n + chosen[j]!]!;
      if (i === j) s += RIDGE * s + 1e-9;
      for (let k = 0; k < j; k++) s -= row[k]! * (j === i ? row : l[j]!)[k]!;
      if (j < i) row.push(s / l[j]![j]!);
      else if (s <= 0) return null;
      else row.push(Math.sqrt(s));
    }
    l.push(row);
    let s = target[chosen[i]!]!;
    for (let k = 0; k < i; k++) s -= row[k]! * y[k]!;
    y.push(s / row[i]!);
  }
  const w = new Array<number>(m).fill(0);
  for (let i = m - 1; i >= 0; i--) {
    let s = y[i]!;
    for (let k = i + 1; k < m; k++) s -= l[k]![i]! * w[k]!;
    w[i] = s / l[i]![i]!;
  }
  return w;
}

function dot(signal: Float32Array, columns: number, a: number, b: number): number {
  let sum = 0;
  for (let c = 0, i = a * columns, j = b * columns; c < columns; c++) sum += signal[i++]! * signal[j++]!;
  return sum;
}

function squaredDistance(positions: Float64Array, a: number, b: number): number {
  const x = positions[3 * a]! - positions[3 * b]!;
  const y = positions[3 * a + 1]! - positions[3 * b + 1]!;
  const z = positions[3 * a + 2]! - positions[3 * b + 2]!;
  return x * x + y * y + z * z;
}

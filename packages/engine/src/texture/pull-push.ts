/** Weight of the prior from one level to the next finer one: at 0.6 it is a tenth after four levels. */
const PRIOR_FALL = 0.6;

/** Scratch memory of {@link pullPush} for one grid size and channel count; reused from call to call. */
export interface PullPushWorkspace {
  readonly size: number;
  readonly channels: number;
  /** Level k has side size / 2^(k+1). */
  readonly values: readonly Float32Array[];
  readonly weights: readonly Float32Array[];
}

/** @param size - side of the grid, a power of two */
export function createPullPushWorkspace(size: number, channels: number): PullPushWorkspace {
  const values: Float32Array[] = [];
  const weights: Float32Array[] = [];
  for (let side = size >> 1; side >= 1; side >>= 1) {
    values.push(new Float32Array(side * side * channels));
    weights.push(new Float32Array(side * side));
  }
  return { size, channels, values, weights };
}

/**
 * Fills a grid smoothly from the places that are known: with weight 1 a value stays, with weight 0 it is replaced by what lies around, in
 * between it is mixed. Averages go up a pyramid and come back down where nothing finer is known.
 *
 * Source: Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4 (pull-push), with tent interpolation on the way down.
 *
 * @param values - shape (size,size,channels), filled in place
 * @param weights - shape (size,size), 0..1
 * @param prior - shape (channels): what the whole is drawn to far from everything known
 * @param priorWeight - its weight at the top of the pyramid, less on every level below: only places far from everything known take it, and
 * no step is seen where the known ends. Needed > 0 where all weights may be 0.
 */
export function pullPush(
  values: Float32Array,
  weights: Float32Array,
  workspace: PullPushWorkspace,
  prior: ArrayLike<number>,
  priorWeight: number,
): void {
  const { channels, size } = workspace;
  const levels = workspace.values.length;
  // Known numbers of known kind: arrays of several kinds would be told apart at every access.
  const mean = Float64Array.from(prior);
  let fine = values;
  let fineWeights = weights;
  let fineSize = size;
  for (let level = 0; level < levels; level++) {
    const coarse = workspace.values[level];
    const coarseWeights = workspace.weights[level];
    for (let row = 0; row < fineSize >> 1; row++) {
      if (channels === 3) pullRowOf3(fine, fineWeights, fineSize, coarse, coarseWeights, row);
      else pullRow(fine, fineWeights, fineSize, coarse, coarseWeights, row, channels);
    }
    fine = coarse;
    fineWeights = coarseWeights;
    fineSize >>= 1;
  }

  // The top cell: what is known of everything, and the prior.
  const topWeight = fineWeights[0];
  for (let k = 0; k < channels; k++) fine[k] = (topWeight * fine[k] + priorWeight * mean[k]) / (topWeight + priorWeight);
  let levelWeight = priorWeight;
  for (let level = levels - 1; level >= 0; level--, levelWeight *= PRIOR_FALL) {
    const coarse = workspace.values[level];
    const target = level === 0 ? values : workspace.values[level - 1];
    const targetWeights = level === 0 ? weights : workspace.weights[level - 1];
    const side = size >> level;
    for (let row = 0; row < side; row++) {
      if (channels === 3) pushRowOf3(coarse, target, targetWeights, side, row, mean, levelWeight);
      else pushRow(coarse, target, targetWeights, side, row, mean, levelWeight);
    }
  }
}

/** Weighted means of 2 x 2 cells: one row of the coarser level. */
function pullRow(
  fine: Float32Array,
  fineWeights: Float32Array,
  fineSize: number,
  coarse: Float32Array,
  coarseWeights: Float32Array,
  row: number,
  channels: number,
): void {
  const side = fineSize >> 1;
  for (let column = 0; column < side; column++) {
    const p = 2 * row * fineSize + 2 * column;
    const q = row * side + column;
    const w00 = fineWeights[p];
    const w01 = fineWeights[p + 1];
    const w10 = fineWeights[p + fineSize];
    const w11 = fineWeights[p + fineSize + 1];
    const sum = w00 + w01 + w10 + w11;
    // A coarse cell counts in full as soon as one of its four cells is known in full.
    coarseWeights[q] = sum > 1 ? 1 : sum;
    const inverse = sum <= 1e-9 ? 0 : 1 / sum;
    const b = (p + fineSize) * channels;
    for (let k = 0; k < channels; k++) {
      const a = p * channels + k;
      coarse[q * channels + k] = (w00 * fine[a] + w01 * fine[a + channels] + w10 * fine[b + k] + w11 * fine[b + k + channels]) * inverse;
    }
  }
}

/** {@link pullRow} for three channels, written out: twice as fast. */
function pullRowOf3(
  fine: Float32Array,
  fineWeights: Float32Array,
  fineSize: number,
  coarse: Float32Array,
  coarseWeights: Float32Array,
  row: number,
): void {
  const side = fineSize >> 1;
  for (let column = 0; column < side; column++) {
    const p = 2 * row * fineSize + 2 * column;
    const q = row * side + column;
    const o = 3 * q;
    const w00 = fineWeights[p];
    const w01 = fineWeights[p + 1];
    const w10 = fineWeights[p + fineSize];
    const w11 = fineWeights[p + fineSize + 1];
    const sum = w00 + w01 + w10 + w11;
    coarseWeights[q] = sum > 1 ? 1 : sum;
    if (sum <= 1e-9) {
      coarse[o] = 0;
      coarse[o + 1] = 0;
      coarse[o + 2] = 0;
      continue;
    }
    const a = 3 * p;
    const b = a + 3 * fineSize;
    const inverse = 1 / sum;
    coarse[o] = (w00 * fine[a] + w01 * fine[a + 3] + w10 * fine[b] + w11 * fine[b + 3]) * inverse;
    coarse[o + 1] = (w00 * fine[a + 1] + w01 * fine[a + 4] + w10 * fine[b + 1] + w11 * fine[b + 4]) * inverse;
    coarse[o + 2] = (w00 * fine[a + 2] + w01 * fine[a + 5] + w10 * fine[b + 2] + w11 * fine[b + 5]) * inverse;
  }
}

/** Fills what is not known in one row of a level from the coarser one by tent interpolation. */
function pushRow(
  coarse: Float32Array,
  target: Float32Array,
  weights: Float32Array,
  side: number,
  row: number,
  prior: Float64Array,
  priorWeight: number,
): void {
  const coarseSide = side >> 1;
  const channels = prior.length;
  const near = (row >> 1) * coarseSide;
  const far = beside(row, coarseSide) * coarseSide;
  for (let column = 0; column < side; column++) {
    const w = weights[row * side + column];
    if (w >= 1) continue;
    const nearColumn = column >> 1;
    const farColumn = beside(column, coarseSide);
    const o = (row * side + column) * channels;
    for (let k = 0; k < channels; k++) {
      const around =
        0.5625 * coarse[(near + nearColumn) * channels + k] +
        0.1875 * (coarse[(near + farColumn) * channels + k] + coarse[(far + nearColumn) * channels + k]) +
        0.0625 * coarse[(far + farColumn) * channels + k];
      target[o + k] = w * target[o + k] + (1 - w) * (around + priorWeight * (prior[k] - around));
    }
  }
}

/** {@link pushRow} for three channels, written out. */
function pushRowOf3(
  coarse: Float32Array,
  target: Float32Array,
  weights: Float32Array,
  side: number,
  row: number,
  prior: Float64Array,
  priorWeight: number,
): void {
  const coarseSide = side >> 1;
  const nearRow = (row >> 1) * coarseSide;
  const farRow = beside(row, coarseSide) * coarseSide;
  const p0 = prior[0] * priorWeight;
  const p1 = prior[1] * priorWeight;
  const p2 = prior[2] * priorWeight;
  const share = 1 - priorWeight;
  for (let column = 0; column < side; column++) {
    const w = weights[row * side + column];
    if (w >= 1) continue;
    const nearColumn = column >> 1;
    const farColumn = beside(column, coarseSide);
    const a = 3 * (nearRow + nearColumn);
    const b = 3 * (nearRow + farColumn);
    const c = 3 * (farRow + nearColumn);
    const d = 3 * (farRow + farColumn);
    const o = 3 * (row * side + column);
    const pull = 1 - w;
    const keep = pull * share;
    const near = 0.5625 * keep;
    const mid = 0.1875 * keep;
    const far = 0.0625 * keep;
    target[o] = w * target[o] + near * coarse[a] + mid * (coarse[b] + coarse[c]) + far * coarse[d] + pull * p0;
    target[o + 1] = w * target[o + 1] + near * coarse[a + 1] + mid * (coarse[b + 1] + coarse[c + 1]) + far * coarse[d + 1] + pull * p1;
    target[o + 2] = w * target[o + 2] + near * coarse[a + 2] + mid * (coarse[b + 2] + coarse[c + 2]) + far * coarse[d + 2] + pull * p2;
  }
}

/** The second-nearest coarse cell of a fine one along one axis; the nearest again at the border. */
function beside(fine: number, coarseSide: number): number {
  const near = fine >> 1;
  if (fine & 1) return near + 1 < coarseSide ? near + 1 : near;
  return near > 0 ? near - 1 : 0;
}

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
  let fine = values;
  let fineWeights = weights;
  let fineSize = size;
  for (let level = 0; level < levels; level++) {
    const coarse = workspace.values[level];
    const coarseWeights = workspace.weights[level];
    const side = fineSize >> 1;
    for (let row = 0, q = 0; row < side; row++) {
      let p = 2 * row * fineSize;
      for (let column = 0; column < side; column++, q++, p += 2) {
        const w00 = fineWeights[p];
        const w01 = fineWeights[p + 1];
        const w10 = fineWeights[p + fineSize];
        const w11 = fineWeights[p + fineSize + 1];
        const sum = w00 + w01 + w10 + w11;
        // A coarse cell counts in full as soon as one of its four cells is known in full.
        coarseWeights[q] = sum > 1 ? 1 : sum;
        const o = q * channels;
        if (sum <= 1e-9) {
          for (let k = 0; k < channels; k++) coarse[o + k] = 0;
          continue;
        }
        const a = p * channels;
        const b = a + fineSize * channels;
        const inverse = 1 / sum;
        if (channels === 3) {
          coarse[o] = (w00 * fine[a] + w01 * fine[a + 3] + w10 * fine[b] + w11 * fine[b + 3]) * inverse;
          coarse[o + 1] = (w00 * fine[a + 1] + w01 * fine[a + 4] + w10 * fine[b + 1] + w11 * fine[b + 4]) * inverse;
          coarse[o + 2] = (w00 * fine[a + 2] + w01 * fine[a + 5] + w10 * fine[b + 2] + w11 * fine[b + 5]) * inverse;
          continue;
        }
        for (let k = 0; k < channels; k++) {
          coarse[o + k] = (w00 * fine[a + k] + w01 * fine[a + channels + k] + w10 * fine[b + k] + w11 * fine[b + channels + k]) * inverse;
        }
      }
    }
    fine = coarse;
    fineWeights = coarseWeights;
    fineSize = side;
  }

  // The top cell: what is known of everything, and the prior.
  const topWeight = fineWeights[0];
  for (let k = 0; k < channels; k++) {
    fine[k] = (topWeight * fine[k] + priorWeight * prior[k]) / (topWeight + priorWeight);
  }
  let levelWeight = priorWeight;
  for (let level = levels - 1; level >= 0; level--, levelWeight *= PRIOR_FALL) {
    const coarse = workspace.values[level];
    const target = level === 0 ? values : workspace.values[level - 1];
    const targetWeights = level === 0 ? weights : workspace.weights[level - 1];
    const side = size >> level;
    const coarseSide = side >> 1;
    for (let row = 0, p = 0; row < side; row++) {
      const near = row >> 1;
      const far = row & 1 ? (near + 1 < coarseSide ? near + 1 : near) : near > 0 ? near - 1 : 0;
      const nearRow = near * coarseSide;
      const farRow = far * coarseSide;
      for (let column = 0; column < side; column++, p++) {
        const w = targetWeights[p];
        if (w >= 1) continue;
        const nearColumn = column >> 1;
        const farColumn = column & 1 ? (nearColumn + 1 < coarseSide ? nearColumn + 1 : nearColumn) : nearColumn > 0 ? nearColumn - 1 : 0;
        const a = (nearRow + nearColumn) * channels;
        const b = (nearRow + farColumn) * channels;
        const c = (farRow + nearColumn) * channels;
        const d = (farRow + farColumn) * channels;
        const o = p * channels;
        const rest = 1 - w;
        if (channels === 3) {
          // Written out for the common case: twice as fast as the loop below.
          const keep = rest * (1 - levelWeight);
          const near = 0.5625 * keep;
          const mid = 0.1875 * keep;
          const far = 0.0625 * keep;
          const pull = rest * levelWeight;
          target[o] = w * target[o] + near * coarse[a] + mid * (coarse[b] + coarse[c]) + far * coarse[d] + pull * prior[0];
          target[o + 1] =
            w * target[o + 1] + near * coarse[a + 1] + mid * (coarse[b + 1] + coarse[c + 1]) + far * coarse[d + 1] + pull * prior[1];
          target[o + 2] =
            w * target[o + 2] + near * coarse[a + 2] + mid * (coarse[b + 2] + coarse[c + 2]) + far * coarse[d + 2] + pull * prior[2];
          continue;
        }
        for (let k = 0; k < channels; k++) {
          const around = 0.5625 * coarse[a + k] + 0.1875 * (coarse[b + k] + coarse[c + k]) + 0.0625 * coarse[d + k];
          target[o + k] = w * target[o + k] + rest * (around + levelWeight * (prior[k] - around));
        }
      }
    }
  }
}

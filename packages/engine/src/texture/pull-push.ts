import type { KernelMemory } from '../kernels/kernel-memory.ts';

/** Weight of the prior from one level to the next finer one: at 0.6 it is a tenth after four levels. */
const PRIOR_FALL = 0.6;

/** Scratch memory of {@link pullPush} for one grid size and channel count; reused from call to call. */
export interface PullPushWorkspace {
  readonly memory: KernelMemory;
  readonly size: number;
  readonly channels: number;
  /** Level k has side size / 2^(k+1). */
  readonly values: readonly Float32Array[];
  readonly weights: readonly Float32Array[];
  /** Shape (4) */
  readonly prior: Float32Array;
}

/** Numbers after a level that vectors of four may touch. */
const SPARE = 4;

/** Bytes of {@link createPullPushWorkspace}. */
export const countPullPushBytes = (size: number, channels: number): number => 2 * size * size * (channels + 1) + 1024;

/**
 * @param size - side of the grid, a power of two
 * @param channels - 3 or 1
 */
export function createPullPushWorkspace(memory: KernelMemory, size: number, channels: 1 | 3): PullPushWorkspace {
  const values: Float32Array[] = [];
  const weights: Float32Array[] = [];
  for (let side = size >> 1; side >= 1; side >>= 1) {
    values.push(memory.allocate(Float32Array, side * side * channels + SPARE));
    weights.push(memory.allocate(Float32Array, side * side));
  }
  return { memory, size, channels, values, weights, prior: memory.allocate(Float32Array, 4) };
}

/**
 * Fills a grid smoothly from the places that are known: with weight 1 a value stays, with weight 0 it is replaced by what lies around, in
 * between it is mixed. Averages go up a pyramid and come back down where nothing finer is known.
 *
 * Source: Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4 (pull-push), with tent interpolation on the way down.
 *
 * @param values - shape (size,size,channels), in the workspace's memory, filled in place
 * @param weights - shape (size,size), in that memory, 0..1
 * @param prior - shape (channels): what the whole is drawn to far from everything known
 * @param priorWeight - its weight at the top of the pyramid, less on every level below: only places far from everything known take it, and
 * no step is seen where the known ends. Needed > 0 where all weights may be 0.
 * @param places - in the workspace's memory: the only places that are filled; null: all
 */
export function pullPush(
  values: Float32Array,
  weights: Float32Array,
  workspace: PullPushWorkspace,
  prior: ArrayLike<number>,
  priorWeight: number,
  places: Uint32Array | null = null,
): void {
  pull(values, weights, workspace);
  push(values, weights, workspace, prior, priorWeight, 0, places);
}

/**
 * The slow part of what is known of a grid: means over squares of 2^`level` texels, carried on smoothly to where nothing is known. The parameters are
 * those of {@link pullPush}; nothing is written to `values`.
 *
 * @param level - 1 or more
 * @returns shape (size >> level, size >> level, channels), valid until the workspace is used again
 */
export function pullMeans(
  values: Float32Array,
  weights: Float32Array,
  workspace: PullPushWorkspace,
  prior: ArrayLike<number>,
  priorWeight: number,
  level: number,
): Float32Array {
  pull(values, weights, workspace);
  push(values, weights, workspace, prior, priorWeight, level, null);
  return workspace.values[level - 1];
}

/** Weighted means, from the grid up to a single cell. */
function pull(values: Float32Array, weights: Float32Array, workspace: PullPushWorkspace): void {
  const { channels, size } = workspace;
  const { kernels } = workspace.memory;
  let fine = values;
  let fineWeights = weights;
  let fineSize = size;
  for (let level = 0; level < workspace.values.length; level++) {
    const coarse = workspace.values[level];
    const coarseWeights = workspace.weights[level];
    kernels.pullLevel(fine.byteOffset, fineWeights.byteOffset, fineSize, coarse.byteOffset, coarseWeights.byteOffset, channels);
    fine = coarse;
    fineWeights = coarseWeights;
    fineSize >>= 1;
  }
}

/** Fills what is not known in every level from the coarser one, down to level `last`; 0 is the grid itself. */
function push(
  values: Float32Array,
  weights: Float32Array,
  workspace: PullPushWorkspace,
  prior: ArrayLike<number>,
  priorWeight: number,
  last: number,
  places: Uint32Array | null,
): void {
  const { channels, size } = workspace;
  const { kernels } = workspace.memory;
  const levels = workspace.values.length;
  const mean = workspace.prior;
  mean.fill(0);
  for (let k = 0; k < channels; k++) mean[k] = prior[k];
  const top = workspace.values[levels - 1];
  // The top cell: what is known of everything, and the prior.
  const topWeight = workspace.weights[levels - 1][0];
  for (let k = 0; k < channels; k++) top[k] = (topWeight * top[k] + priorWeight * mean[k]) / (topWeight + priorWeight);
  let levelWeight = priorWeight;
  for (let level = levels - 1; level >= last; level--, levelWeight *= PRIOR_FALL) {
    const target = level === 0 ? values : workspace.values[level - 1];
    const targetWeights = level === 0 ? weights : workspace.weights[level - 1];
    const coarse = workspace.values[level].byteOffset;
    if (level === 0 && places !== null) {
      kernels.pushPlaces(
        coarse,
        target.byteOffset,
        targetWeights.byteOffset,
        size,
        channels,
        mean.byteOffset,
        levelWeight,
        places.byteOffset,
        places.length,
      );
      continue;
    }
    kernels.pushLevel(coarse, target.byteOffset, targetWeights.byteOffset, size >> level, channels, mean.byteOffset, levelWeight);
  }
}

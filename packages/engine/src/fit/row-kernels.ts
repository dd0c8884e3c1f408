import type { KernelMemory } from '../kernels/kernel-memory.ts';

/** Products with dense matrices that lie in one kernel memory, shape (n,m), row-major; m is the same for all. As in math/dense-rows.ts. */
export interface RowKernels {
  /** out[i] = row i of `a` times x, for i < n. */
  multiplyRows(a: Float64Array, n: number, x: Float64Array, out: Float64Array): void;
  /** out += sum over i in first <= i < last of c[i] times row i of `a`; rows with c = 0 cost nothing. */
  addRows(a: Float64Array, first: number, last: number, c: Float64Array, out: Float64Array): void;
  /** Weighted Gram matrix of the first n rows: out[i,j] = sum over k of weight[k] a[i,k] a[j,k]. */
  computeGram(a: Float64Array, n: number, weight: Float64Array): Float64Array;
}

/** Bytes that {@link createRowKernels} takes of the memory. @param maxRows - largest n */
export const countRowKernelBytes = (maxRows: number, width: number): number => 8 * (2 * (width + 1) + maxRows * (maxRows + 3)) + 256;

/**
 * Kernels for matrices in `memory`. Vectors may lie anywhere.
 *
 * @param width - m, numbers in a row
 */
export function createRowKernels(memory: KernelMemory, maxRows: number, width: number): RowKernels {
  const { kernels } = memory;
  // One number more, because they are read and written in pairs.
  const input = memory.allocate(Float64Array, width + 1).subarray(0, width);
  const sum = memory.allocate(Float64Array, width + 1).subarray(0, width);
  const dots = memory.allocate(Float64Array, maxRows);
  const used = memory.allocate(Int32Array, maxRows);
  const gram = memory.allocate(Float64Array, maxRows * maxRows);
  return {
    multiplyRows(a, n, x, out) {
      input.set(x);
      kernels.multiplyRows(a.byteOffset, n, width, input.byteOffset, dots.byteOffset);
      out.set(dots.subarray(0, n));
    },
    addRows(a, first, last, c, out) {
      let count = 0;
      for (let i = first; i < last; i++) {
        if (c[i] === 0) continue;
        used[count] = i;
        dots[count++] = c[i];
      }
      sum.set(out);
      kernels.addRows(a.byteOffset, width, used.byteOffset, dots.byteOffset, count, sum.byteOffset);
      out.set(sum);
    },
    computeGram(a, n, weight) {
      input.set(weight);
      kernels.computeGram(a.byteOffset, n, width, input.byteOffset, sum.byteOffset, dots.byteOffset, gram.byteOffset);
      return gram.slice(0, n * n);
    },
  };
}

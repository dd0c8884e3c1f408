import { expect, it } from 'vitest';
import { createKernelMemory } from '../kernels/kernel-memory.ts';
import { createRandom } from '../math/random.ts';
import { countRowKernelBytes, createRowKernels } from './row-kernels.ts';

it.each([
  [1, 36],
  [3, 37],
  [4, 36],
  [5, 37],
  [11, 36],
])('equals the plain loops for %i rows of %i', (n, m) => {
  const random = createRandom(n);
  const draw = (count: number): Float64Array => Float64Array.from({ length: count }, () => random.normal());
  const memory = createKernelMemory(8 * n * m + 16 + countRowKernelBytes(n, m));
  const a = memory.allocate(Float64Array, n * m);
  a.set(draw(n * m));
  const kernels = createRowKernels(memory, n, m);
  const x = draw(m);
  const c = draw(n);
  c[0] = 0;
  const weight = draw(m).map(Math.abs);
  const row = (i: number): Float64Array => a.subarray(i * m, (i + 1) * m);
  const dot = (u: Float64Array, v: Float64Array): number => u.reduce((sum, ui, k) => sum + ui * v[k], 0);

  const products = new Float64Array(n);
  kernels.multiplyRows(a, n, x, products);
  const gram = kernels.computeGram(a, n, weight);
  // The same sums in another order: a few roundings of numbers of some ten.
  for (let i = 0; i < n; i++) {
    expect(products[i]).toBeCloseTo(dot(row(i), x), 12);
    for (let j = 0; j < n; j++) {
      const weighted = row(j).map((v, k) => v * weight[k]);
      expect(gram[i * n + j]).toBeCloseTo(dot(row(i), weighted), 12);
      expect(gram[i * n + j]).toBe(gram[j * n + i]);
    }
  }
  // All rows, all but the first, and those of a matrix that begins with the second.
  for (const [matrix, first, last, offset] of [
    [a, 0, n, 0],
    [a, 1, n, 0],
    [a.subarray(m), 0, n - 1, 1],
  ] as const) {
    const sums = x.slice();
    kernels.addRows(matrix, first, last, c, sums);
    for (let k = 0; k < m; k++) {
      let expected = x[k];
      for (let i = first; i < last; i++) expected += c[i] * a[(i + offset) * m + k];
      expect(sums[k]).toBeCloseTo(expected, 12);
    }
  }
});

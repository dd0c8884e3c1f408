import { expect, it } from 'vitest';
import { addRows, computeGram, multiplyRows } from './dense-rows.ts';
import { createRandom } from './random.ts';

it.each([1, 3, 4, 5, 11])('equals the plain loops for %i rows', (n) => {
  const m = 37;
  const random = createRandom(n);
  const draw = (count: number): Float64Array => Float64Array.from({ length: count }, () => random.normal());
  const a = draw(n * m);
  const x = draw(m);
  const c = draw(n);
  c[0] = 0;
  const weight = draw(m).map(Math.abs);
  const row = (i: number): Float64Array => a.subarray(i * m, (i + 1) * m);
  const dot = (u: Float64Array, v: Float64Array): number => u.reduce((sum, ui, k) => sum + ui * v[k], 0);

  const products = new Float64Array(n);
  multiplyRows(a, n, x, products);
  const sums = x.slice();
  addRows(a, 1, n, c, sums);
  const gram = computeGram(a, n, weight);
  // The same sums in another order: a few roundings of numbers of some ten.
  for (let i = 0; i < n; i++) {
    expect(products[i]).toBeCloseTo(dot(row(i), x), 12);
    for (let j = 0; j < n; j++)
      expect(gram[i * n + j]).toBeCloseTo(
        dot(
          row(i),
          row(j).map((v, k) => v * weight[k]),
        ),
        12,
      );
  }
  for (let k = 0; k < m; k++) {
    let expected = x[k];
    for (let i = 1; i < n; i++) expected += c[i] * a[i * m + k];
    expect(sums[k]).toBeCloseTo(expected, 12);
  }
});

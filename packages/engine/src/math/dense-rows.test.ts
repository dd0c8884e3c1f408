import { expect, it } from 'vitest';
import { multiplyRows } from './dense-rows.ts';
import { createRandom } from './random.ts';

it.each([1, 3, 4, 5, 11])('equals the plain loops for %i rows', (n) => {
  const m = 37;
  const random = createRandom(n);
  const draw = (count: number): Float64Array => Float64Array.from({ length: count }, () => random.normal());
  const a = draw(n * m);
  const x = draw(m);
  const products = new Float64Array(n);
  multiplyRows(a, n, x, products);
  // The same sums in another order: a few roundings of numbers of some ten.
  for (let i = 0; i < n; i++)
    expect(products[i]).toBeCloseTo(
      x.reduce((sum, xk, k) => sum + a[i * m + k] * xk, 0),
      12,
    );
});

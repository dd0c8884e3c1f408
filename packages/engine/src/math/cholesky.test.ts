import { describe, expect, it } from 'vitest';
import { factorCholesky, invertPositiveDefinite, solveCholesky } from './cholesky.ts';
import { createRandom } from './random.ts';

/** Random symmetric positive definite matrix with eigenvalues from about 0.1 to n. */
function createMatrix(n: number, seed: number): Float64Array {
  const random = createRandom(seed);
  const b = Float64Array.from({ length: n * n }, () => random.normal());
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = i === j ? 0.1 : 0;
      for (let k = 0; k < n; k++) sum += b[i * n + k] * b[j * n + k];
      a[i * n + j] = sum;
    }
  }
  return a;
}

describe('Cholesky', () => {
  it.each([1, 2, 7, 60])('solves a system of order %i', (n) => {
    const a = createMatrix(n, n);
    const random = createRandom(99);
    const x = Float64Array.from({ length: n }, () => random.normal());
    const b = Float64Array.from({ length: n }, (_, i) => x.reduce((sum, xj, j) => sum + a[i * n + j] * xj, 0));
    const found = solveCholesky(factorCholesky(a, n)!, n, b.slice());
    // Condition number below 4 n / 0.1; times 1e-16 times n.
    for (let i = 0; i < n; i++) expect(Math.abs(found[i] - x[i])).toBeLessThan(1e-9);
  });

  it('adds the damping to the diagonal', () => {
    const l = factorCholesky(Float64Array.of(1, 0, 0, 1), 2, 3)!;
    expect([...l]).toEqual([2, 0, 0, 2]);
  });

  it('refuses what is not positive definite or not a number', () => {
    expect(factorCholesky(Float64Array.of(1, 2, 2, 1), 2)).toBeNull();
    expect(factorCholesky(Float64Array.of(Number.NaN), 1)).toBeNull();
    expect(factorCholesky(Float64Array.of(Infinity), 1)).toBeNull();
    expect(invertPositiveDefinite(Float64Array.of(0), 1)).toBeNull();
  });

  it('inverts: A times its inverse is one', () => {
    const n = 12;
    const a = createMatrix(n, 5);
    const inverse = invertPositiveDefinite(a, n)!;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += a[i * n + k] * inverse[k * n + j];
        expect(Math.abs(sum - (i === j ? 1 : 0))).toBeLessThan(1e-10);
        expect(inverse[i * n + j]).toBe(inverse[j * n + i]);
      }
    }
  });
});

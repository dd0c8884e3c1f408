import { describe, expect, it } from 'vitest';
import { solveBoxQuadratic } from './box-quadratic.ts';
import { createRandom } from './random.ts';

describe('solveBoxQuadratic', () => {
  it('meets the conditions of a minimum (zero slope inside, slope outward at the bounds)', () => {
    const random = createRandom(8);
    let atBound = 0;
    for (let round = 0; round < 20; round++) {
      const n = 12;
      const b = Float64Array.from({ length: n * n }, () => random.normal());
      const a = new Float64Array(n * n);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          for (let k = 0; k < n; k++) a[i * n + j] += b[i * n + k] * b[j * n + k];
          if (i === j) a[i * n + j] += 1;
        }
      }
      const g = Float64Array.from({ length: n }, () => 3 * random.normal());
      const low = Float64Array.from({ length: n }, () => -random.uniform());
      const high = Float64Array.from({ length: n }, () => random.uniform());
      const x = Float64Array.from({ length: n }, () => 5 * random.normal());
      solveBoxQuadratic(a, g, low, high, x, 1e-12, 10_000);
      for (let i = 0; i < n; i++) {
        let slope = g[i];
        for (let j = 0; j < n; j++) slope += a[i * n + j] * x[j];
        expect(x[i]).toBeGreaterThanOrEqual(low[i]);
        expect(x[i]).toBeLessThanOrEqual(high[i]);
        // Diagonals are below 60: a move of 1e-12 changes a slope by less than 1e-9 over all coordinates.
        if (x[i] > low[i]) expect(slope).toBeLessThan(1e-9);
        if (x[i] < high[i]) expect(slope).toBeGreaterThan(-1e-9);
        if (x[i] === low[i] || x[i] === high[i]) atBound++;
      }
    }
    expect(atBound).toBeGreaterThan(50);
  });

  it('is the free solution where no bound is in the way', () => {
    const x = new Float64Array(2);
    solveBoxQuadratic(
      Float64Array.of(2, 1, 1, 3),
      Float64Array.of(-3, -4),
      new Float64Array(2).fill(-9),
      new Float64Array(2).fill(9),
      x,
      1e-13,
    );
    expect(x[0]).toBeCloseTo(1, 11);
    expect(x[1]).toBeCloseTo(1, 11);
  });
});

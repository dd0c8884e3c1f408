import { describe, expect, it } from 'vitest';
import { createRandom } from './random.ts';

describe('createRandom', () => {
  it('is PCG32: the first numbers of its reference program (seed 42, stream 54)', () => {
    const random = createRandom(42);
    const first = Array.from({ length: 6 }, () => random.uniform() * 2 ** 32);
    expect(first).toEqual([0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e]);
  });

  it('draws normals with mean 0, variance 1 and a fourth moment of 3', () => {
    const random = createRandom(1);
    const n = 100_000;
    const moments = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const x = random.normal();
      for (let k = 0; k < 4; k++) moments[k] += x ** (k + 1) / n;
    }
    // Standard errors sqrt(1/n), sqrt(2/n), sqrt(15/n), sqrt(96/n) = .003 .. .031; five of them.
    expect(Math.abs(moments[0])).toBeLessThan(0.016);
    expect(Math.abs(moments[1] - 1)).toBeLessThan(0.023);
    expect(Math.abs(moments[2])).toBeLessThan(0.062);
    expect(Math.abs(moments[3] - 3)).toBeLessThan(0.155);
  });
});

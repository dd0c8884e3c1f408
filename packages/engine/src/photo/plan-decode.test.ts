import { describe, expect, it } from 'vitest';
import { computeJpegShrink, planDecode } from './plan-decode.ts';

describe('planDecode', () => {
  it('reduces nothing where little would be saved, unless it is large', () => {
    expect(planDecode('jpeg', 4000, 3000, 1.9, 12e6)).toEqual({
      gridWidth: 4000,
      gridHeight: 3000,
      scaleX: 1,
      scaleY: 1,
      isReduced: false,
    });
    expect(planDecode('jpeg', 8000, 6000, 1.9, 48e6)).toMatchObject({ gridWidth: 4211, isReduced: true });
    expect(planDecode('jpeg', 8000, 6000, 1.2, 48e6).isReduced).toBe(false);
    expect(planDecode('jpeg', 4000, 3000, 2, 12e6)).toMatchObject({ gridWidth: 2000, gridHeight: 1500, isReduced: true });
  });

  it('leaves at least the pixels that were asked for', () => {
    for (let reduction = 1; reduction < 20; reduction += 0.173) {
      const { gridWidth, gridHeight, scaleX, scaleY } = planDecode('jpeg', 4001, 2999, reduction, 12e6);
      expect(gridWidth).toBeGreaterThanOrEqual(4001 / reduction);
      expect(gridHeight).toBeGreaterThanOrEqual(2999 / reduction);
      // What is left out at the right and lower border is less than one block of the largest reduction.
      expect(4001 - gridWidth * scaleX).toBeGreaterThanOrEqual(-1e-9);
      expect(4001 - gridWidth * scaleX).toBeLessThan(8);
      expect(2999 - gridHeight * scaleY).toBeLessThan(8);
    }
  });
});

describe('computeJpegShrink', () => {
  it.each([
    [1, 1],
    [2.99, 1],
    [3, 2],
    [4.99, 2],
    [5, 4],
    [8.99, 4],
    [9, 8],
    [40, 8],
  ])('of a whole reduction of %f is %i', (whole, n) => {
    expect(computeJpegShrink(whole)).toBe(n);
  });
});

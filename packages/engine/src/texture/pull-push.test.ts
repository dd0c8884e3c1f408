import { describe, expect, it } from 'vitest';
import { createPullPushWorkspace, pullPush } from './pull-push.ts';

const SIZE = 64;

describe('pullPush', () => {
  it('keeps what is known and stays between the known values elsewhere', () => {
    const values = new Float32Array(SIZE * SIZE * 3);
    const weights = new Float32Array(SIZE * SIZE);
    for (let p = 0; p < weights.length; p += 7) {
      weights[p] = 1;
      for (let k = 0; k < 3; k++) values[3 * p + k] = 100 + 50 * Math.sin(p * (k + 1));
    }
    const before = values.slice();
    pullPush(values, weights, createPullPushWorkspace(SIZE, 3), [100, 100, 100], 0.5);
    for (let p = 0; p < weights.length; p++) {
      for (let k = 0; k < 3; k++) {
        if (weights[p] === 1) expect(values[3 * p + k]).toBe(before[3 * p + k]);
        else expect(Math.abs(values[3 * p + k] - 100)).toBeLessThanOrEqual(50);
      }
    }
  });

  it('goes over to the prior far from what is known, and not near it', () => {
    const values = new Float32Array(SIZE * SIZE);
    const weights = new Float32Array(SIZE * SIZE);
    values[0] = 200;
    weights[0] = 1;
    pullPush(values, weights, createPullPushWorkspace(SIZE, 1), [0], 1);
    expect(values[1]).toBeGreaterThan(150);
    expect(values[SIZE * SIZE - 1]).toBeLessThan(110);
    for (const v of values) expect(v).toBeLessThanOrEqual(200);
  });

  it('is the prior where nothing is known', () => {
    const values = new Float32Array(SIZE * SIZE * 3).fill(7);
    pullPush(values, new Float32Array(SIZE * SIZE), createPullPushWorkspace(SIZE, 3), [1, 2, 3], 0.25);
    for (let p = 0; p < SIZE * SIZE; p++) expect([...values.subarray(3 * p, 3 * p + 3)]).toEqual([1, 2, 3]);
  });

  it('gives three channels what one channel gives each (the unrolled path and the loop)', () => {
    const weights = Float32Array.from({ length: SIZE * SIZE }, (_, p) => (p % 11 === 0 ? 1 : p % 5 === 0 ? 0.3 : 0));
    const three = Float32Array.from({ length: 3 * SIZE * SIZE }, (_, i) => 128 + 100 * Math.sin(i));
    const one = Float32Array.from({ length: SIZE * SIZE }, (_, p) => three[3 * p + 1]);
    pullPush(three, weights, createPullPushWorkspace(SIZE, 3), [10, 20, 30], 0.5);
    pullPush(one, weights, createPullPushWorkspace(SIZE, 1), [20], 0.5);
    // 32-bit sums in another order.
    for (let p = 0; p < one.length; p++) expect(Math.abs(three[3 * p + 1] - one[p])).toBeLessThan(1e-3);
  });
});

import { describe, expect, it } from 'vitest';
import { createKernelMemory } from '../kernels/kernel-memory.ts';
import { createPullPushWorkspace, pullPush } from './pull-push.ts';

const SIZE = 64;
const memory = createKernelMemory(1 << 21);
const three = createPullPushWorkspace(memory, SIZE, 3);
const one = createPullPushWorkspace(memory, SIZE, 1);
const grid = (channels: number) => memory.allocate(Float32Array, channels * SIZE * SIZE);

describe('pullPush', () => {
  it('keeps what is known and stays between the known values elsewhere', () => {
    const values = grid(3);
    const weights = grid(1);
    for (let p = 0; p < weights.length; p += 7) {
      weights[p] = 1;
      for (let k = 0; k < 3; k++) values[3 * p + k] = 100 + 50 * Math.sin(p * (k + 1));
    }
    const before = values.slice();
    pullPush(values, weights, three, [100, 100, 100], 0.5);
    for (let p = 0; p < weights.length; p++) {
      for (let k = 0; k < 3; k++) {
        if (weights[p] === 1) expect(values[3 * p + k]).toBe(before[3 * p + k]);
        else expect(Math.abs(values[3 * p + k] - 100)).toBeLessThanOrEqual(50);
      }
    }
  });

  it('goes over to the prior far from what is known, and not near it', () => {
    const values = grid(1);
    const weights = grid(1);
    values[0] = 200;
    weights[0] = 1;
    pullPush(values, weights, one, [0], 1);
    expect(values[1]).toBeGreaterThan(150);
    expect(values[SIZE * SIZE - 1]).toBeLessThan(110);
    for (const v of values) expect(v).toBeLessThanOrEqual(200);
  });

  it('is the prior where nothing is known', () => {
    const values = grid(3).fill(7);
    pullPush(values, grid(1), three, [1, 2, 3], 0.25);
    // Sums of shares, 24 bits each.
    for (let i = 0; i < values.length; i++) expect(Math.abs(values[i]! - (1 + (i % 3)))).toBeLessThan(1e-6);
  });

  it('gives three channels what one channel gives each (vectors and single numbers)', () => {
    const weights = memory.place(Float32Array.from({ length: SIZE * SIZE }, (_, p) => (p % 11 === 0 ? 1 : p % 5 === 0 ? 0.3 : 0)));
    const colors = memory.place(Float32Array.from({ length: 3 * SIZE * SIZE }, (_, i) => 128 + 100 * Math.sin(i)));
    const green = memory.place(Float32Array.from({ length: SIZE * SIZE }, (_, p) => colors[3 * p + 1]));
    pullPush(colors, weights, three, [10, 20, 30], 0.5);
    pullPush(green, weights, one, [20], 0.5);
    // 32-bit sums in another order.
    for (let p = 0; p < green.length; p++) expect(Math.abs(colors[3 * p + 1] - green[p])).toBeLessThan(1e-3);
  });
});

import { describe, expect, it } from 'vitest';
import { createRandom } from './random.ts';
import { rotationFromVector } from './rotation.ts';
import { applySimilarity, computeSymmetricEigen, estimateSimilarity } from './similarity.ts';

const random = createRandom(21);
const cloud = Float64Array.from({ length: 3 * 40 }, () => 50 * random.normal());
const truth = { scale: 0.37, rotation: rotationFromVector(0.4, -2.1, 0.9), translation: Float64Array.of(12, -5, 300) };
const ones = new Float64Array(40).fill(1);

describe('estimateSimilarity', () => {
  it('recovers a similarity exactly, half turns too', () => {
    for (const rotation of [truth.rotation, rotationFromVector(Math.PI, 0, 0), rotationFromVector(0, 0, 0)]) {
      const s = estimateSimilarity(cloud, applySimilarity({ ...truth, rotation }, cloud), ones)!;
      // Coordinates of some hundred, a few roundings each.
      expect(s.scale).toBeCloseTo(truth.scale, 12);
      for (let k = 0; k < 9; k++) expect(s.rotation[k]).toBeCloseTo(rotation[k], 11);
      for (let k = 0; k < 3; k++) expect(s.translation[k]).toBeCloseTo(truth.translation[k], 10);
    }
  });

  it('is the least-squares one: no small change is better', () => {
    const noisy = applySimilarity(truth, cloud).map((x) => x + random.normal());
    const weights = ones.map(() => random.uniform());
    const cost = (s: typeof truth): number =>
      applySimilarity(s, cloud).reduce((sum, x, i) => sum + weights[Math.floor(i / 3)] * (x - noisy[i]) ** 2, 0);
    const best = estimateSimilarity(cloud, noisy, weights)! as typeof truth;
    for (let round = 0; round < 50; round++) {
      const turn = rotationFromVector(1e-3 * random.normal(), 1e-3 * random.normal(), 1e-3 * random.normal());
      const rotation = Float64Array.from({ length: 9 }, (_, k) => {
        const [i, j] = [Math.floor(k / 3), k % 3];
        return turn[3 * i] * best.rotation[j] + turn[3 * i + 1] * best.rotation[3 + j] + turn[3 * i + 2] * best.rotation[6 + j];
      });
      const near = {
        scale: best.scale * (1 + 1e-3 * random.normal()),
        rotation,
        translation: best.translation.map((t) => t + 0.1 * random.normal()),
      };
      expect(cost(near)).toBeGreaterThan(cost(best));
    }
  });

  it('does not look at points without weight', () => {
    const spoiled = applySimilarity(truth, cloud);
    spoiled.fill(1e6, 0, 3);
    const weights = ones.slice();
    weights[0] = 0;
    expect(estimateSimilarity(cloud, spoiled, weights)!.scale).toBeCloseTo(truth.scale, 12);
  });

  it.each([
    ['no weight', cloud, cloud, ones.map(() => 0)],
    ['one point', new Float64Array(120).fill(3), cloud, ones],
    ['a line', cloud.map((_, i) => Math.floor(i / 3)), cloud.map((_, i) => 2 * Math.floor(i / 3)), ones],
    ['no number', cloud.map(() => Number.NaN), cloud, ones],
  ])('is null for %s', (_, src, dst, weights) => {
    expect(estimateSimilarity(src, dst, weights)).toBeNull();
  });
});

describe('computeSymmetricEigen', () => {
  it('takes a matrix apart: A = V D V^T, values falling', () => {
    const n = 6;
    const a = new Float64Array(n * n);
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = random.normal();
    const { values, vectors } = computeSymmetricEigen(a, n);
    for (let i = 0; i < n; i++) {
      if (i > 0) expect(values[i]).toBeLessThanOrEqual(values[i - 1]);
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += vectors[i * n + k] * values[k] * vectors[j * n + k];
        expect(sum).toBeCloseTo(a[i * n + j], 12);
      }
    }
  });
});

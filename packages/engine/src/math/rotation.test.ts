import { describe, expect, it } from 'vitest';
import { createRandom } from './random.ts';
import {
  multiply3,
  quaternionFromRotation,
  rotationFromQuaternion,
  rotationFromVector,
  transpose3,
  vectorFromRotation,
} from './rotation.ts';

const maxDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from({ length: a.length }, (_, i) => Math.abs(a[i] - b[i])));
const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1];

describe('rotationFromVector', () => {
  it('turns a quarter about z from x to y', () => {
    expect(maxDifference(rotationFromVector(0, 0, Math.PI / 2), [0, -1, 0, 1, 0, 0, 0, 0, 1])).toBeLessThan(1e-15);
  });

  it.each([0, 1e-9, 5e-5, 1.5e-4, 0.3, 2, Math.PI - 1e-7, Math.PI])(
    'is orthonormal and comes back through its vector at %d rad',
    (angle) => {
      const random = createRandom(3);
      for (let k = 0; k < 20; k++) {
        const axis = [random.normal(), random.normal(), random.normal()];
        const n = Math.hypot(...axis);
        const vector = axis.map((a) => (angle * a) / n);
        const r = rotationFromVector(vector[0], vector[1], vector[2]);
        // A few roundings of numbers up to 1.
        expect(maxDifference(multiply3(r, transpose3(r)), IDENTITY)).toBeLessThan(1e-14);
        const back = vectorFromRotation(r);
        // At pi both signs of the axis are the same turn; and the vector's error is that of the matrix over no small number (quaternion).
        const same = Math.min(
          maxDifference(back, vector),
          angle > 3.14
            ? maxDifference(
                back,
                vector.map((v) => -v),
              )
            : Infinity,
        );
        expect(same).toBeLessThan(1e-6 * (angle > 3.14 ? 1 : 1e-7) + 1e-13);
      }
    },
  );

  it('joins its series and its closed form without a step', () => {
    const below = rotationFromVector(0.99999e-4, 0, 0);
    const above = rotationFromVector(1.00001e-4, 0, 0);
    // The angles differ by 2e-9: so may the entries, and no more.
    expect(maxDifference(below, above)).toBeLessThan(2.1e-9);
  });
});

describe('quaternionFromRotation', () => {
  it('is the inverse of rotationFromQuaternion with each component largest', () => {
    for (const q of [
      [0.9, 0.1, -0.3, 0.2],
      [0.1, -0.9, 0.3, 0.2],
      [-0.2, 0.1, 0.9, 0.1],
      [0.05, 0.3, 0.2, -0.9],
    ]) {
      const r = rotationFromQuaternion(q);
      expect(maxDifference(rotationFromQuaternion(quaternionFromRotation(r)), r)).toBeLessThan(1e-15 * 8);
    }
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computeSphereCenter } from './compute-sphere-center.ts';

describe('computeSphereCenter', () => {
  it('finds the centre of any sphere from points of one half of it', () => {
    fc.assert(
      fc.property(
        fc.tuple(
          fc.double({ min: -100, max: 100, noNaN: true }),
          fc.double({ min: -100, max: 100, noNaN: true }),
          fc.double({ min: 5, max: 20, noNaN: true }),
        ),
        ([cx, cy, radius]) => {
          const points: number[] = [];
          for (let polar = 0.2; polar < Math.PI / 2; polar += 0.3) {
            for (let around = 0; around < 6; around++) {
              points.push(
                cx + radius * Math.sin(polar) * Math.cos(around),
                cy + radius * Math.sin(polar) * Math.sin(around),
                7 + radius * Math.cos(polar),
              );
            }
          }
          const center = computeSphereCenter(
            points,
            Array.from({ length: points.length / 3 }, (_, v) => v),
          );
          // Exact but for rounding: 1e-12 of 100 mm, magnified by the condition of half a sphere.
          [cx, cy, 7].forEach((x, k) => {
            expect(center[k]).toBeCloseTo(x, 8);
          });
        },
      ),
    );
  });

  it('looks at the named vertices only', () => {
    const points = [1, 0, 0, -1, 0, 0, 0, 1, 0, 0, 0, 1, 50, 60, 70];
    const center = computeSphereCenter(points, [0, 1, 2, 3]);
    for (const x of center) expect(x).toBeCloseTo(0, 12);
  });

  it('falls back to the mean where the points lie in a plane', () => {
    expect(computeSphereCenter([0, 0, 5, 2, 0, 5, 0, 2, 5, 2, 2, 5], [0, 1, 2, 3])).toEqual([1, 1, 5]);
  });
});

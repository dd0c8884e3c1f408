import { describe, expect, it } from 'vitest';
import { decodeExpressions, decodeModes, PREDICT_PREVIOUS, PREDICT_SELF, type PredictionTable } from '../src/decode-shapes.ts';
import { encodeExpressions, encodeModes } from './encode-shapes.ts';

/** Six vertices: pairs 0-1 and 2-3, 4 and 5 on the midline; 3 has a row of its own for the modes. */
const table: PredictionTable = {
  order: Uint16Array.of(0, 4, 2, 3, 5),
  mirrorVertex: Uint16Array.of(1, 0, 3, 2, 4, 5),
  references: Uint16Array.of(0, 0, 0, 0, 0, 1, 0, 2, 3, 2),
  weights: Int16Array.of(0, 0, 4096, 0, 2048, 2048, 5000, -904, 1000, 3000),
};

const numbers = (count: number, seed: number, size: number): Int16Array =>
  Int16Array.from({ length: count }, (_, i) => Math.round(size * Math.sin(1 + seed + 12.9898 * i) * Math.sin(78.233 * (i + seed))));

describe('modes', () => {
  it.each([3, 200, 9000])('come back exactly, small and large (up to %d steps)', (size) => {
    const steps = numbers(5 * 24, 1, size);
    const packed = encodeModes(table, 5, 24, steps);
    expect(decodeModes(table, 5, 24, packed.residuals, packed.escapes)).toEqual(steps);
  });

  it('with numbers that a byte cannot hold use the escape list', () => {
    expect(encodeModes(table, 5, 24, numbers(5 * 24, 1, 9000)).escapes.length).toBeGreaterThan(0);
    expect(encodeModes(table, 5, 24, numbers(5 * 24, 1, 3)).escapes.length).toBe(0);
  });
});

describe('expressions', () => {
  it('come back exactly: predicted by themselves and by the shape before', () => {
    const fields = [numbers(18, 1, 300), numbers(18, 2, 4), numbers(18, 3, 90)];
    // A vertex at rest, and one whose partner alone moves.
    fields[0]!.fill(0, 3, 6);
    fields[1]!.fill(0, 6, 9);
    const packed = encodeExpressions(table, fields, Uint8Array.of(PREDICT_SELF, PREDICT_PREVIOUS, PREDICT_SELF));
    decodeExpressions(table, packed).forEach((shape, e) => {
      const field = new Int16Array(18);
      shape.vertices.forEach((v, i) => {
        field.set(shape.steps.subarray(3 * i, 3 * i + 3), 3 * v);
      });
      expect(field).toEqual(fields[e]);
      expect(new Set(shape.vertices).size).toBe(shape.vertices.length);
    });
  });

  it('cost nothing where a mirrored shape is exactly the mirror image', () => {
    const left = numbers(18, 5, 50);
    const right = new Int16Array(18);
    table.mirrorVertex.forEach((m, v) => {
      right.set([-left[3 * v]!, left[3 * v + 1]!, left[3 * v + 2]!], 3 * m);
    });
    const packed = encodeExpressions(table, [left, right], Uint8Array.of(PREDICT_SELF, PREDICT_PREVIOUS));
    expect(packed.residuals.subarray(packed.residuals.length / 2).every((r) => r === 0)).toBe(true);
  });
});

import { expect, it } from 'vitest';
import { decodeModes } from '../src/decode-modes.ts';
import { encodeModes } from './encode-modes.ts';

const table = {
  references: Uint16Array.of(0, 0, 0, 0, 0, 1, 0, 2, 3, 2),
  weights: Int16Array.of(0, 0, 4096, 0, 2048, 2048, 5000, -904, 1000, 3000),
};
const WIDTH = 24;

const numbers = (size: number): Int16Array =>
  Int16Array.from({ length: 5 * WIDTH }, (_, i) => Math.round(size * Math.sin(2 + 12.9898 * i) * Math.sin(78.233 * (i + 1))));

it.each([3, 200, 9000])('modes come back exactly, small and large (up to %d steps)', (size) => {
  const steps = numbers(size);
  const { residuals, escapes } = encodeModes(table, WIDTH, steps);
  expect(decodeModes(table, WIDTH, residuals, escapes)).toEqual(steps);
});

it('residuals that a byte cannot hold, and only those, use the escape list', () => {
  expect(encodeModes(table, WIDTH, numbers(9000)).escapes.length).toBeGreaterThan(0);
  expect(encodeModes(table, WIDTH, numbers(3)).escapes.length).toBe(0);
  // The first row predicts nothing: its residuals are its numbers.
  const edge = new Int16Array(WIDTH).map((_, i) => [127, -127, 128, -128][i % 4]!);
  expect(encodeModes({ references: new Uint16Array(2), weights: new Int16Array(2) }, WIDTH, edge).escapes.length).toBe(WIDTH / 2);
});

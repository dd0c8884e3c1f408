import { FIELD_SIZE } from './field-size.ts';
import { NO_TRIANGLE, type TexelMap } from './texel-map.ts';

/**
 * First columns of the runs of a row: run k, 0..F, lies between the centres of the field's cells k - 1 and k; shape (F+2), the last is the size.
 */
export function planRuns(size: number): Int32Array {
  const step = FIELD_SIZE / size;
  const runs = new Int32Array(FIELD_SIZE + 2);
  for (let k = 0; k <= FIELD_SIZE; k++) runs[k] = Math.max(0, Math.min(size, Math.ceil((k - 0.5) / step - 0.5)));
  runs[FIELD_SIZE + 1] = size;
  return runs;
}

/** Shape (size,F+1): 1 for runs that lie beside the islands. */
export function findEmptyRuns({ size, triangle }: TexelMap): Uint8Array {
  const runs = planRuns(size);
  const isEmpty = new Uint8Array(size * (FIELD_SIZE + 1));
  for (let row = 0; row < size; row++) {
    for (let k = 0; k <= FIELD_SIZE; k++)
      isEmpty[row * (FIELD_SIZE + 1) + k] = isEmptyRun(triangle, row * size + runs[k], row * size + runs[k + 1]) ? 1 : 0;
  }
  return isEmpty;
}

function isEmptyRun(triangle: Uint16Array, from: number, to: number): boolean {
  for (let p = from; p < to; p++) if (triangle[p] !== NO_TRIANGLE) return false;
  return true;
}

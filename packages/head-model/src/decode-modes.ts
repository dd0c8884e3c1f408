/**
 * @module How the identity modes are packed. Each number is a whole count of steps; a row of numbers is predicted from up to two rows before it,
 * and only what the prediction misses is in the file: one byte each, with an escape for the few larger ones. (Everything else in the file is stored
 * as it is used: brotli packs it well enough, and reading it costs nothing.)
 */

/** Rows that predict a row. */
export const REFERENCES = 2;
/** Weights of the prediction are whole multiples of 1/4096. */
export const WEIGHT_BITS = 12;
/** Byte that says: the number is too large for a byte, take the next of the escape list. */
export const ESCAPE = -128;

const HALF = 1 << (WEIGHT_BITS - 1);

/** Which rows predict which. */
export interface PredictionTable {
  /** Shape (H,2): rows before it; unused ones have weight 0. */
  readonly references: Uint16Array;
  /** Shape (H,2), in 1/4096. */
  readonly weights: Int16Array;
}

/**
 * Unpacks the identity modes.
 *
 * @param width - numbers per row
 * @param residuals - shape (H,width)
 * @param escapes - the residuals that do not fit a byte
 * @returns shape (H,width), steps
 */
export function decodeModes(table: PredictionTable, width: number, residuals: Int8Array, escapes: Int16Array): Int16Array {
  const { references, weights } = table;
  const rows = residuals.length / width;
  const out = new Int16Array(residuals.length);
  let nextEscape = 0;
  for (let p = 0; p < rows; p++) {
    const r = REFERENCES * p;
    const a = references[r]! * width;
    const b = references[r + 1]! * width;
    const wa = weights[r]!;
    const wb = weights[r + 1]!;
    const to = p * width;
    for (let i = 0; i < width; i++) {
      let residual = residuals[to + i]!;
      if (residual === ESCAPE) residual = escapes[nextEscape++]!;
      // Math.imul keeps the arithmetic in 32-bit integers, which is a third quicker.
      const sum = (((Math.imul(wa, out[a + i]!) + Math.imul(wb, out[b + i]!)) | 0) + HALF) | 0;
      out[to + i] = (sum >> WEIGHT_BITS) + residual;
    }
  }
  return out;
}

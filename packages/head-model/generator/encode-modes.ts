import { ESCAPE, type PredictionTable, REFERENCES, WEIGHT_BITS } from '../src/decode-modes.ts';

/**
 * Packs identity modes so that `decodeModes` gives back exactly `steps`.
 *
 * @param steps - shape (H,width)
 */
export function encodeModes(table: PredictionTable, width: number, steps: Int16Array): { residuals: Int8Array; escapes: Int16Array } {
  const residuals = new Int8Array(steps.length);
  const escapes: number[] = [];
  for (let at = 0; at < steps.length; at++) {
    const row = Math.floor(at / width);
    let sum = 1 << (WEIGHT_BITS - 1);
    for (let k = REFERENCES * row; k < REFERENCES * (row + 1); k++) {
      if (table.weights[k] !== 0) sum += table.weights[k]! * steps[table.references[k]! * width + (at % width)]!;
    }
    const residual = steps[at]! - (sum >> WEIGHT_BITS);
    if (Math.abs(residual) > 0x7fff) throw new Error(`a residual of ${residual} steps cannot be packed`);
    if (Math.abs(residual) < -ESCAPE) residuals[at] = residual;
    else {
      residuals[at] = ESCAPE;
      escapes.push(residual);
    }
  }
  return { residuals, escapes: Int16Array.from(escapes) };
}

import { ESCAPE, PREDICT_PREVIOUS, type PredictionTable, REFERENCES, WEIGHT_BITS } from '../src/decode-shapes.ts';

/** The two arrays that ../src/decode-shapes.ts reads back. */
export interface Residuals {
  readonly residuals: Uint8Array;
  readonly escapes: Uint16Array;
}

/**
 * Packs identity modes so that `decodeModes` gives back exactly `steps`.
 *
 * @param steps - shape (V,3,K)
 * @param parity - shape (K)
 */
export function encodeModes(table: PredictionTable, steps: Int16Array, parity: Int8Array): Residuals {
  const { order, mirrored, mirrorVertex } = table;
  const vertexCount = order.length;
  const modes = parity.length;
  const columns = 3 * modes;
  const residuals = new Uint8Array(columns * vertexCount);
  const escapes: number[] = [];
  for (let p = 0; p < vertexCount; p++) {
    const v = order[p]!;
    for (let c = 0; c < columns; c++) {
      const predicted =
        mirrored[v] === 1
          ? (c < modes ? -parity[c]! : parity[c % modes]!) * steps[mirrorVertex[v]! * columns + c]!
          : predictLinear(table, v, (r) => steps[r * columns + c]!);
      residuals[c * vertexCount + p] = toByte(steps[v * columns + c]! - predicted, escapes);
    }
  }
  return { residuals, escapes: Uint16Array.from(escapes) };
}

/**
 * Packs expression shapes so that `decodeExpressions` gives them back exactly.
 *
 * @param fields - per shape (V,3), steps; zero where nothing moves
 * @returns also `moving`, shape (E, ceil(V/8))
 */
export function encodeExpressions(
  table: PredictionTable,
  fields: readonly Int16Array[],
  predictors: Uint8Array,
): Residuals & { moving: Uint8Array } {
  const { order, mirrored, mirrorVertex } = table;
  const vertexCount = order.length;
  const rowBytes = Math.ceil(vertexCount / 8);
  const moving = new Uint8Array(fields.length * rowBytes);
  const residuals: number[] = [];
  const escapes: number[] = [];
  fields.forEach((field, e) => {
    const byPrevious = predictors[e] === PREDICT_PREVIOUS;
    const source = byPrevious ? fields[e - 1]! : field;
    for (const v of order) {
      if (field[3 * v] === 0 && field[3 * v + 1] === 0 && field[3 * v + 2] === 0) continue;
      moving[e * rowBytes + (v >> 3)]! |= 1 << (v & 7);
      for (let d = 0; d < 3; d++) {
        const predicted =
          byPrevious || mirrored[v] === 1
            ? (d === 0 ? -1 : 1) * source[3 * mirrorVertex[v]! + d]!
            : predictLinear(table, v, (r) => field[3 * r + d]!);
        residuals.push(toByte(field[3 * v + d]! - predicted, escapes));
      }
    }
  });
  return { residuals: Uint8Array.from(residuals), escapes: Uint16Array.from(escapes), moving };
}

function predictLinear(table: PredictionTable, v: number, value: (reference: number) => number): number {
  let sum = 1 << (WEIGHT_BITS - 1);
  for (let k = 0; k < REFERENCES; k++) sum += table.weights[REFERENCES * v + k]! * value(table.references[REFERENCES * v + k]!);
  return sum >> WEIGHT_BITS;
}

/** Zigzag: 0 -1 1 -2 2 ... become 0 1 2 3 4 ... */
function toByte(residual: number, escapes: number[]): number {
  const z = residual >= 0 ? 2 * residual : -2 * residual - 1;
  if (z > 0xffff) throw new Error(`a residual of ${residual} steps cannot be packed`);
  if (z < ESCAPE) return z;
  escapes.push(z);
  return ESCAPE;
}

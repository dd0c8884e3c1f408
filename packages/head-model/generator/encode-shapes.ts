import { ESCAPE, type PackedExpressions, PREDICT_PREVIOUS, type PredictionTable, REFERENCES, WEIGHT_BITS } from '../src/decode-shapes.ts';

/** What ../src/decode-shapes.ts reads back. */
export interface PackedModes {
  readonly residuals: Uint8Array;
  readonly escapes: Uint16Array;
}

/**
 * Packs identity modes so that `decodeModes` gives back exactly `steps`.
 *
 * @param steps - shape (rows,width)
 */
export function encodeModes(table: PredictionTable, rows: number, width: number, steps: Int16Array): PackedModes {
  const residuals = new Uint8Array(rows * width);
  const escapes: number[] = [];
  for (let p = 0; p < rows; p++) {
    for (let i = 0; i < width; i++) {
      residuals[p * width + i] = toByte(steps[p * width + i]! - predict(table, p, (q) => steps[q * width + i]!), escapes);
    }
  }
  return { residuals, escapes: Uint16Array.from(escapes) };
}

/**
 * Packs expression shapes so that `decodeExpressions` gives them back exactly.
 *
 * @param fields - per shape (V,3), steps; zero where nothing moves
 */
export function encodeExpressions(table: PredictionTable, fields: readonly Int16Array[], predictors: Uint8Array): PackedExpressions {
  const { order, mirrorVertex } = table;
  // A vertex whose partner has a row already is coded there; its own row stays at rest.
  const isSecond = Array.from(order, (v, p) => mirrorVertex[v] !== v && order.subarray(0, p).includes(mirrorVertex[v]!));
  const rowBytes = Math.ceil(order.length / 4);
  const moving = new Uint8Array(fields.length * rowBytes);
  const residuals: number[] = [];
  const escapes: number[] = [];
  fields.forEach((field, e) => {
    const previous = predictors[e] === PREDICT_PREVIOUS ? fields[e - 1]! : null;
    order.forEach((v, p) => {
      if (isSecond[p]) return;
      const m = mirrorVertex[v]!;
      const put = (vertex: number, bit: number, predicted: (d: number) => number): void => {
        if (isStill(field, vertex)) return;
        moving[e * rowBytes + (p >> 2)]! |= bit << (2 * (p & 3));
        for (let d = 0; d < 3; d++) residuals.push(toByte(field[3 * vertex + d]! - predicted(d), escapes));
      };
      const mirrored = (source: Int16Array, vertex: number) => (d: number) => (d === 0 ? -1 : 1) * source[3 * vertex + d]!;
      put(v, 1, previous ? mirrored(previous, m) : (d) => predict(table, p, (q) => (isSecond[q] ? 0 : field[3 * order[q]! + d]!)));
      if (m !== v) put(m, 2, mirrored(previous ?? field, v));
    });
  });
  return { predictors, moving, residuals: Uint8Array.from(residuals), escapes: Uint16Array.from(escapes) };
}

function isStill(field: Int16Array, v: number): boolean {
  return field[3 * v] === 0 && field[3 * v + 1] === 0 && field[3 * v + 2] === 0;
}

function predict(table: PredictionTable, p: number, value: (place: number) => number): number {
  let sum = 1 << (WEIGHT_BITS - 1);
  for (let k = 0; k < REFERENCES; k++) {
    const weight = table.weights[REFERENCES * p + k]!;
    if (weight !== 0) sum += weight * value(table.references[REFERENCES * p + k]!);
  }
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

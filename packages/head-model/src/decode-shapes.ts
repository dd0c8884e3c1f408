/**
 * @module How the displacement fields are packed. Each number is a whole count of steps. The mesh is symmetric: one vertex of
 * each pair (and those on the midline) stand in `order`; each is predicted from up to two vertices before it in that order, its
 * partner on the other side from itself. Only what the prediction misses is in the file: one byte each, with an escape for the
 * few larger ones.
 */

/** Vertices that predict a vertex. */
export const REFERENCES = 2;
/** Weights of the prediction are whole multiples of 1/4096. */
export const WEIGHT_BITS = 12;
/** Byte that says: the number is too large for a byte, take the next of the escape list. */
export const ESCAPE = 255;
/** Which vertices predict which, the same for every displacement field. */
export interface PredictionTable {
  /** Shape (R): one vertex of each pair (both for identity modes where a pair is not symmetric), in the order of decoding. */
  readonly order: Uint16Array;
  /** Shape (V): the partner on the other side. */
  readonly mirrorVertex: Uint16Array;
  /** Shape (R,2): places in `order` before its own; unused ones have weight 0. */
  readonly references: Uint16Array;
  /** Shape (R,2), in 1/4096. */
  readonly weights: Int16Array;
}

const HALF = 1 << (WEIGHT_BITS - 1);

/**
 * Unpacks the identity modes of the first rows of `order`.
 *
 * @param width - numbers per row
 * @param residuals - shape (rows,width)
 * @param escapes - the numbers that do not fit a byte
 * @returns shape (rows,width), steps
 */
export function decodeModes(table: PredictionTable, rows: number, width: number, residuals: Uint8Array, escapes: Uint16Array): Int16Array {
  const { references, weights } = table;
  const out = new Int16Array(rows * width);
  let nextEscape = 0;
  for (let p = 0; p < rows; p++) {
    const r = REFERENCES * p;
    const a = references[r]! * width;
    const b = references[r + 1]! * width;
    const wa = weights[r]!;
    const wb = weights[r + 1]!;
    const to = p * width;
    for (let i = 0; i < width; i++) {
      let z = residuals[to + i]!;
      if (z === ESCAPE) z = escapes[nextEscape++]!;
      // Math.imul keeps the arithmetic in 32-bit integers, which is a third quicker.
      const sum = (((Math.imul(wa, out[a + i]!) + Math.imul(wb, out[b + i]!)) | 0) + HALF) | 0;
      out[to + i] = (sum >> WEIGHT_BITS) + ((z >>> 1) ^ -(z & 1));
    }
  }
  return out;
}

/** A field is predicted by itself (its own other side) or by the field before it, mirrored. */
export const PREDICT_SELF = 0;
export const PREDICT_PREVIOUS = 1;

/** Packed expression shapes. */
export interface PackedExpressions {
  /** Shape (E): {@link PREDICT_SELF} or {@link PREDICT_PREVIOUS}. */
  readonly predictors: Uint8Array;
  /** Shape (E, R): bit 0 the vertex of that row moves, bit 1 its partner does; four rows to a byte, lowest first. */
  readonly moving: Uint8Array;
  /** Three numbers per moving vertex: shape by shape, row by row, the vertex before its partner. */
  readonly residuals: Uint8Array;
  /** The numbers that do not fit a byte. */
  readonly escapes: Uint16Array;
}

/**
 * Unpacks the expression shapes.
 *
 * @returns per shape the moving vertices and their displacement, shape (M,3), steps
 */
export function decodeExpressions(table: PredictionTable, packed: PackedExpressions): { vertices: Uint16Array; steps: Int16Array }[] {
  const { predictors, moving } = packed;
  const rows = table.order.length;
  const rowBytes = Math.ceil(rows / 4);
  const residuals = undoZigzag(packed.residuals, packed.escapes);
  let field = createField(rows);
  let previous = createField(rows);
  const vertices = new Uint16Array(2 * rows);
  const steps = new Int16Array(6 * rows);
  let at = 0;
  return Array.from(predictors, (predictor, e) => {
    [field, previous] = [previous, field];
    const bits = moving.subarray(e * rowBytes, (e + 1) * rowBytes);
    const count = decodeField(table, bits, residuals, at, field, predictor === PREDICT_PREVIOUS ? previous : null, vertices, steps);
    at += 3 * count;
    return { vertices: vertices.slice(0, count), steps: steps.slice(0, 3 * count) };
  });
}

/** Displacements by row, shape (R,3) each: of the vertex itself and of its partner. */
interface Field {
  readonly own: Int16Array;
  readonly partner: Int16Array;
}

function createField(rows: number): Field {
  return { own: new Int16Array(3 * rows), partner: new Int16Array(3 * rows) };
}

function undoZigzag(packed: Uint8Array, escapes: Uint16Array): Int16Array {
  const out = new Int16Array(packed.length);
  let nextEscape = 0;
  for (let i = 0; i < packed.length; i++) {
    let z = packed[i]!;
    if (z === ESCAPE) z = escapes[nextEscape++]!;
    out[i] = (z >>> 1) ^ -(z & 1);
  }
  return out;
}

/** Decodes one shape into `field`, and lists what moves in `vertices` and `steps`. Answers how many move. */
function decodeField(
  table: PredictionTable,
  bits: Uint8Array,
  residuals: Int16Array,
  from: number,
  field: Field,
  previous: Field | null,
  vertices: Uint16Array,
  steps: Int16Array,
): number {
  const { order, mirrorVertex, references, weights } = table;
  const { own, partner } = field;
  own.fill(0);
  partner.fill(0);
  let count = 0;
  let at = from;
  for (let p = 0; p < order.length; p++) {
    const bit = (bits[p >> 2]! >> (2 * (p & 3))) & 3;
    if (bit === 0) continue;
    const v = order[p]!;
    const m = mirrorVertex[v]!;
    const i = 3 * p;
    if ((bit & 1) !== 0) {
      let x: number;
      let y: number;
      let z: number;
      if (previous) {
        const source = m === v ? previous.own : previous.partner;
        x = -source[i]!;
        y = source[i + 1]!;
        z = source[i + 2]!;
      } else {
        const r = REFERENCES * p;
        const a = 3 * references[r]!;
        const b = 3 * references[r + 1]!;
        const wa = weights[r]!;
        const wb = weights[r + 1]!;
        x = (Math.imul(wa, own[a]!) + Math.imul(wb, own[b]!) + HALF) >> WEIGHT_BITS;
        y = (Math.imul(wa, own[a + 1]!) + Math.imul(wb, own[b + 1]!) + HALF) >> WEIGHT_BITS;
        z = (Math.imul(wa, own[a + 2]!) + Math.imul(wb, own[b + 2]!) + HALF) >> WEIGHT_BITS;
      }
      vertices[count] = v;
      steps[3 * count] = own[i] = x + residuals[at]!;
      steps[3 * count + 1] = own[i + 1] = y + residuals[at + 1]!;
      steps[3 * count + 2] = own[i + 2] = z + residuals[at + 2]!;
      at += 3;
      count++;
    }
    if ((bit & 2) !== 0) {
      const source = previous ? previous.own : own;
      vertices[count] = m;
      steps[3 * count] = partner[i] = residuals[at]! - source[i]!;
      steps[3 * count + 1] = partner[i + 1] = source[i + 1]! + residuals[at + 1]!;
      steps[3 * count + 2] = partner[i + 2] = source[i + 2]! + residuals[at + 2]!;
      at += 3;
      count++;
    }
  }
  return count;
}

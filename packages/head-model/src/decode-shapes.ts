/**
 * @module How the displacement fields are packed. Each number is a whole count of steps. A vertex is predicted from vertices
 * that come before it in `order`: from its partner on the other side, or from up to four neighbours; only what the
 * prediction misses is in the file, one byte each with an escape for the few larger ones.
 */

/** Neighbours that predict a vertex. */
export const REFERENCES = 4;
/** Weights of the prediction are whole multiples of 1/4096. */
export const WEIGHT_BITS = 12;
/** Byte that says: the number is too large for a byte, take the next of the escape list. */
export const ESCAPE = 255;

/** Which vertices predict which, the same for every displacement field. */
export interface PredictionTable {
  /** Shape (V): vertices in the order of decoding. */
  readonly order: Uint16Array;
  /** Shape (V), by vertex: 1 = predicted by its partner on the other side. */
  readonly mirrored: Uint8Array;
  /** Shape (V): the partner on the other side. */
  readonly mirrorVertex: Uint16Array;
  /** Shape (V,4), by vertex. */
  readonly references: Uint16Array;
  /** Shape (V,4), by vertex, in 1/4096. */
  readonly weights: Int16Array;
}

/**
 * Unpacks the identity modes.
 *
 * @param parity - shape (K): +1 the mode is the same on both sides, -1 it is opposite
 * @param residuals - shape (3K, V): plane per column (x of all modes, then y, then z), in the order of decoding
 * @param escapes - the numbers that do not fit a byte, in the order of decoding
 * @returns shape (V,3,K), steps
 */
export function decodeModes(table: PredictionTable, parity: Int8Array, residuals: Uint8Array, escapes: Uint16Array): Int16Array {
  const { order, mirrored, mirrorVertex, references, weights } = table;
  const vertexCount = order.length;
  const modes = parity.length;
  const columns = 3 * modes;
  const sign = new Int32Array(columns);
  for (let c = 0; c < columns; c++) sign[c] = c < modes ? -parity[c]! : parity[c % modes]!;
  const out = new Int16Array(vertexCount * columns);
  let nextEscape = 0;
  for (let p = 0; p < vertexCount; p++) {
    const v = order[p]!;
    const base = v * columns;
    if (mirrored[v] === 1) {
      const from = mirrorVertex[v]! * columns;
      for (let c = 0, at = p; c < columns; c++, at += vertexCount) {
        let z = residuals[at]!;
        if (z === ESCAPE) z = escapes[nextEscape++]!;
        out[base + c] = sign[c]! * out[from + c]! + ((z >>> 1) ^ -(z & 1));
      }
    } else {
      const r = REFERENCES * v;
      const r0 = references[r]! * columns;
      const r1 = references[r + 1]! * columns;
      const r2 = references[r + 2]! * columns;
      const r3 = references[r + 3]! * columns;
      const w0 = weights[r]!;
      const w1 = weights[r + 1]!;
      const w2 = weights[r + 2]!;
      const w3 = weights[r + 3]!;
      for (let c = 0, at = p; c < columns; c++, at += vertexCount) {
        let z = residuals[at]!;
        if (z === ESCAPE) z = escapes[nextEscape++]!;
        const sum = w0 * out[r0 + c]! + w1 * out[r1 + c]! + w2 * out[r2 + c]! + w3 * out[r3 + c]!;
        out[base + c] = ((sum + HALF) >> WEIGHT_BITS) + ((z >>> 1) ^ -(z & 1));
      }
    }
  }
  return out;
}

const HALF = 1 << (WEIGHT_BITS - 1);

/** How a field of displacements is predicted: by itself (its own other side), or by the field before it, mirrored. */
export const PREDICT_SELF = 0;
export const PREDICT_PREVIOUS = 1;

/**
 * Unpacks the expression shapes.
 *
 * @param predictors - shape (E): {@link PREDICT_SELF} or {@link PREDICT_PREVIOUS}
 * @param moving - shape (E, ceil(V/8)): bit v of shape e is set where the vertex moves
 * @param residuals - three numbers per moving vertex, in the order of decoding
 * @param escapes - the numbers that do not fit a byte
 * @returns per shape the moving vertices, ascending, and their displacement, shape (M,3), steps
 */
export function decodeExpressions(
  table: PredictionTable,
  predictors: Uint8Array,
  moving: Uint8Array,
  residuals: Uint8Array,
  escapes: Uint16Array,
): { vertices: Uint16Array; steps: Int16Array }[] {
  const { order, mirrored, mirrorVertex, references, weights } = table;
  const vertexCount = order.length;
  const rowBytes = Math.ceil(vertexCount / 8);
  let field = new Int16Array(3 * vertexCount);
  let previous = new Int16Array(3 * vertexCount);
  let nextEscape = 0;
  let at = 0;
  const shapes: { vertices: Uint16Array; steps: Int16Array }[] = [];
  for (let e = 0; e < predictors.length; e++) {
    [field, previous] = [previous, field];
    field.fill(0);
    const row = e * rowBytes;
    const byPrevious = predictors[e] === PREDICT_PREVIOUS;
    let count = 0;
    for (let p = 0; p < vertexCount; p++) {
      const v = order[p]!;
      if ((moving[row + (v >> 3)]! & (1 << (v & 7))) === 0) continue;
      count++;
      const source = byPrevious ? previous : field;
      const fromMirror = byPrevious || mirrored[v] === 1;
      const m = 3 * mirrorVertex[v]!;
      const r = REFERENCES * v;
      for (let d = 0; d < 3; d++) {
        let z = residuals[at++]!;
        if (z === ESCAPE) z = escapes[nextEscape++]!;
        let predicted: number;
        if (fromMirror) predicted = d === 0 ? -source[m]! : source[m + d]!;
        else {
          let sum = HALF;
          for (let k = 0; k < REFERENCES; k++) sum += weights[r + k]! * field[3 * references[r + k]! + d]!;
          predicted = sum >> WEIGHT_BITS;
        }
        field[3 * v + d] = predicted + ((z >>> 1) ^ -(z & 1));
      }
    }
    const vertices = new Uint16Array(count);
    const steps = new Int16Array(3 * count);
    for (let v = 0, i = 0; v < vertexCount; v++) {
      if ((moving[row + (v >> 3)]! & (1 << (v & 7))) === 0) continue;
      vertices[i] = v;
      steps[3 * i] = field[3 * v]!;
      steps[3 * i + 1] = field[3 * v + 1]!;
      steps[3 * i + 2] = field[3 * v + 2]!;
      i++;
    }
    shapes.push({ vertices, steps });
  }
  return shapes;
}

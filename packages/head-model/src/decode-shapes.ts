/**
 * @module How the displacement fields are packed. Each number is a whole count of steps. The mesh is symmetric: one vertex of
 * each pair (and those on the midline) stand in `order`; each is predicted from up to four vertices before it in that order, its
 * partner on the other side from itself. Only what the prediction misses is in the file: one byte each, with an escape for the
 * few larger ones.
 */

/** Vertices that predict a vertex. */
export const REFERENCES = 4;
/** Weights of the prediction are whole multiples of 1/4096. */
export const WEIGHT_BITS = 12;
/** Byte that says: the number is too large for a byte, take the next of the escape list. */
export const ESCAPE = 255;
/** Rows per tile of the packed modes: a tile fits the first-level cache, and its columns are long enough to pack well. */
export const TILE_ROWS = 64;

/** Which vertices predict which, the same for every displacement field. */
export interface PredictionTable {
  /** Shape (R): one vertex of each pair, in the order of decoding. */
  readonly order: Uint16Array;
  /** Shape (V): the partner on the other side. */
  readonly mirrorVertex: Uint16Array;
  /** Shape (R,4): places in `order` before its own; unused ones have weight 0. */
  readonly references: Uint16Array;
  /** Shape (R,4), in 1/4096. */
  readonly weights: Int16Array;
}

const HALF = 1 << (WEIGHT_BITS - 1);

/**
 * Unpacks the identity modes of the first rows of `order`.
 *
 * @param columns - numbers per row and axis
 * @param residuals - tiles of {@link TILE_ROWS} rows, in each tile the columns (3 axes times `columns`) one after the other
 * @param escapes - the numbers that do not fit a byte, row by row
 * @returns shape (rows,3,columns), steps
 */
export function decodeModes(
  table: PredictionTable,
  rows: number,
  columns: number,
  residuals: Uint8Array,
  escapes: Uint16Array,
): Int16Array {
  const { references, weights } = table;
  const width = 3 * columns;
  const out = new Int16Array(rows * width);
  let nextEscape = 0;
  for (let tile = 0; tile < rows; tile += TILE_ROWS) {
    const tileRows = Math.min(TILE_ROWS, rows - tile);
    for (let p = tile; p < tile + tileRows; p++) {
      const r = REFERENCES * p;
      let a = references[r]! * width;
      let b = references[r + 1]! * width;
      let c = references[r + 2]! * width;
      let d = references[r + 3]! * width;
      const wa = weights[r]!;
      const wb = weights[r + 1]!;
      const wc = weights[r + 2]!;
      const wd = weights[r + 3]!;
      let from = tile * width + (p - tile);
      for (let to = p * width, end = to + width; to < end; to++, from += tileRows) {
        let z = residuals[from]!;
        if (z === ESCAPE) z = escapes[nextEscape++]!;
        const predicted = (wa * out[a++]! + wb * out[b++]! + wc * out[c++]! + wd * out[d++]! + HALF) >> WEIGHT_BITS;
        out[to] = predicted + ((z >>> 1) ^ -(z & 1));
      }
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
  const { order, mirrorVertex, references, weights } = table;
  const { predictors, moving, residuals, escapes } = packed;
  const rows = order.length;
  const rowBytes = Math.ceil(rows / 4);
  // Displacements by row: of the vertex itself and of its partner; of this shape and of the one before.
  let own = new Int16Array(3 * rows);
  let partner = new Int16Array(3 * rows);
  let previousOwn = new Int16Array(3 * rows);
  let previousPartner = new Int16Array(3 * rows);
  const vertices = new Uint16Array(2 * rows);
  const steps = new Int16Array(6 * rows);
  let nextEscape = 0;
  let at = 0;
  const next = (): number => {
    let z = residuals[at++]!;
    if (z === ESCAPE) z = escapes[nextEscape++]!;
    return (z >>> 1) ^ -(z & 1);
  };
  return Array.from(predictors, (predictor, e) => {
    [own, previousOwn] = [previousOwn, own];
    [partner, previousPartner] = [previousPartner, partner];
    own.fill(0);
    partner.fill(0);
    let count = 0;
    for (let p = 0; p < rows; p++) {
      const bits = (moving[e * rowBytes + (p >> 2)]! >> (2 * (p & 3))) & 3;
      if (bits === 0) continue;
      const v = order[p]!;
      const m = mirrorVertex[v]!;
      const i = 3 * p;
      if ((bits & 1) !== 0) {
        let x: number;
        let y: number;
        let z: number;
        if (predictor === PREDICT_PREVIOUS) {
          const source = m === v ? previousOwn : previousPartner;
          x = -source[i]!;
          y = source[i + 1]!;
          z = source[i + 2]!;
        } else {
          const r = REFERENCES * p;
          const a = 3 * references[r]!;
          const b = 3 * references[r + 1]!;
          const c = 3 * references[r + 2]!;
          const d = 3 * references[r + 3]!;
          const wa = weights[r]!;
          const wb = weights[r + 1]!;
          const wc = weights[r + 2]!;
          const wd = weights[r + 3]!;
          x = (wa * own[a]! + wb * own[b]! + wc * own[c]! + wd * own[d]! + HALF) >> WEIGHT_BITS;
          y = (wa * own[a + 1]! + wb * own[b + 1]! + wc * own[c + 1]! + wd * own[d + 1]! + HALF) >> WEIGHT_BITS;
          z = (wa * own[a + 2]! + wb * own[b + 2]! + wc * own[c + 2]! + wd * own[d + 2]! + HALF) >> WEIGHT_BITS;
        }
        vertices[count] = v;
        steps[3 * count] = own[i] = x + next();
        steps[3 * count + 1] = own[i + 1] = y + next();
        steps[3 * count + 2] = own[i + 2] = z + next();
        count++;
      }
      if ((bits & 2) !== 0) {
        const source = predictor === PREDICT_PREVIOUS ? previousOwn : own;
        vertices[count] = m;
        steps[3 * count] = partner[i] = -source[i]! + next();
        steps[3 * count + 1] = partner[i + 1] = source[i + 1]! + next();
        steps[3 * count + 2] = partner[i + 2] = source[i + 2]! + next();
        count++;
      }
    }
    return { vertices: vertices.slice(0, count), steps: steps.slice(0, 3 * count) };
  });
}

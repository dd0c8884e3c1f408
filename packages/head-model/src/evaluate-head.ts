import type { AffineBody, HeadModelData, IdentityBasis, SparseShape } from './head-model-data.ts';
import { NO_MODE } from './head-model-data.ts';

/**
 * Vertex positions of a head: neutral + identity modes + expression shapes. The caller has checked the coefficients.
 *
 * @param identity - standard deviations, at most K
 * @param expression - amounts, at most E
 * @param out - shape (V,3), overwritten
 */
export function evaluateHead(
  data: Pick<HeadModelData, 'neutral' | 'mirrorVertex' | 'identity' | 'expressions'>,
  identity: ArrayLike<number>,
  expression: ArrayLike<number>,
  out: Float32Array,
): void {
  let used = identity.length;
  while (used > 0 && identity[used - 1] === 0) used--;
  if (used === 0) out.set(data.neutral);
  else {
    const columns = spreadToColumns(data.identity, identity, used);
    addRows(data, columns, out);
    for (const body of data.identity.bodies) addBody(data, body, columns, out);
  }
  for (let e = 0; e < expression.length; e++) {
    if (expression[e] !== 0) addExpression(data.expressions[e]!, expression[e]!, out);
  }
}

/** out += amount * shape. */
export function addExpression(shape: SparseShape, amount: number, out: Float32Array): void {
  const { vertices, steps } = shape;
  const count = vertices.length;
  const scale = amount * shape.stepMm;
  for (let i = 0; i < count; i++) {
    const at = 3 * vertices[i]!;
    out[at]! += scale * steps[i]!;
    out[at + 1]! += scale * steps[count + i]!;
    out[at + 2]! += scale * steps[2 * count + i]!;
  }
}

/** Coefficients by column, and how many columns of each kind are needed (multiples of four). */
interface ColumnCoefficients {
  readonly values: Float64Array;
  readonly symmetricEnd: number;
  readonly oppositeEnd: number;
}

function spreadToColumns(basis: IdentityBasis, identity: ArrayLike<number>, used: number): ColumnCoefficients {
  const values = new Float64Array(basis.columnCount);
  let symmetricEnd = 0;
  let oppositeEnd = basis.symmetricColumns;
  for (let c = 0; c < basis.columnCount; c++) {
    const k = basis.columnMode[c]!;
    if (k === NO_MODE || k >= used || identity[k] === 0) continue;
    values[c] = identity[k]!;
    if (c < basis.symmetricColumns) symmetricEnd = c + 1;
    else oppositeEnd = c + 1;
  }
  return { values, symmetricEnd: 4 * Math.ceil(symmetricEnd / 4), oppositeEnd: 4 * Math.ceil(oppositeEnd / 4) };
}

/** Sum of coefficient times step over columns [c, end); four sums, so that the additions do not wait for one another. */
function sumColumns(values: Float64Array, steps: Int16Array, row: number, c: number, end: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let at = row + c; c < end; c += 4, at += 4) {
    s0 += values[c]! * steps[at]!;
    s1 += values[c + 1]! * steps[at + 1]!;
    s2 += values[c + 2]! * steps[at + 2]!;
    s3 += values[c + 3]! * steps[at + 3]!;
  }
  return s0 + s1 + (s2 + s3);
}

function addRows(
  data: Pick<HeadModelData, 'neutral' | 'identity'>,
  { values, symmetricEnd, oppositeEnd }: ColumnCoefficients,
  out: Float32Array,
): void {
  const { neutral } = data;
  const { rowVertex, rowPartner, rowStepMm, steps, columnCount, symmetricColumns } = data.identity;
  for (let h = 0, row = 0; h < rowVertex.length; h++) {
    const v = 3 * rowVertex[h]!;
    const m = 3 * rowPartner[h]!;
    const step = rowStepMm[h]!;
    for (let d = 0; d < 3; d++, row += columnCount) {
      const same = step * sumColumns(values, steps, row, 0, symmetricEnd);
      const opposite = step * sumColumns(values, steps, row, symmetricColumns, oppositeEnd);
      // First the partner: a vertex that has none is its own and keeps what is written last.
      out[m + d] = neutral[m + d]! + (d === 0 ? opposite - same : same - opposite);
      out[v + d] = neutral[v + d]! + same + opposite;
    }
  }
}

function addBody(
  data: Pick<HeadModelData, 'neutral' | 'mirrorVertex' | 'identity'>,
  body: AffineBody,
  { values }: ColumnCoefficients,
  out: Float32Array,
): void {
  const { neutral, mirrorVertex } = data;
  const { columnCount, symmetricColumns } = data.identity;
  const same = new Float64Array(12);
  const opposite = new Float64Array(12);
  for (let c = 0; c < columnCount; c++) {
    const value = values[c]!;
    if (value === 0) continue;
    const sum = c < symmetricColumns ? same : opposite;
    for (let i = 0; i < 12; i++) sum[i]! += value * body.columns[12 * c + i]!;
  }
  for (let n = body.firstVertex; n < body.firstVertex + body.vertexCount; n++) {
    const v = 3 * n;
    const m = 3 * mirrorVertex[n]!;
    const x = neutral[v]! - body.center[0];
    const y = neutral[v + 1]! - body.center[1];
    const z = neutral[v + 2]! - body.center[2];
    for (let d = 0; d < 3; d++) {
      const i = 4 * d;
      const s = same[i]! + same[i + 1]! * x + same[i + 2]! * y + same[i + 3]! * z;
      const o = opposite[i]! + opposite[i + 1]! * x + opposite[i + 2]! * y + opposite[i + 3]! * z;
      out[m + d] = neutral[m + d]! + (d === 0 ? o - s : s - o);
      out[v + d] = neutral[v + d]! + s + o;
    }
  }
}

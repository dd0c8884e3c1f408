import type { AffineBody, HeadModelData, IdentityBasis, SparseShape, StepCarries } from './head-model-data.ts';

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

/** Shape (C): the coefficient of each column. */
function spreadToColumns({ columnCount, columnMode }: IdentityBasis, identity: ArrayLike<number>, used: number): Float64Array {
  const values = new Float64Array(columnCount);
  for (let c = 0; c < columnCount; c++) if (columnMode[c]! < used) values[c] = identity[columnMode[c]!]!;
  return values;
}

/** Sum over columns [first, end) of coefficient times column, steps; shape (3,H). */
function sumColumns(basis: IdentityBasis, values: Float64Array, first: number, end: number): Float64Array {
  const { steps, carries, rowVertex } = basis;
  const entries = 3 * rowVertex.length;
  const sum = new Float64Array(entries);
  const used: number[] = [];
  for (let c = first; c < end; c++) if (values[c] !== 0) used.push(c);
  // Four columns at once, so that the sums are read and written a quarter as often; what is missing to four is a column times zero.
  for (let n = 0; n < used.length; n += 4) {
    const four = [0, 1, 2, 3].map((k) => used[n + k] ?? used[n]!);
    const amount = [0, 1, 2, 3].map((k) => (n + k < used.length ? values[used[n + k]!]! : 0));
    const at = four.map((c) => c * entries) as [number, number, number, number];
    for (let i = 0; i < entries; i += 8 * BLOCK) {
      addFourColumns(i, Math.min(i + 8 * BLOCK, entries), sum, steps, ...at, amount[0]!, amount[1]!, amount[2]!, amount[3]!);
    }
  }
  addCarries(sum, carries, values, first, end);
  return sum;
}

/** A function of its own, called many times: it is compiled early, which counts where one photo is all that a process makes. */
function addFourColumns(
  first: number,
  end: number,
  sum: Float64Array,
  steps: Int8Array,
  at0: number,
  at1: number,
  at2: number,
  at3: number,
  a0: number,
  a1: number,
  a2: number,
  a3: number,
): void {
  for (let i = first; i < end; i++) {
    sum[i]! += a0 * steps[at0 + i]! + a1 * steps[at1 + i]! + (a2 * steps[at2 + i]! + a3 * steps[at3 + i]!);
  }
}

function addCarries(sum: Float64Array, { count, place, amount }: StepCarries, values: Float64Array, first: number, end: number): void {
  let n = 0;
  for (let c = 0; c < end; c++) {
    const stop = n + count[c]!;
    if (c >= first && values[c] !== 0) {
      for (let k = n; k < stop; k += BLOCK) addBlock(sum, place, amount, 256 * values[c]!, k, Math.min(k + BLOCK, stop));
    }
    n = stop;
  }
}

/** Entries per call. */
const BLOCK = 512;

function addBlock(sum: Float64Array, place: Uint16Array, amount: Int8Array, value: number, first: number, stop: number): void {
  for (let k = first; k < stop; k++) sum[place[k]!]! += value * amount[k]!;
}

function addRows(data: Pick<HeadModelData, 'neutral' | 'identity'>, values: Float64Array, out: Float32Array): void {
  const { rowVertex, columnCount, symmetricColumns } = data.identity;
  const same = sumColumns(data.identity, values, 0, symmetricColumns);
  const opposite = sumColumns(data.identity, values, symmetricColumns, columnCount);
  const rows = rowVertex.length;
  for (let d = 0; d < 3; d++) {
    for (let h = 0; h < rows; h += BLOCK) writeRows(data, same, opposite, d, h, Math.min(h + BLOCK, rows), out);
  }
}

/** Axis d of the vertices of rows [first, end). */
function writeRows(
  { neutral, identity }: Pick<HeadModelData, 'neutral' | 'identity'>,
  same: Float64Array,
  opposite: Float64Array,
  d: number,
  first: number,
  end: number,
  out: Float32Array,
): void {
  const { rowVertex, rowPartner, rowStepMm } = identity;
  const sign = d === 0 ? -1 : 1;
  for (let h = first, i = d * rowVertex.length + first; h < end; h++, i++) {
    const step = rowStepMm[h]!;
    const s = step * same[i]!;
    const o = step * opposite[i]!;
    const v = 3 * rowVertex[h]! + d;
    const m = 3 * rowPartner[h]! + d;
    // First the partner: a vertex that has none is its own and keeps what is written last.
    out[m] = neutral[m]! + sign * (s - o);
    out[v] = neutral[v]! + s + o;
  }
}

function addBody(
  data: Pick<HeadModelData, 'neutral' | 'mirrorVertex' | 'identity'>,
  body: AffineBody,
  values: Float64Array,
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

/*
 * Products with a dense matrix whose rows are long (shape (n,m), row-major, n about a hundred, m about a thousand). Four rows are taken at
 * once: every number of the vector is then read once for four products, and the four sums do not wait for one another.
 */

/** out[i] = row i of `a` times x, for i < n. */
export function multiplyRows(a: Float64Array, n: number, x: Float64Array, out: Float64Array): void {
  const m = x.length;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const r0 = i * m;
    const r1 = r0 + m;
    const r2 = r1 + m;
    const r3 = r2 + m;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let j = 0; j < m; j++) {
      const v = x[j];
      s0 += a[r0 + j] * v;
      s1 += a[r1 + j] * v;
      s2 += a[r2 + j] * v;
      s3 += a[r3 + j] * v;
    }
    out[i] = s0;
    out[i + 1] = s1;
    out[i + 2] = s2;
    out[i + 3] = s3;
  }
  for (; i < n; i++) {
    let sum = 0;
    for (let j = 0, r = i * m; j < m; j++, r++) sum += a[r] * x[j];
    out[i] = sum;
  }
}

/** out += sum over i in first <= i < last of c[i] times row i of `a`; rows with c = 0 cost nothing. */
export function addRows(a: Float64Array, first: number, last: number, c: Float64Array, out: Float64Array): void {
  const m = out.length;
  const used: number[] = [];
  for (let i = first; i < last; i++) if (c[i] !== 0) used.push(i);
  let k = 0;
  for (; k + 4 <= used.length; k += 4) {
    const r0 = used[k] * m;
    const r1 = used[k + 1] * m;
    const r2 = used[k + 2] * m;
    const r3 = used[k + 3] * m;
    const c0 = c[used[k]];
    const c1 = c[used[k + 1]];
    const c2 = c[used[k + 2]];
    const c3 = c[used[k + 3]];
    for (let j = 0; j < m; j++) out[j] += c0 * a[r0 + j] + c1 * a[r1 + j] + (c2 * a[r2 + j] + c3 * a[r3 + j]);
  }
  for (; k < used.length; k++) {
    const r = used[k] * m;
    const ck = c[used[k]];
    for (let j = 0; j < m; j++) out[j] += ck * a[r + j];
  }
}

/**
 * Weighted Gram matrix of rows: out[i,j] = sum over k of weight[k] a[i,k] a[j,k]. Rows that are mostly zero (shapes that move one part of the
 * face) are multiplied where they are not.
 *
 * @param a - shape (n,m)
 * @param weight - shape (m)
 * @returns shape (n,n), symmetric
 */
export function computeGram(a: Float64Array, n: number, weight: Float64Array): Float64Array {
  const m = weight.length;
  const out = new Float64Array(n * n);
  const dense: number[] = [];
  const places = new Uint16Array(m);
  const weighted = new Float64Array(m);
  for (let i = 0; i < n; i++) {
    const count = listNonzero(a, i * m, weight, places, weighted);
    if (2 * count > m) dense.push(i);
    else multiplyPlaces(a, n, m, places, weighted, count, out, i);
  }
  const rows = new Float64Array(dense.length * m);
  dense.forEach((i, d) => {
    rows.set(a.subarray(i * m, (i + 1) * m), d * m);
  });
  const dots = new Float64Array(dense.length);
  for (let d = 0; d < dense.length; d++) {
    multiply(a, dense[d] * m, weight, weighted);
    multiplyRows(rows, d + 1, weighted, dots);
    for (let e = 0; e <= d; e++) out[dense[d] * n + dense[e]] = out[dense[e] * n + dense[d]] = dots[e];
  }
  return out;
}

/** Where weight times the row that begins at `at` is not zero, and what it is there. @returns how many */
function listNonzero(a: Float64Array, at: number, weight: Float64Array, places: Uint16Array, products: Float64Array): number {
  let count = 0;
  for (let k = 0; k < weight.length; k++) {
    const product = a[at + k] * weight[k];
    if (product === 0) continue;
    places[count] = k;
    products[count++] = product;
  }
  return count;
}

/** Row and column i of the Gram matrix: the products with every row. */
function multiplyPlaces(
  a: Float64Array,
  n: number,
  m: number,
  places: Uint16Array,
  products: Float64Array,
  count: number,
  out: Float64Array,
  i: number,
): void {
  for (let j = 0; j < n; j++) out[i * n + j] = out[j * n + i] = dotPlaces(a, j * m, places, products, count);
}

function dotPlaces(a: Float64Array, at: number, places: Uint16Array, products: Float64Array, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += products[k] * a[at + places[k]];
  return sum;
}

function multiply(a: Float64Array, at: number, b: Float64Array, out: Float64Array): void {
  for (let k = 0; k < out.length; k++) out[k] = a[at + k] * b[k];
}

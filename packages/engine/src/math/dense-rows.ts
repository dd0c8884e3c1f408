/*
 * Product with a dense matrix whose rows are long (shape (n,m), row-major, n about a hundred, m about a thousand). Four rows are taken at
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

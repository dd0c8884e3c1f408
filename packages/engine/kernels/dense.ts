/**
 * Products with a dense matrix of doubles, shape (n,m), row-major. AssemblyScript; called by src/fit/row-kernels.ts.
 */

/** out[i] = row i times x. Four rows at once: every number of x is read once for four products. */
export function multiplyRows(a: usize, n: i32, m: i32, x: usize, out: usize): void {
  const stride = (<usize>m) << 3;
  const pairs = x + (stride & ~15);
  const isOdd = (m & 1) !== 0;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    let r = a + <usize>i * stride;
    let s0 = f64x2.splat(0);
    let s1 = f64x2.splat(0);
    let s2 = f64x2.splat(0);
    let s3 = f64x2.splat(0);
    for (let at = x; at < pairs; at += 16, r += 16) {
      const v = v128.load(at);
      s0 = f64x2.add(s0, f64x2.mul(v128.load(r), v));
      s1 = f64x2.add(s1, f64x2.mul(v128.load(r + stride), v));
      s2 = f64x2.add(s2, f64x2.mul(v128.load(r + 2 * stride), v));
      s3 = f64x2.add(s3, f64x2.mul(v128.load(r + 3 * stride), v));
    }
    if (isOdd) {
      // The last number in the first lane, nothing in the second.
      const v = v128.load64_zero(pairs);
      s0 = f64x2.add(s0, f64x2.mul(v128.load64_zero(r), v));
      s1 = f64x2.add(s1, f64x2.mul(v128.load64_zero(r + stride), v));
      s2 = f64x2.add(s2, f64x2.mul(v128.load64_zero(r + 2 * stride), v));
      s3 = f64x2.add(s3, f64x2.mul(v128.load64_zero(r + 3 * stride), v));
    }
    const to = out + ((<usize>i) << 3);
    store<f64>(to, sumLanes(s0));
    store<f64>(to, sumLanes(s1), 8);
    store<f64>(to, sumLanes(s2), 16);
    store<f64>(to, sumLanes(s3), 24);
  }
  for (; i < n; i++) {
    let r = a + <usize>i * stride;
    let s = f64x2.splat(0);
    for (let at = x; at < pairs; at += 16, r += 16) s = f64x2.add(s, f64x2.mul(v128.load(r), v128.load(at)));
    if (isOdd) s = f64x2.add(s, f64x2.mul(v128.load64_zero(r), v128.load64_zero(pairs)));
    store<f64>(out + ((<usize>i) << 3), sumLanes(s));
  }
}

function sumLanes(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/**
 * out += sum over k of amounts[k] times row rows[k].
 *
 * Where m is odd, one number after the end of `out` is overwritten, and one after the end of a row read.
 *
 * @param rows - i32 (count)
 * @param amounts - f64 (count)
 */
export function addRows(a: usize, m: i32, rows: usize, amounts: usize, count: i32, out: usize): void {
  const stride = (<usize>m) << 3;
  let k = 0;
  for (; k + 4 <= count; k += 4) {
    const at = rows + ((<usize>k) << 2);
    const r0 = a + <usize>load<i32>(at) * stride;
    const r1 = a + <usize>load<i32>(at, 4) * stride;
    const r2 = a + <usize>load<i32>(at, 8) * stride;
    const r3 = a + <usize>load<i32>(at, 12) * stride;
    const by = amounts + ((<usize>k) << 3);
    const c0 = v128.load64_splat(by);
    const c1 = v128.load64_splat(by, 8);
    const c2 = v128.load64_splat(by, 16);
    const c3 = v128.load64_splat(by, 24);
    for (let j: usize = 0; j < stride; j += 16) {
      const first = f64x2.add(f64x2.mul(c0, v128.load(r0 + j)), f64x2.mul(c1, v128.load(r1 + j)));
      const second = f64x2.add(f64x2.mul(c2, v128.load(r2 + j)), f64x2.mul(c3, v128.load(r3 + j)));
      v128.store(out + j, f64x2.add(v128.load(out + j), f64x2.add(first, second)));
    }
  }
  for (; k < count; k++) {
    const r = a + <usize>load<i32>(rows + ((<usize>k) << 2)) * stride;
    const c = v128.load64_splat(amounts + ((<usize>k) << 3));
    for (let j: usize = 0; j < stride; j += 16) v128.store(out + j, f64x2.add(v128.load(out + j), f64x2.mul(c, v128.load(r + j))));
  }
}

/**
 * Weighted Gram matrix: out[i,j] = sum over k of weight[k] a[i,k] a[j,k].
 *
 * Where m is odd, one number after the end of a row and of `weight` is read.
 *
 * @param weighted - f64 (m + 1), for the work in between
 * @param dots - f64 (n), likewise
 * @param out - f64 (n,n)
 */
export function computeGram(a: usize, n: i32, m: i32, weight: usize, weighted: usize, dots: usize, out: usize): void {
  const stride = (<usize>m) << 3;
  for (let i = 0; i < n; i++) {
    const row = a + <usize>i * stride;
    for (let j: usize = 0; j < stride; j += 16) v128.store(weighted + j, f64x2.mul(v128.load(row + j), v128.load(weight + j)));
    multiplyRows(a, i + 1, m, weighted, dots);
    for (let j = 0; j <= i; j++) {
      const dot = load<f64>(dots + ((<usize>j) << 3));
      store<f64>(out + ((<usize>(i * n + j)) << 3), dot);
      store<f64>(out + ((<usize>(j * n + i)) << 3), dot);
    }
  }
}

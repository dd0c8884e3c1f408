/**
 * Cholesky factor L of a symmetric positive definite matrix A = L L^T.
 *
 * @param a - shape (n,n) row-major; only the lower triangle is read
 * @param n - order
 * @param damping - added to the diagonal, same unit as A (Levenberg's damping)
 * @returns shape (n,n) row-major, lower triangle; null where A (with damping) is not positive definite or not finite
 */
export function factorCholesky(a: Float64Array, n: number, damping = 0): Float64Array | null {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const rowI = i * n;
    for (let j = 0; j <= i; j++) {
      const rowJ = j * n;
      let sum = a[rowI + j];
      for (let k = 0; k < j; k++) sum -= l[rowI + k] * l[rowJ + k];
      if (i === j) {
        sum += damping;
        if (!(sum > 0) || sum === Infinity) return null;
        l[rowI + i] = Math.sqrt(sum);
      } else {
        l[rowI + j] = sum / l[rowJ + j];
      }
    }
  }
  return l;
}

/** Solves L L^T x = b in place: `b` becomes x. `l` is what {@link factorCholesky} returned. */
export function solveCholesky(l: Float64Array, n: number, b: Float64Array): Float64Array {
  for (let i = 0; i < n; i++) {
    let sum = b[i];
    for (let k = 0; k < i; k++) sum -= l[i * n + k] * b[k];
    b[i] = sum / l[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    const x = (b[i] /= l[i * n + i]);
    for (let k = 0; k < i; k++) b[k] = b[k] - l[i * n + k] * x;
  }
  return b;
}

/** Inverse of a symmetric positive definite matrix, shape (n,n), exactly symmetric; null where it has none. */
export function invertPositiveDefinite(a: Float64Array, n: number): Float64Array | null {
  const l = factorCholesky(a, n);
  if (l === null) return null;
  const inverse = new Float64Array(n * n);
  const column = new Float64Array(n);
  for (let j = 0; j < n; j++) {
    column.fill(0);
    column[j] = 1;
    solveCholesky(l, n, column);
    for (let i = 0; i <= j; i++) inverse[i * n + j] = inverse[j * n + i] = column[i];
  }
  return inverse;
}

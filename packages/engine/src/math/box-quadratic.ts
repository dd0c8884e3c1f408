/**
 * Minimises 1/2 x^T A x + g^T x subject to low <= x <= high by cyclic coordinate descent.
 *
 * A is symmetric positive definite, so the minimum is unique and the method converges from every start (Bertsekas,
 * Nonlinear Programming, 2nd ed., prop. 2.7.1).
 *
 * @param a - shape (n,n) row-major
 * @param g - shape (n)
 * @param x - shape (n), start (clamped into the box) and result
 * @param toleranceX - ends when no coordinate moved further in one sweep
 * @returns sweeps used
 */
export function solveBoxQuadratic(
  a: Float64Array,
  g: Float64Array,
  low: Float64Array,
  high: Float64Array,
  x: Float64Array,
  toleranceX: number,
  maxSweeps = 200,
): number {
  const n = x.length;
  // gradient = A x + g, kept up to date: one column of A per move instead of a product per coordinate
  const gradient = g.slice();
  for (let i = 0; i < n; i++) {
    const xi = Math.min(high[i], Math.max(low[i], x[i]));
    x[i] = xi;
    if (xi !== 0) for (let j = 0; j < n; j++) gradient[j] = gradient[j] + a[i * n + j] * xi;
  }
  let sweep = 0;
  while (sweep < maxSweeps) {
    sweep++;
    let moved = 0;
    for (let i = 0; i < n; i++) {
      const old = x[i];
      const next = Math.min(high[i], Math.max(low[i], old - gradient[i] / a[i * n + i]));
      const step = next - old;
      if (step === 0) continue;
      x[i] = next;
      moved = Math.max(moved, Math.abs(step));
      const row = i * n;
      for (let j = 0; j < n; j++) gradient[j] = gradient[j] + a[row + j] * step;
    }
    if (moved <= toleranceX) break;
  }
  return sweep;
}

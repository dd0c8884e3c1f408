/** Moves a point, millimetres. */
export type Warp = (p: readonly [number, number, number]) => [number, number, number];

/**
 * Smooth deformation of space that takes the points `from` to the points `to`: an affine map plus the radial functions |r|
 * (the biharmonic spline in three dimensions; Carr et al. 2001).
 *
 * @param from - shape (N,3)
 * @param to - shape (N,3)
 * @param stiffness - 0 meets every point; larger smooths, millimetres
 */
export function fitSmoothWarp(from: Float64Array, to: Float64Array, stiffness: number): Warp {
  const n = from.length / 3;
  const size = n + 4;
  const m = new Float64Array(size * (size + 3));
  const width = size + 3;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) m[i * width + j] = i === j ? -stiffness : distance(from, i, from, j);
    m[i * width + n] = 1;
    m[n * width + i] = 1;
    for (let d = 0; d < 3; d++) {
      m[i * width + n + 1 + d] = from[3 * i + d]!;
      m[(n + 1 + d) * width + i] = from[3 * i + d]!;
      m[i * width + size + d] = to[3 * i + d]!;
    }
  }
  solveInPlace(m, size, 3);
  return (p) => {
    const out: [number, number, number] = [0, 0, 0];
    for (let d = 0; d < 3; d++) {
      let s = m[n * width + size + d]!;
      for (let k = 0; k < 3; k++) s += p[k]! * m[(n + 1 + k) * width + size + d]!;
      for (let i = 0; i < n; i++) {
        const r = Math.hypot(p[0] - from[3 * i]!, p[1] - from[3 * i + 1]!, p[2] - from[3 * i + 2]!);
        s += r * m[i * width + size + d]!;
      }
      out[d] = s;
    }
    return out;
  };
}

function distance(a: Float64Array, i: number, b: Float64Array, j: number): number {
  return Math.hypot(a[3 * i]! - b[3 * j]!, a[3 * i + 1]! - b[3 * j + 1]!, a[3 * i + 2]! - b[3 * j + 2]!);
}

/** Gauss-Jordan elimination with row pivoting of (size, size + right) numbers; the solutions stand in the last columns. */
function solveInPlace(m: Float64Array, size: number, right: number): void {
  const width = size + right;
  for (let c = 0; c < size; c++) {
    let pivot = c;
    for (let r = c + 1; r < size; r++) if (Math.abs(m[r * width + c]!) > Math.abs(m[pivot * width + c]!)) pivot = r;
    if (m[pivot * width + c] === 0) throw new Error('the points of the warp are degenerate');
    for (let k = 0; k < width; k++) [m[c * width + k], m[pivot * width + k]] = [m[pivot * width + k]!, m[c * width + k]!];
    const scale = 1 / m[c * width + c]!;
    for (let k = c; k < width; k++) m[c * width + k]! *= scale;
    for (let r = 0; r < size; r++) {
      const f = m[r * width + c]!;
      if (r === c || f === 0) continue;
      for (let k = c; k < width; k++) m[r * width + k]! -= f * m[c * width + k]!;
    }
  }
}

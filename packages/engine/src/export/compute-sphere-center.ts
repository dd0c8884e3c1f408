/**
 * Computes the centre of the sphere through points, in the least-squares sense.
 *
 * Minimises Σ(|p|² − 2 c·p − d)² over c and d (algebraic fit), which is linear: exact for points on a sphere, and good for an
 * eyeball of which at least half is there.
 *
 * @param positions - shape (V,3)
 * @param vertices - which of them, at least 4 that are not in a plane
 * @returns x, y, z in the unit of `positions`; the mean of the points where they lie in a plane
 *
 * Source: own derivation (normal equations of the linearised sphere), see also Coope, "Circle fitting by linear and nonlinear least
 * squares", J. Optim. Theory Appl. 76 (1993), eq. 4.
 */
export function computeSphereCenter(positions: ArrayLike<number>, vertices: ArrayLike<number>): [number, number, number] {
  const n = vertices.length;
  let mx = 0;
  let my = 0;
  let mz = 0;
  for (let i = 0; i < n; i++) {
    const v = 3 * vertices[i]!;
    mx += positions[v]! / n;
    my += positions[v + 1]! / n;
    mz += positions[v + 2]! / n;
  }
  // About the mean, d separates: (Σ q qᵀ) c = ½ Σ q |q|².
  let xx = 0;
  let xy = 0;
  let xz = 0;
  let yy = 0;
  let yz = 0;
  let zz = 0;
  let bx = 0;
  let by = 0;
  let bz = 0;
  for (let i = 0; i < n; i++) {
    const v = 3 * vertices[i]!;
    const x = positions[v]! - mx;
    const y = positions[v + 1]! - my;
    const z = positions[v + 2]! - mz;
    const half = (x * x + y * y + z * z) / 2;
    xx += x * x;
    xy += x * y;
    xz += x * z;
    yy += y * y;
    yz += y * z;
    zz += z * z;
    bx += x * half;
    by += y * half;
    bz += z * half;
  }
  const cxx = yy * zz - yz * yz;
  const cxy = xz * yz - xy * zz;
  const cxz = xy * yz - xz * yy;
  const det = xx * cxx + xy * cxy + xz * cxz;
  // Relative to the largest possible determinant of this trace: a plane leaves only rounding.
  if (!(det > 1e-9 * ((xx + yy + zz) / 3) ** 3)) return [mx, my, mz];
  const cyy = xx * zz - xz * xz;
  const cyz = xy * xz - xx * yz;
  const czz = xx * yy - xy * xy;
  return [
    mx + (cxx * bx + cxy * by + cxz * bz) / det,
    my + (cxy * bx + cyy * by + cyz * bz) / det,
    mz + (cxz * bx + cyz * by + czz * bz) / det,
  ];
}

/** A place on a triangle mesh. */
export interface SurfacePoint {
  readonly triangle: number;
  readonly barycentric: readonly [number, number, number];
  readonly point: Vec3;
  readonly distance: number;
}

export type Vec3 = [number, number, number];

/** Finds nearest points of a mesh. */
export interface SurfaceSearch {
  /**
   * @param normal - only triangles that face at most 60 degrees away from it count. @default all
   * @returns null where no triangle within `reach` counts
   */
  find(p: Vec3, reach: number, normal?: Vec3): SurfacePoint | null;
  /** Nearest, without limits. */
  nearest(p: Vec3): SurfacePoint;
}

/** @param positions - shape (V,3) @param triangles - shape (T,3) */
export function createSurfaceSearch(positions: Float64Array, triangles: Uint32Array): SurfaceSearch {
  const count = triangles.length / 3;
  const corner = (t: number, c: number): Vec3 => at(positions, triangles[3 * t + c]!);
  const normals = new Float64Array(3 * count);
  // A triangle lies within `radius` of its first corner.
  const radius = new Float64Array(count);
  for (let t = 0; t < count; t++) {
    const a = corner(t, 0);
    const ab = sub(corner(t, 1), a);
    const ac = sub(corner(t, 2), a);
    const n = normalize(cross(ab, ac));
    normals.set(n, 3 * t);
    radius[t] = Math.max(length(ab), length(ac));
  }
  const find = (p: Vec3, reach: number, normal?: Vec3): SurfacePoint | null => {
    let best: SurfacePoint | null = null;
    let limit = reach;
    for (let t = 0; t < count; t++) {
      const i = 3 * triangles[3 * t]!;
      const x = positions[i]! - p[0];
      const y = positions[i + 1]! - p[1];
      const z = positions[i + 2]! - p[2];
      const bound = limit + radius[t]!;
      if (x * x + y * y + z * z > bound * bound) continue;
      if (normal && normals[3 * t]! * normal[0] + normals[3 * t + 1]! * normal[1] + normals[3 * t + 2]! * normal[2] < 0.5) continue;
      const [a, b, c] = [corner(t, 0), corner(t, 1), corner(t, 2)];
      const w = closestOnTriangle(p, a, b, c);
      const point: Vec3 = [0, 1, 2].map((d) => w[0] * a[d]! + w[1] * b[d]! + w[2] * c[d]!) as Vec3;
      const distance = length(sub(point, p));
      if (distance < limit || (distance === limit && !best)) {
        limit = distance;
        best = { triangle: t, barycentric: w, point, distance };
      }
    }
    return best;
  };
  return { find, nearest: (p) => find(p, Number.POSITIVE_INFINITY)! };
}

export const at = (x: ArrayLike<number>, i: number): Vec3 => [x[3 * i]!, x[3 * i + 1]!, x[3 * i + 2]!];
export const sub = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const length = (a: Vec3): number => Math.hypot(a[0], a[1], a[2]);
export const cross = (a: Vec3, b: Vec3): Vec3 => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
export const normalize = (a: Vec3): Vec3 => {
  const scale = 1 / (length(a) || 1);
  return [a[0] * scale, a[1] * scale, a[2] * scale];
};
const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** Barycentric coordinates of the point of a triangle nearest to p (Ericson, Real-Time Collision Detection, 5.1.5). */
function closestOnTriangle(p: Vec3, a: Vec3, b: Vec3, c: Vec3): Vec3 {
  const ab = sub(b, a);
  const ac = sub(c, a);
  const ap = sub(p, a);
  const d1 = dot(ab, ap);
  const d2 = dot(ac, ap);
  if (d1 <= 0 && d2 <= 0) return [1, 0, 0];
  const bp = sub(p, b);
  const d3 = dot(ab, bp);
  const d4 = dot(ac, bp);
  if (d3 >= 0 && d4 <= d3) return [0, 1, 0];
  const vc = d1 * d4 - d3 * d2;
  if (vc <= 0 && d1 >= 0 && d3 <= 0) return [1 - d1 / (d1 - d3), d1 / (d1 - d3), 0];
  const cp = sub(p, c);
  const d5 = dot(ab, cp);
  const d6 = dot(ac, cp);
  if (d6 >= 0 && d5 <= d6) return [0, 0, 1];
  const vb = d5 * d2 - d1 * d6;
  if (vb <= 0 && d2 >= 0 && d6 <= 0) return [1 - d2 / (d2 - d6), 0, d2 / (d2 - d6)];
  const va = d3 * d6 - d5 * d4;
  if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) {
    const w = (d4 - d3) / (d4 - d3 + (d5 - d6));
    return [0, 1 - w, w];
  }
  const scale = 1 / (va + vb + vc);
  return [1 - (vb + vc) * scale, vb * scale, vc * scale];
}

import { at, createSurfaceSearch, cross, length, normalize, sub, type Vec3 } from './closest-point.ts';
import type { Anchor } from './landmark-anchors.ts';

/** The network's canonical face mesh, as far as the generator needs it. */
export interface CanonicalMesh {
  /** Shape (468,3), centimetres. */
  readonly positionsCm: Float32Array;
  /** Shape (898,3) */
  readonly triangles: Uint32Array;
}

/** Pull of an anchor relative to that of the surface. */
const ANCHOR_WEIGHT = 10;
/** Resistance to uneven displacement, from stiff to soft; each value is used twice. */
const STIFFNESS = [100, 50, 20, 10, 5, 2, 1];
/** A vertex is drawn to surface within this distance only, millimetres (beyond it, it is another part of the face). */
const REACH_MM = 12;
/** Distance at which the pull of the surface is halved: single vertices that do not fit (nostrils) follow their neighbours. */
const HALF_PULL_MM = 4;

/**
 * Lays the canonical mesh onto the head: a similarity from the anchors, then a displacement that is drawn to the anchors and to
 * the nearest surface that faces the same way, and kept smooth by its Laplacian on the mesh (non-rigid registration in the manner
 * of Amberg, Romdhani, Vetter 2007, with displacements instead of affine maps).
 *
 * @param surface - positions and triangles of the face
 * @returns shape (468,3), millimetres: near the surface, not exactly on it
 */
export function fitCanonicalMesh(
  canonical: CanonicalMesh,
  anchors: readonly Anchor[],
  surface: { readonly positions: Float64Array; readonly triangles: Uint32Array },
): Float64Array {
  const start = alignSimilarity(canonical.positionsCm, anchors);
  const count = start.length / 3;
  const search = createSurfaceSearch(surface.positions, surface.triangles);
  const smooth = createBilaplacian(canonical.triangles, count);
  const anchored = new Map(anchors.map((a) => [a.landmark, a.point]));
  const positions = Float64Array.from(start);
  for (const stiffness of STIFFNESS) {
    for (let repeat = 0; repeat < 2; repeat++) {
      const normals = computeNormals(positions, canonical.triangles);
      const matrix = smooth.map((x) => stiffness * x);
      const right = new Float64Array(3 * count);
      for (let i = 0; i < count; i++) {
        const fixed = anchored.get(i);
        const found = fixed ? null : search.find(at(positions, i), REACH_MM, at(normals, i));
        const target = fixed ?? found?.point;
        if (!target) continue;
        const weight = fixed ? ANCHOR_WEIGHT : 1 / (1 + (found!.distance / HALF_PULL_MM) ** 2);
        matrix[i * count + i]! += weight;
        for (let d = 0; d < 3; d++) right[3 * i + d] = weight * (target[d]! - start[3 * i + d]!);
      }
      const displacement = solveSymmetric(matrix, right, count);
      for (let i = 0; i < positions.length; i++) positions[i] = start[i]! + displacement[i]!;
    }
  }
  return positions;
}

/** Scale, turn about the x axis and shift: all that a symmetric face can differ by (least squares, closed form). */
function alignSimilarity(canonicalCm: Float32Array, anchors: readonly Anchor[]): Float64Array {
  const from = [0, 0, 0];
  const to = [0, 0, 0];
  for (const { landmark, point } of anchors) {
    for (let d = 1; d < 3; d++) {
      from[d]! += (10 * canonicalCm[3 * landmark + d]!) / anchors.length;
      to[d]! += point[d]! / anchors.length;
    }
  }
  let xx = 0;
  let cosine = 0;
  let sine = 0;
  let square = 0;
  for (const { landmark, point } of anchors) {
    const [x, y, z] = [0, 1, 2].map((d) => 10 * canonicalCm[3 * landmark + d]! - from[d]!) as Vec3;
    const [u, v, w] = [point[0], point[1] - to[1]!, point[2] - to[2]!];
    xx += x * u;
    cosine += y * v + z * w;
    sine += y * w - z * v;
    square += x * x + y * y + z * z;
  }
  const turn = Math.atan2(sine, cosine);
  const c = Math.cos(turn);
  const s = Math.sin(turn);
  const scale = (xx + c * cosine + s * sine) / square;
  const out = new Float64Array(canonicalCm.length);
  for (let i = 0; i < canonicalCm.length; i += 3) {
    const y = 10 * canonicalCm[i + 1]! - from[1]!;
    const z = 10 * canonicalCm[i + 2]! - from[2]!;
    out[i] = scale * 10 * canonicalCm[i]!;
    out[i + 1] = scale * (c * y - s * z) + to[1]!;
    out[i + 2] = scale * (s * y + c * z) + to[2]!;
  }
  return out;
}

/** L'L of the uniform Laplacian of a mesh, shape (N,N). */
function createBilaplacian(triangles: Uint32Array, count: number): Float64Array {
  const neighbours: Set<number>[] = Array.from({ length: count }, () => new Set());
  for (let t = 0; t < triangles.length; t++) {
    const next = t % 3 === 2 ? t - 2 : t + 1;
    neighbours[triangles[t]!]!.add(triangles[next]!);
    neighbours[triangles[next]!]!.add(triangles[t]!);
  }
  const out = new Float64Array(count * count);
  neighbours.forEach((around, i) => {
    const row = new Map([...around].map((j) => [j, -1 / around.size]));
    row.set(i, 1);
    for (const [a, x] of row) for (const [b, y] of row) out[a * count + b]! += x * y;
  });
  return out;
}

function computeNormals(positions: Float64Array, triangles: Uint32Array): Float64Array {
  const out = new Float64Array(positions.length);
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => at(positions, triangles[t + k]!)) as [Vec3, Vec3, Vec3];
    const n = cross(sub(b, a), sub(c, a));
    for (let k = 0; k < 3; k++) for (let d = 0; d < 3; d++) out[3 * triangles[t + k]! + d]! += n[d]!;
  }
  for (let i = 0; i < out.length / 3; i++) {
    const n = at(out, i);
    if (length(n) > 0) out.set(normalize(n), 3 * i);
  }
  return out;
}

/** Solves a symmetric positive definite system for three right-hand sides, shape (N,3), by Cholesky's method; the matrix is lost. */
function solveSymmetric(matrix: Float64Array, right: Float64Array, count: number): Float64Array {
  for (let j = 0; j < count; j++) {
    for (let i = j; i < count; i++) {
      let sum = matrix[i * count + j]!;
      for (let k = 0; k < j; k++) sum -= matrix[i * count + k]! * matrix[j * count + k]!;
      if (i === j && sum <= 0) throw new Error('the registration is degenerate');
      matrix[i * count + j] = i === j ? Math.sqrt(sum) : sum / matrix[j * count + j]!;
    }
  }
  const x = Float64Array.from(right);
  for (let d = 0; d < 3; d++) {
    for (let i = 0; i < count; i++) {
      let sum = x[3 * i + d]!;
      for (let k = 0; k < i; k++) sum -= matrix[i * count + k]! * x[3 * k + d]!;
      x[3 * i + d] = sum / matrix[i * count + i]!;
    }
    for (let i = count - 1; i >= 0; i--) {
      let sum = x[3 * i + d]!;
      for (let k = i + 1; k < count; k++) sum -= matrix[k * count + i]! * x[3 * k + d]!;
      x[3 * i + d] = sum / matrix[i * count + i]!;
    }
  }
  return x;
}

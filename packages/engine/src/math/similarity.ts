import { rotationFromQuaternion } from './rotation.ts';

/** dst = scale * rotation * src + translation. */
export interface Similarity {
  readonly scale: number;
  /** Shape (3,3) row-major, det +1. */
  readonly rotation: Float64Array;
  /** Shape (3) */
  readonly translation: Float64Array;
}

/**
 * The similarity that takes `src` to `dst` with the least weighted squared distance.
 *
 * Closed form: Horn, "Closed-form solution of absolute orientation using unit quaternions", JOSA A 4 (1987): the rotation is
 * the eigenvector of the largest eigenvalue of his matrix N; the scale is the one of Umeyama (1991), which minimises the error in
 * `dst`: sum w (dst . R src) / sum w |src|^2 (both centred).
 *
 * @param src - shape (n,3)
 * @param dst - shape (n,3)
 * @param weights - shape (n), >= 0
 * @returns null where fewer than three points that are not on one line carry weight, or a number is not finite
 */
export function estimateSimilarity(src: Float64Array, dst: Float64Array, weights: Float64Array): Similarity | null {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i];
  if (!(sum > 0)) return null;
  const cs = computeCentroid(src, weights, sum);
  const cd = computeCentroid(dst, weights, sum);
  const m = new Float64Array(11);
  for (let i = 0; i < weights.length; i++) addProducts(src, dst, 3 * i, weights[i], cs, cd, m);
  const srcSq = m[9];
  const dstSq = m[10];
  if (!(srcSq > 0) || !(dstSq > 0) || !Number.isFinite(srcSq * dstSq)) return null;
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = m as unknown as number[];
  // prettier-ignore
  const horn = Float64Array.of(
    xx! + yy! + zz!,
    yz! - zy!,
    zx! - xz!,
    xy! - yx!,
    yz! - zy!,
    xx! - yy! - zz!,
    xy! + yx!,
    zx! + xz!,
    zx! - xz!,
    xy! + yx!,
    yy! - xx! - zz!,
    yz! + zy!,
    xy! - yx!,
    zx! + xz!,
    yz! + zy!,
    zz! - xx! - yy!,
  );
  const { values, vectors } = computeSymmetricEigen(horn, 4);
  // Two equal largest eigenvalues: a line, or a mirror image, leaves the rotation open.
  if (!(values[0] - values[1] > 1e-9 * Math.sqrt(srcSq * dstSq))) return null;
  const r = rotationFromQuaternion([vectors[0], vectors[4], vectors[8], vectors[12]]);
  const scale = values[0] / srcSq;
  const translation = new Float64Array(3);
  for (let k = 0; k < 3; k++) {
    translation[k] = cd[k] - scale * (r[3 * k] * cs[0] + r[3 * k + 1] * cs[1] + r[3 * k + 2] * cs[2]);
  }
  return { scale, rotation: r, translation };
}

function computeCentroid(points: Float64Array, weights: Float64Array, sum: number): Float64Array {
  const out = new Float64Array(3);
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i];
    out[0] += w * points[3 * i];
    out[1] += w * points[3 * i + 1];
    out[2] += w * points[3 * i + 2];
  }
  for (let k = 0; k < 3; k++) out[k] /= sum;
  return out;
}

/** m += w times (products of the centred points, shape (3,3); square of `src`; square of `dst`), for the points that begin at `at`. */
function addProducts(
  src: Float64Array,
  dst: Float64Array,
  at: number,
  w: number,
  cs: Float64Array,
  cd: Float64Array,
  m: Float64Array,
): void {
  const ax = src[at] - cs[0];
  const ay = src[at + 1] - cs[1];
  const az = src[at + 2] - cs[2];
  const bx = dst[at] - cd[0];
  const by = dst[at + 1] - cd[1];
  const bz = dst[at + 2] - cd[2];
  m[0] += w * ax * bx;
  m[1] += w * ax * by;
  m[2] += w * ax * bz;
  m[3] += w * ay * bx;
  m[4] += w * ay * by;
  m[5] += w * ay * bz;
  m[6] += w * az * bx;
  m[7] += w * az * by;
  m[8] += w * az * bz;
  m[9] += w * (ax * ax + ay * ay + az * az);
  m[10] += w * (bx * bx + by * by + bz * bz);
}

/** Applies a similarity to points of shape (n,3). */
export function applySimilarity(s: Similarity, src: Float64Array, out: Float64Array = new Float64Array(src.length)): Float64Array {
  const r = s.rotation;
  for (let i = 0; i < src.length; i += 3) {
    const x = s.scale * src[i];
    const y = s.scale * src[i + 1];
    const z = s.scale * src[i + 2];
    out[i] = r[0] * x + r[1] * y + r[2] * z + s.translation[0];
    out[i + 1] = r[3] * x + r[4] * y + r[5] * z + s.translation[1];
    out[i + 2] = r[6] * x + r[7] * y + r[8] * z + s.translation[2];
  }
  return out;
}

/**
 * Eigenvalues (falling) and eigenvectors (columns) of a symmetric matrix by cyclic Jacobi rotations (Golub & Van Loan,
 * Matrix Computations, 4th ed., algorithm 8.5.3). For small matrices.
 *
 * @param a - shape (n,n), symmetric; not changed
 */
export function computeSymmetricEigen(a: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const m = a.slice();
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < 50; sweep++) {
    let off = 0;
    let all = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const sq = m[i * n + j] * m[i * n + j];
        all += sq;
        if (i !== j) off += sq;
      }
    }
    if (!(off > 1e-30 * all)) break;
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) {
        const apq = m[p * n + q];
        if (apq === 0) continue;
        const theta = (m[q * n + q] - m[p * n + p]) / (2 * apq);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const kp = m[k * n + p];
          const kq = m[k * n + q];
          m[k * n + p] = c * kp - s * kq;
          m[k * n + q] = s * kp + c * kq;
        }
        for (let k = 0; k < n; k++) {
          const pk = m[p * n + k];
          const qk = m[q * n + k];
          m[p * n + k] = c * pk - s * qk;
          m[q * n + k] = s * pk + c * qk;
          const vp = v[k * n + p];
          const vq = v[k * n + q];
          v[k * n + p] = c * vp - s * vq;
          v[k * n + q] = s * vp + c * vq;
        }
      }
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => m[j * n + j] - m[i * n + i]);
  const values = Float64Array.from(order, (i) => m[i * n + i]);
  const vectors = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    for (let j = 0; j < n; j++) vectors[k * n + j] = v[k * n + order[j]];
  }
  return { values, vectors };
}

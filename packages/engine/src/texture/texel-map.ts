import type { FaceModel } from '../models/face-model.ts';

/** Marks a texel that no triangle covers. */
export const NO_TRIANGLE = 0xffff;

/**
 * Which triangle paints each texel of one texture, and how attributes run over it. Barycentric weights are not kept: within a
 * triangle everything that is interpolated is affine in the texel's column and row, so that three numbers per triangle and
 * attribute ({@link computeTexelGradients}) replace two per texel.
 */
export interface TexelMap {
  /** Texels per side. Texel (column j, row i) has its centre at u = (j + 0.5) / size, v = (i + 0.5) / size. */
  readonly size: number;
  /** Shape (size,size): place in `triangles` of the triangle, {@link NO_TRIANGLE} where there is none. Includes the margin. */
  readonly triangle: Uint16Array;
  /** Texels whose centre lies in a triangle (the margin does not count). */
  readonly covered: number;
  /** Shape (N): triangle of the model. */
  readonly triangles: Uint32Array;
  /** Shape (N,6): u0, v0 (0..1) of the first corner, then the inverse of [[u1-u0, u2-u0], [v1-v0, v2-v0]] row-major; all zero where the triangle has no area in UV. */
  readonly frames: Float64Array;
}

/** A run of triangles. */
export interface TriangleRange {
  readonly firstTriangle: number;
  readonly triangleCount: number;
}

/**
 * Rasterises the triangles of `ranges` in UV space.
 *
 * @param marginTexels - islands are widened by this many texels, each taking the triangle of its neighbour (whose attributes
 * run on beyond its edge): bilinear lookups at island borders then never meet an unpainted texel.
 */
export function createTexelMap(model: FaceModel, ranges: readonly TriangleRange[], size: number, marginTexels: number): TexelMap {
  let count = 0;
  for (const range of ranges) count += range.triangleCount;
  const triangles = new Uint32Array(count);
  let n = 0;
  for (const range of ranges) for (let t = 0; t < range.triangleCount; t++) triangles[n++] = range.firstTriangle + t;
  if (count >= NO_TRIANGLE) throw new RangeError(`A texture is painted from at most ${NO_TRIANGLE - 1} triangles, not ${count}`);

  const triangle = new Uint16Array(size * size).fill(NO_TRIANGLE);
  for (let i = 0; i < count; i++) fillTriangle(model, triangles[i], i, size, triangle);
  let covered = 0;
  for (let p = 0; p < triangle.length; p++) if (triangle[p] !== NO_TRIANGLE) covered++;
  widenIslands(triangle, size, marginTexels);
  return { size, triangle, covered, triangles, frames: computeFrames(model, triangles) };
}

/**
 * Coefficients (N,3) of one per-vertex attribute: value at column x, row y (texel centres at + 0.5) = c0 * (x + 0.5) + c1 * (y + 0.5) + c2.
 *
 * @param values - shape (V, stride), the attribute is column `offset`
 */
export function computeTexelGradients(
  map: TexelMap,
  modelTriangles: Uint32Array,
  values: ArrayLike<number>,
  stride: number,
  offset: number,
  out: Float64Array = new Float64Array(3 * map.triangles.length),
): Float64Array {
  const { triangles, frames, size } = map;
  const inverseSize = 1 / size;
  for (let i = 0; i < triangles.length; i++) {
    const t = 3 * triangles[i];
    const a = values[modelTriangles[t] * stride + offset];
    const d1 = values[modelTriangles[t + 1] * stride + offset] - a;
    const d2 = values[modelTriangles[t + 2] * stride + offset] - a;
    const f = 6 * i;
    // Barycentric weights are inverse * (uv - uv0); the gradient in u and v is the sum over the second and third corner.
    const gu = d1 * frames[f + 2] + d2 * frames[f + 4];
    const gv = d1 * frames[f + 3] + d2 * frames[f + 5];
    out[3 * i] = gu * inverseSize;
    out[3 * i + 1] = gv * inverseSize;
    out[3 * i + 2] = a - gu * frames[f] - gv * frames[f + 1];
  }
  return out;
}

/** Values of a per-vertex attribute on every texel; `fallback` where no triangle is. */
export function rasterizeAttribute(
  map: TexelMap,
  modelTriangles: Uint32Array,
  values: ArrayLike<number>,
  stride: number,
  offset: number,
  fallback: number,
  out: Float32Array = new Float32Array(map.size * map.size),
): Float32Array {
  const gradients = computeTexelGradients(map, modelTriangles, values, stride, offset);
  const { size, triangle } = map;
  for (let row = 0, p = 0; row < size; row++) {
    const y = row + 0.5;
    for (let column = 0; column < size; column++, p++) {
      const t = triangle[p];
      out[p] = t === NO_TRIANGLE ? fallback : gradients[3 * t] * (column + 0.5) + gradients[3 * t + 1] * y + gradients[3 * t + 2];
    }
  }
  return out;
}

/**
 * Gives the texels whose centres lie in one UV triangle its number, row by row. Only the number is wanted here, so that a span is one fill: several times
 * faster than the general rasteriser. An edge crosses a row at the same place for both triangles that share it (its ends are always taken
 * in the order of v), and a centre exactly there belongs to the right one: no gaps, nothing twice.
 */
function fillTriangle(model: FaceModel, modelTriangle: number, number: number, size: number, out: Uint16Array): void {
  const { uvs, triangleUvs } = model;
  const a = 2 * triangleUvs[3 * modelTriangle];
  const b = 2 * triangleUvs[3 * modelTriangle + 1];
  const c = 2 * triangleUvs[3 * modelTriangle + 2];
  let x0 = uvs[a] * size;
  let y0 = uvs[a + 1] * size;
  let x1 = uvs[b] * size;
  let y1 = uvs[b + 1] * size;
  let x2 = uvs[c] * size;
  let y2 = uvs[c + 1] * size;
  // Corners from top to bottom (equal heights: from left to right).
  let s = 0;
  if (y1 < y0 || (y1 === y0 && x1 < x0)) {
    s = x0;
    x0 = x1;
    x1 = s;
    s = y0;
    y0 = y1;
    y1 = s;
  }
  if (y2 < y0 || (y2 === y0 && x2 < x0)) {
    s = x0;
    x0 = x2;
    x2 = s;
    s = y0;
    y0 = y2;
    y2 = s;
  }
  if (y2 < y1 || (y2 === y1 && x2 < x1)) {
    s = x1;
    x1 = x2;
    x2 = s;
    s = y1;
    y1 = y2;
    y2 = s;
  }
  const first = Math.max(0, Math.ceil(y0 - 0.5));
  const last = Math.min(size - 1, Math.ceil(y2 - 0.5) - 1);
  const long = (x2 - x0) / (y2 - y0);
  const upper = (x1 - x0) / (y1 - y0);
  const lower = (x2 - x1) / (y2 - y1);
  for (let row = first; row <= last; row++) {
    const y = row + 0.5;
    const p = x0 + (y - y0) * long;
    const q = y < y1 ? x0 + (y - y0) * upper : x1 + (y - y1) * lower;
    const from = Math.max(0, Math.ceil((p < q ? p : q) - 0.5));
    const to = Math.min(size, Math.ceil((p < q ? q : p) - 0.5));
    for (let i = row * size + from, end = row * size + to; i < end; i++) if (out[i] === NO_TRIANGLE) out[i] = number;
  }
}

function computeFrames(model: FaceModel, triangles: Uint32Array): Float64Array {
  const frames = new Float64Array(6 * triangles.length);
  for (let i = 0; i < triangles.length; i++) {
    const t = 3 * triangles[i];
    const a = 2 * model.triangleUvs[t];
    const b = 2 * model.triangleUvs[t + 1];
    const c = 2 * model.triangleUvs[t + 2];
    const u0 = model.uvs[a];
    const v0 = model.uvs[a + 1];
    const u1 = model.uvs[b] - u0;
    const v1 = model.uvs[b + 1] - v0;
    const u2 = model.uvs[c] - u0;
    const v2 = model.uvs[c + 1] - v0;
    const determinant = u1 * v2 - u2 * v1;
    const f = 6 * i;
    frames[f] = u0;
    frames[f + 1] = v0;
    if (determinant === 0) continue;
    frames[f + 2] = v2 / determinant;
    frames[f + 3] = -u2 / determinant;
    frames[f + 4] = -v1 / determinant;
    frames[f + 5] = u1 / determinant;
  }
  return frames;
}

/** Breadth-first: every pass gives the uncovered texels beside the rim the triangle of their neighbour. */
function widenIslands(triangle: Uint16Array, size: number, passes: number): void {
  let rim: number[] = [];
  for (let row = 0, p = 0; row < size; row++) {
    for (let column = 0; column < size; column++, p++) {
      if (triangle[p] === NO_TRIANGLE) continue;
      if (
        (column > 0 && triangle[p - 1] === NO_TRIANGLE) ||
        (column < size - 1 && triangle[p + 1] === NO_TRIANGLE) ||
        (row > 0 && triangle[p - size] === NO_TRIANGLE) ||
        (row < size - 1 && triangle[p + size] === NO_TRIANGLE)
      ) {
        rim.push(p);
      }
    }
  }
  for (let pass = 0; pass < passes; pass++) {
    const next: number[] = [];
    for (const p of rim) {
      const t = triangle[p];
      const column = p % size;
      if (column > 0 && triangle[p - 1] === NO_TRIANGLE) {
        triangle[p - 1] = t;
        next.push(p - 1);
      }
      if (column < size - 1 && triangle[p + 1] === NO_TRIANGLE) {
        triangle[p + 1] = t;
        next.push(p + 1);
      }
      if (p >= size && triangle[p - size] === NO_TRIANGLE) {
        triangle[p - size] = t;
        next.push(p - size);
      }
      if (p + size < triangle.length && triangle[p + size] === NO_TRIANGLE) {
        triangle[p + size] = t;
        next.push(p + size);
      }
    }
    rim = next;
  }
}

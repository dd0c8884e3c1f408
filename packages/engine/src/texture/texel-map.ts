import type { FaceModel } from '../models/face-model.ts';
import { createRasterBuffers, rasterize } from '../render/rasterize.ts';

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
  /** Shape (size,size) bits packed in bytes would be smaller, but this is read in the inner loops: 1 inside a triangle, 0 in the margin and outside. */
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

/** Rows that are rasterised at once: bounds the scratch memory (16 bytes per texel) at large sizes. */
const BAND_ROWS = 512;

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

  const corners = new Uint32Array(3 * count);
  for (let i = 0; i < count; i++) for (let c = 0; c < 3; c++) corners[3 * i + c] = model.triangleUvs[3 * triangles[i]! + c]!;

  const triangle = new Uint16Array(size * size).fill(NO_TRIANGLE);
  const bandRows = Math.min(BAND_ROWS, size);
  const buffers = createRasterBuffers(size, bandRows);
  const screen = new Float64Array(model.uvs.length);
  let covered = 0;
  for (let row0 = 0; row0 < size; row0 += bandRows) {
    for (let i = 0; i < screen.length; i += 2) {
      screen[i] = model.uvs[i]! * size;
      screen[i + 1] = model.uvs[i + 1]! * size - row0;
    }
    rasterize({ screen, triangles: corners }, buffers);
    const end = Math.min(bandRows, size - row0) * size;
    const base = row0 * size;
    for (let p = 0; p < end; p++) {
      const t = buffers.triangle[p]!;
      if (t >= 0) {
        triangle[base + p] = t;
        covered++;
      }
    }
  }
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
    const t = 3 * triangles[i]!;
    const a = values[modelTriangles[t]! * stride + offset]!;
    const d1 = values[modelTriangles[t + 1]! * stride + offset]! - a;
    const d2 = values[modelTriangles[t + 2]! * stride + offset]! - a;
    const f = 6 * i;
    // Barycentric weights are inverse * (uv - uv0); the gradient in u and v is the sum over the second and third corner.
    const gu = d1 * frames[f + 2]! + d2 * frames[f + 4]!;
    const gv = d1 * frames[f + 3]! + d2 * frames[f + 5]!;
    out[3 * i] = gu * inverseSize;
    out[3 * i + 1] = gv * inverseSize;
    out[3 * i + 2] = a - gu * frames[f]! - gv * frames[f + 1]!;
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
      const t = triangle[p]!;
      out[p] = t === NO_TRIANGLE ? fallback : gradients[3 * t]! * (column + 0.5) + gradients[3 * t + 1]! * y + gradients[3 * t + 2]!;
    }
  }
  return out;
}

function computeFrames(model: FaceModel, triangles: Uint32Array): Float64Array {
  const frames = new Float64Array(6 * triangles.length);
  for (let i = 0; i < triangles.length; i++) {
    const t = 3 * triangles[i]!;
    const a = 2 * model.triangleUvs[t]!;
    const b = 2 * model.triangleUvs[t + 1]!;
    const c = 2 * model.triangleUvs[t + 2]!;
    const u0 = model.uvs[a]!;
    const v0 = model.uvs[a + 1]!;
    const u1 = model.uvs[b]! - u0;
    const v1 = model.uvs[b + 1]! - v0;
    const u2 = model.uvs[c]! - u0;
    const v2 = model.uvs[c + 1]! - v0;
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
      const t = triangle[p]!;
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

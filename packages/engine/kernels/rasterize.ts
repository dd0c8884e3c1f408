/**
 * Triangles with a depth test. AssemblyScript; src/render/rasterize.ts says what is drawn and how, and hands in the arrays.
 */

/** Corners are rounded to 1/256 px: edge functions are then exact integers in a double (up to 2^18 px from the origin). */
const SUBPIXELS: f64 = 256;
const PIXELS: f64 = 1.0 / 256;

/** Bounding boxes of fewer columns are searched pixel by pixel; measured, flat between 8 and 32. */
const NARROW_PX: i32 = 16;

/** Bits of `flags`. */
const WIDE_SCREEN: i32 = 1;
const WIDE_DEPTH: i32 = 2;
const CULL_BACK: i32 = 4;
const PERSPECTIVE: i32 = 8;

/** Number of the array at `at`, of 64 or of 32 bits. */
function read(at: usize, index: u32, isWide: bool): f64 {
  return isWide ? load<f64>(at + ((<usize>index) << 3)) : <f64>load<f32>(at + ((<usize>index) << 2));
}

function ceilDivide(e: f64, a: f64): i32 {
  return <i32>max<f64>(-1e9, min<f64>(1e9, ceil(e / a)));
}
function floorDivide(e: f64, a: f64): i32 {
  return <i32>max<f64>(-1e9, min<f64>(1e9, floor(e / a)));
}

/**
 * Draws `count` triangles, the first of which has the number `number`.
 *
 * @param screenAt - shape (V,2), 32- or 64-bit (see `flags`)
 * @param depthAt - shape (V), likewise; 0: everything has depth 0
 * @param trianglesAt - shape (count,3)
 * @param addX - added to columns in sub-pixels before they are rounded down; `addY` likewise
 */
export function rasterizeTriangles(
  screenAt: usize,
  depthAt: usize,
  trianglesAt: usize,
  number: i32,
  count: i32,
  flags: i32,
  addX: f64,
  addY: f64,
  width: i32,
  height: i32,
  outTriangle: usize,
  outDepth: usize,
  outWeight1: usize,
  outWeight2: usize,
): void {
  const wideScreen = (flags & WIDE_SCREEN) !== 0;
  const wideDepth = (flags & WIDE_DEPTH) !== 0;
  const cullBack = (flags & CULL_BACK) !== 0;
  const perspective = (flags & PERSPECTIVE) !== 0;
  for (let k = 0; k < count; k++) {
    const corner = trianglesAt + 12 * <usize>k;
    const i0 = load<u32>(corner);
    const i1 = load<u32>(corner, 4);
    const i2 = load<u32>(corner, 8);
    const x0 = floor(read(screenAt, 2 * i0, wideScreen) * SUBPIXELS + addX);
    const y0 = floor(read(screenAt, 2 * i0 + 1, wideScreen) * SUBPIXELS + addY);
    const x1 = floor(read(screenAt, 2 * i1, wideScreen) * SUBPIXELS + addX);
    const y1 = floor(read(screenAt, 2 * i1 + 1, wideScreen) * SUBPIXELS + addY);
    const x2 = floor(read(screenAt, 2 * i2, wideScreen) * SUBPIXELS + addX);
    const y2 = floor(read(screenAt, 2 * i2 + 1, wideScreen) * SUBPIXELS + addY);

    // Twice the signed area; y points down, so triangles that run counter-clockwise to the eye have a negative one.
    const signedArea = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0);
    if (!(signedArea !== 0 && abs(signedArea) < Infinity)) continue;
    if (cullBack && signedArea > 0) continue;

    // Pixels whose centres lie in the bounding box: the centre of column j is at (j + 0.5) * SUBPIXELS.
    const left = ceil(min(min(x0, x1), x2) * PIXELS - 0.5);
    const right = floor(max(max(x0, x1), x2) * PIXELS - 0.5);
    const top = ceil(min(min(y0, y1), y2) * PIXELS - 0.5);
    const bottom = floor(max(max(y0, y1), y2) * PIXELS - 0.5);
    if (!(left <= right && top <= bottom && right >= 0 && bottom >= 0 && left < <f64>width && top < <f64>height)) continue;
    const column0 = <i32>max<f64>(0, left);
    const row0 = <i32>max<f64>(0, top);
    const column1 = <i32>min<f64>(<f64>(width - 1), right);
    const row1 = <i32>min<f64>(<f64>(height - 1), bottom);

    // What is interpolated over the screen: the weights themselves, or the weights over depth.
    let k0: f64 = 1;
    let k1: f64 = 1;
    let k2: f64 = 1;
    let z0: f64 = 0;
    let dz1: f64 = 0;
    let dz2: f64 = 0;
    if (depthAt !== 0) {
      z0 = read(depthAt, i0, wideDepth);
      const z1 = read(depthAt, i1, wideDepth);
      const z2 = read(depthAt, i2, wideDepth);
      if (perspective) {
        if (!(z0 > 0 && z1 > 0 && z2 > 0)) continue;
        k0 = 1 / z0;
        k1 = 1 / z1;
        k2 = 1 / z2;
      } else {
        dz1 = z1 - z0;
        dz2 = z2 - z0;
      }
    }

    // Edge function of the edge opposite corner k at a pixel centre, turned so that it is positive inside, and its change for
    // one pixel to the right (a) and down (b).
    const sign: f64 = signedArea > 0 ? 1 : -1;
    const a0 = sign * (y1 - y2) * SUBPIXELS;
    const b0 = sign * (x2 - x1) * SUBPIXELS;
    const a1 = sign * (y2 - y0) * SUBPIXELS;
    const b1 = sign * (x0 - x2) * SUBPIXELS;
    const a2 = sign * (y0 - y1) * SUBPIXELS;
    const b2 = sign * (x1 - x0) * SUBPIXELS;
    const startX = <f64>column0 * SUBPIXELS + SUBPIXELS / 2;
    const startY = <f64>row0 * SUBPIXELS + SUBPIXELS / 2;
    let rowE0 = (b0 * (startY - y1) + a0 * (startX - x1)) * PIXELS;
    let rowE1 = (b1 * (startY - y2) + a1 * (startX - x2)) * PIXELS;
    let rowE2 = (b2 * (startY - y0) + a2 * (startX - x0)) * PIXELS;
    // Top-left rule: an edge keeps the centres that lie on it when the inside is to its right, or straight below it; the others give
    // them up (their E, an integer, is lowered by one so that "inside" is >= 0 for all three).
    const bias0: f64 = a0 > 0 || (a0 === 0 && b0 > 0) ? 0 : 1;
    const bias1: f64 = a1 > 0 || (a1 === 0 && b1 > 0) ? 0 : 1;
    const bias2: f64 = a2 > 0 || (a2 === 0 && b2 > 0) ? 0 : 1;
    const inverseArea = sign / signedArea;
    const last = column1 - column0;
    // Dividing for the span of a row costs more than it saves in small triangles.
    const narrow = last < NARROW_PX;
    const stepW1 = a1 * inverseArea;
    const stepW2 = a2 * inverseArea;

    for (let row = row0; row <= row1; row++) {
      let from = 0;
      let to = last;
      let e0 = rowE0 - bias0;
      let e1 = rowE1 - bias1;
      let e2 = rowE2 - bias2;
      if (narrow) {
        while (from <= to && (e0 < 0 || e1 < 0 || e2 < 0)) {
          from++;
          e0 += a0;
          e1 += a1;
          e2 += a2;
        }
        if (from < to) {
          let ends = from + 1;
          e0 += a0;
          e1 += a1;
          e2 += a2;
          while (ends <= to && e0 >= 0 && e1 >= 0 && e2 >= 0) {
            ends++;
            e0 += a0;
            e1 += a1;
            e2 += a2;
          }
          to = ends - 1;
        }
      } else {
        if (a0 > 0) from = max(from, ceilDivide(-e0, a0));
        else if (a0 < 0) to = min(to, floorDivide(e0, -a0));
        else if (e0 < 0) to = -1;
        if (a1 > 0) from = max(from, ceilDivide(-e1, a1));
        else if (a1 < 0) to = min(to, floorDivide(e1, -a1));
        else if (e1 < 0) to = -1;
        if (a2 > 0) from = max(from, ceilDivide(-e2, a2));
        else if (a2 < 0) to = min(to, floorDivide(e2, -a2));
        else if (e2 < 0) to = -1;
      }

      let w1 = (rowE1 + a1 * <f64>from) * inverseArea;
      let w2 = (rowE2 + a2 * <f64>from) * inverseArea;
      for (let p = <usize>(row * width + column0 + from), stop = p + <usize>max(0, to - from + 1); p < stop; p++) {
        const z = perspective ? <f32>(1 / ((1 - w1 - w2) * k0 + w1 * k1 + w2 * k2)) : <f32>(z0 + w1 * dz1 + w2 * dz2);
        const at = p << 2;
        if (z < load<f32>(outDepth + at)) {
          store<f32>(outDepth + at, z);
          store<i32>(outTriangle + at, number + k);
          store<f32>(outWeight1 + at, <f32>(perspective ? w1 * k1 * <f64>z : w1));
          store<f32>(outWeight2 + at, <f32>(perspective ? w2 * k2 * <f64>z : w2));
        }
        w1 += stepW1;
        w2 += stepW2;
      }
      rowE0 += b0;
      rowE1 += b1;
      rowE2 += b2;
    }
  }
}

/** Adds the normals of triangles, each twice its area long, to their corners; shape (V,3). */
export function addTriangleNormals(positionsAt: usize, trianglesAt: usize, count: i32, normalsAt: usize): void {
  for (let k = 0; k < count; k++) {
    const corner = trianglesAt + 12 * <usize>k;
    const i0 = 12 * <usize>load<u32>(corner);
    const i1 = 12 * <usize>load<u32>(corner, 4);
    const i2 = 12 * <usize>load<u32>(corner, 8);
    const x0 = <f64>load<f32>(positionsAt + i0);
    const y0 = <f64>load<f32>(positionsAt + i0, 4);
    const z0 = <f64>load<f32>(positionsAt + i0, 8);
    const ax = <f64>load<f32>(positionsAt + i1) - x0;
    const ay = <f64>load<f32>(positionsAt + i1, 4) - y0;
    const az = <f64>load<f32>(positionsAt + i1, 8) - z0;
    const bx = <f64>load<f32>(positionsAt + i2) - x0;
    const by = <f64>load<f32>(positionsAt + i2, 4) - y0;
    const bz = <f64>load<f32>(positionsAt + i2, 8) - z0;
    const nx = ay * bz - az * by;
    const ny = az * bx - ax * bz;
    const nz = ax * by - ay * bx;
    addVector(normalsAt + i0, nx, ny, nz);
    addVector(normalsAt + i1, nx, ny, nz);
    addVector(normalsAt + i2, nx, ny, nz);
  }
}

function addVector(at: usize, x: f64, y: f64, z: f64): void {
  store<f32>(at, <f32>(<f64>load<f32>(at) + x));
  store<f32>(at, <f32>(<f64>load<f32>(at, 4) + y), 4);
  store<f32>(at, <f32>(<f64>load<f32>(at, 8) + z), 8);
}

/** Makes vectors, shape (count,3), unit; those without length become (0, 0, `missing`). */
export function makeUnit(at: usize, count: i32, missing: f32): void {
  for (let i = at, end = at + 12 * <usize>count; i < end; i += 12) {
    const x = <f64>load<f32>(i);
    const y = <f64>load<f32>(i, 4);
    const z = <f64>load<f32>(i, 8);
    const length = sqrt(x * x + y * y + z * z);
    if (length > 0) {
      const inverse = 1 / length;
      store<f32>(i, <f32>(x * inverse));
      store<f32>(i, <f32>(y * inverse), 4);
      store<f32>(i, <f32>(z * inverse), 8);
    } else store<f32>(i, missing, 8);
  }
}

/**
 * Projects points, shape (count,3), with a pinhole camera: to `screen`, shape (count,2), pixels, and `depth`, shape (count).
 *
 * @param camera - f64: rotation (9, row-major), translation (3), focal length, principal point (2)
 */
export function projectPoints(points: usize, count: i32, camera: usize, screen: usize, depth: usize): void {
  const focal = load<f64>(camera, 96);
  const centerX = load<f64>(camera, 104);
  const centerY = load<f64>(camera, 112);
  for (let i: usize = 0; i < <usize>count; i++) {
    const at = points + 12 * i;
    const x = <f64>load<f32>(at);
    const y = <f64>load<f32>(at, 4);
    const z = <f64>load<f32>(at, 8);
    const cx = load<f64>(camera) * x + load<f64>(camera, 8) * y + load<f64>(camera, 16) * z + load<f64>(camera, 72);
    const cy = load<f64>(camera, 24) * x + load<f64>(camera, 32) * y + load<f64>(camera, 40) * z + load<f64>(camera, 80);
    const cz = load<f64>(camera, 48) * x + load<f64>(camera, 56) * y + load<f64>(camera, 64) * z + load<f64>(camera, 88);
    const scale = focal / cz;
    store<f32>(screen + (i << 3), <f32>(cx * scale + centerX));
    store<f32>(screen + (i << 3), <f32>(cy * scale + centerY), 4);
    store<f32>(depth + (i << 2), <f32>cz);
  }
}

/** Turns vectors, shape (count,3), by a rotation (f64, 9, row-major). */
export function turnVectors(vectors: usize, count: i32, rotation: usize, out: usize): void {
  for (let i: usize = 0; i < 12 * <usize>count; i += 12) {
    const x = <f64>load<f32>(vectors + i);
    const y = <f64>load<f32>(vectors + i, 4);
    const z = <f64>load<f32>(vectors + i, 8);
    for (let k: usize = 0; k < 3; k++) {
      const row = rotation + 24 * k;
      store<f32>(out + i + (k << 2), <f32>(load<f64>(row) * x + load<f64>(row, 8) * y + load<f64>(row, 16) * z));
    }
  }
}

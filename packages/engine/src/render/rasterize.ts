/** What the rasteriser knows of every pixel. Allocate once with {@link createRasterBuffers} and use it again and again. */
export interface RasterBuffers {
  readonly width: number;
  readonly height: number;
  /** Shape (height, width): number of the nearest triangle, -1 where there is none. */
  readonly triangle: Int32Array;
  /** Shape (height, width): its depth, +Infinity where there is none. */
  readonly depth: Float32Array;
  /** Shape (height, width): weight of the triangle's second corner; undefined where `triangle` is -1. */
  readonly weight1: Float32Array;
  /** Shape (height, width): weight of the third corner. The first corner has `1 - weight1 - weight2`. */
  readonly weight2: Float32Array;
}

/** Triangles on the screen. */
export interface RasterizeInput {
  /** Shape (V,2): positions in the image frame (pixels, y down, centre of the top-left pixel at 0.5, 0.5). */
  readonly screen: Float32Array | Float64Array;
  /** Shape (V): distance along the viewing axis, larger = further (millimetres). Left out: everything has depth 0. */
  readonly depth?: Float32Array | Float64Array | null;
  /** Shape (T,3): vertex of each corner. */
  readonly triangles: Uint32Array;
  /** First triangle drawn. @default 0 */
  readonly firstTriangle?: number;
  /** @default all from `firstTriangle` */
  readonly triangleCount?: number;
  /** Leave out triangles that run clockwise as seen on the screen (those that show their back). @default false */
  readonly cullBack?: boolean;
  /**
   * Weights and depth as a perspective camera has them (linear in 1/depth); triangles with a corner at depth <= 0 are then left
   * out. False: linear on the screen. @default false
   */
  readonly perspective?: boolean;
  /** The picture is moved by this much, in pixels (multiples of 1/256): the point (shiftX, shiftY) beside a pixel's centre lies on it. @default 0 */
  readonly shiftX?: number;
  readonly shiftY?: number;
  /** Forget what the buffers hold. False draws on top of it (with the depth test). @default true */
  readonly clear?: boolean;
}

/** Corners are rounded to 1/256 px: edge functions are then exact integers in a double (up to 2^18 px from the origin). */
const SUBPIXELS = 256;
const PIXELS = 1 / SUBPIXELS;

/** Bounding boxes of fewer columns are searched pixel by pixel; measured, flat between 8 and 32. */
const NARROW_PX = 16;

/** Buffers for pictures of one size. */
export function createRasterBuffers(width: number, height: number): RasterBuffers {
  const n = width * height;
  return {
    width,
    height,
    triangle: new Int32Array(n).fill(-1),
    depth: new Float32Array(n).fill(Number.POSITIVE_INFINITY),
    weight1: new Float32Array(n),
    weight2: new Float32Array(n),
  };
}

/**
 * Draws triangles into `out` with a depth test: for each pixel centre, the nearest triangle that covers it (the first one drawn
 * where several are equally near), its depth and barycentric weights.
 *
 * A pixel centre on an edge that two triangles share belongs to exactly one of them (top-left rule on exact integer edge functions), so
 * meshes are neither holed nor drawn twice. Triangles without area, with a corner that is not finite, or outside the picture are left out.
 *
 * Edge functions: Pineda, "A parallel algorithm for polygon rasterization", SIGGRAPH 1988, stepped per pixel; spans of a row
 * are found by division so that the inner loop tests depth only.
 */
export function rasterize(input: RasterizeInput, out: RasterBuffers): RasterBuffers {
  const { screen, triangles } = input;
  const depth = input.depth ?? null;
  const first = input.firstTriangle ?? 0;
  const end = Math.min(first + (input.triangleCount ?? Number.POSITIVE_INFINITY), triangles.length / 3);
  const cullBack = input.cullBack ?? false;
  const perspective = (input.perspective ?? false) && depth !== null;
  // Half a sub-pixel for rounding to the nearest.
  const addX = 0.5 - SUBPIXELS * (input.shiftX ?? 0);
  const addY = 0.5 - SUBPIXELS * (input.shiftY ?? 0);
  const { width, height, triangle: outTriangle, depth: outDepth, weight1: outWeight1, weight2: outWeight2 } = out;
  if (input.clear ?? true) {
    outTriangle.fill(-1);
    outDepth.fill(Number.POSITIVE_INFINITY);
  }

  for (let t = first; t < end; t++) {
    const i0 = triangles[3 * t]!;
    const i1 = triangles[3 * t + 1]!;
    const i2 = triangles[3 * t + 2]!;
    // Corners in sub-pixel units. Math.floor(x + 0.5) is cheaper than Math.round.
    const x0 = Math.floor(screen[2 * i0]! * SUBPIXELS + addX);
    const y0 = Math.floor(screen[2 * i0 + 1]! * SUBPIXELS + addY);
    const x1 = Math.floor(screen[2 * i1]! * SUBPIXELS + addX);
    const y1 = Math.floor(screen[2 * i1 + 1]! * SUBPIXELS + addY);
    const x2 = Math.floor(screen[2 * i2]! * SUBPIXELS + addX);
    const y2 = Math.floor(screen[2 * i2 + 1]! * SUBPIXELS + addY);

    // Twice the signed area; y points down, so triangles that run counter-clockwise to the eye have a negative one.
    const signedArea = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0);
    if (!(signedArea !== 0 && signedArea > Number.NEGATIVE_INFINITY && signedArea < Number.POSITIVE_INFINITY)) continue;
    if (cullBack && signedArea > 0) continue;

    // Pixels whose centres lie in the bounding box: the centre of column j is at (j + 0.5) * SUBPIXELS.
    let column0 = Math.ceil(Math.min(x0, x1, x2) * PIXELS - 0.5);
    let column1 = Math.floor(Math.max(x0, x1, x2) * PIXELS - 0.5);
    let row0 = Math.ceil(Math.min(y0, y1, y2) * PIXELS - 0.5);
    let row1 = Math.floor(Math.max(y0, y1, y2) * PIXELS - 0.5);
    if (column0 < 0) column0 = 0;
    if (row0 < 0) row0 = 0;
    if (column1 > width - 1) column1 = width - 1;
    if (row1 > height - 1) row1 = height - 1;
    if (column0 > column1 || row0 > row1) continue;

    // What is interpolated over the screen: the weights themselves, or the weights over depth.
    let k0 = 1;
    let k1 = 1;
    let k2 = 1;
    let z0 = 0;
    let dz1 = 0;
    let dz2 = 0;
    if (depth !== null) {
      z0 = depth[i0]!;
      const z1 = depth[i1]!;
      const z2 = depth[i2]!;
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
    const sign = signedArea > 0 ? 1 : -1;
    const a0 = sign * (y1 - y2) * SUBPIXELS;
    const b0 = sign * (x2 - x1) * SUBPIXELS;
    const a1 = sign * (y2 - y0) * SUBPIXELS;
    const b1 = sign * (x0 - x2) * SUBPIXELS;
    const a2 = sign * (y0 - y1) * SUBPIXELS;
    const b2 = sign * (x1 - x0) * SUBPIXELS;
    const startX = column0 * SUBPIXELS + SUBPIXELS / 2;
    const startY = row0 * SUBPIXELS + SUBPIXELS / 2;
    let rowE0 = (b0 * (startY - y1) + a0 * (startX - x1)) * PIXELS;
    let rowE1 = (b1 * (startY - y2) + a1 * (startX - x2)) * PIXELS;
    let rowE2 = (b2 * (startY - y0) + a2 * (startX - x0)) * PIXELS;
    // Top-left rule: an edge keeps the centres that lie on it when the inside is to its right, or straight below it; the others give them up
    // (their E, an integer, is lowered by one so that "inside" is >= 0 for all three).
    const bias0 = a0 > 0 || (a0 === 0 && b0 > 0) ? 0 : 1;
    const bias1 = a1 > 0 || (a1 === 0 && b1 > 0) ? 0 : 1;
    const bias2 = a2 > 0 || (a2 === 0 && b2 > 0) ? 0 : 1;
    const inverseArea = sign / signedArea;
    const last = column1 - column0;
    // Dividing for the span of a row costs more than it saves in small triangles.
    const narrow = last < NARROW_PX;

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
        if (a0 > 0) from = Math.max(from, Math.ceil(-e0 / a0));
        else if (a0 < 0) to = Math.min(to, Math.floor(e0 / -a0));
        else if (e0 < 0) to = -1;
        if (a1 > 0) from = Math.max(from, Math.ceil(-e1 / a1));
        else if (a1 < 0) to = Math.min(to, Math.floor(e1 / -a1));
        else if (e1 < 0) to = -1;
        if (a2 > 0) from = Math.max(from, Math.ceil(-e2 / a2));
        else if (a2 < 0) to = Math.min(to, Math.floor(e2 / -a2));
        else if (e2 < 0) to = -1;
      }

      if (from <= to) {
        let p = row * width + column0 + from;
        let w1 = (rowE1 + a1 * from) * inverseArea;
        let w2 = (rowE2 + a2 * from) * inverseArea;
        const stepW1 = a1 * inverseArea;
        const stepW2 = a2 * inverseArea;
        if (perspective) {
          for (const stop = p + to - from; p <= stop; p++) {
            const z = Math.fround(1 / ((1 - w1 - w2) * k0 + w1 * k1 + w2 * k2));
            if (z < outDepth[p]!) {
              outDepth[p] = z;
              outTriangle[p] = t;
              outWeight1[p] = w1 * k1 * z;
              outWeight2[p] = w2 * k2 * z;
            }
            w1 += stepW1;
            w2 += stepW2;
          }
        } else {
          for (const stop = p + to - from; p <= stop; p++) {
            const z = Math.fround(z0 + w1 * dz1 + w2 * dz2);
            if (z < outDepth[p]!) {
              outDepth[p] = z;
              outTriangle[p] = t;
              outWeight1[p] = w1;
              outWeight2[p] = w2;
            }
            w1 += stepW1;
            w2 += stepW2;
          }
        }
      }
      rowE0 += b0;
      rowE1 += b1;
      rowE2 += b2;
    }
  }
  return out;
}

import { countKernelBytes, type KernelMemory, useScratchMemory } from '../kernels/kernel-memory.ts';

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

/** Sub-pixels per pixel; the shift is counted in them. */
const SUBPIXELS = 256;

/** Bits by which the kernel is told what it draws. */
const WIDE_SCREEN = 1;
const WIDE_DEPTH = 2;
const CULL_BACK = 4;
const PERSPECTIVE = 8;

/**
 * Buffers for pictures of one size.
 *
 * @param memory - where the kernel can use them without copying
 */
export function createRasterBuffers(width: number, height: number, memory?: KernelMemory): RasterBuffers {
  const n = width * height;
  return {
    width,
    height,
    triangle: (memory?.allocate(Int32Array, n) ?? new Int32Array(n)).fill(-1),
    depth: (memory?.allocate(Float32Array, n) ?? new Float32Array(n)).fill(Number.POSITIVE_INFINITY),
    weight1: memory?.allocate(Float32Array, n) ?? new Float32Array(n),
    weight2: memory?.allocate(Float32Array, n) ?? new Float32Array(n),
  };
}

/** Bytes of {@link createRasterBuffers}. */
export const countRasterBytes = (width: number, height: number): number => 16 * width * height + 64;

/**
 * Draws triangles into `out` with a depth test: for each pixel centre, the nearest triangle that covers it (the first one drawn
 * where several are equally near), its depth and barycentric weights.
 *
 * A pixel centre on an edge that two triangles share belongs to exactly one of them (top-left rule on exact integer edge functions), so
 * meshes are neither holed nor drawn twice. Triangles without area, with a corner that is not finite, or outside the picture are left out.
 *
 * Edge functions: Pineda, "A parallel algorithm for polygon rasterization", SIGGRAPH 1988 (kernels/rasterize.ts).
 *
 * @param given - memory in which some of the arrays lie; others are copied there and back. @default scratch memory
 */
export function rasterize(input: RasterizeInput, out: RasterBuffers, given?: KernelMemory): RasterBuffers {
  const { screen, triangles } = input;
  const depth = input.depth ?? null;
  const first = input.firstTriangle ?? 0;
  const count = Math.max(0, Math.min(input.triangleCount ?? Number.POSITIVE_INFINITY, triangles.length / 3 - first));
  const { width, height } = out;
  if (input.clear ?? true) {
    out.triangle.fill(-1);
    out.depth.fill(Number.POSITIVE_INFINITY);
  }
  const corners = triangles.subarray(3 * first, 3 * (first + count));
  const memory = given ?? useScratchMemory(countKernelBytes([screen, depth, corners]) + countRasterBytes(width, height));
  const screenHere = memory.place(screen);
  const depthHere = depth === null ? null : memory.place(depth);
  const { triangle, depth: nearest, weight1, weight2 } = out;
  const here = [triangle, nearest, weight1, weight2].map((array) => memory.place(array));
  const [triangleAt, nearestAt, weight1At, weight2At] = here.map((array) => array.byteOffset) as [number, number, number, number];
  memory.kernels.rasterizeTriangles(
    screenHere.byteOffset,
    depthHere?.byteOffset ?? 0,
    memory.place(corners).byteOffset,
    first,
    count,
    (screen instanceof Float64Array ? WIDE_SCREEN : 0) |
      (depth instanceof Float64Array ? WIDE_DEPTH : 0) |
      (input.cullBack ? CULL_BACK : 0) |
      (input.perspective && depth !== null ? PERSPECTIVE : 0),
    // Half a sub-pixel for rounding to the nearest.
    0.5 - SUBPIXELS * (input.shiftX ?? 0),
    0.5 - SUBPIXELS * (input.shiftY ?? 0),
    width,
    height,
    triangleAt,
    nearestAt,
    weight1At,
    weight2At,
  );
  if (here[0] !== triangle) {
    triangle.set(here[0] as Int32Array);
    nearest.set(here[1] as Float32Array);
    weight1.set(here[2] as Float32Array);
    weight2.set(here[3] as Float32Array);
  }
  return out;
}

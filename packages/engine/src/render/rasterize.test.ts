import { describe, expect, it } from 'vitest';
import { createRasterBuffers, type RasterBuffers, type RasterizeInput, rasterize } from './rasterize.ts';

/** Deterministic 0..1 numbers (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const countCovered = (buffers: RasterBuffers): number => buffers.triangle.reduce((n, t) => n + (t >= 0 ? 1 : 0), 0);

/** Slow twin: every pixel against every triangle, barycentrics by solving the 2x2 system, no stepping, no bounding boxes. */
function rasterizeNaively(input: RasterizeInput, width: number, height: number): RasterBuffers {
  const out = createRasterBuffers(width, height);
  const snap = (v: number): number => Math.floor(v * 256 + 0.5) / 256;
  const owns = (ax: number, ay: number, bx: number, by: number): boolean => by < ay || (by === ay && bx > ax);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const px = column + 0.5;
      const py = row + 0.5;
      for (let t = 0; t < input.triangles.length / 3; t++) {
        const ids = [0, 1, 2].map((k) => input.triangles[3 * t + k]!);
        const x = ids.map((i) => snap(input.screen[2 * i]!));
        const y = ids.map((i) => snap(input.screen[2 * i + 1]!));
        const area = (x[1]! - x[0]!) * (y[2]! - y[0]!) - (x[2]! - x[0]!) * (y[1]! - y[0]!);
        if (area === 0 || (input.cullBack && area > 0)) continue;
        let inside = true;
        const weights = [0, 0, 0];
        for (let k = 0; k < 3; k++) {
          const a = (k + 1) % 3;
          const b = (k + 2) % 3;
          const e = (x[b]! - x[a]!) * (py - y[a]!) - (y[b]! - y[a]!) * (px - x[a]!);
          weights[k] = e / area;
          const isOwn = area > 0 ? owns(x[a]!, y[a]!, x[b]!, y[b]!) : owns(x[b]!, y[b]!, x[a]!, y[a]!);
          if (weights[k]! < 0 || (e === 0 && !isOwn)) inside = false;
        }
        if (!inside) continue;
        const z = ids.map((i) => (input.depth ? input.depth[i]! : 0));
        let depth = weights[0]! * z[0]! + weights[1]! * z[1]! + weights[2]! * z[2]!;
        if (input.perspective) {
          if (z.some((v) => !(v > 0))) continue;
          depth = 1 / (weights[0]! / z[0]! + weights[1]! / z[1]! + weights[2]! / z[2]!);
          for (let k = 0; k < 3; k++) weights[k] = (weights[k]! / z[k]!) * depth;
        }
        const p = row * width + column;
        if (Math.fround(depth) < out.depth[p]!) {
          out.triangle[p] = t;
          out.depth[p] = depth;
          out.weight1[p] = weights[1]!;
          out.weight2[p] = weights[2]!;
        }
      }
    }
  }
  return out;
}

describe('rasterize', () => {
  it('covers a w x h rectangle with exactly w * h pixels, each by one triangle', () => {
    // Corners lie on pixel centres: only the top-left rule decides, and the rectangle is closed on top and left, open below and right.
    const screen = new Float32Array([2.5, 3.5, 12.5, 3.5, 12.5, 9.5, 2.5, 9.5]);
    const triangles = new Uint32Array([0, 1, 2, 0, 2, 3]);
    const buffers = rasterize({ screen, triangles }, createRasterBuffers(16, 16));
    expect(countCovered(buffers)).toBe(60);
    expect(buffers.triangle[3 * 16 + 2]).toBeGreaterThanOrEqual(0);
    expect(buffers.triangle[9 * 16 + 2]).toBe(-1);
    expect(buffers.triangle[3 * 16 + 12]).toBe(-1);
  });

  it('draws every pixel of a fan once, whatever the winding', () => {
    const random = createRandom(7);
    for (let round = 0; round < 50; round++) {
      // A convex polygon with its corners and hub on quarter pixels, so that many centres fall exactly on shared edges.
      const corners = 3 + Math.floor(random() * 6);
      const screen: number[] = [16.5, 16.5];
      for (let k = 0; k < corners; k++) {
        const angle = (2 * Math.PI * k) / corners;
        screen.push(Math.round((16.5 + 13 * Math.cos(angle)) * 4) / 4, Math.round((16.5 + 13 * Math.sin(angle)) * 4) / 4);
      }
      const input = new Float32Array(screen);
      const times = new Int32Array(32 * 32);
      for (let k = 0; k < corners; k++) {
        const b = 1 + k;
        const c = 1 + ((k + 1) % corners);
        const triangles = new Uint32Array(random() < 0.5 ? [0, b, c] : [c, b, 0]);
        const one = rasterize({ screen: input, triangles }, createRasterBuffers(32, 32));
        for (let p = 0; p < times.length; p++) if (one.triangle[p]! >= 0) times[p]!++;
      }
      expect(Math.max(...times)).toBe(1);
      expect(times[16 * 32 + 16]).toBe(1);
      expect(times[20 * 32 + 18]).toBe(1);
    }
  });

  it.each([
    { perspective: false, cullBack: false },
    { perspective: true, cullBack: false },
    { perspective: true, cullBack: true },
  ])('equals the naive twin on random triangles, $perspective $cullBack', (mode) => {
    const random = createRandom(11);
    for (let round = 0; round < 12; round++) {
      const vertices = 24;
      // Half of the rounds on a coarse grid: ties on edges; triangles of all sizes, partly outside.
      const grid = round % 2 === 0 ? 2 : 256;
      const screen = Float32Array.from({ length: 2 * vertices }, () => Math.round((random() * 60 - 10) * grid) / grid);
      const depth = Float32Array.from({ length: vertices }, () => 100 + 900 * random());
      depth[3] = -5;
      const triangles = Uint32Array.from({ length: 3 * 30 }, () => Math.floor(random() * vertices));
      const input: RasterizeInput = { screen, depth, triangles, ...mode };
      const fast = rasterize(input, createRasterBuffers(40, 40));
      const slow = rasterizeNaively(input, 40, 40);
      expect(countCovered(slow)).toBeGreaterThan(200);
      let differentlyCovered = 0;
      let worstDepth = 0;
      let worstWeight = 0;
      for (let p = 0; p < 1600; p++) {
        if (fast.triangle[p]! >= 0 !== slow.triangle[p]! >= 0) differentlyCovered++;
        if (slow.triangle[p]! < 0) continue;
        worstDepth = Math.max(worstDepth, Math.abs(fast.depth[p]! - slow.depth[p]!));
        // Triangles that share a corner are equally near there within rounding: either may win.
        if (fast.triangle[p] !== slow.triangle[p]) continue;
        worstWeight = Math.max(worstWeight, Math.abs(fast.weight1[p]! - slow.weight1[p]!), Math.abs(fast.weight2[p]! - slow.weight2[p]!));
      }
      expect(differentlyCovered).toBe(0);
      // Float32 storage of weights up to 1 and depths up to 1000: 6e-8 relative, tenfold margin for the stepped sums.
      expect(worstDepth).toBeLessThan(1e-3);
      expect(worstWeight).toBeLessThan(1e-6);
    }
  });

  it('interpolates a tilted plane as a pinhole camera sees it', () => {
    // Plane through three camera points; the ray of each pixel meets it at a depth that has a closed form.
    const focal = 50;
    const points = [
      [-30, -20, 60],
      [40, -25, 90],
      [0, 45, 200],
    ];
    const screen = new Float64Array(points.flatMap(([x, y, z]) => [(focal * x!) / z! + 32, (focal * y!) / z! + 32]));
    const depth = new Float64Array(points.map((p) => p[2]!));
    const buffers = rasterize({ screen, depth, triangles: new Uint32Array([0, 1, 2]), perspective: true }, createRasterBuffers(64, 64));
    const [a, b, c] = points as [number[], number[], number[]];
    const u = [0, 1, 2].map((k) => b[k]! - a[k]!);
    const v = [0, 1, 2].map((k) => c[k]! - a[k]!);
    const normal = [u[1]! * v[2]! - u[2]! * v[1]!, u[2]! * v[0]! - u[0]! * v[2]!, u[0]! * v[1]! - u[1]! * v[0]!];
    const offset = normal[0]! * a[0]! + normal[1]! * a[1]! + normal[2]! * a[2]!;
    let seen = 0;
    for (let p = 0; p < 64 * 64; p++) {
      if (buffers.triangle[p]! < 0) continue;
      seen++;
      const ray = [((p % 64) + 0.5 - 32) / focal, (Math.floor(p / 64) + 0.5 - 32) / focal, 1];
      const z = offset / (normal[0]! * ray[0]! + normal[1]! * ray[1]! + normal[2]!);
      // Corners are rounded by at most 1/512 px; the depth changes by up to 4 mm per pixel here.
      expect(Math.abs(buffers.depth[p]! - z)).toBeLessThan(0.02);
      const w1 = buffers.weight1[p]!;
      const w2 = buffers.weight2[p]!;
      for (let k = 0; k < 3; k++) {
        expect(Math.abs(a[k]! + w1 * u[k]! + w2 * v[k]! - ray[k]! * z)).toBeLessThan(0.03);
      }
    }
    expect(seen).toBeGreaterThan(300);
  });

  it('keeps the nearest triangle, the first of equally near ones, and adds to what is there without clear', () => {
    const screen = new Float32Array([0, 0, 8, 0, 0, 8]);
    const twice = new Uint32Array([0, 1, 2, 0, 1, 2]);
    const buffers = createRasterBuffers(8, 8);
    expect(rasterize({ screen, triangles: twice }, buffers).triangle[0]).toBe(0);
    rasterize({ screen, depth: new Float32Array([5, 5, 5]), triangles: twice, firstTriangle: 1 }, buffers);
    expect(buffers.triangle[0]).toBe(1);
    const nearer = { screen, depth: new Float32Array([4, 4, 4]), triangles: twice, triangleCount: 1, clear: false };
    expect(rasterize(nearer, buffers).triangle[0]).toBe(0);
    expect(buffers.depth[0]).toBe(4);
    expect(rasterize({ ...nearer, depth: new Float32Array([6, 6, 6]), firstTriangle: 1 }, buffers).triangle[0]).toBe(0);
  });

  it('leaves out triangles with no area, not finite, behind the camera or outside, and reads only its range', () => {
    const buffers = createRasterBuffers(8, 8);
    const triangles = new Uint32Array([0, 1, 2]);
    const draw = (screen: number[], depth: number[] = [1, 1, 1]): number =>
      countCovered(rasterize({ screen: new Float64Array(screen), depth: new Float64Array(depth), triangles, perspective: true }, buffers));
    expect(draw([1, 1, 7, 7, 4, 4])).toBe(0);
    expect(draw([Number.NaN, 1, 7, 1, 4, 7])).toBe(0);
    expect(draw([Number.POSITIVE_INFINITY, 1, 7, 1, 4, 7])).toBe(0);
    expect(draw([1, 1, 7, 1, 4, 7], [1, 1, 0])).toBe(0);
    expect(draw([1, 1, 7, 1, 4, 7], [1, 1, Number.NaN])).toBe(0);
    expect(draw([-100, 1, -90, 1, -95, 7])).toBe(0);
    expect(draw([-1000, -1000, 3000, -1000, -1000, 3000])).toBe(64);
    expect(draw([1, 1, 7, 1, 4, 7])).toBeGreaterThan(10);
  });
});

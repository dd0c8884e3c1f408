import { triangulate } from '../src/triangulate.ts';
import { fitSmoothWarp } from './fit-smooth-warp.ts';

/** A place on the surface for each landmark of the network. */
export interface LandmarkTable {
  readonly landmark: Uint16Array;
  readonly triangle: Uint32Array;
  readonly barycentric: Float32Array;
  readonly mirror: Uint16Array;
  readonly confidence: Float32Array;
}

/** The 68 landmarks of Multi-PIE in upstream's README: vertices of the head. */
const MULTI_PIE = [
  1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443, 268, 493, 1914, 2044, 1401, 3615,
  4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360, 1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721,
  3725, 3732, 5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841, 5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966,
];
/** The same points among the network's landmarks (jaw outline left out but for the chin: the two outlines are not the same line). */
const MEDIAPIPE_OF_MULTI_PIE: Readonly<Record<number, number>> = Object.fromEntries([
  [8, 152],
  [17, 70],
  [18, 63],
  [19, 105],
  [20, 66],
  [21, 107],
  [22, 336],
  [23, 296],
  [24, 334],
  [25, 293],
  [26, 300],
  [27, 168],
  [28, 197],
  [29, 5],
  [30, 4],
  [31, 75],
  [32, 97],
  [33, 2],
  [34, 326],
  [35, 305],
  [36, 33],
  [37, 160],
  [38, 158],
  [39, 133],
  [40, 153],
  [41, 144],
  [42, 362],
  [43, 385],
  [44, 387],
  [45, 263],
  [46, 373],
  [47, 380],
  [48, 61],
  [49, 39],
  [50, 37],
  [51, 0],
  [52, 267],
  [53, 269],
  [54, 291],
  [55, 405],
  [56, 314],
  [57, 17],
  [58, 84],
  [59, 181],
  [60, 78],
  [61, 81],
  [62, 13],
  [63, 311],
  [64, 308],
  [65, 402],
  [66, 14],
  [67, 178],
] as const);

/**
 * Places the network's landmarks on the head: the canonical mesh, to which they belong, is warped smoothly so that named
 * points coincide, then each vertex goes to the nearest point of the face.
 *
 * @param neutral - shape (V,3), millimetres
 * @param canonicalCm - shape (468,3)
 */
export function registerLandmarks(
  neutral: Float64Array,
  polygons: Uint32Array,
  facePolygonCount: number,
  canonicalCm: Float32Array,
): LandmarkTable {
  const from: number[] = [];
  const to: number[] = [];
  for (const [pie, landmark] of Object.entries(MEDIAPIPE_OF_MULTI_PIE)) {
    const v = MULTI_PIE[Number(pie)]!;
    for (let d = 0; d < 3; d++) {
      from.push(10 * canonicalCm[3 * landmark + d]!);
      to.push(neutral[3 * v + d]!);
    }
  }
  const warp = fitSmoothWarp(Float64Array.from(from), Float64Array.from(to), 1);
  const triangles = triangulate(polygons, 0, facePolygonCount);
  const count = canonicalCm.length / 3;
  const landmark = new Uint16Array(count);
  const triangle = new Uint32Array(count);
  const barycentric = new Float32Array(3 * count);
  const confidence = new Float32Array(count).fill(1);
  for (let l = 0; l < count; l++) {
    const target = warp([10 * canonicalCm[3 * l]!, 10 * canonicalCm[3 * l + 1]!, 10 * canonicalCm[3 * l + 2]!]);
    const hit = closestPoint(neutral, triangles, target);
    landmark[l] = l;
    triangle[l] = hit.triangle;
    barycentric.set(hit.barycentric, 3 * l);
  }
  return { landmark, triangle, barycentric, mirror: mirrorOf(canonicalCm), confidence };
}

/** Partner of each canonical vertex on the other side. */
function mirrorOf(positions: Float32Array): Uint16Array {
  const count = positions.length / 3;
  const mirror = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    let best = Number.POSITIVE_INFINITY;
    for (let j = 0; j < count; j++) {
      const d = Math.hypot(
        positions[3 * i]! + positions[3 * j]!,
        positions[3 * i + 1]! - positions[3 * j + 1]!,
        positions[3 * i + 2]! - positions[3 * j + 2]!,
      );
      if (d < best) {
        best = d;
        mirror[i] = j;
      }
    }
  }
  return mirror;
}

type Vec = [number, number, number];

/** Point of a mesh nearest to `p`. */
export function closestPoint(
  positions: ArrayLike<number>,
  triangles: Uint32Array,
  p: Vec,
): { triangle: number; barycentric: Vec; distance: number } {
  let best = { triangle: 0, barycentric: [1, 0, 0] as Vec, distance: Number.POSITIVE_INFINITY };
  for (let t = 0; t < triangles.length; t += 3) {
    const a = at(positions, triangles[t]!);
    const b = at(positions, triangles[t + 1]!);
    const c = at(positions, triangles[t + 2]!);
    const w = closestOnTriangle(p, a, b, c);
    const d = Math.hypot(...([0, 1, 2].map((i) => w[0] * a[i]! + w[1] * b[i]! + w[2] * c[i]! - p[i]!) as Vec));
    if (d < best.distance) best = { triangle: t / 3, barycentric: w, distance: d };
  }
  return best;
}

const at = (x: ArrayLike<number>, i: number): Vec => [x[3 * i]!, x[3 * i + 1]!, x[3 * i + 2]!];
const sub = (a: Vec, b: Vec): Vec => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const dot3 = (a: Vec, b: Vec): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** Barycentric coordinates of the point of a triangle nearest to p (Ericson, Real-Time Collision Detection, 5.1.5). */
function closestOnTriangle(p: Vec, a: Vec, b: Vec, c: Vec): Vec {
  const ab = sub(b, a);
  const ac = sub(c, a);
  const ap = sub(p, a);
  const d1 = dot3(ab, ap);
  const d2 = dot3(ac, ap);
  if (d1 <= 0 && d2 <= 0) return [1, 0, 0];
  const bp = sub(p, b);
  const d3 = dot3(ab, bp);
  const d4 = dot3(ac, bp);
  if (d3 >= 0 && d4 <= d3) return [0, 1, 0];
  const vc = d1 * d4 - d3 * d2;
  if (vc <= 0 && d1 >= 0 && d3 <= 0) return [1 - d1 / (d1 - d3), d1 / (d1 - d3), 0];
  const cp = sub(p, c);
  const d5 = dot3(ab, cp);
  const d6 = dot3(ac, cp);
  if (d6 >= 0 && d5 <= d6) return [0, 0, 1];
  const vb = d5 * d2 - d1 * d6;
  if (vb <= 0 && d2 >= 0 && d6 <= 0) return [1 - d2 / (d2 - d6), 0, d2 / (d2 - d6)];
  const va = d3 * d6 - d5 * d4;
  if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) {
    const w = (d4 - d3) / (d4 - d3 + (d5 - d6));
    return [0, 1 - w, w];
  }
  const denominator = 1 / (va + vb + vc);
  return [1 - (vb + vc) * denominator, vb * denominator, vc * denominator];
}

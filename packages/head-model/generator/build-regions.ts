import { type HeadRegion, NO_CORNER } from '../src/head-model-data.ts';
import { findPart } from './head-parts.ts';

/** Landmarks (numbers of the network) around the lips and the two brows, in order around each outline. */
const OUTLINES = {
  lips: [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185],
  browRight: [70, 63, 105, 66, 107, 55, 65, 52, 53, 46],
  browLeft: [300, 293, 334, 296, 336, 285, 295, 282, 283, 276],
} as const;

/**
 * Height of the hairline and of the border between head and neck over the direction around a vertical axis through the middle of
 * the head: degrees from the front (0) over the ear (about 95) to the nape (180), millimetres above the eyes. Typical adult
 * proportions: forehead as high as from brow to nose base, sideburn to the middle of the ear, nape a hand below the ear.
 */
const HAIRLINE_MM: readonly (readonly [number, number])[] = [
  [0, 66],
  [20, 66],
  [35, 62],
  [48, 50],
  [58, 32],
  [66, 20],
  [74, 4],
  [80, -12],
  [88, -14],
  [96, 6],
  [112, 4],
  [124, -30],
  [140, -62],
  [160, -74],
  [180, -76],
];
const NECK_MM: readonly (readonly [number, number])[] = [
  [0, -128],
  [25, -124],
  [50, -108],
  [70, -92],
  [90, -76],
  [110, -70],
  [130, -82],
  [180, -92],
];
/** The axis: between the ears. */
const AXIS_Z_MM = -75;
/** Half width of the soft edge. */
const EDGE_MM = 7;

/** Where the region builder may look things up. */
export interface RegionInput {
  /** Shape (V,3), millimetres. */
  readonly positions: Float64Array;
  readonly polygons: Uint32Array;
  /** Shape (V,2): one UV per vertex of the skin part, as upstream has it. */
  readonly skinUvs: Float64Array;
  /** UV of each of the network's landmarks on the skin tile. */
  readonly landmarkUv: (landmark: number) => readonly [number, number];
}

/** Soft weights 0..1 per vertex of the areas that the texture treats differently. */
export function buildRegions(input: RegionInput): Record<HeadRegion, Float32Array> {
  const { positions, polygons, skinUvs, landmarkUv } = input;
  const count = positions.length / 3;
  const skinEnd = findPart('face').vertices[1];
  const headEnd = findPart('headNeck').vertices[1];
  const neighbours = listNeighbours(polygons, findPart('headNeck').polygons[1], count);
  const soften = (weights: Float32Array, rounds: number): Float32Array => diffuse(weights, neighbours, rounds);
  const indicator = (inside: (v: number) => boolean): Float32Array => Float32Array.from({ length: count }, (_, v) => (inside(v) ? 1 : 0));
  const outline = (landmarks: readonly number[]): ((v: number) => boolean) => {
    const polygon = landmarks.map(landmarkUv);
    return (v) => v < skinEnd && isInside(polygon, skinUvs[2 * v]!, skinUvs[2 * v + 1]!);
  };
  const lips = outline(OUTLINES.lips);
  const browRight = outline(OUTLINES.browRight);
  const browLeft = outline(OUTLINES.browLeft);
  const rims = distanceFromEyeRims(polygons, findPart('face').polygons[1], positions, neighbours);
  const ears = soften(
    indicator((v) => v < headEnd && isEar(positions, skinUvs, v, skinEnd)),
    3,
  );
  const above = (curve: readonly (readonly [number, number])[], v: number): number => {
    const angle = (Math.abs(Math.atan2(positions[3 * v]!, positions[3 * v + 2]! - AXIS_Z_MM)) * 180) / Math.PI;
    const edge = (positions[3 * v + 1]! - sampleCurve(curve, angle)) / (2 * EDGE_MM) + 0.5;
    return smoothStep(Math.min(1, Math.max(0, edge)));
  };
  return {
    face: soften(
      indicator((v) => v < NARROW_FACE_END),
      4,
    ),
    lips: soften(indicator(lips), 1),
    ears,
    scalp: Float32Array.from({ length: count }, (_, v) => (v < headEnd ? above(HAIRLINE_MM, v) * (1 - ears[v]!) : 0)),
    neck: Float32Array.from({ length: count }, (_, v) => (v < headEnd ? 1 - above(NECK_MM, v) : 0)),
    eyelids: Float32Array.from({ length: count }, (_, v) => smoothStep(Math.min(1, Math.max(0, (LID_RINGS - rims[v]!) / 3)))),
    brows: soften(
      indicator((v) => browRight(v) || browLeft(v)),
      1,
    ),
  };
}

/** "Narrow face area" of upstream's README. */
const NARROW_FACE_END = 6706;
/** Rings of polygons from the rim of the eye opening that count as lid. */
const LID_RINGS = 7;

/** In the skin tile the ears are the two lobes at the sides; behind them, what lies further out than the head there. */
function isEar(positions: Float64Array, skinUvs: Float64Array, v: number, skinEnd: number): boolean {
  if (v >= skinEnd) return Math.abs(positions[3 * v]!) > 78 && positions[3 * v + 1]! > -62 && positions[3 * v + 1]! < 6;
  const u = Math.min(skinUvs[2 * v]!, 1 - skinUvs[2 * v]!);
  const fromTop = 1 - skinUvs[2 * v + 1]!;
  return u < 0.108 && fromTop > 0.312 && fromTop < 0.552;
}

function listNeighbours(polygons: Uint32Array, polygonCount: number, vertexCount: number): number[][] {
  const out: Set<number>[] = Array.from({ length: vertexCount }, () => new Set());
  for (let p = 0; p < polygonCount; p++) {
    const corners = Array.from(polygons.subarray(4 * p, 4 * p + 4)).filter((c) => c !== NO_CORNER);
    corners.forEach((a, k) => {
      const b = corners[(k + 1) % corners.length]!;
      out[a]!.add(b);
      out[b]!.add(a);
    });
  }
  return out.map((s) => [...s].sort((a, b) => a - b));
}

/** Averages each weight with its neighbours', `rounds` times. */
function diffuse(weights: Float32Array, neighbours: readonly (readonly number[])[], rounds: number): Float32Array {
  let current = weights;
  for (let r = 0; r < rounds; r++) {
    const before = current;
    current = before.map((w, v) => {
      const around = neighbours[v]!;
      if (around.length === 0) return w;
      let sum = 0;
      for (const n of around) sum += before[n]!;
      return 0.5 * w + (0.5 * sum) / around.length;
    });
  }
  return current;
}

/** Rings of polygons from the rims of the two eye openings in the skin: borders of the face part at the height of the eyes. */
function distanceFromEyeRims(
  polygons: Uint32Array,
  facePolygons: number,
  positions: Float64Array,
  neighbours: readonly (readonly number[])[],
): Float64Array {
  const edges = new Map<string, number>();
  for (let p = 0; p < facePolygons; p++) {
    for (let k = 0; k < 4; k++) {
      const a = polygons[4 * p + k]!;
      const b = polygons[4 * p + ((k + 1) % 4)]!;
      const key = a < b ? `${a},${b}` : `${b},${a}`;
      edges.set(key, (edges.get(key) ?? 0) + 1);
    }
  }
  const faceEnd = findPart('face').vertices[1];
  const distance = new Float64Array(neighbours.length).fill(Number.POSITIVE_INFINITY);
  let front: number[] = [];
  for (const [key, uses] of edges) {
    if (uses !== 1) continue;
    for (const v of key.split(',').map(Number)) {
      const atEye = Math.abs(positions[3 * v + 1]!) < 20 && positions[3 * v + 2]! > 0 && Math.abs(positions[3 * v]!) < 60;
      if (!atEye || distance[v] === 0) continue;
      distance[v] = 0;
      front.push(v);
    }
  }
  for (let ring = 1; ring <= LID_RINGS; ring++) {
    const next: number[] = [];
    for (const v of front) {
      for (const n of neighbours[v]!) {
        if (n >= faceEnd || distance[n]! <= ring) continue;
        distance[n] = ring;
        next.push(n);
      }
    }
    front = next;
  }
  return distance;
}

function isInside(polygon: readonly (readonly [number, number])[], x: number, y: number): boolean {
  let inside = false;
  polygon.forEach(([ax, ay], i) => {
    const [bx, by] = polygon[(i + 1) % polygon.length]!;
    if (ay > y !== by > y && x < ax + ((bx - ax) * (y - ay)) / (by - ay)) inside = !inside;
  });
  return inside;
}

const smoothStep = (t: number): number => t * t * (3 - 2 * t);

/** Piecewise linear. */
function sampleCurve(points: readonly (readonly [number, number])[], x: number): number {
  for (let i = 1; i < points.length; i++) {
    const [x0, y0] = points[i - 1]!;
    const [x1, y1] = points[i]!;
    if (x <= x1) return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
  }
  return points[points.length - 1]![1];
}

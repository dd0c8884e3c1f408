import { NO_CORNER } from '../src/head-model-data.ts';
import { at, length, sub, type Vec3 } from './closest-point.ts';

/** Where named landmarks lie on the head, by upstream's own list and along edges between its entries. */
export interface Anchor {
  /** Number among the network's 468. */
  readonly landmark: number;
  /** Millimetres, on an edge of the mesh. */
  readonly point: Vec3;
}

/** "Multi-PIE 68 point facial landmarks indices" of upstream's README: vertices of the head. */
const MULTI_PIE = [
  1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443, 268, 493, 1914, 2044, 1401, 3615,
  4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360, 1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721,
  3725, 3732, 5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518, 5957, 5841, 5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966,
];

/**
 * Multi-PIE's points (from 0) that are the network's landmarks too. Left out are those that only look alike: the jaw outline, the brows, the wings of
 * the nose and the outer lip edge between corner and middle lie elsewhere (rendered faces with known geometry: 3 to 5 mm); the registration finds
 * their places by itself.
 */
const LANDMARK_OF_MULTI_PIE: ReadonlyMap<number, number> = new Map([
  // nose: bridge to tip, then the middle of its base
  [27, 168],
  [28, 197],
  [29, 5],
  [30, 4],
  [33, 2],
  // lid edges
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
  // outer edge of the lips, inner edge
  [48, 61],
  [51, 0],
  [54, 291],
  [57, 17],
  [60, 78],
  [61, 81],
  [62, 13],
  [63, 311],
  [64, 308],
  [65, 402],
  [66, 14],
  [67, 178],
]);

/** An edge of lids or lips: Multi-PIE's points on it, and the network's landmarks on it, both from the same end to the same end. */
const CONTOURS: readonly { readonly multiPie: readonly number[]; readonly landmarks: readonly number[] }[] = [
  { multiPie: [36, 37, 38, 39], landmarks: [33, 246, 161, 160, 159, 158, 157, 173, 133] },
  { multiPie: [36, 41, 40, 39], landmarks: [33, 7, 163, 144, 145, 153, 154, 155, 133] },
  { multiPie: [45, 44, 43, 42], landmarks: [263, 466, 388, 387, 386, 385, 384, 398, 362] },
  { multiPie: [45, 46, 47, 42], landmarks: [263, 249, 390, 373, 374, 380, 381, 382, 362] },
  { multiPie: [48, 49, 50, 51, 52, 53, 54], landmarks: [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291] },
  { multiPie: [48, 59, 58, 57, 56, 55, 54], landmarks: [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291] },
  { multiPie: [60, 61, 62, 63, 64], landmarks: [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308] },
  { multiPie: [60, 67, 66, 65, 64], landmarks: [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308] },
];

/**
 * Anchors of the registration: upstream's landmarks that the network has too, and all points of the lid and lip edges. Such an edge is the
 * shortest way along mesh edges through upstream's points (the mesh has edge loops there); a landmark goes where it lies, by length, between
 * common points on the canonical mesh.
 */
export function findAnchors(positions: Float64Array, polygons: Uint32Array, polygonCount: number, canonicalCm: Float32Array): Anchor[] {
  const neighbours = listNeighbours(polygons, polygonCount);
  const anchors = [...LANDMARK_OF_MULTI_PIE].map(([pie, landmark]): Anchor => ({ landmark, point: at(positions, MULTI_PIE[pie]!) }));
  for (const { multiPie, landmarks } of CONTOURS) {
    let path: Vec3[] = [];
    let start = 0;
    for (let i = 1; i < multiPie.length; i++) {
      path = [
        ...path,
        ...findEdgePath(positions, neighbours, MULTI_PIE[multiPie[i - 1]!]!, MULTI_PIE[multiPie[i]!]!).slice(path.length > 0 ? 1 : 0),
      ];
      const common = LANDMARK_OF_MULTI_PIE.get(multiPie[i]!);
      if (common === undefined) continue;
      const end = landmarks.indexOf(common);
      const piece = landmarks.slice(start, end + 1);
      const fractions = arcFractions(piece.map((l) => at(canonicalCm, l)));
      const along = arcFractions(path);
      for (let k = 1; k < piece.length - 1; k++) anchors.push({ landmark: piece[k]!, point: sampleAlong(path, along, fractions[k]!) });
      start = end;
      path = [];
    }
  }
  return anchors;
}

function listNeighbours(polygons: Uint32Array, polygonCount: number): ReadonlyMap<number, ReadonlySet<number>> {
  const out = new Map<number, Set<number>>();
  const add = (a: number, b: number): void => {
    const set = out.get(a);
    if (set) set.add(b);
    else out.set(a, new Set([b]));
  };
  for (let p = 0; p < polygonCount; p++) {
    const corners = Array.from(polygons.subarray(4 * p, 4 * p + 4)).filter((c) => c !== NO_CORNER);
    corners.forEach((a, k) => {
      const b = corners[(k + 1) % corners.length]!;
      add(a, b);
      add(b, a);
    });
  }
  return out;
}

/** Shortest way along edges (Dijkstra 1959, with a plain search for the next vertex: the ways are a dozen edges long). */
function findEdgePath(positions: Float64Array, neighbours: ReadonlyMap<number, ReadonlySet<number>>, from: number, to: number): Vec3[] {
  const distance = new Map([[from, 0]]);
  const before = new Map<number, number>();
  const done = new Set<number>();
  while (!done.has(to)) {
    let next = -1;
    for (const [v, d] of distance) if (!done.has(v) && (next < 0 || d < distance.get(next)!)) next = v;
    if (next < 0) throw new Error(`no way along edges from vertex ${from} to ${to}`);
    done.add(next);
    for (const n of neighbours.get(next) ?? []) {
      const d = distance.get(next)! + length(sub(at(positions, n), at(positions, next)));
      if (d < (distance.get(n) ?? Number.POSITIVE_INFINITY)) {
        distance.set(n, d);
        before.set(n, next);
      }
    }
  }
  const path = [to];
  while (path[0] !== from) path.unshift(before.get(path[0]!)!);
  return path.map((v) => at(positions, v));
}

/** Share of the whole length at each point of a line, from 0 to 1. */
function arcFractions(line: readonly Vec3[]): number[] {
  const lengths = [0];
  for (let i = 1; i < line.length; i++) lengths.push(lengths[i - 1]! + length(sub(line[i]!, line[i - 1]!)));
  return lengths.map((l) => l / lengths[lengths.length - 1]!);
}

function sampleAlong(line: readonly Vec3[], fractions: readonly number[], f: number): Vec3 {
  let i = 1;
  while (fractions[i]! < f) i++;
  const w = (f - fractions[i - 1]!) / (fractions[i]! - fractions[i - 1]!);
  return [0, 1, 2].map((d) => (1 - w) * line[i - 1]![d]! + w * line[i]![d]!) as Vec3;
}

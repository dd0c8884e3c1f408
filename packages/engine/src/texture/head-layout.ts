import { countKernelBytes, useScratchMemory } from '../kernels/kernel-memory.ts';
import type { FaceModel } from '../models/face-model.ts';
import { createRasterBuffers, rasterize } from '../render/rasterize.ts';
import type { TriangleRange } from './texel-map.ts';

/**
 * What the texture needs to know of a model's surface, per vertex and on the mean neutral face: where the face ends, where hair grows,
 * what is sheltered. Computed once per model from its geometry and landmarks, so that it holds for any topology.
 */
export interface HeadLayout {
  /** Shape (V), millimetres along the surface (by direction from the skull's centre, 100 mm radius): distance outside the oval of the face landmarks, negative inside. */
  readonly outsideMm: Float32Array;
  /** Shape (V), millimetres, likewise: how far above or behind the usual hairline; negative on skin that bears no hair. */
  readonly hairlineMm: Float32Array;
  /** Shape (V,2), millimetres from the crown: where on the unrolled scalp (azimuthal equidistant map about the crown; hair lies along its rays). */
  readonly scalpMap: Float32Array;
  /** Shape (V), millimetres to the margin of the nearest eyelid, at most {@link RIM_LIMIT_MM}. */
  readonly lidRimMm: Float32Array;
  /** Shape (V), millimetres to the inner edge of the lips (where the lining of the mouth begins), at most {@link RIM_LIMIT_MM}. */
  readonly lipRimMm: Float32Array;
  /** Shape (V), 0..1: share of the directions around (more of them from above and in front) from which the vertex is seen: low in ear folds, nostrils, under the chin. */
  readonly openness: Float32Array;
  /** Shape (V), 0 or 1: places that are bare skin in most photos (cheeks, nose, forehead). */
  readonly core: Float32Array;
  /** Whether the model has more than the face: scalp, ears, neck. */
  readonly isFullHead: boolean;
}

/** Distances to rims are not told beyond this, millimetres. */
export const RIM_LIMIT_MM = 14;

/** Landmarks of the face oval, in order from the top of the forehead to the person's left (MediaPipe's FACEMESH_FACE_OVAL). */
export const FACE_OVAL: readonly number[] = [
  10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93,
  234, 127, 162, 21, 54, 103, 67, 109,
];

/** Landmarks in the middle of bare skin: cheeks, nose, forehead. */
const BARE_SKIN = [50, 280, 101, 330, 36, 266, 117, 346, 118, 347, 205, 425, 187, 411, 151, 9, 107, 336, 69, 299, 6, 197, 195, 5, 4];
const BARE_SKIN_RADIUS_MM = 7;

/** Middle of the skull, millimetres, model frame (origin between the eyeballs): a third of the head's length behind the eyes. */
const SKULL_CENTER: readonly [number, number, number] = [0, 10, -85];
/** Millimetres per radian: radius of a skull. */
const SKULL_RADIUS_MM = 100;
const MM_PER_DEG = (SKULL_RADIUS_MM * Math.PI) / 180;
/** Where the crown's whorl is: up and back. */
const CROWN: readonly [number, number, number] = [0, 0.8, -0.6];

/**
 * Hairline behind the temple as (azimuth, elevation) in degrees from the skull's centre: down the sideburn, over the ear (which spans azimuths of 82 to 98,
 * up to an elevation of -6), behind it, down to the nape. In front of it the face oval tells.
 */
const HAIRLINE_BEHIND: readonly (readonly [number, number])[] = [
  [62, 0],
  [67, -8],
  [71, -15],
  [75, -16],
  [79, -11],
  [83, -3],
  [90, 1],
  [98, -3],
  [105, -11],
  [114, -24],
  [140, -36],
  [180, -38],
];

export function computeHeadLayout(model: FaceModel): HeadLayout {
  const { vertexCount, neutral, landmarks } = model;
  const skin = model.parts.filter((p) => p.material === 'skin');
  const scalp = model.parts.filter((p) => p.material === 'scalp');
  const isFullHead = scalp.length > 0;

  const landmarkPlace = new Map<number, number>();
  for (let i = 0; i < landmarks.count; i++) landmarkPlace.set(landmarks.landmark[i], i);
  const pointOf = (landmark: number): readonly [number, number, number] | null => {
    const i = landmarkPlace.get(landmark);
    return i === undefined ? null : [landmarks.mean[3 * i], landmarks.mean[3 * i + 1], landmarks.mean[3 * i + 2]];
  };

  const outsideMm = new Float32Array(vertexCount);
  const hairlineMm = new Float32Array(vertexCount).fill(-1000);
  const scalpMap = new Float32Array(2 * vertexCount);
  const lidRimMm = new Float32Array(vertexCount).fill(RIM_LIMIT_MM);
  const lipRimMm = new Float32Array(vertexCount).fill(RIM_LIMIT_MM);
  const openness = new Float32Array(vertexCount).fill(1);
  const core = new Float32Array(vertexCount);

  const ovalPoints: number[] = [];
  for (const l of FACE_OVAL) {
    const p = pointOf(l);
    if (p !== null) ovalPoints.push(...directionDeg(p[0], p[1], p[2]));
  }
  const oval = Float64Array.from(ovalPoints);
  const used = findUsedVertices(model, [...skin, ...scalp]);
  const hairline = computeHairline(pointOf);
  const bare = Float64Array.from(BARE_SKIN.flatMap((l) => pointOf(l) ?? []));
  const layout: HeadLayout = { outsideMm, hairlineMm, scalpMap, lidRimMm, lipRimMm, openness, core, isFullHead };
  for (const v of used) placeVertex(layout, v, neutral[3 * v], neutral[3 * v + 1], neutral[3 * v + 2], oval, hairline, bare);
  if (isFullHead) {
    computeRimDistances(model, skin, outsideMm, lidRimMm, lipRimMm);
    computeOpenness(model, [...skin, ...scalp], used, openness);
    smoothOverEdges(model, [...skin, ...scalp], openness, 3);
  }
  return layout;
}

/** Where a vertex at (x, y, z) lies: writes its entries of everything that its direction tells. */
function placeVertex(
  { outsideMm, hairlineMm, scalpMap, core, isFullHead }: HeadLayout,
  v: number,
  x: number,
  y: number,
  z: number,
  oval: Float64Array,
  hairline: readonly (readonly [number, number])[],
  bare: Float64Array,
): void {
  const [azimuth, elevation] = directionDeg(x, y, z);
  outsideMm[v] = MM_PER_DEG * computePolygonDistance(oval, azimuth, elevation);
  if (isFullHead) {
    // Behind the ears hair thins out over twice the width.
    const height = MM_PER_DEG * (elevation - interpolate(hairline, Math.abs(azimuth)));
    hairlineMm[v] = Math.abs(azimuth) > 100 && height < 24 ? (height - 24) * 0.5 + 24 : height;
  }
  const [sx, sy] = computeScalpPlace(x, y, z);
  scalpMap[2 * v] = sx;
  scalpMap[2 * v + 1] = sy;
  if (outsideMm[v] < 0 && isNear(bare, x, y, z, BARE_SKIN_RADIUS_MM)) core[v] = 1;
}

/** Whether one of `points`, shape (N,3), is within `radius`. */
function isNear(points: Float64Array, x: number, y: number, z: number, radius: number): boolean {
  const limit = radius * radius;
  for (let i = 0; i < points.length; i += 3) {
    const dx = points[i] - x;
    const dy = points[i + 1] - y;
    const dz = points[i + 2] - z;
    if (dx * dx + dy * dy + dz * dz < limit) return true;
  }
  return false;
}

/** Azimuth (0 in front, positive to the person's left, -180..180) and elevation, degrees, seen from the skull's centre. */
function directionDeg(x: number, y: number, z: number): [number, number] {
  const dx = x - SKULL_CENTER[0];
  const dy = y - SKULL_CENTER[1];
  const dz = z - SKULL_CENTER[2];
  return [(Math.atan2(dx, dz) * 180) / Math.PI, (Math.atan2(dy, Math.hypot(dx, dz)) * 180) / Math.PI];
}

function computeHairline(pointOf: (landmark: number) => readonly [number, number, number] | null): [number, number][] {
  const line: [number, number][] = [];
  // Degrees above the oval's top: the network's uppermost points lie a little below the hairline of most people.
  for (const [left, right, above] of [
    [10, 10, 5],
    [338, 109, 5],
    [297, 67, 5],
    [332, 103, 4.5],
    [284, 54, 4],
    [251, 21, 5],
    [389, 162, 6],
  ] as const) {
    const a = pointOf(left);
    const b = pointOf(right);
    if (a === null || b === null) continue;
    const [azimuthA, elevationA] = directionDeg(a[0], a[1], a[2]);
    const [azimuthB, elevationB] = directionDeg(b[0], b[1], b[2]);
    line.push([(Math.abs(azimuthA) + Math.abs(azimuthB)) / 2, (elevationA + elevationB) / 2 + above]);
  }
  line.push(...HAIRLINE_BEHIND.map(([a, e]): [number, number] => [a, e]));
  return line.sort((p, q) => p[0] - q[0]);
}

function interpolate(line: readonly (readonly [number, number])[], x: number): number {
  if (line.length === 0) return 1000;
  if (x <= line[0][0]) return line[0][1];
  for (let i = 1; i < line.length; i++) {
    const [x1, y1] = line[i];
    if (x <= x1) {
      const [x0, y0] = line[i - 1];
      return y0 + ((y1 - y0) * (x - x0)) / Math.max(1e-9, x1 - x0);
    }
  }
  return line[line.length - 1][1];
}

/** Place on the azimuthal equidistant map about the crown, millimetres: +y toward the forehead. */
function computeScalpPlace(x: number, y: number, z: number): [number, number] {
  const d = [x - SKULL_CENTER[0], y - SKULL_CENTER[1], z - SKULL_CENTER[2]] as const;
  const length = Math.hypot(...d) || 1;
  const along = (d[0] * CROWN[0] + d[1] * CROWN[1] + d[2] * CROWN[2]) / length;
  // Axes of the tangent plane at the crown: the person's left, and forward (CROWN turned a quarter about x).
  const side = d[0] / length;
  const forward = (d[1] * -CROWN[2] + d[2] * CROWN[1]) / length;
  const angle = Math.acos(Math.max(-1, Math.min(1, along)));
  const radius = Math.hypot(side, forward);
  const k = radius > 1e-9 ? (angle * SKULL_RADIUS_MM) / radius : 0;
  return [side * k, forward * k];
}

/**
 * Signed distance to a closed polygon, negative inside.
 *
 * @param polygon - shape (N,2)
 */
export function computePolygonDistance(polygon: Float64Array, x: number, y: number): number {
  const n = polygon.length;
  if (n < 6) return -50;
  let best = Number.POSITIVE_INFINITY;
  let inside = false;
  let px = polygon[n - 2] - x;
  let py = polygon[n - 1] - y;
  for (let i = 0; i < n; i += 2) {
    const qx = polygon[i] - x;
    const qy = polygon[i + 1] - y;
    const ex = qx - px;
    const ey = qy - py;
    let t = -(px * ex + py * ey) / (ex * ex + ey * ey || 1);
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    const dx = px + t * ex;
    const dy = py + t * ey;
    const d = dx * dx + dy * dy;
    if (d < best) best = d;
    if (py > 0 !== qy > 0 && 0 < px - (ex * py) / ey) inside = !inside;
    px = qx;
    py = qy;
  }
  return inside ? -Math.sqrt(best) : Math.sqrt(best);
}

function findUsedVertices(model: FaceModel, ranges: readonly TriangleRange[]): number[] {
  const isUsed = new Uint8Array(model.vertexCount);
  for (const { firstTriangle, triangleCount } of ranges) {
    for (let i = 3 * firstTriangle; i < 3 * (firstTriangle + triangleCount); i++) isUsed[model.triangles[i]] = 1;
  }
  const used: number[] = [];
  for (let v = 0; v < isUsed.length; v++) if (isUsed[v] === 1) used.push(v);
  return used;
}

/** Below this height (model frame, origin between the eyeballs) an opening of the face is the mouth, millimetres. */
const MOUTH_BELOW_MM = -30;

/** Distance to the open edges of the skin that lie well inside the face: lid margins and the inner lips. */
function computeRimDistances(
  model: FaceModel,
  skin: readonly TriangleRange[],
  outsideMm: Float32Array,
  lidRimMm: Float32Array,
  lipRimMm: Float32Array,
): void {
  // Around an inner vertex every neighbour is once the next and once the previous corner of a triangle: the sums agree. On a rim
  // they do not.
  const { triangles, neutral, vertexCount } = model;
  const balance = new Int32Array(vertexCount);
  const isSkin = new Uint8Array(vertexCount);
  for (const { firstTriangle, triangleCount } of skin) {
    for (let i = 3 * firstTriangle; i < 3 * (firstTriangle + triangleCount); i += 3) {
      const a = triangles[i];
      const b = triangles[i + 1];
      const c = triangles[i + 2];
      isSkin[a] = 1;
      isSkin[b] = 1;
      isSkin[c] = 1;
      balance[a] = balance[a] + b - c;
      balance[b] = balance[b] + c - a;
      balance[c] = balance[c] + a - b;
    }
  }
  const lids: number[] = [];
  const lips: number[] = [];
  for (let v = 0; v < vertexCount; v++) {
    if (isSkin[v] === 0 || balance[v] === 0 || outsideMm[v] > -10) continue;
    (neutral[3 * v + 1] < MOUTH_BELOW_MM ? lips : lids).push(v);
  }
  for (const [rim, out] of [
    [lids, lidRimMm],
    [lips, lipRimMm],
  ] as const) {
    for (let v = 0; v < vertexCount; v++) {
      if (isSkin[v] === 0 || outsideMm[v] > -5) continue;
      const x = neutral[3 * v];
      const y = neutral[3 * v + 1];
      const z = neutral[3 * v + 2];
      out[v] = measureToRim(neutral, rim, x, y, z);
    }
  }
}

/** Millimetres from (x, y, z) to the nearest vertex of `rim`, at most {@link RIM_LIMIT_MM}. */
function measureToRim(neutral: Float32Array, rim: readonly number[], x: number, y: number, z: number): number {
  let best = RIM_LIMIT_MM * RIM_LIMIT_MM;
  for (let i = 0; i < rim.length; i++) {
    const r = 3 * rim[i];
    const dx = neutral[r] - x;
    const dy = neutral[r + 1] - y;
    const dz = neutral[r + 2] - z;
    const d = dx * dx + dy * dy + dz * dz;
    if (d < best) best = d;
  }
  return Math.sqrt(best);
}

/** Averages a per-vertex value with its neighbours', `passes` times. */
function smoothOverEdges(model: FaceModel, ranges: readonly TriangleRange[], values: Float32Array, passes: number): void {
  const sum = new Float32Array(values.length);
  const count = new Float32Array(values.length);
  for (let pass = 0; pass < passes; pass++) {
    sum.fill(0);
    count.fill(0);
    for (const { firstTriangle, triangleCount } of ranges) {
      for (let t = firstTriangle; t < firstTriangle + triangleCount; t++) addTriangleMean(model.triangles, 3 * t, values, sum, count);
    }
    for (let v = 0; v < values.length; v++) if (count[v] > 0) values[v] = sum[v] / count[v];
  }
}

function addTriangleMean(triangles: Uint32Array, i: number, values: Float32Array, sum: Float32Array, count: Float32Array): void {
  const a = triangles[i];
  const b = triangles[i + 1];
  const c = triangles[i + 2];
  const mean = (values[a] + values[b] + values[c]) / 3;
  sum[a] = sum[a] + mean;
  sum[b] = sum[b] + mean;
  sum[c] = sum[c] + mean;
  count[a] = count[a] + 1;
  count[b] = count[b] + 1;
  count[c] = count[c] + 1;
}

/**
 * Directions from which light comes, as (azimuth, elevation, weight): a room with a bright ceiling. Those from the side stand for two: the mean head is
 * symmetric, so that light from the right does to a vertex what light from the left does to its partner.
 */
const LIGHTS: readonly (readonly [number, number, number])[] = [
  [0, 0, 1],
  [40, 15, 1],
  [85, 5, 0.8],
  [0, 50, 1.2],
  [130, 30, 0.8],
];
const LIGHT_GRID = 160;
/** A surface within this depth of the nearest counts as seen, millimetres. */
const LIGHT_BIAS_MM = 2.5;

function computeOpenness(model: FaceModel, ranges: readonly TriangleRange[], used: readonly number[], openness: Float32Array): void {
  const { neutral, triangles, vertexCount } = model;
  const buffers = createRasterBuffers(LIGHT_GRID, LIGHT_GRID);
  const screen = new Float32Array(2 * vertexCount);
  const depth = new Float32Array(vertexCount);
  const sums = new Float32Array(vertexCount);
  const possible = new Float32Array(vertexCount);
  let total = 0;
  const scale = LIGHT_GRID / 340;
  const normals = computePartNormals(neutral, triangles, ranges);
  for (const [azimuthDeg, elevationDeg, weight] of LIGHTS) {
    const a = (azimuthDeg * Math.PI) / 180;
    const e = (elevationDeg * Math.PI) / 180;
    const toLight = [Math.sin(a) * Math.cos(e), Math.sin(e), Math.cos(a) * Math.cos(e)] as const;
    const right = [Math.cos(a), 0, -Math.sin(a)] as const;
    const up = [-Math.sin(a) * Math.sin(e), Math.cos(e), -Math.cos(a) * Math.sin(e)] as const;
    for (const v of used) {
      const x = neutral[3 * v];
      const y = neutral[3 * v + 1] + 30;
      const z = neutral[3 * v + 2] + 60;
      screen[2 * v] = LIGHT_GRID / 2 + scale * (x * right[0] + y * right[1] + z * right[2]);
      screen[2 * v + 1] = LIGHT_GRID / 2 - scale * (x * up[0] + y * up[1] + z * up[2]);
      depth[v] = -(x * toLight[0] + y * toLight[1] + z * toLight[2]);
    }
    let clear = true;
    for (const range of ranges) {
      rasterize({ screen, depth, triangles, firstTriangle: range.firstTriangle, triangleCount: range.triangleCount, clear }, buffers);
      clear = false;
    }
    for (const v of used) {
      const cosine = normals[3 * v] * toLight[0] + normals[3 * v + 1] * toLight[1] + normals[3 * v + 2] * toLight[2];
      // Facing away is shading, not shelter: only what something else hides counts as closed.
      const facing = weight * Math.max(0, Math.min(1, 0.5 + 1.5 * cosine));
      if (facing === 0) continue;
      const light = facing * measureLight(buffers.depth, screen[2 * v], screen[2 * v + 1], depth[v]);
      sums[v] = sums[v] + light;
      possible[v] = possible[v] + facing;
      if (azimuthDeg !== 0) {
        const m = model.mirrorVertex[v];
        sums[m] = sums[m] + light;
        possible[m] = possible[m] + facing;
      }
    }
    total += azimuthDeg === 0 ? weight : 2 * weight;
  }
  for (const v of used) openness[v] = possible[v] > 0.05 * total ? sums[v] / possible[v] : 0.5;
}

/** 1 where nothing lies before a point of the light's grid, 0 where something does. */
function measureLight(nearest: Float32Array, x: number, y: number, depth: number): number {
  const column = Math.max(0, Math.min(LIGHT_GRID - 1, Math.floor(x)));
  const row = Math.max(0, Math.min(LIGHT_GRID - 1, Math.floor(y)));
  const behind = depth - nearest[row * LIGHT_GRID + column];
  return behind < LIGHT_BIAS_MM ? 1 : behind > 3 * LIGHT_BIAS_MM ? 0 : 1 - (behind - LIGHT_BIAS_MM) / (2 * LIGHT_BIAS_MM);
}

/**
 * Area-weighted vertex normals of a part of a mesh, unit length. Unlike the renderer's `computeVertexNormals` it is zero where no triangle
 * of `ranges` is: such vertices face no camera and no light.
 */
export function computePartNormals(positions: Float32Array, triangles: Uint32Array, ranges: readonly TriangleRange[]): Float32Array {
  const memory = useScratchMemory(countKernelBytes(triangles) + 16 * ranges.length + 2 * countKernelBytes(positions));
  const from = memory.place(positions);
  const normals = memory.allocate(Float32Array, positions.length).fill(0);
  for (const { firstTriangle, triangleCount } of ranges) {
    const corners = memory.place(triangles.subarray(3 * firstTriangle, 3 * (firstTriangle + triangleCount)));
    memory.kernels.addTriangleNormals(from.byteOffset, corners.byteOffset, triangleCount, normals.byteOffset);
  }
  memory.kernels.makeUnit(normals.byteOffset, positions.length / 3, 0);
  return normals.slice();
}

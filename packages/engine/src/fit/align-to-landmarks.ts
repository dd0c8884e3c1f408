import { countKernelBytes, createKernelMemory, type KernelMemory } from '../kernels/kernel-memory.ts';
import type { FaceModel } from '../models/face-model.ts';

/** How far the field reaches beyond the outermost landmarks before it has decayed to about a third, edges of the mesh. */
const DECAY_EDGES = 5;

/** Rings of vertices round the landmarks that the field is computed on; a tenth is left there. */
const REACH_EDGES = 12;

/** Rings that every sweep visits; the others, where the field only fades, are visited by every fourth. */
const NEAR_EDGES = 4;

/** Weight of a landmark against one edge: large, so that landmarks are met to a few per cent of the residual. */
const LANDMARK_WEIGHT = 40;

const SWEEPS = 10;

/** Over-relaxation of the sweeps; found by trial, 1.4 to 1.7 are alike. */
const RELAXATION = 1.5;

/** Least ratio of a triangle's area in the picture after and before the field; below it the field is smoothed there. */
const LEAST_AREA_RATIO = 0.15;

/** Landmarks of more weight than this are not given up for a fold (outlines are). */
const PINNED_WEIGHT = 0.1;

/**
 * Long loops are cut into calls of so many steps. A process that makes one face spends most of its time on code that is not compiled yet; a function
 * that is called often is compiled once and used from the next call on, one that is called once and loops long is compiled in the middle, and again
 * where the guesses of that fail.
 */
const BLOCK = 512;

/** The part of a mesh that the field lives on. Its vertices are counted anew, from the landmarks outward. */
export interface AlignmentGraph {
  /** Shape (A): vertex of the model. */
  readonly vertex: Uint32Array;
  /** The first so many are near landmarks. */
  readonly nearCount: number;
  /** Shape (A): a landmark that is near, and how much of its residual arrives here: where the sweeps start. */
  readonly nearest: Uint32Array;
  readonly arrives: Float64Array;
  /** Neighbours of i that are among the A: `neighbour[start[i] .. start[i+1]]`. */
  readonly start: Uint32Array;
  readonly neighbour: Uint32Array;
  /** Shape (A): neighbours, those beyond the reach (where the field is zero) included. */
  readonly degree: Float64Array;
  /** Landmarks that i is a corner of: entries `cornerStart[i] .. cornerStart[i+1]` of the next two tables. */
  readonly cornerStart: Uint32Array;
  /** Shape (n,3): landmark, and the two other corners. */
  readonly corner: Uint32Array;
  /** Shape (n,3): weights of i and of the two others. */
  readonly cornerWeight: Float64Array;
  /** Shape (n,3): triangles with all corners among the A. */
  readonly triangles: Uint32Array;
  /** Vertices of each part that hangs on no landmark. */
  readonly looseParts: readonly Uint32Array[];
}

/** The graph where kernels can read it (kernels/membrane.ts), and what is written for one face. */
interface Membrane {
  readonly graph: AlignmentGraph;
  readonly memory: KernelMemory;
  /** Shape (L): trust in each landmark. */
  readonly weight: Float64Array;
  /** Shape (L,2), pixels. */
  readonly residual: Float64Array;
  /** Shape (A,2), pixels: the displacement. */
  readonly field: Float64Array;
  /** Shape (V,2), pixels. */
  readonly projected: Float32Array;
  /** Shape (A): marks of vertices, all zero between two faces. */
  readonly isFolded: Uint8Array;
  /** Shape (A): list of vertices. */
  readonly folded: Uint32Array;
  /** Shape (n,3): triangles that may be folded. */
  readonly candidates: Uint32Array;
}

const membranes = new WeakMap<FaceModel, Membrane>();

/**
 * Moves the projection of a model smoothly so that it meets the landmarks: picture points for texture look-up.
 *
 * The displacement is a screened membrane on the mesh: the minimum of sum over edges |u_i - u_j|^2 + sum over vertices |u|^2 / 5^2 +
 * 40 sum over landmarks w_l |u(l) - residual_l|^2, by over-relaxed Gauss-Seidel sweeps that start at the landmarks. Along the mesh upper and
 * lower lip are far apart, so an open mouth is not smeared over. Parts without landmarks (eyeballs, teeth, tongue) are moved as a whole, with the
 * landmarks near them. Where the field would fold the picture of a triangle it is smoothed.
 *
 * @param projected - shape (V,2), pixels; changed in place and returned
 * @param target - shape (L,2), pixels: where landmark l of the model's table is in the photo
 * @param weight - shape (L), 0..1
 */
export function alignToLandmarks(model: FaceModel, projected: Float32Array, target: Float64Array, weight: Float64Array): Float32Array {
  const membrane = prepareMembrane(model);
  const { graph, residual } = membrane;
  const { landmarks, triangles } = model;
  const { barycentric, triangle, count } = landmarks;
  const at = new Float64Array(2 * count);
  for (let l = 0; l < count; l++) {
    for (let axis = 0; axis < 2; axis++) {
      for (let c = 0; c < 3; c++) at[2 * l + axis] += barycentric[3 * l + c] * projected[2 * triangles[3 * triangle[l] + c] + axis];
      residual[2 * l + axis] = target[2 * l + axis] - at[2 * l + axis];
    }
  }
  membrane.weight.set(weight);
  membrane.projected.set(projected);
  solveMembrane(membrane);
  smoothFolds(membrane);
  const moves = computePartMoves(graph.looseParts, projected, at, residual, weight);
  const { vertex } = graph;
  membrane.memory.kernels.addField(membrane.projected.byteOffset, vertex.byteOffset, vertex.length);
  projected.set(membrane.projected);
  graph.looseParts.forEach((vertices, p) => {
    shiftPoints(projected, vertices, moves[2 * p], moves[2 * p + 1]);
  });
  return projected;
}

/** Makes ready for faces of a model: with a graph that was read, the first one takes no longer than the others. */
export function prepareAlignment(model: FaceModel, graph: AlignmentGraph): void {
  if (!membranes.has(model)) membranes.set(model, placeGraph(graph, model.vertexCount, model.landmarks.count));
}

function prepareMembrane(model: FaceModel): Membrane {
  let membrane = membranes.get(model);
  if (!membrane) {
    membrane = placeGraph(buildGraph(model), model.vertexCount, model.landmarks.count);
    membranes.set(model, membrane);
  }
  return membrane;
}

function placeGraph(graph: AlignmentGraph, vertexCount: number, landmarkCount: number): Membrane {
  const { looseParts, ...tables } = graph;
  const count = graph.vertex.length;
  const memory = createKernelMemory(
    countKernelBytes(tables) + countKernelBytes(graph.triangles) + 24 * landmarkCount + 21 * count + 8 * vertexCount + 256,
  );
  return {
    graph: { ...memory.adopt(tables), looseParts },
    memory,
    weight: memory.allocate(Float64Array, landmarkCount),
    residual: memory.allocate(Float64Array, 2 * landmarkCount),
    field: memory.allocate(Float64Array, 2 * count),
    projected: memory.allocate(Float32Array, 2 * vertexCount),
    isFolded: memory.allocate(Uint8Array, count),
    folded: memory.allocate(Uint32Array, count),
    candidates: memory.allocate(Uint32Array, graph.triangles.length),
  };
}

function shiftPoints(points: Float32Array, vertices: Uint32Array, dx: number, dy: number): void {
  for (let i = 0; i < vertices.length; i++) {
    points[2 * vertices[i]] += dx;
    points[2 * vertices[i] + 1] += dy;
  }
}

/** Sum of every second number of `points` at the vertices, from `axis` on, divided by their count term by term. */
function meanOfPoints(points: Float32Array, vertices: Uint32Array, axis: 0 | 1): number {
  let mean = 0;
  for (let i = 0; i < vertices.length; i++) mean += points[2 * vertices[i] + axis] / vertices.length;
  return mean;
}

/** Computes the field from residuals and weights. */
function solveMembrane({ graph, memory, weight, residual, field }: Membrane): void {
  const { nearCount, nearest, arrives, start, neighbour, degree, cornerStart, corner, cornerWeight } = graph;
  const { kernels } = memory;
  kernels.setMembrane(
    start.byteOffset,
    neighbour.byteOffset,
    degree.byteOffset,
    cornerStart.byteOffset,
    corner.byteOffset,
    cornerWeight.byteOffset,
    weight.byteOffset,
    residual.byteOffset,
    field.byteOffset,
  );
  kernels.startMembrane(nearest.byteOffset, arrives.byteOffset, degree.length);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const count = sweep % 4 === 3 ? degree.length : nearCount;
    kernels.relaxMembrane(count, 1 / (DECAY_EDGES * DECAY_EDGES), LANDMARK_WEIGHT, RELAXATION);
  }
}

/**
 * Each part that hangs on no landmark takes the mean residual of the landmarks near its picture, as one piece.
 *
 * @returns shape (parts,2)
 */
function computePartMoves(
  parts: readonly Uint32Array[],
  projected: Float32Array,
  at: Float64Array,
  residual: Float64Array,
  weight: Float64Array,
): Float64Array {
  let left = Infinity;
  let right = -Infinity;
  for (let l = 0; l < weight.length; l++) {
    left = Math.min(left, at[2 * l]);
    right = Math.max(right, at[2 * l]);
  }
  // A tenth of the face's width: an eye or a mouth.
  const reachSq = (0.1 * (right - left)) ** 2;
  const moves = new Float64Array(2 * parts.length);
  parts.forEach((vertices, p) => {
    const cx = meanOfPoints(projected, vertices, 0);
    const cy = meanOfPoints(projected, vertices, 1);
    // The constant keeps parts that are far from every landmark where they are.
    let sum = 0.1;
    for (let l = 0; l < weight.length; l++) {
      const distanceSq = (at[2 * l] - cx) ** 2 + (at[2 * l + 1] - cy) ** 2;
      if (distanceSq > 16 * reachSq) continue;
      const w = weight[l] * Math.exp(-distanceSq / reachSq);
      sum += w;
      moves[2 * p] += w * residual[2 * l];
      moves[2 * p + 1] += w * residual[2 * l + 1];
    }
    moves[2 * p] /= sum;
    moves[2 * p + 1] /= sum;
  });
  return moves;
}

/**
 * Smooths the field at the corners of triangles that face the camera and would fold or nearly vanish: such a vertex takes the mean of
 * its neighbours. At most three rounds; what is left are slivers along the outline of the head.
 */
function smoothFolds({ graph, memory, weight, field, projected, isFolded, folded, candidates }: Membrane): void {
  const { vertex, triangles } = graph;
  const { kernels } = memory;
  let suspects = triangles.byteOffset;
  let suspectCount = triangles.length / 3;
  for (let round = 0; round < 3; round++) {
    const count = kernels.listFolded(
      suspects,
      suspectCount,
      vertex.byteOffset,
      projected.byteOffset,
      LEAST_AREA_RATIO,
      isFolded.byteOffset,
      folded.byteOffset,
    );
    if (count === 0) return;
    for (let n = 0; n < count; n++) {
      // Corners of landmarks stay: it is the others that give way.
      if (!isPinned(graph, weight, folded[n])) takeMean(graph, field, folded[n]);
    }
    // Only triangles at these corners can have changed.
    suspectCount = kernels.selectTriangles(triangles.byteOffset, triangles.length / 3, isFolded.byteOffset, candidates.byteOffset);
    suspects = candidates.byteOffset;
    for (let n = 0; n < count; n++) isFolded[folded[n]] = 0;
  }
}

function isPinned({ cornerStart, corner }: AlignmentGraph, weight: Float64Array, i: number): boolean {
  for (let n = cornerStart[i]; n < cornerStart[i + 1]; n++) if (weight[corner[3 * n]] > PINNED_WEIGHT) return true;
  return false;
}

/** Gives vertex i the mean of its neighbours. */
function takeMean({ start, neighbour, degree }: AlignmentGraph, field: Float64Array, i: number): void {
  let x = 0;
  let y = 0;
  for (let n = start[i]; n < start[i + 1]; n++) {
    x += field[2 * neighbour[n]];
    y += field[2 * neighbour[n] + 1];
  }
  field[2 * i] = x / degree[i];
  field[2 * i + 1] = y / degree[i];
}

/** The graph of a model; see {@link loadAlignmentGraph} for keeping it. */
export function buildGraph(model: FaceModel): AlignmentGraph {
  const { triangles, vertexCount, landmarks } = model;
  const partTriangles = model.parts.map((p) => triangles.subarray(3 * p.firstTriangle, 3 * (p.firstTriangle + p.triangleCount)));
  const { attached, loose } = splitParts(model, partTriangles);

  const { start, neighbour } = listNeighbours(attached, vertexCount);
  const { index, vertex, ring, nearest } = walkRings(model, start, neighbour);
  const count = vertex.length;
  const ownStart = new Uint32Array(count + 1);
  const own = new Uint32Array(neighbour.length);
  const degree = new Float64Array(count);
  for (let i = 0, n = 0; i < count; i++) {
    const v = vertex[i];
    degree[i] = start[v + 1] - start[v];
    n = appendInside(neighbour, start[v], start[v + 1], index, own, n);
    ownStart[i + 1] = n;
  }

  const cornerStart = new Uint32Array(count + 1);
  for (let l = 0; l < landmarks.count; l++) {
    for (let c = 0; c < 3; c++)
      if (landmarks.barycentric[3 * l + c] > 0) cornerStart[index[triangles[3 * landmarks.triangle[l] + c]] + 1]++;
  }
  for (let i = 0; i < count; i++) cornerStart[i + 1] += cornerStart[i];
  const cornerCursor = cornerStart.slice();
  const corner = new Uint32Array(3 * cornerStart[count]);
  const cornerWeight = new Float64Array(3 * cornerStart[count]);
  for (let l = 0; l < landmarks.count; l++) {
    const t = 3 * landmarks.triangle[l];
    for (let c = 0; c < 3; c++) {
      const b = 3 * l;
      if (!(landmarks.barycentric[b + c] > 0)) continue;
      const d = (c + 1) % 3;
      const e = (c + 2) % 3;
      const at = 3 * cornerCursor[index[triangles[t + c]]]++;
      corner[at] = l;
      corner[at + 1] = index[triangles[t + d]];
      corner[at + 2] = index[triangles[t + e]];
      cornerWeight[at] = landmarks.barycentric[b + c];
      cornerWeight[at + 1] = landmarks.barycentric[b + d];
      cornerWeight[at + 2] = landmarks.barycentric[b + e];
    }
  }

  const far = ring.findIndex((r) => r > NEAR_EDGES);
  return {
    vertex,
    nearCount: far < 0 ? count : far,
    nearest,
    arrives: Float64Array.from(ring, (r) => Math.exp(-r / DECAY_EDGES)),
    start: ownStart,
    neighbour: own.slice(0, ownStart[count]),
    degree,
    cornerStart,
    corner,
    cornerWeight,
    triangles: renumberInside(attached, index),
    looseParts: loose,
  };
}

/** Neighbours of every vertex of the whole mesh: `neighbour[start[v] .. start[v+1]]`. */
function listNeighbours(lists: readonly Uint32Array[], vertexCount: number): { start: Uint32Array; neighbour: Uint32Array } {
  // Each inner edge belongs to two triangles, in opposite directions: taking one direction of each gives every neighbour once.
  const start = new Uint32Array(vertexCount + 1);
  for (const list of lists) countCorners(list, start);
  for (let v = 0; v < vertexCount; v++) start[v + 1] += start[v];
  const cursor = start.slice();
  const neighbour = new Uint32Array(start[vertexCount]);
  for (const list of lists)
    for (let t = 0; t < list.length; t += 3 * BLOCK) linkCorners(list.subarray(t, t + 3 * BLOCK), cursor, neighbour);
  return { start, neighbour };
}

function countCorners(list: Uint32Array, start: Uint32Array): void {
  for (let i = 0; i < list.length; i++) start[list[i] + 1]++;
}

function linkCorners(list: Uint32Array, cursor: Uint32Array, neighbour: Uint32Array): void {
  for (let t = 0; t < list.length; t += 3) {
    const a = list[t];
    const b = list[t + 1];
    const c = list[t + 2];
    neighbour[cursor[a]++] = b;
    neighbour[cursor[b]++] = c;
    neighbour[cursor[c]++] = a;
  }
}

/** Rings round the landmarks, breadth first: the vertices, the ring of each, a landmark that is near, and the place of every vertex of the mesh in there or -1. */
function walkRings(
  { triangles, vertexCount, landmarks }: FaceModel,
  start: Uint32Array,
  neighbour: Uint32Array,
): { index: Int32Array; vertex: Uint32Array; ring: Uint8Array; nearest: Uint32Array } {
  const index = new Int32Array(vertexCount).fill(-1);
  const vertex = new Uint32Array(vertexCount);
  const ring = new Uint8Array(vertexCount);
  const nearest = new Uint32Array(vertexCount);
  let count = 0;
  for (let i = 0; i < 3 * landmarks.count; i++) {
    const l = Math.floor(i / 3);
    const v = triangles[3 * landmarks.triangle[l] + (i % 3)];
    if (index[v] >= 0) continue;
    index[v] = count;
    vertex[count] = v;
    nearest[count++] = l;
  }
  for (let i = 0; i < count && ring[i] < REACH_EDGES; i++)
    count = visitNeighbours(i, start, neighbour, index, vertex, ring, nearest, count);
  return { index, vertex: vertex.slice(0, count), ring: ring.slice(0, count), nearest: nearest.slice(0, count) };
}

function visitNeighbours(
  i: number,
  start: Uint32Array,
  neighbour: Uint32Array,
  index: Int32Array,
  vertex: Uint32Array,
  ring: Uint8Array,
  nearest: Uint32Array,
  known: number,
): number {
  let count = known;
  for (let n = start[vertex[i]], end = start[vertex[i] + 1]; n < end; n++) {
    const v = neighbour[n];
    if (index[v] >= 0) continue;
    index[v] = count;
    vertex[count] = v;
    ring[count] = ring[i] + 1;
    nearest[count++] = nearest[i];
  }
  return count;
}

/** Appends the new numbers of `neighbour[first..last)` to `out`, leaving out those without. @returns how many `out` has */
function appendInside(neighbour: Uint32Array, first: number, last: number, index: Int32Array, out: Uint32Array, known: number): number {
  let count = known;
  for (let n = first; n < last; n++) if (index[neighbour[n]] >= 0) out[count++] = index[neighbour[n]];
  return count;
}

/** The triangles with all corners inside, by their new numbers; shape (n,3). */
function renumberInside(lists: readonly Uint32Array[], index: Int32Array): Uint32Array {
  const out = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let n = 0;
  for (const list of lists) for (let t = 0; t < list.length; t += 3 * BLOCK) n = renumber(list.subarray(t, t + 3 * BLOCK), index, out, n);
  return out.slice(0, n);
}

function renumber(list: Uint32Array, index: Int32Array, out: Uint32Array, known: number): number {
  let n = known;
  for (let t = 0; t < list.length; t += 3) {
    const a = index[list[t]];
    const b = index[list[t + 1]];
    const c = index[list[t + 2]];
    if (a < 0 || b < 0 || c < 0) continue;
    out[n++] = a;
    out[n++] = b;
    out[n++] = c;
  }
  return n;
}

/** Triangles of the parts that share vertices with the part that carries the landmarks, directly or through others; vertices of each of the rest. */
function splitParts(
  model: FaceModel,
  partTriangles: readonly Uint32Array[],
): { attached: readonly Uint32Array[]; loose: readonly Uint32Array[] } {
  const isCovered = new Uint8Array(model.vertexCount);
  for (let l = 0; l < model.landmarks.count; l++) {
    for (let c = 0; c < 3; c++) isCovered[model.triangles[3 * model.landmarks.triangle[l] + c]] = 1;
  }
  const attached: Uint32Array[] = [];
  let rest = [...partTriangles];
  for (;;) {
    const next = rest.filter((list) => isTouched(list, isCovered));
    if (next.length === 0) break;
    for (const list of next) cover(list, isCovered);
    attached.push(...next);
    rest = rest.filter((list) => !next.includes(list));
  }
  return { attached, loose: rest.map((list) => listVertices(list, model.vertexCount)) };
}

function isTouched(list: Uint32Array, isCovered: Uint8Array): boolean {
  for (let i = 0; i < list.length; i++) if (isCovered[list[i]] === 1) return true;
  return false;
}

function cover(list: Uint32Array, isCovered: Uint8Array): void {
  for (let i = 0; i < list.length; i++) isCovered[list[i]] = 1;
}

/** The vertices of triangles, each once, in the order of their first corner. */
function listVertices(list: Uint32Array, vertexCount: number): Uint32Array {
  const isListed = new Uint8Array(vertexCount);
  const out = new Uint32Array(list.length);
  let n = 0;
  for (let i = 0; i < list.length; i++) {
    const v = list[i];
    if (isListed[v] === 1) continue;
    isListed[v] = 1;
    out[n++] = v;
  }
  return out.slice(0, n);
}

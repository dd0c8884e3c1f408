import type { FaceModel } from '../models/face-model.ts';

/** How far the field reaches beyond the outermost landmarks before it has decayed to about a third, edges of the mesh. */
const DECAY_EDGES = 6;

/** Rings of vertices beyond the landmarks that the field is computed on; 3 decay lengths, 5 % is left there. */
const REACH_EDGES = 18;

/** Weight of a landmark against one edge: large, so that landmarks are met to a few per cent of the residual. */
const LANDMARK_WEIGHT = 40;

const SWEEPS = 24;

/** Over-relaxation of the sweeps; found by trial, 1.4 to 1.7 are alike. */
const RELAXATION = 1.5;

/** Least ratio of a triangle's area in the picture after and before the field; below it the field is weakened there. */
const LEAST_AREA_RATIO = 0.15;

interface AlignmentGraph {
  /** Vertices that the field covers, nearest to the landmarks first. */
  readonly active: Uint32Array;
  /** Neighbours of vertex v: `neighbour[start[v] .. start[v+1]]`. */
  readonly start: Uint32Array;
  readonly neighbour: Uint32Array;
  /** Landmarks that vertex v is a corner of: `corner[cornerStart[v] .. cornerStart[v+1]]` = 3 * landmark + corner number. */
  readonly cornerStart: Uint32Array;
  readonly corner: Uint32Array;
  /** Connected component of each vertex, and of each component whether a landmark lies on it. */
  readonly component: Int32Array;
  readonly componentHasLandmark: readonly boolean[];
}

const graphs = new WeakMap<FaceModel, AlignmentGraph>();

/**
 * Moves the projection of a model smoothly so that it meets the landmarks: picture points for texture look-up.
 *
 * The displacement is a screened membrane on the mesh: the minimum of sum over edges |u_i - u_j|^2 + |u|^2 / d^2 over vertices +
 * 40 sum over landmarks w_l |u(l) - residual_l|^2, by over-relaxed Gauss-Seidel sweeps that start near the landmarks. Along the mesh upper and
 * lower lip are far apart, so an open mouth is not smeared over. Parts without landmarks (teeth, tongue) are moved as a whole, with the
 * landmarks near them. Where the field would fold the picture of a triangle it is weakened.
 *
 * @param projected - shape (V,2), pixels; changed in place and returned
 * @param target - shape (L,2), pixels: where landmark l of the model's table is in the photo
 * @param weight - shape (L), 0..1
 */
export function alignToLandmarks(model: FaceModel, projected: Float32Array, target: Float64Array, weight: Float64Array): Float32Array {
  const graph = prepareGraph(model);
  const { landmarks, triangles, vertexCount } = model;
  const { active, start, neighbour, cornerStart, corner } = graph;
  const { barycentric, triangle, count } = landmarks;
  const residual = new Float64Array(2 * count);
  for (let l = 0; l < count; l++) {
    for (let axis = 0; axis < 2; axis++) {
      let at = 0;
      for (let c = 0; c < 3; c++) at += barycentric[3 * l + c] * projected[2 * triangles[3 * triangle[l] + c] + axis];
      residual[2 * l + axis] = target[2 * l + axis] - at;
    }
  }

  const screen = 1 / (DECAY_EDGES * DECAY_EDGES);
  const field = new Float64Array(2 * vertexCount);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let i = 0; i < active.length; i++) {
      const v = active[i];
      const first = start[v];
      const last = start[v + 1];
      let x = 0;
      let y = 0;
      let stiffness = last - first + screen;
      for (let n = first; n < last; n++) {
        const o = 2 * neighbour[n];
        x += field[o];
        y += field[o + 1];
      }
      for (let n = cornerStart[v]; n < cornerStart[v + 1]; n++) {
        const l = (corner[n] / 3) | 0;
        const own = corner[n] - 3 * l;
        const b = barycentric[corner[n]];
        let rx = residual[2 * l];
        let ry = residual[2 * l + 1];
        for (let c = 0; c < 3; c++) {
          if (c === own) continue;
          const o = 2 * triangles[3 * triangle[l] + c];
          const bc = barycentric[3 * l + c];
          rx -= bc * field[o];
          ry -= bc * field[o + 1];
        }
        const w = LANDMARK_WEIGHT * weight[l] * b;
        x += w * rx;
        y += w * ry;
        stiffness += w * b;
      }
      const o = 2 * v;
      field[o] = field[o] + RELAXATION * (x / stiffness - field[o]);
      field[o + 1] = field[o + 1] + RELAXATION * (y / stiffness - field[o + 1]);
    }
  }
  moveLooseParts(model, graph, projected, residual, weight, field);
  weakenFolds(model, projected, field);
  for (let i = 0; i < projected.length; i++) projected[i] = projected[i] + field[i];
  return projected;
}

/** Components without landmarks take the mean residual of the landmarks near their picture, each component as one piece. */
function moveLooseParts(
  model: FaceModel,
  graph: AlignmentGraph,
  projected: Float32Array,
  residual: Float64Array,
  weight: Float64Array,
  field: Float64Array,
): void {
  const { landmarks, triangles, vertexCount } = model;
  const { component, componentHasLandmark } = graph;
  const loose = componentHasLandmark.length;
  const sums = new Float64Array(3 * loose);
  for (let v = 0; v < vertexCount; v++) {
    const c = component[v];
    if (componentHasLandmark[c]) continue;
    sums[3 * c] = sums[3 * c] + projected[2 * v];
    sums[3 * c + 1] = sums[3 * c + 1] + projected[2 * v + 1];
    sums[3 * c + 2] = sums[3 * c + 2] + 1;
  }
  let left = Infinity;
  let right = -Infinity;
  const at = new Float64Array(2 * landmarks.count);
  for (let l = 0; l < landmarks.count; l++) {
    for (let axis = 0; axis < 2; axis++) {
      for (let c = 0; c < 3; c++) {
        at[2 * l + axis] =
          at[2 * l + axis] + landmarks.barycentric[3 * l + c] * projected[2 * triangles[3 * landmarks.triangle[l] + c] + axis];
      }
    }
    left = Math.min(left, at[2 * l]);
    right = Math.max(right, at[2 * l]);
  }
  // A tenth of the face's width: an eye or a mouth.
  const reachSq = (0.1 * (right - left)) ** 2;
  const moves = new Float64Array(2 * loose);
  for (let c = 0; c < loose; c++) {
    const n = sums[3 * c + 2];
    if (n === 0) continue;
    let wSum = 0;
    for (let l = 0; l < landmarks.count; l++) {
      const dx = at[2 * l] - sums[3 * c] / n;
      const dy = at[2 * l + 1] - sums[3 * c + 1] / n;
      const w = weight[l] * Math.exp(-(dx * dx + dy * dy) / reachSq);
      wSum += w;
      moves[2 * c] = moves[2 * c] + w * residual[2 * l];
      moves[2 * c + 1] = moves[2 * c + 1] + w * residual[2 * l + 1];
    }
    // The constant keeps parts that are far from every landmark where they are.
    moves[2 * c] = moves[2 * c] / (wSum + 0.1);
    moves[2 * c + 1] = moves[2 * c + 1] / (wSum + 0.1);
  }
  for (let v = 0; v < vertexCount; v++) {
    const c = component[v];
    if (componentHasLandmark[c]) continue;
    field[2 * v] = moves[2 * c];
    field[2 * v + 1] = moves[2 * c + 1];
  }
}

/** Halves the field at the corners of triangles that face the camera and would fold or nearly vanish, until there are none. */
function weakenFolds(model: FaceModel, projected: Float32Array, field: Float64Array): void {
  const { triangles } = model;
  const folded = new Set<number>();
  for (let round = 0; round < 6; round++) {
    folded.clear();
    for (let t = 0; t < triangles.length; t += 3) {
      const a = 2 * triangles[t];
      const b = 2 * triangles[t + 1];
      const c = 2 * triangles[t + 2];
      const abx = projected[b] - projected[a];
      const aby = projected[b + 1] - projected[a + 1];
      const acx = projected[c] - projected[a];
      const acy = projected[c + 1] - projected[a + 1];
      const before = abx * acy - aby * acx;
      // y down: a triangle that faces the camera turns clockwise in these axes
      if (before >= 0) continue;
      const after =
        (abx + field[b] - field[a]) * (acy + field[c + 1] - field[a + 1]) -
        (aby + field[b + 1] - field[a + 1]) * (acx + field[c] - field[a]);
      if (after > LEAST_AREA_RATIO * before) {
        folded.add(a);
        folded.add(b);
        folded.add(c);
      }
    }
    if (folded.size === 0) return;
    for (const o of folded) {
      field[o] = field[o] / 2;
      field[o + 1] = field[o + 1] / 2;
    }
  }
}

function prepareGraph(model: FaceModel): AlignmentGraph {
  const known = graphs.get(model);
  if (known) return known;
  const { triangles, vertexCount, landmarks } = model;
  // Each edge of a closed mesh appears in two triangles, once in each direction; border edges in one, so they count half.
  const start = new Uint32Array(vertexCount + 1);
  for (let i = 0; i < triangles.length; i++) start[triangles[i] + 1]++;
  for (let v = 0; v < vertexCount; v++) start[v + 1] = start[v + 1] + start[v];
  const cursor = start.slice();
  const neighbour = new Uint32Array(triangles.length);
  for (let t = 0; t < triangles.length; t += 3) {
    for (let c = 0; c < 3; c++) neighbour[cursor[triangles[t + c]]++] = triangles[t + ((c + 1) % 3)];
  }

  const cornerStart = new Uint32Array(vertexCount + 1);
  for (let l = 0; l < landmarks.count; l++) {
    for (let c = 0; c < 3; c++) cornerStart[triangles[3 * landmarks.triangle[l] + c] + 1]++;
  }
  for (let v = 0; v < vertexCount; v++) cornerStart[v + 1] = cornerStart[v + 1] + cornerStart[v];
  const cornerCursor = cornerStart.slice();
  const corner = new Uint32Array(3 * landmarks.count);
  for (let l = 0; l < landmarks.count; l++) {
    for (let c = 0; c < 3; c++) corner[cornerCursor[triangles[3 * landmarks.triangle[l] + c]]++] = 3 * l + c;
  }

  // Rings around the landmarks, breadth first; the edges go one way round, so both ends are visited through their triangles.
  const ring = new Int32Array(vertexCount).fill(-1);
  const queue: number[] = [];
  for (let v = 0; v < vertexCount; v++) {
    if (cornerStart[v + 1] > cornerStart[v]) {
      ring[v] = 0;
      queue.push(v);
    }
  }
  for (let i = 0; i < queue.length; i++) {
    const v = queue[i];
    if (ring[v] >= REACH_EDGES) continue;
    for (let n = start[v]; n < start[v + 1]; n++) {
      const o = neighbour[n];
      if (ring[o] >= 0) continue;
      ring[o] = ring[v] + 1;
      queue.push(o);
    }
  }

  const component = new Int32Array(vertexCount).fill(-1);
  const componentHasLandmark: boolean[] = [];
  const stack: number[] = [];
  for (let seed = 0; seed < vertexCount; seed++) {
    if (component[seed] >= 0) continue;
    const id = componentHasLandmark.length;
    let has = false;
    component[seed] = id;
    stack.push(seed);
    while (stack.length > 0) {
      const v = stack.pop()!;
      if (ring[v] === 0) has = true;
      for (let n = start[v]; n < start[v + 1]; n++) {
        const o = neighbour[n];
        if (component[o] >= 0) continue;
        component[o] = id;
        stack.push(o);
      }
    }
    componentHasLandmark.push(has);
  }
  const graph = { active: Uint32Array.from(queue), start, neighbour, cornerStart, corner, component, componentHasLandmark };
  graphs.set(model, graph);
  return graph;
}

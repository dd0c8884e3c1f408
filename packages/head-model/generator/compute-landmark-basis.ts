import type { HeadModelData } from '../src/head-model-data.ts';
import { joinSteps } from './join-steps.ts';
import type { LandmarkTable } from './register-landmarks.ts';

/** The model at the landmarks only, millimetres. */
export interface LandmarkFields {
  /** Shape (L,3) */
  readonly mean: Float64Array;
  /** Shape (K,L,3), per standard deviation. */
  readonly identity: Float64Array;
  /** Shape (E,L,3), at amount 1. */
  readonly expression: Float64Array;
}

type Shapes = Pick<HeadModelData, 'neutral' | 'mirrorVertex' | 'identity' | 'expressions'>;

/**
 * The head model at the landmarks. A landmark is a weighted sum of three vertices; a vertex has a row of its own, or its partner has, or it belongs to
 * a body.
 *
 * @param triangles - shape (T,3)
 */
export function computeLandmarkBasis(data: Shapes, table: LandmarkTable, triangles: Uint32Array): LandmarkFields {
  const { triangle, barycentric } = table;
  const corners = Uint32Array.from({ length: barycentric.length }, (_, i) => triangles[3 * triangle[Math.floor(i / 3)]! + (i % 3)]!);
  return {
    mean: computeMean(data, corners, barycentric),
    identity: computeModes(data, corners, barycentric),
    expression: computeExpressions(data, corners, barycentric),
  };
}

function computeMean(data: Shapes, corners: Uint32Array, barycentric: Float32Array): Float64Array {
  const mean = new Float64Array(corners.length);
  for (let i = 0; i < corners.length; i++) {
    const at = i - (i % 3);
    for (let d = 0; d < 3; d++) mean[at + d]! += barycentric[i]! * data.neutral[3 * corners[i]! + d]!;
  }
  return mean;
}

/** Shape (K,L,3). */
function computeModes(data: Shapes, corners: Uint32Array, barycentric: Float32Array): Float64Array {
  const { columnCount, columnMode, modeCount } = data.identity;
  const out = new Float64Array(modeCount * corners.length);
  const addColumns = createColumnAdder(data);
  const sum = new Float64Array(3 * columnCount);
  for (let at = 0; at < corners.length; at += 3) {
    sum.fill(0);
    for (let i = at; i < at + 3; i++) if (barycentric[i] !== 0) addColumns(corners[i]!, barycentric[i]!, sum);
    for (let c = 0; c < columnCount; c++) {
      const k = columnMode[c]!;
      for (let d = 0; d < 3; d++) out[k * corners.length + at + d]! += sum[d * columnCount + c]!;
    }
  }
  return out;
}

/** Answers a function that adds weight times the columns of a vertex, shape (3,C), to `sum`. */
function createColumnAdder(data: Shapes): (vertex: number, weight: number, sum: Float64Array) => void {
  const { columnCount, symmetricColumns, rowVertex, rowStepMm, bodies } = data.identity;
  const steps = joinSteps(data.identity);
  const rowOf = new Int32Array(data.mirrorVertex.length).fill(-1);
  for (let h = 0; h < rowVertex.length; h++) rowOf[rowVertex[h]!] = h;
  const bodyOf = (v: number) => bodies.find((b) => v >= b.firstVertex && v < b.firstVertex + b.vertexCount);
  return (vertex, weight, sum) => {
    const own = rowOf[vertex]! >= 0 || bodyOf(vertex) !== undefined;
    const source = own ? vertex : data.mirrorVertex[vertex]!;
    const row = rowOf[source]!;
    const body = row < 0 ? bodyOf(source)! : null;
    for (let d = 0; d < 3; d++) {
      // On the other side: x is reversed, and columns of the opposite kind once more.
      const same = own || d > 0 ? weight : -weight;
      const opposite = own ? weight : -same;
      for (let c = 0; c < columnCount; c++) {
        const signed = c < symmetricColumns ? same : opposite;
        let value: number;
        if (body) {
          const i = 12 * c + 4 * d;
          value = body.columns[i]!;
          for (let j = 0; j < 3; j++) value += body.columns[i + 1 + j]! * (data.neutral[3 * source + j]! - body.center[j]!);
        } else {
          value = rowStepMm[row]! * steps[(3 * c + d) * rowVertex.length + row]!;
        }
        sum[d * columnCount + c]! += signed * value;
      }
    }
  };
}

/** Shape (E,L,3). */
function computeExpressions(data: Shapes, corners: Uint32Array, barycentric: Float32Array): Float64Array {
  const { expressions } = data;
  const out = new Float64Array(expressions.length * corners.length);
  // Corners at each vertex as linked lists.
  const first = new Int32Array(data.mirrorVertex.length).fill(-1);
  const next = new Int32Array(corners.length);
  for (let i = 0; i < corners.length; i++) {
    next[i] = first[corners[i]!]!;
    first[corners[i]!] = i;
  }
  for (let e = 0; e < expressions.length; e++) {
    const { vertices, steps, stepMm } = expressions[e]!;
    const base = e * corners.length;
    for (let n = 0; n < vertices.length; n++) {
      for (let i = first[vertices[n]!]!; i >= 0; i = next[i]!) {
        const at = base + i - (i % 3);
        const scale = barycentric[i]! * stepMm;
        for (let d = 0; d < 3; d++) out[at + d]! += scale * steps[d * vertices.length + n]!;
      }
    }
  }
  return out;
}

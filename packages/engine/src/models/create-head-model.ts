import type { HeadModelData } from '@facewright/head-model';
import { addExpression, evaluateHead, NO_MODE, triangulate } from '@facewright/head-model';
import { FacewrightError } from '@facewright/protocol';
import { listArkitBlendshapes } from './arkit-blendshapes.ts';
import type { FaceModel, LandmarkBasis, ModelPart } from './face-model.ts';

/** The port over a decoded head model file. Nothing is copied that can be shared. */
export function createHeadModel(data: HeadModelData): FaceModel {
  const triangles = triangulate(data.polygons);
  const expressionNames = data.expressions.map((e) => e.name);
  let basis: LandmarkBasis | null = null;
  return {
    id: data.id,
    version: data.version,
    licence: data.licence,
    vertexCount: data.vertexCount,
    neutral: data.neutral,
    triangles,
    uvs: data.uvs,
    triangleUvs: triangulate(data.polygonUvs),
    parts: listParts(data),
    polygons: { vertices: data.polygons, uvs: data.polygonUvs },
    mirrorVertex: Uint32Array.from(data.mirrorVertex),
    regions: data.regions,
    identityCount: data.identity.modeCount,
    expressionNames,
    blendshapes: listArkitBlendshapes(expressionNames),
    get landmarks() {
      return (basis ??= computeLandmarkBasis(data, triangles));
    },
    evaluate: (identity, expression, out = new Float32Array(3 * data.vertexCount)) => evaluateChecked(data, identity, expression, out),
    expressionDelta(expression) {
      const shape = data.expressions[expression];
      if (!shape) {
        throw new FacewrightError('FW_ARG_INVALID', {
          name: 'expression',
          expected: `a whole number from 0 to ${data.expressions.length - 1}`,
          actual: expression,
        });
      }
      const out = new Float32Array(3 * data.vertexCount);
      addExpression(shape, 1, out);
      return out;
    },
  };
}

function listParts(data: HeadModelData): ModelPart[] {
  let firstTriangle = 0;
  return data.parts.map((part) => {
    const triangleCount = triangulate(data.polygons, part.firstPolygon, part.polygonCount).length / 3;
    const out: ModelPart = {
      name: part.name,
      material: part.material,
      firstTriangle,
      triangleCount,
      firstPolygon: part.firstPolygon,
      polygonCount: part.polygonCount,
      uvTile: part.uvTile,
    };
    firstTriangle += triangleCount;
    return out;
  });
}

function evaluateChecked(data: HeadModelData, identity: ArrayLike<number>, expression: ArrayLike<number>, out: Float32Array): Float32Array {
  checkCoefficients('identity', identity, data.identity.modeCount);
  checkCoefficients('expression', expression, data.expressions.length);
  if (out.length !== 3 * data.vertexCount) {
    throw new FacewrightError('FW_ARG_INVALID', { name: 'out', expected: `${3 * data.vertexCount} numbers`, actual: out.length });
  }
  evaluateHead(data, identity, expression, out);
  return out;
}

function checkCoefficients(name: string, values: ArrayLike<number>, max: number): void {
  if (values.length > max) {
    throw new FacewrightError('FW_ARG_INVALID', { name, expected: `at most ${max} numbers`, actual: values.length });
  }
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new FacewrightError('FW_ARG_INVALID', { name: `${name}[${i}]`, expected: 'a finite number', actual: values[i] });
    }
  }
}

/**
 * The model at the landmarks only. The rows of the model are used as they are: a landmark is a weighted sum of three vertices, a
 * vertex has a row of its own or its partner has.
 */
function computeLandmarkBasis(data: HeadModelData, triangles: Uint32Array): LandmarkBasis {
  const { landmark, triangle, barycentric, mirror, confidence } = data.landmarks;
  const { neutral, expressions } = data;
  const L = landmark.length;
  const K = data.identity.modeCount;
  const mean = new Float64Array(3 * L);
  const identity = new Float64Array(3 * L * K);
  const addModes = createModeAdder(data);
  const users = new Map<number, number[]>();
  for (let l = 0; l < L; l++) {
    for (let c = 0; c < 3; c++) {
      const v = triangles[3 * triangle[l]! + c]!;
      const w = barycentric[3 * l + c]!;
      if (w === 0) continue;
      const list = users.get(v);
      if (list) list.push(3 * l + c);
      else users.set(v, [3 * l + c]);
      for (let d = 0; d < 3; d++) mean[3 * l + d]! += w * neutral[3 * v + d]!;
      addModes(v, w, identity, 3 * l, 3 * L);
    }
  }
  const expression = new Float64Array(3 * L * expressions.length);
  expressions.forEach((shape, e) => {
    for (let i = 0; i < shape.vertices.length; i++) {
      for (const corner of users.get(shape.vertices[i]!) ?? []) {
        const l = Math.floor(corner / 3);
        const scale = barycentric[corner]! * shape.stepMm;
        for (let d = 0; d < 3; d++) expression[3 * (e * L + l) + d]! += scale * shape.steps[3 * i + d]!;
      }
    }
  });
  return { count: L, landmark, triangle, barycentric, mirror, mean, identity, expression, confidence: Float64Array.from(confidence) };
}

/** Answers a function that adds weight times the modes of one vertex, shape (K,3), to `out[at + k * stride + d]`. */
function createModeAdder(data: HeadModelData): (v: number, weight: number, out: Float64Array, at: number, stride: number) => void {
  const { columnCount, columnMode, symmetricColumns, rowVertex, rowStepMm, steps, bodies } = data.identity;
  const rowOf = new Int32Array(data.vertexCount).fill(-1);
  rowVertex.forEach((v, h) => {
    rowOf[v] = h;
  });
  return (v, weight, out, at, stride) => {
    const m = data.mirrorVertex[v]!;
    const own = rowOf[v]! >= 0 || bodies.some((b) => v >= b.firstVertex && v < b.firstVertex + b.vertexCount);
    const source = own ? v : m;
    const row = rowOf[source]!;
    const body = row < 0 ? bodies.find((b) => source >= b.firstVertex && source < b.firstVertex + b.vertexCount)! : null;
    for (let d = 0; d < 3; d++) {
      for (let c = 0; c < columnCount; c++) {
        const k = columnMode[c]!;
        if (k === NO_MODE) continue;
        let value: number;
        if (body) {
          const i = 12 * c + 4 * d;
          value = body.columns[i]!;
          for (let j = 0; j < 3; j++) value += body.columns[i + 1 + j]! * (data.neutral[3 * source + j]! - body.center[j]!);
        } else {
          value = rowStepMm[row]! * steps[(3 * row + d) * columnCount + c]!;
        }
        const sign = own ? 1 : (d === 0 ? -1 : 1) * (c < symmetricColumns ? 1 : -1);
        out[at + k * stride + d]! += sign * weight * value;
      }
    }
  };
}

import type { HeadModelData } from '@facewright/head-model';
import { triangulate } from '@facewright/head-model';
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
    identityCount: data.identityCount,
    expressionNames,
    blendshapes: listArkitBlendshapes(expressionNames),
    get landmarks() {
      return (basis ??= computeLandmarkBasis(data, triangles));
    },
    evaluate: (identity, expression, out) => evaluateHead(data, identity, expression, out),
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
      addSparse(shape.vertices, shape.steps, shape.stepMm, out);
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

function evaluateHead(
  data: HeadModelData,
  identity: ArrayLike<number>,
  expression: ArrayLike<number>,
  out: Float32Array = new Float32Array(3 * data.vertexCount),
): Float32Array {
  checkCoefficients('identity', identity, data.identityCount);
  checkCoefficients('expression', expression, data.expressions.length);
  if (out.length !== 3 * data.vertexCount) {
    throw new FacewrightError('FW_ARG_INVALID', { name: 'out', expected: `${3 * data.vertexCount} numbers`, actual: out.length });
  }
  addModes(data, identity, out);
  for (let e = 0; e < expression.length; e++) {
    const shape = data.expressions[e]!;
    if (expression[e] !== 0) addSparse(shape.vertices, shape.steps, expression[e]! * shape.stepMm, out);
  }
  return out;
}

/** out = neutral + identity modes. */
function addModes(data: HeadModelData, identity: ArrayLike<number>, out: Float32Array): void {
  const { neutral, identity: steps, identityStepMm, identityCount: K, vertexCount } = data;
  let used = identity.length;
  while (used > 0 && identity[used - 1] === 0) used--;
  if (used === 0) {
    out.set(neutral);
    return;
  }
  // Four at a time, so that the sums do not wait for one another; the tail is padded with zeros (K is a multiple of four).
  const padded = Math.min(K, 4 * Math.ceil(used / 4));
  const a = new Float64Array(padded);
  for (let k = 0; k < used; k++) a[k] = identity[k]!;
  for (let v = 0; v < vertexCount; v++) {
    const step = identityStepMm[v]!;
    for (let d = 0, i = 3 * v; d < 3; d++, i++) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let k = 0, at = i * K; k < padded; k += 4, at += 4) {
        s0 += a[k]! * steps[at]!;
        s1 += a[k + 1]! * steps[at + 1]!;
        s2 += a[k + 2]! * steps[at + 2]!;
        s3 += a[k + 3]! * steps[at + 3]!;
      }
      out[i] = neutral[i]! + step * (s0 + s1 + (s2 + s3));
    }
  }
}

function addSparse(vertices: Uint16Array, steps: Int16Array, scale: number, out: Float32Array): void {
  for (let i = 0, s = 0; i < vertices.length; i++, s += 3) {
    const at = 3 * vertices[i]!;
    out[at]! += scale * steps[s]!;
    out[at + 1]! += scale * steps[s + 1]!;
    out[at + 2]! += scale * steps[s + 2]!;
  }
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

function computeLandmarkBasis(data: HeadModelData, triangles: Uint32Array): LandmarkBasis {
  const { landmark, triangle, barycentric, mirror, confidence } = data.landmarks;
  const { neutral, identity: steps, identityStepMm, identityCount: K, expressions } = data;
  const L = landmark.length;
  const mean = new Float64Array(3 * L);
  const identity = new Float64Array(3 * L * K);
  const users = new Map<number, number[]>();
  for (let l = 0; l < L; l++) {
    for (let c = 0; c < 3; c++) {
      const v = triangles[3 * triangle[l]! + c]!;
      const w = barycentric[3 * l + c]!;
      if (w === 0) continue;
      const list = users.get(v);
      if (list) list.push(3 * l + c);
      else users.set(v, [3 * l + c]);
      for (let d = 0; d < 3; d++) {
        mean[3 * l + d]! += w * neutral[3 * v + d]!;
        const scale = w * identityStepMm[v]!;
        for (let k = 0, at = (3 * v + d) * K; k < K; k++) identity[3 * (k * L + l) + d]! += scale * steps[at + k]!;
      }
    }
  }
  const expression = new Float64Array(3 * L * expressions.length);
  expressions.forEach((shape, e) => {
    shape.vertices.forEach((v, i) => {
      for (const corner of users.get(v) ?? []) {
        const l = Math.floor(corner / 3);
        const scale = barycentric[corner]! * shape.stepMm;
        for (let d = 0; d < 3; d++) expression[3 * (e * L + l) + d]! += scale * shape.steps[3 * i + d]!;
      }
    });
  });
  return { count: L, landmark, triangle, barycentric, mirror, mean, identity, expression, confidence: Float64Array.from(confidence) };
}

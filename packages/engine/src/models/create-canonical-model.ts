import { VIEW_TERMS } from '../fit/view-terms.ts';
import type { CanonicalMesh } from '../nets/read-canonical-mesh.ts';
import { listArkitBlendshapes } from './arkit-blendshapes.ts';
import { checkCoefficients, checkExpressionIndex, checkOut } from './check-coefficients.ts';
import type { FaceModel, FaceRegionName, LandmarkBasis } from './face-model.ts';

/**
 * MediaPipe's 468-vertex face as a face model, for face filters and make-up textures that are made for its mesh and UVs.
 *
 * Topology and UVs are the canonical mesh's. Shape comes from the full head, sampled where the landmarks lie on it: the mean is
 * canonical + b, where b is the distance of the head's mean from the canonical mesh at each landmark (the network's own mean face is
 * deeper and narrower than a head is: x : y : z of the head is 1 : 0.95 : 0.91 of it), the identity modes and expressions are the
 * head's at those 468 places. A residual of landmarks against the canonical mesh so turns into a residual against the head's mean.
 *
 * @param head - gives shape, regions and licence notice
 */
export function createCanonicalModel(mesh: CanonicalMesh, head: FaceModel): FaceModel {
  const V = mesh.vertexCount;
  const source = head.landmarks;
  const K = head.identityCount;
  const neutral = Float32Array.from(source.mean.subarray(0, 3 * V));
  const identity = takeVertices(source.identity, K, source.count, V);
  // Shapes that move nothing here (eyeballs, tongue) are left out.
  const moving = head.expressionNames.flatMap((name, e) => {
    const delta = source.expression.subarray(3 * e * source.count, 3 * (e * source.count + V));
    return delta.some((d) => d !== 0) ? [{ name, e, delta: Float64Array.from(delta) }] : [];
  });
  const expressionNames = moving.map((m) => m.name);
  const triangleOf = new Uint32Array(V);
  const barycentric = new Float32Array(3 * V);
  mesh.triangles.forEach((v, i) => {
    triangleOf[v] = Math.floor(i / 3);
  });
  for (let v = 0; v < V; v++) barycentric[3 * v + mesh.triangles.subarray(3 * triangleOf[v]!, 3 * triangleOf[v]! + 3).indexOf(v)] = 1;
  const numbers = Uint16Array.from({ length: V }, (_, v) => v);
  const mirror = source.mirror.slice(0, V);
  const expression = new Float64Array(3 * V * moving.length);
  moving.forEach(({ delta }, e) => {
    expression.set(delta, 3 * V * e);
  });
  const landmarks: LandmarkBasis = {
    count: V,
    landmark: numbers,
    triangle: triangleOf,
    barycentric,
    mirror,
    mean: Float64Array.from(neutral),
    identity,
    expression,
    ...(source.habits && {
      habits: {
        view: takeVertices(source.habits.view, VIEW_TERMS, source.count, V),
        identity: takeVertices(source.habits.identity, K, source.count, V),
        expression: takeExpressions(source.habits.expression, moving, source.count, V),
      },
    }),
    confidence: source.confidence.slice(0, V),
  };
  return {
    id: 'canonical',
    version: head.version,
    licence: {
      spdx: 'Apache-2.0 AND MIT',
      notice: `Topology and UVs: MediaPipe canonical face mesh, Apache-2.0 (read from the package @mediapipe/face_mesh).\nShape: the full head.\n\n${head.licence.notice}`,
      source: `MediaPipe face mesh; ${head.licence.source}`,
    },
    vertexCount: V,
    neutral,
    triangles: mesh.triangles,
    uvs: mesh.uvs,
    triangleUvs: mesh.triangles,
    parts: [{ name: 'face', material: 'skin', firstTriangle: 0, triangleCount: mesh.triangles.length / 3 }],
    mirrorVertex: Uint32Array.from(mirror),
    regions: sampleRegions(head, V),
    identityCount: K,
    expressionNames,
    blendshapes: listArkitBlendshapes(expressionNames),
    landmarks,
    evaluate(identityAmounts, expressionAmounts, out = new Float32Array(3 * V)) {
      checkCoefficients('identity', identityAmounts, K);
      checkCoefficients('expression', expressionAmounts, expressionNames.length);
      checkOut(out, V);
      const sum = Float64Array.from(neutral);
      addFields(sum, identity, identityAmounts);
      addFields(sum, expression, expressionAmounts);
      out.set(sum);
      return out;
    },
    expressionDelta(e) {
      checkExpressionIndex(e, moving.length);
      return Float32Array.from(moving[e]!.delta);
    },
  };
}

/** The first `vertices` of each field: shape (fields, count, 3) to (fields, vertices, 3). */
function takeVertices(values: Float64Array, fields: number, count: number, vertices: number): Float64Array {
  const out = new Float64Array(3 * vertices * fields);
  for (let f = 0; f < fields; f++) out.set(values.subarray(3 * count * f, 3 * (count * f + vertices)), 3 * vertices * f);
  return out;
}

/** Likewise, of the expressions `moving[...].e`. */
function takeExpressions(values: Float64Array, moving: readonly { readonly e: number }[], count: number, vertices: number): Float64Array {
  const out = new Float64Array(3 * vertices * moving.length);
  moving.forEach(({ e }, i) => {
    out.set(values.subarray(3 * count * e, 3 * (count * e + vertices)), 3 * vertices * i);
  });
  return out;
}

function addFields(sum: Float64Array, fields: Float64Array, amounts: ArrayLike<number>): void {
  for (let k = 0; k < amounts.length; k++) {
    const amount = amounts[k]!;
    if (amount === 0) continue;
    for (let i = 0, at = k * sum.length; i < sum.length; i++, at++) sum[i]! += amount * fields[at]!;
  }
}

function sampleRegions(head: FaceModel, count: number): Record<FaceRegionName, Float32Array> {
  const { triangle, barycentric } = head.landmarks;
  const sample = (weights: Float32Array): Float32Array =>
    Float32Array.from({ length: count }, (_, l) => {
      let sum = 0;
      for (let c = 0; c < 3; c++) sum += barycentric[3 * l + c]! * weights[head.triangles[3 * triangle[l]! + c]!]!;
      return sum;
    });
  return Object.fromEntries(Object.entries(head.regions).map(([name, weights]) => [name, sample(weights)])) as Record<
    FaceRegionName,
    Float32Array
  >;
}

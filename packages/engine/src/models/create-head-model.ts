import type { HeadModelData } from '@facewright/head-model';
import { addExpression, countTriangles, evaluateHead, triangulate } from '@facewright/head-model';
import { listArkitBlendshapes } from './arkit-blendshapes.ts';
import { checkCoefficients, checkExpressionIndex, checkOut } from './check-coefficients.ts';
import type { FaceModel, FaceReadout, LandmarkHabits, ModelPart } from './face-model.ts';

/**
 * The port over a decoded head model file. Nothing is copied that can be shared.
 *
 * @param habits - null: nothing is known of the network's habits with this model
 * @param readout - null: the network's own features say nothing of this model
 */
export function createHeadModel(data: HeadModelData, habits: LandmarkHabits | null = null, readout: FaceReadout | null = null): FaceModel {
  const triangles = triangulate(data.polygons);
  const expressionNames = data.expressions.map((e) => e.name);
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
    mirrorVertex: new Uint32Array(data.mirrorVertex),
    regions: data.regions,
    identityCount: data.identity.modeCount,
    expressionNames,
    blendshapes: listArkitBlendshapes(expressionNames),
    landmarks: {
      ...data.landmarks,
      count: data.landmarks.landmark.length,
      mean: new Float64Array(data.landmarks.mean),
      identity: new Float64Array(data.landmarks.identity),
      expression: new Float64Array(data.landmarks.expression),
      ...(habits && { habits }),
      ...(readout && { readout }),
      confidence: new Float64Array(data.landmarks.confidence),
    },
    evaluate: (identity, expression, out = new Float32Array(3 * data.vertexCount)) => evaluateChecked(data, identity, expression, out),
    expressionDelta(expression) {
      checkExpressionIndex(expression, data.expressions.length);
      const out = new Float32Array(3 * data.vertexCount);
      addExpression(data.expressions[expression]!, 1, out);
      return out;
    },
    addExpression(expression, amount, out) {
      checkExpressionIndex(expression, data.expressions.length);
      checkOut(out, data.vertexCount);
      addExpression(data.expressions[expression]!, amount, out);
      return data.expressions[expression]!.vertices;
    },
  };
}

function listParts(data: HeadModelData): ModelPart[] {
  let firstTriangle = 0;
  return data.parts.map((part) => {
    const triangleCount = countTriangles(data.polygons, part.firstPolygon, part.polygonCount);
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
  checkOut(out, data.vertexCount);
  evaluateHead(data, identity, expression, out);
  return out;
}

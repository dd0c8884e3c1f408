import type { FaceModel } from '../models/face-model.ts';

/**
 * Displacement of one blendshape (ARKit name) at weight 1: the weighted sum of the model's expression shapes.
 *
 * @param blendshape - index in `model.blendshapes`
 * @param out - shape (V,3), overwritten and returned when given
 * @returns shape (V,3), millimetres, model frame; the same for every person, since the model is linear
 */
export function computeMorphDelta(
  model: FaceModel,
  blendshape: number,
  out: Float64Array = new Float64Array(3 * model.vertexCount),
): Float64Array {
  out.fill(0);
  for (const { expression, weight } of model.blendshapes[blendshape]!.terms) {
    const delta = model.expressionDelta(expression);
    for (let i = 0; i < out.length; i++) out[i]! += weight * delta[i]!;
  }
  return out;
}

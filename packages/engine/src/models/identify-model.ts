import { createHash } from 'node:crypto';
import type { FaceModel } from './face-model.ts';

/** Sixteen digits that differ between models of which the surface, the parts, the landmarks or the expressions differ. */
export function identifyModel(model: FaceModel): string {
  const { id, version, parts, blendshapes, neutral, triangles, uvs, triangleUvs, mirrorVertex, landmarks } = model;
  const hash = createHash('sha256').update(JSON.stringify([id, version, parts, blendshapes]));
  const arrays = [neutral, triangles, uvs, triangleUvs, mirrorVertex, landmarks.landmark, landmarks.mean, landmarks.expression];
  for (const { buffer, byteOffset, byteLength } of arrays) hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest('hex').slice(0, 16);
}

import { stat } from 'node:fs/promises';
import { headModelPath } from '@facewright/head-model';
import { FACE_MODEL_IDS, loadFaceModel } from './load-face-model.ts';

/** What `facewright models list` shows of a model. */
export interface FaceModelSummary {
  readonly id: string;
  readonly version: string;
  readonly licence: { readonly spdx: string; readonly source: string };
  readonly vertices: number;
  readonly triangles: number;
  readonly identities: number;
  readonly blendshapes: number;
  /** File that it is read from, and its size. */
  readonly path: string;
  readonly bytes: number;
}

/** The models that can be loaded. @throws FW_MODEL_CORRUPT, FW_MODEL_VERSION, FW_NETWORK_CORRUPT */
export async function listFaceModels(): Promise<FaceModelSummary[]> {
  const path = headModelPath();
  const models = await Promise.all(FACE_MODEL_IDS.map((id) => loadFaceModel(id)));
  const { size } = await stat(path);
  return models.map((m) => ({
    id: m.id,
    version: m.version,
    licence: { spdx: m.licence.spdx, source: m.licence.source },
    vertices: m.vertexCount,
    triangles: m.triangles.length / 3,
    identities: m.identityCount,
    blendshapes: m.blendshapes.length,
    path,
    bytes: size,
  }));
}

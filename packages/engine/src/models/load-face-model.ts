import { readFile } from 'node:fs/promises';
import { faceReadoutPath, headModelPath, landmarkHabitsPath, readHeadModel } from '@facewright/head-model';
import { FacewrightError } from '@facewright/protocol';
import { readCanonicalMesh } from '../nets/read-canonical-mesh.ts';
import { createCanonicalModel } from './create-canonical-model.ts';
import { createHeadModel } from './create-head-model.ts';
import type { FaceModel } from './face-model.ts';
import { readFaceReadout } from './read-face-readout.ts';
import { readLandmarkHabits } from './read-landmark-habits.ts';

/** Ids of the models that come with Facewright; the first is the default. */
export const FACE_MODEL_IDS = ['head', 'canonical'] as const;

export interface LoadFaceModelOptions {
  /** Head model file to use instead of the shipped one. */
  readonly path?: string;
}

/**
 * Loads a face model.
 *
 * @param id - 'head' (full head, the default of the product) or 'canonical' (468 vertices, for face filters; it takes its shape from the
 * head)
 * @throws FW_MODEL_UNKNOWN, FW_MODEL_CORRUPT, FW_MODEL_VERSION; FW_NETWORK_CORRUPT where the canonical mesh cannot be read
 */
export async function loadFaceModel(id: string, options: LoadFaceModelOptions = {}): Promise<FaceModel> {
  switch (id) {
    case 'head':
      return loadHead(options);
    case 'canonical': {
      const [mesh, head] = await Promise.all([readCanonicalMesh(), loadHead(options)]);
      return createCanonicalModel(mesh, head);
    }
    default:
      throw new FacewrightError('FW_MODEL_UNKNOWN', { model: id, known: FACE_MODEL_IDS });
  }
}

async function loadHead({ path = headModelPath() }: LoadFaceModelOptions): Promise<FaceModel> {
  const files = [path, landmarkHabitsPath(), faceReadoutPath()];
  const [bytes, habits, readout] = (await Promise.all(files.map(readModelFile))) as [Uint8Array, Uint8Array, Uint8Array];
  const data = await readHeadModel(bytes, path);
  const { landmarks, identity, expressions } = data;
  const names = expressions.map((e) => e.name);
  return createHeadModel(
    data,
    readLandmarkHabits(habits, landmarks.mirror, identity.modeCount, names, landmarkHabitsPath()),
    readFaceReadout(readout, landmarks.mirror.length, identity.modeCount, faceReadoutPath()),
  );
}

async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const reason = code === 'ENOENT' ? 'it is missing' : `reading it failed with ${code}`;
    throw new FacewrightError('FW_MODEL_CORRUPT', { path, reason }, { cause });
  }
}

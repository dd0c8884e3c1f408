import { readFile } from 'node:fs/promises';
import { headModelPath, readHeadModel } from '@facewright/head-model';
import { FacewrightError } from '@facewright/protocol';
import { createHeadModel } from './create-head-model.ts';
import type { FaceModel } from './face-model.ts';

/** Ids of the models that come with Facewright. */
export const FACE_MODEL_IDS = ['head', 'canonical'] as const;

/**
 * Loads a face model.
 *
 * @param id - 'head' (full head, the default of the product) or 'canonical' (468 vertices, for face filters)
 * @param options.path - head model file to use instead of the shipped one
 * @throws FW_MODEL_UNKNOWN, FW_MODEL_CORRUPT, FW_MODEL_VERSION
 */
export async function loadFaceModel(id: string, options: { readonly path?: string } = {}): Promise<FaceModel> {
  if (id !== 'head') throw new FacewrightError('FW_MODEL_UNKNOWN', { model: id, known: FACE_MODEL_IDS });
  const path = options.path ?? headModelPath();
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new FacewrightError('FW_MODEL_CORRUPT', { path, reason: code === 'ENOENT' ? 'it is missing' : String(code) }, { cause });
  }
  return createHeadModel(await readHeadModel(bytes, path));
}

import { loadTables } from '../cache/load-tables.ts';
import type { FaceModel } from '../models/face-model.ts';
import { computeTextureTables, TABLES_VERSION, type TextureTables } from './texture-tables.ts';

/**
 * The texture tables of a model, from the cache folder when they are there.
 *
 * @param modelHash - see identifyModel
 * @param cacheDir - null: nothing is kept
 * @throws FW_ARG_INVALID
 */
export function loadTextureTables(model: FaceModel, modelHash: string, size: number, cacheDir: string | null): Promise<TextureTables> {
  const key = { thing: 'texture', hash: modelHash, version: TABLES_VERSION, kind: String(size) };
  return loadTables(cacheDir, key, () => computeTextureTables(model, size));
}

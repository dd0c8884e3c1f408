import { createHash } from 'node:crypto';
import { cacheEntry } from '../cache/cache-entry.ts';
import { removeStaleEntries } from '../cache/remove-stale-entries.ts';
import type { FaceModel } from '../models/face-model.ts';
import { formatTables, parseTables, type TableValue } from './table-file.ts';
import { computeTextureTables, TABLES_VERSION, type TextureTables } from './texture-tables.ts';

/**
 * The texture tables of a model, from the cache folder when they are there: reading 14 MB takes a hundredth of the time of making them in a
 * fresh process. An entry is keyed by what the tables are made of (the model's surface and landmarks), their size and {@link TABLES_VERSION}.
 *
 * @param cacheDir - null: nothing is kept
 * @throws FW_ARG_INVALID
 */
export async function loadTextureTables(model: FaceModel, size: number, cacheDir: string | null): Promise<TextureTables> {
  if (cacheDir === null) return computeTextureTables(model, size);
  const thing = 'texture';
  const name = `${thing}-${identifyModel(model)}-v${TABLES_VERSION}-${size}.tables`;
  let made: TextureTables | null = null;
  const entry = await cacheEntry(cacheDir, name, async () => {
    made = computeTextureTables(model, size);
    return formatTables(made as unknown as TableValue);
  });
  if (entry.state === 'made') await removeStaleEntries(cacheDir, thing, name);
  return made ?? (parseTables(entry.bytes) as unknown as TextureTables);
}

/** Sixteen digits that differ between models of which the tables differ. */
function identifyModel({ neutral, triangles, uvs, triangleUvs, mirrorVertex, landmarks, parts }: FaceModel): string {
  const hash = createHash('sha256').update(JSON.stringify(parts));
  for (const { buffer, byteOffset, byteLength } of [
    neutral,
    triangles,
    uvs,
    triangleUvs,
    mirrorVertex,
    landmarks.landmark,
    landmarks.mean,
  ]) {
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex').slice(0, 16);
}

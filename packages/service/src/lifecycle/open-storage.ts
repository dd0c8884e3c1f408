import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { ObjectStorage } from '../storage/object-storage.ts';

/**
 * Opens the storage that the settings name: a bucket where there is one, else the data folder. Only the adapter that is used is loaded.
 *
 * @throws FW_STORAGE_FULL, FW_STORAGE_UNAVAILABLE
 */
export async function openStorage(config: Config): Promise<ObjectStorage> {
  const { createFileStorage } = await import('../storage/file-storage.ts');
  return createFileStorage({ dir: join(config.dataDir, 'objects') });
}

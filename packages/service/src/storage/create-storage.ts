import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { createFileStorage } from './file-storage.ts';
import type { ObjectStorage } from './object-storage.ts';

/**
 * The storage that the settings ask for: a bucket where one is named, else a folder of the data folder.
 *
 * @throws FW_STORAGE_FULL, FW_STORAGE_UNAVAILABLE
 */
export async function createStorage(config: Config): Promise<ObjectStorage> {
  const { s3Bucket, s3AccessKeyId, s3SecretAccessKey } = config;
  if (s3Bucket === undefined) return await createFileStorage({ dir: join(config.dataDir, 'storage') });
  const { createS3Storage } = await import('./s3-storage.ts');
  return await createS3Storage({
    bucket: s3Bucket,
    endpoint: config.s3Endpoint,
    region: config.s3Region,
    prefix: config.s3Prefix,
    credentials:
      s3AccessKeyId === undefined || s3SecretAccessKey === undefined
        ? undefined
        : { accessKeyId: s3AccessKeyId, secretAccessKey: s3SecretAccessKey },
    pathStyle: config.s3PathStyle,
    scratchDir: join(config.dataDir, 'scratch'),
  });
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { describeObjectStorage } from './object-storage.test-support.ts';
import { type S3Server, s3ServerMissing, startS3Server } from './s3-server.test-support.ts';
import { createS3Storage, type S3StorageOptions } from './s3-storage.ts';

const missing = s3ServerMissing();

if (missing !== null) {
  describe('S3 storage', () => {
    it.skip(`with a real server: ${missing}`, () => {});
  });
} else {
  let server: S3Server;
  let dir: string;
  const optionsFor = (bucket: string): S3StorageOptions => ({
    bucket,
    endpoint: server.endpoint,
    region: 'us-east-1',
    prefix: 'facewright',
    credentials: server.credentials,
    pathStyle: true,
    scratchDir: join(dir, 'scratch'),
    usageRefreshMs: 50,
    pageObjects: 25,
  });

  beforeAll(async () => {
    server = await startS3Server();
    dir = await mkdtemp(join(tmpdir(), 'fw-s3-scratch-'));
    const client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: 'faces' }));
    client.destroy();
  });
  afterAll(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });

  describeObjectStorage('S3', async () => ({ open: () => createS3Storage(optionsFor('faces')) }));
}

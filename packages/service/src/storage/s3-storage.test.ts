import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { CreateBucketCommand, ListMultipartUploadsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeObjectStorage } from './object-storage.test-support.ts';
import { type S3Server, s3ServerMissing, startS3Server } from './s3-server.test-support.ts';
import { createS3Storage, type S3StorageOptions } from './s3-storage.ts';

const missing = s3ServerMissing();

if (missing !== null) {
  describe('S3 storage', () => {
    it('with a real server', (context) => context.skip(missing));
  });
} else {
  let server: S3Server;
  let dir: string;
  /** Looks into the bucket past the storage. */
  let plain: S3Client;
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
    plain = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials, forcePathStyle: true });
    await plain.send(new CreateBucketCommand({ Bucket: 'faces' }));
  });
  afterAll(async () => {
    plain.destroy();
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });

  describeObjectStorage('S3', async () => ({ open: () => createS3Storage(optionsFor('faces')) }));

  describe('S3 storage', () => {
    const type = { contentType: 'image/jpeg' };
    /** Files of uploads and downloads on their way. */
    const unfinished = async (): Promise<string[]> =>
      (await readdir(join(dir, 'scratch'), { recursive: true })).filter((name) => /(^|\/)(put|copy)-/.test(name));

    it('says what is wrong with the bucket or the credentials, never which they are', async () => {
      for (const [change, reason] of [
        [{ bucket: 'no-such-bucket' }, /bucket does not exist/],
        [{ credentials: { ...server.credentials, secretAccessKey: 'a-wrong-secret' } }, /does not accept the secret/],
        [{ credentials: { ...server.credentials, accessKeyId: 'nobody' } }, /does not know the access key|answered 404/],
        [{ endpoint: 'http://127.0.0.1:9' }, /cannot be reached/],
      ] as const) {
        const storage = await createS3Storage({ ...optionsFor('faces'), ...change });
        // A store that refuses a body early may close the connection before its answer is read.
        const attempts = [storage.check(), storage.put('t/jobs/j/photo', randomBytes(2_000_000), type), storage.usedBytes('t')];
        for (const [index, outcome] of (await Promise.allSettled(attempts)).entries()) {
          const failure = outcome.status === 'rejected' ? (outcome.reason as Error) : null;
          expect(failure).toMatchObject({
            code: 'FW_STORAGE_UNAVAILABLE',
            params: { reason: expect.stringMatching(index === 1 ? /store|bucket/ : reason) },
          });
          expect(inspect(failure, { depth: 9 })).not.toMatch(/faces|no-such-bucket|127\.0\.0\.1|wrong-secret|nobody|jobs\/j|Signature=/);
        }
        expect(await unfinished()).toEqual([]);
        await storage.close();
      }
    });

    it('gives up in bounded time when the store hangs, and works again afterwards', async () => {
      const storage = await createS3Storage({ ...optionsFor('faces'), requestTimeoutMs: 400 });
      await storage.put('t/jobs/hang/photo', Buffer.from('photo'), type);
      server.kill('SIGSTOP');
      try {
        const began = performance.now();
        const attempts = [storage.stat('t/jobs/hang/photo'), storage.check(), storage.get('t/jobs/hang/photo')];
        for (const outcome of await Promise.allSettled(attempts)) {
          expect(outcome).toMatchObject({
            reason: { code: 'FW_STORAGE_UNAVAILABLE', params: { reason: 'the store did not answer in time' } },
          });
        }
        // 400 ms each, all at once; without the limit it would be for ever.
        expect(performance.now() - began).toBeLessThan(10_000);
      } finally {
        server.kill('SIGCONT');
      }
      await expect.poll(() => storage.stat('t/jobs/hang/photo').catch(() => null), { timeout: 10_000 }).toMatchObject({ bytes: 5 });
      await storage.close();
    });

    it('sends an object again when the connection breaks in the middle of it', async () => {
      let broken = 0;
      const target = new URL(server.endpoint);
      const proxy = createServer((socket) => {
        const upstream = connect(Number(target.port), target.hostname);
        let bytes = 0;
        socket.on('data', (chunk) => {
          bytes += chunk.length;
          if (broken < 2 && bytes > 500_000) {
            broken++;
            socket.resetAndDestroy();
            upstream.destroy();
          } else if (!upstream.destroyed) upstream.write(chunk);
        });
        upstream.on('data', (chunk) => void (socket.destroyed || socket.write(chunk)));
        for (const [end, other] of [
          [socket, upstream],
          [upstream, socket],
        ] as const) {
          end.on('error', () => {});
          end.on('close', () => other.destroy());
        }
      });
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      // Signed for the proxy's address, which the server sees in the Host header.
      const storage = await createS3Storage({
        ...optionsFor('faces'),
        endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      });
      try {
        const data = randomBytes(3_000_000);
        const stored = await storage.put(
          't/jobs/again/photo',
          Readable.from([data.subarray(0, 1_000_000), data.subarray(1_000_000)]),
          type,
        );
        expect(broken).toBe(2);
        expect(await storage.stat('t/jobs/again/photo')).toMatchObject({ bytes: 3_000_000, sha256: stored.sha256 });
        expect(await unfinished()).toEqual([]);
      } finally {
        await storage.close();
        proxy.close();
      }
    });

    it('an upload that a client breaks off never reaches the store', async () => {
      const storage = await createS3Storage(optionsFor('faces'));
      const source = new Readable({ read() {} });
      source.push(randomBytes(20_000_000));
      const putting = storage.put('t/jobs/broken/photo', source, type);
      source.destroy(new Error('gone'));
      await expect(putting).rejects.toThrow('gone');
      expect(await storage.stat('t/jobs/broken/photo')).toBeNull();
      const uploads = await plain.send(new ListMultipartUploadsCommand({ Bucket: 'faces' }));
      expect(uploads.Uploads ?? []).toEqual([]);
      expect(await unfinished()).toEqual([]);
      await storage.close();
    });

    it('sees only its own prefix of a bucket that others use too', async () => {
      const [own, other] = [
        await createS3Storage(optionsFor('faces')),
        await createS3Storage({ ...optionsFor('faces'), prefix: 'facewright2/' }),
      ];
      await plain.send(new PutObjectCommand({ Bucket: 'faces', Key: 'facewright/shared/a b?.txt', Body: 'not a key of ours' }));
      await own.put('shared/jobs/j/photo', Buffer.from('1'), type);
      await other.put('shared/jobs/j/photo', Buffer.from('22'), type);
      const keys: string[] = [];
      for await (const object of own.list('shared')) keys.push(object.key);
      expect(keys).toEqual(['shared/jobs/j/photo']);
      expect(await own.deleteAll('shared')).toBe(1);
      expect((await other.stat('shared/jobs/j/photo'))?.bytes).toBe(2);
      await Promise.all([own.close(), other.close()]);
    });

    it('notices an object that arrives damaged before a worker reads it', async () => {
      const storage = await createS3Storage(optionsFor('faces'));
      await plain.send(
        new PutObjectCommand({
          Bucket: 'faces',
          Key: 'facewright/t/jobs/damaged/photo',
          Body: 'not what it says',
          Metadata: { sha256: 'ab'.repeat(32) },
        }),
      );
      await expect(storage.toLocalFile('t/jobs/damaged/photo')).rejects.toMatchObject({
        code: 'FW_STORAGE_UNAVAILABLE',
        params: { reason: 'an object arrived damaged' },
      });
      expect(await unfinished()).toEqual([]);
      await storage.close();
    });
  });
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FacewrightError } from '@facewright/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configSchema } from '../config/config.ts';
import type { AppContext } from '../http/app-context.ts';
import { createPhotoAcceptor } from '../http/create-photo-acceptor.ts';
import { fakeJpeg } from '../http/test-service.test-support.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import { createJournalQueue } from '../jobs/journal-queue/create-journal-queue.ts';
import { createLog } from '../observability/create-log.ts';
import { createFileStorage } from '../storage/file-storage.ts';
import type { ObjectStorage } from '../storage/object-storage.ts';
import { createMemoryCounters } from '../tenants/create-memory-counters.ts';
import type { BatchRecord } from './batch-record.ts';
import { type BatchStore, createBatchStore, waitingKey } from './batch-store.ts';
import { createBatchFeeder, type FeedPauses } from './feed-batches.ts';
import { readBatchStatus } from './read-batch-status.ts';
import { sweepBatches } from './sweep-batches.ts';

const PAUSES: FeedPauses = { roomMs: 2, retryMs: 2, markMs: 20, staleMs: 60 };
const LIMITS = { ratePerMinute: 600, maxPending: 8, maxProcessing: 4, storageBytes: 2 ** 30, weight: 1 };
const HOUR_MS = 3_600_000;

let dir: string;
let queue: JobQueue;
let storage: ObjectStorage;
const stops: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fw-feed-'));
  queue = await createJournalQueue({ dir: join(dir, 'jobs'), shareOf: () => LIMITS });
  storage = await createFileStorage({ dir: join(dir, 'objects') });
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await queue.close();
  await storage.close();
  await rm(dir, { recursive: true, force: true });
});

/** What a feeder sees of one process. */
function contextWith(changes: Partial<AppContext> = {}): AppContext {
  const deps = {
    config: configSchema.parse({ dataDir: dir }),
    queue,
    storage,
    tenants: { tenant: (name: string) => ({ name, limits: LIMITS }) },
    log: createLog('silent', 'test'),
    readiness: () => ({ status: 'ready', version: '', checks: {} }),
    serviceTime: () => ({ meanS: 0.1, workers: 1 }),
    closing: new AbortController().signal,
    ...changes,
  } as unknown as AppContext;
  return { ...deps, photos: createPhotoAcceptor(deps, createMemoryCounters()) };
}

async function storeBatch(store: BatchStore, id: string, photos: number, createdAt = Date.now()): Promise<BatchRecord> {
  const keys = Array.from({ length: photos }, (_, i) => waitingKey('alice', id, 'u', i));
  for (const [i, key] of keys.entries()) await storage.put(key, fakeJpeg(1_200 + i, i), { contentType: 'image/jpeg' });
  const record: BatchRecord = {
    version: 1,
    tenant: 'alice',
    id,
    createdAt,
    fingerprint: id,
    requestId: 'request',
    traceparent: null,
    options: { model: 'head', textureSize: 1024, formats: ['glb'], compact: false, face: 'only', keepPhoto: false },
    webhookUrl: null,
    photos: keys.map((key, i) => ({ name: `${i}.jpg`, bytes: 1_200 + i, jobId: `${id}-${i + 1}`, key, error: null })),
  };
  await store.markKnown('alice', id);
  await store.markOpen('alice', id);
  await store.write(record);
  return record;
}

/** Takes jobs and ends them, as workers do, until all are done. Returns how often each was started. */
async function workOff(total: number): Promise<Map<string, number>> {
  const started = new Map<string, number>();
  for (let ended = 0; ended < total; ended++) {
    const lease = await queue.take('test', AbortSignal.timeout(20_000));
    if (lease === null) throw new Error(`only ${ended} of ${total} jobs came`);
    started.set(lease.job.id, (started.get(lease.job.id) ?? 0) + 1);
    await queue.fail(lease, { code: 'FW_FACE_NOT_FOUND', message: '' }, { retry: false });
  }
  return started;
}

const feed = (context: AppContext, store: BatchStore) => {
  const feeder = createBatchFeeder(context, store, PAUSES);
  stops.push(() => feeder.stop());
  return feeder;
};

/** Fails every so many calls with an error that passes. */
function unreliable<T extends object>(target: T, every: number, error: () => Error, methods: readonly string[]): T {
  let calls = 0;
  return new Proxy(target, {
    get(_, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...args: unknown[]) => unknown;
      if (!methods.includes(String(name))) return call;
      return async (...args: unknown[]) => {
        if (++calls % every === 0) throw error();
        return await call(...args);
      };
    },
  });
}

describe('feeding a batch', () => {
  it('makes every photo a job once, in their order', async () => {
    const context = contextWith();
    const store = createBatchStore(storage);
    const record = await storeBatch(store, 'b1', 12);
    feed(context, store).start(record);
    const started = await workOff(12);
    expect([...started.keys()]).toEqual(record.photos.map(({ jobId }) => jobId));
    await expect.poll(async () => (await store.contents('alice', 'b1')).waiting.size).toBe(0);
    expect((await readBatchStatus(context, store, record)).state).toBe('done');
  });

  it('does so although storage and queue fail again and again', async () => {
    const store = createBatchStore(
      unreliable(storage, 7, () => new FacewrightError('FW_STORAGE_UNAVAILABLE', { reason: 'test' }), ['stat', 'get', 'put', 'delete']),
    );
    const context = contextWith({
      storage: unreliable(storage, 5, () => new FacewrightError('FW_STORAGE_FULL', {}), ['put', 'get', 'delete']),
      queue: unreliable(queue, 6, () => new FacewrightError('FW_QUEUE_UNAVAILABLE', { reason: 'test' }), ['submit', 'counts', 'get']),
    });
    const record = await storeBatch(createBatchStore(storage), 'b1', 12);
    feed(context, store).start(record);
    const started = await workOff(12);
    expect([...started.values()]).toEqual(Array(12).fill(1));
    await expect.poll(async () => (await createBatchStore(storage).contents('alice', 'b1')).waiting.size).toBe(0);
    expect((await createBatchStore(storage).contents('alice', 'b1')).refused.size).toBe(0);
  });

  it('by two processes at once makes every photo a job once', async () => {
    const store = createBatchStore(storage);
    const record = await storeBatch(store, 'b1', 12);
    feed(contextWith(), store).start(record);
    feed(contextWith(), store).start(record);
    const started = await workOff(12);
    expect([...started.values()]).toEqual(Array(12).fill(1));
    await expect.poll(async () => (await store.contents('alice', 'b1')).waiting.size).toBe(0);
    const { photos } = await readBatchStatus(contextWith(), store, record);
    expect(photos.map(({ error }) => error?.code)).toEqual(Array(12).fill('FW_FACE_NOT_FOUND'));
    expect(await queue.take('test', AbortSignal.timeout(50))).toBeNull();
  });

  it('goes on in another process when the first one dies', async () => {
    const store = createBatchStore(storage);
    const record = await storeBatch(store, 'b1', 20);
    const first = createBatchFeeder(contextWith(), store, PAUSES);
    first.start(record);
    await expect.poll(async () => (await queue.counts()).queued).toBe(4);
    await first.stop();
    feed(contextWith(), store);
    expect((await workOff(20)).size).toBe(20);
  });

  it('tells of a photo that nothing helps, and feeds the others', async () => {
    const store = createBatchStore(storage);
    const record = await storeBatch(store, 'b1', 3);
    await storage.put(record.photos[1]!.key!, Buffer.from('not a photo any more'), { contentType: 'image/jpeg' });
    feed(contextWith(), store).start(record);
    await workOff(2);
    await expect
      .poll(async () => (await readBatchStatus(contextWith(), store, record)).photos.map(({ error }) => error?.code))
      .toEqual(['FW_FACE_NOT_FOUND', 'FW_PHOTO_NOT_IMAGE', 'FW_FACE_NOT_FOUND']);
  });
});

describe('sweeping batches', () => {
  it('deletes those whose reconstructions have expired, and uploads that were cut off by a crash; nothing else', async () => {
    const store = createBatchStore(storage);
    const context = contextWith();
    const now = Date.now();
    const day = 24 * HOUR_MS;
    await storeBatch(store, 'fresh', 1);
    await storeBatch(store, 'waiting', 1, now - 9 * day);
    const over = await storeBatch(store, 'over', 2, now);
    for (const { key } of over.photos) await storage.delete(key!);
    await store.markKnown('alice', 'cut-off');
    await storage.put(waitingKey('alice', 'cut-off', 'u', 0), fakeJpeg(), { contentType: 'image/jpeg' });

    expect(await sweepBatches(context, store, now + HOUR_MS)).toBe(0);
    expect(await sweepBatches(context, store, now + 3 * HOUR_MS)).toBe(1);
    expect(await sweepBatches(context, store, now + 2 * day)).toBe(1);
    const left: string[] = [];
    for await (const { id } of store.known()) left.push(id);
    expect(left.sort()).toEqual(['fresh', 'waiting']);
    const keys: string[] = [];
    for await (const { key } of storage.list('alice')) keys.push(key);
    expect(keys.filter((key) => /over|cut-off/.test(key))).toEqual([]);
  });
});

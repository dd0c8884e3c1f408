import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { FacewrightError, isFacewrightError, wireFromError } from '@facewright/protocol';
import type { AppContext } from '../http/app-context.ts';
import { jobPrefix } from '../storage/job-keys.ts';
import type { BatchPhoto, BatchRecord } from './batch-record.ts';
import type { BatchStore } from './batch-store.ts';
import { cancelJob } from './cancel-job.ts';

export interface FeedPauses {
  /** Between looks whether there is room in the queue. */
  readonly roomMs: number;
  /** After a storage or queue that did not answer. */
  readonly retryMs: number;
  /** How often an open batch is marked as being fed. */
  readonly markMs: number;
  /** Whoever has not marked a batch for so long has died: another process takes over. */
  readonly staleMs: number;
}

export const FEED_PAUSES: FeedPauses = { roomMs: 250, retryMs: 2_000, markMs: 3_000, staleMs: 10_000 };

/** Of the places in the queue a batch leaves this share to single photos, of its own tenant and of others. */
const FREE_SHARE = 0.5;
/** Errors that pass: the photo waits and is tried again. */
const PASSING = new Set([
  'FW_QUEUE_FULL',
  'FW_TENANT_QUEUE_FULL',
  'FW_STORAGE_UNAVAILABLE',
  'FW_STORAGE_FULL',
  'FW_QUEUE_UNAVAILABLE',
  'FW_STARTING',
  'FW_DRAINING',
]);

/** Puts the photos of batches into the queue as there is room. */
export interface BatchFeeder {
  /** Begins with a batch that was just accepted. */
  start(record: BatchRecord): void;
  /** Ends; what is not fed yet is fed by another process or after the next start. */
  stop(): Promise<void>;
}

/**
 * Creates the feeder of a process. It looks for batches whose feeder died, also at its start; two that feed the same batch for a
 * moment do no harm, because every photo has the id of its job beforehand and a job is accepted once.
 */
export function createBatchFeeder(context: AppContext, store: BatchStore, pauses: FeedPauses = FEED_PAUSES): BatchFeeder {
  const { queue, storage, log, config } = context;
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = new Map<string, Promise<void>>();
  const pause = (ms: number): Promise<void> => delay(ms, undefined, { signal, ref: false }).catch(() => {});

  const start = (record: BatchRecord): void => {
    const name = `${record.tenant}/${record.id}`;
    if (signal.aborted || running.has(name)) return;
    const work = feed(record)
      .catch((error: unknown) =>
        log.error({ error, batchId: record.id, tenant: record.tenant }, 'A batch was not fed to its end; it is taken up again'),
      )
      .finally(() => running.delete(name));
    running.set(name, work);
  };

  async function feed(record: BatchRecord): Promise<void> {
    const { tenant, id } = record;
    const marker = setInterval(() => void store.markOpen(tenant, id).catch(() => {}), pauses.markMs);
    try {
      const { waiting } = await store.contents(tenant, id);
      for (const [index, photo] of record.photos.entries()) {
        if (photo.key === null || !waiting.has(photo.key)) continue;
        if (!(await feedPhoto(record, photo, index))) return;
      }
      if (await isOver(record)) await dropWaiting(record);
      await store.closeMark(tenant, id);
    } finally {
      clearInterval(marker);
    }
  }

  /** Canceled, or deleted. */
  const isOver = async ({ tenant, id }: BatchRecord): Promise<boolean> =>
    (await store.isCanceled(tenant, id)) || (await store.read(tenant, id)) === null;

  /** Tries until the photo is a job or refused. false: the process ends. */
  async function feedPhoto(record: BatchRecord, photo: BatchPhoto, index: number): Promise<boolean> {
    const { tenant, id } = record;
    while (!signal.aborted) {
      try {
        if (await isOver(record)) return true;
        if (await hasRoom(tenant)) {
          await submit(record, photo, index);
          await storage.delete(photo.key!);
          return true;
        }
      } catch (error) {
        if (signal.aborted) break;
        if (!isFacewrightError(error) || !PASSING.has(error.code))
          log.error({ error, batchId: id, tenant }, 'A photo of a batch waits because of an unexpected error');
        await pause(pauses.retryMs);
        continue;
      }
      await pause(pauses.roomMs);
    }
    return false;
  }

  async function hasRoom(tenant: string): Promise<boolean> {
    if (context.readiness().status !== 'ready' && context.readiness().status !== 'unhealthy') return false;
    const counts = await queue.counts();
    const own = counts.byTenant.get(tenant);
    const pending = (own?.queued ?? 0) + (own?.processing ?? 0);
    const { maxPending } = context.tenants.tenant(tenant).limits;
    return pending < Math.max(1, maxPending * FREE_SHARE) && counts.queued < Math.max(1, config.maxQueued * FREE_SHARE);
  }

  async function submit(record: BatchRecord, photo: BatchPhoto, index: number): Promise<void> {
    const { tenant, id, options, webhookUrl } = record;
    const jobId = photo.jobId!;
    // A process that died may have got so far.
    if ((await queue.get(tenant, jobId)) !== null) return;
    let stream: Readable | undefined;
    try {
      await context.photos.acceptPhoto({
        tenant: context.tenants.tenant(tenant),
        requestId: record.requestId,
        traceparent: record.traceparent,
        id: jobId,
        batchId: id,
        declaredBytes: photo.bytes,
        takesRate: false,
        signal,
        open: async () => {
          const found = await storage.get(photo.key!);
          if (found === null) throw new FacewrightError('FW_NOT_FOUND', { what: 'photo' });
          stream = found.stream;
          return { stream, settle: async () => ({ options, webhookUrl }) };
        },
      });
    } catch (error) {
      if (signal.aborted || !isFacewrightError(error) || PASSING.has(error.code)) throw error;
      // Canceling deletes what waits, also while it is read here.
      if (!(await isOver(record))) await store.refuse(tenant, id, index, wireFromError(error));
      return;
    } finally {
      // A refused photo is not read to its end.
      stream?.on('error', () => {}).destroy();
    }
    // Whoever canceled or deleted the batch in between did not see this job.
    if (await store.isCanceled(tenant, id)) await cancelJob(context, tenant, jobId);
    else if ((await store.read(tenant, id)) === null) {
      await queue.remove(tenant, jobId);
      await storage.deleteAll(jobPrefix(tenant, jobId));
    }
  }

  async function dropWaiting({ tenant, id }: BatchRecord): Promise<void> {
    for (const key of (await store.contents(tenant, id)).waiting) await storage.delete(key);
  }

  /** Takes up batches that nobody feeds. */
  async function lookForAbandoned(): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const { tenant, id, markedAt } of store.open()) {
          if (signal.aborted) return;
          if (running.has(`${tenant}/${id}`) || Date.now() - markedAt < pauses.staleMs) continue;
          const record = await store.read(tenant, id);
          // A mark without a batch: it was deleted while it was fed.
          if (record === null) await store.closeMark(tenant, id);
          else start(record);
        }
      } catch (error) {
        log.warn({ error }, 'Open batches cannot be listed; it is tried again');
      }
      await pause(pauses.staleMs / 2);
    }
  }
  const looking = lookForAbandoned();

  return {
    start,
    async stop() {
      stopping.abort();
      await looking;
      await Promise.all(running.values());
    },
  };
}

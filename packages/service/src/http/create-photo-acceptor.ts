import { createHash, randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sniffImageFormat } from '@facewright/engine/sniff-image-format';
import { FacewrightError } from '@facewright/protocol';
import type { Job } from '../jobs/job.ts';
import { resultKey } from '../storage/job-keys.ts';
import type { RateDecision } from '../tenants/rate-limiter.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { TenantCounters } from '../tenants/tenant-counters.ts';
import type { AppDeps } from './app-deps.ts';
import { computeRetryAfterS } from './compute-wait.ts';
import { computeFingerprint } from './fingerprint.ts';
import { createJobId } from './job-id.ts';
import type { RequestFields } from './parse-job-options.ts';
import { peekHead } from './peek-head.ts';
import { PhotoCounter } from './photo-counter.ts';

/** A photo on its way in, wherever it comes from. */
export interface PhotoRequest {
  readonly tenant: Tenant;
  readonly requestId: string;
  readonly traceparent: string | null;
  /** Chosen by the caller: where a job has it already, that one is compared instead of a new one made. */
  readonly id?: string;
  readonly batchId?: string;
  /** Bytes that the body says it has. */
  readonly declaredBytes?: number;
  /** false where the caller has taken from the rate already, e.g. once for a batch. @default true */
  readonly takesRate?: boolean;
  /** Aborts with what the caller is told, or when nobody listens any more. */
  readonly signal: AbortSignal;
  readonly onRate?: (decision: RateDecision) => void;
  /** Called when everything that can be known before the first byte allows it. */
  readonly open: () => Promise<OpenedPhoto>;
}

export interface OpenedPhoto {
  readonly stream: Readable;
  /** Called when the stream has been read to its end: fields of a form may follow the photo. */
  readonly settle: () => Promise<RequestFields>;
}

export interface Acceptance {
  readonly job: Job;
  /** false: the job was there before. */
  readonly created: boolean;
}

/** The one way by which photos get in. */
export interface PhotoAcceptor {
  /**
   * Takes one from the tenant's rate and looks whether there is room, before anything is read.
   *
   * @throws FW_STARTING, FW_DRAINING, FW_RATE_LIMITED, FW_QUEUE_UNAVAILABLE
   */
  takeRate(tenant: Tenant, onRate?: (decision: RateDecision) => void): Promise<void>;
  /** @throws FW_QUEUE_FULL, FW_TENANT_QUEUE_FULL, FW_STORAGE_QUOTA */
  checkRoom(tenant: Tenant, declaredBytes?: number): Promise<void>;
  /**
   * Stores a photo and submits its job. Where anything refuses it or goes wrong, nothing is kept of it.
   *
   * @throws what `takeRate` and `checkRoom` throw; FW_BODY_TOO_LARGE, FW_PHOTO_EMPTY, FW_PHOTO_NOT_IMAGE, FW_ID_CONFLICT,
   *   FW_WEBHOOK_REFUSED; what `open`, `settle`, the queue and the storage throw
   */
  acceptPhoto(request: PhotoRequest): Promise<Acceptance>;
}

/** How much of a file is looked at to tell its format; the engine looks at as much. */
const HEAD_BYTES = 1024;

/** Creates the acceptor of an app. */
export function createPhotoAcceptor(deps: AppDeps, counters: TenantCounters): PhotoAcceptor {
  const { config, queue, storage, log } = deps;
  /** Photos that are being received, by tenant: they will want a place in the queue. */
  const uploads = new Map<string, number>();

  const takeRate: PhotoAcceptor['takeRate'] = async (tenant, onRate) => {
    const { status } = deps.readiness();
    if (status === 'draining') throw new FacewrightError('FW_DRAINING', {});
    if (status === 'starting') throw new FacewrightError('FW_STARTING', {});
    const decision = await counters.takeRate(tenant.name, tenant.limits.ratePerMinute);
    onRate?.(decision);
    if (!decision.allowed) throw new FacewrightError('FW_RATE_LIMITED', { retryAfterS: decision.retryAfterS });
  };

  const tenantFull = (tenant: Tenant, pending: number) =>
    new FacewrightError('FW_TENANT_QUEUE_FULL', {
      queued: pending,
      max: tenant.limits.maxPending,
      retryAfterS: computeRetryAfterS(pending, deps.serviceTime()),
    });
  const queueFull = (queued: number) =>
    new FacewrightError('FW_QUEUE_FULL', { queued, retryAfterS: computeRetryAfterS(queued, deps.serviceTime()) });

  const checkRoom: PhotoAcceptor['checkRoom'] = async (tenant, declaredBytes = 0) => {
    const counts = await queue.counts();
    if (counts.queued >= config.maxQueued) throw queueFull(counts.queued);
    const own = counts.byTenant.get(tenant.name);
    const pending = (own?.queued ?? 0) + (own?.processing ?? 0) + (uploads.get(tenant.name) ?? 0);
    if (pending >= tenant.limits.maxPending) throw tenantFull(tenant, pending);
    const usedBytes = await storage.usedBytes(tenant.name);
    const maxBytes = tenant.limits.storageBytes;
    if (usedBytes + declaredBytes > maxBytes) throw new FacewrightError('FW_STORAGE_QUOTA', { usedBytes, maxBytes });
  };

  const submit = async (request: PhotoRequest, id: string, opened: OpenedPhoto, signal: AbortSignal): Promise<Acceptance> => {
    const { tenant } = request;
    const format = await sniff(opened.stream, signal);
    // Each upload has a place of its own: a second one under the same id must not replace the photo of the first.
    const key = resultKey(tenant.name, id, `in-${randomBytes(8).toString('hex')}`, 'photo');
    const source = countPhoto(opened.stream, config.maxPhotoBytes);
    const stored = await storage.put(key, source, { contentType: `image/${format}`, signal });
    let keep = false;
    try {
      const { options, webhookUrl } = await opened.settle();
      if (webhookUrl !== null) await checkWebhook(deps, webhookUrl);
      signal.throwIfAborted();
      const createdAt = Date.now();
      const job = {
        tenant: tenant.name,
        id,
        options,
        photo: { key, bytes: stored.bytes, sha256: stored.sha256 },
        fingerprint: computeFingerprint(stored.sha256, options, webhookUrl),
        createdAt,
        deadlineAt: createdAt + (options.deadlineS ?? config.jobDeadlineS) * 1000,
        ttlMs: config.resultTtlS * 1000,
        requestId: request.requestId,
        traceparent: request.traceparent,
        batchId: request.batchId ?? null,
        webhookUrl,
      };
      // From here on the photo belongs to the job, unless the queue says no.
      keep = true;
      const limits = { maxQueued: config.maxQueued, tenantMaxPending: tenant.limits.maxPending };
      const submitted = await queue.submit(job, limits).catch(async (error) => {
        // A queue that failed may have kept the job all the same; only where it surely has not is the photo deleted.
        keep = (await queue.get(tenant.name, id).catch(() => 'unknown')) !== null;
        throw error;
      });
      keep = submitted.kind === 'accepted';
      if (submitted.kind === 'queue-full') throw queueFull(submitted.queued);
      if (submitted.kind === 'tenant-full') throw tenantFull(tenant, submitted.pending);
      if (submitted.kind === 'existing') checkSame(submitted.job, job.fingerprint);
      return { job: submitted.job, created: submitted.kind === 'accepted' };
    } finally {
      if (!keep)
        await storage.delete(key).catch((err) => log.warn({ err, requestId: request.requestId }, 'a refused photo was not deleted'));
    }
  };

  return {
    takeRate,
    checkRoom,
    async acceptPhoto(request) {
      const { tenant, signal } = request;
      if (request.takesRate !== false) await takeRate(tenant, request.onRate);
      const id = request.id ?? createJobId();
      const known = request.id === undefined ? null : await queue.get(tenant.name, id);
      if (known === null) await checkRoom(tenant, request.declaredBytes);
      checkDeclared(request.declaredBytes, config.maxPhotoBytes);
      signal.throwIfAborted();
      uploads.set(tenant.name, (uploads.get(tenant.name) ?? 0) + 1);
      try {
        const opened = await request.open();
        if (known === null) return await submit(request, id, opened, signal);
        // Repeated: nothing needs to be stored to see whether it is the same.
        await sniff(opened.stream, signal);
        const sha256 = await hashPhoto(countPhoto(opened.stream, config.maxPhotoBytes), signal);
        const { options, webhookUrl } = await opened.settle();
        checkSame(known, computeFingerprint(sha256, options, webhookUrl));
        return { job: known, created: false };
      } finally {
        const left = (uploads.get(tenant.name) ?? 1) - 1;
        if (left === 0) uploads.delete(tenant.name);
        else uploads.set(tenant.name, left);
      }
    },
  };
}

/** Room that a form takes around a photo: fields, boundaries. */
export const FORM_OVERHEAD_BYTES = 256 * 1024;

function checkDeclared(declaredBytes: number | undefined, maxBytes: number): void {
  if ((declaredBytes ?? 0) > maxBytes + FORM_OVERHEAD_BYTES) throw new FacewrightError('FW_BODY_TOO_LARGE', { maxBytes });
}

function checkSame(job: Job, fingerprint: string): void {
  if (job.fingerprint !== fingerprint) throw new FacewrightError('FW_ID_CONFLICT', { id: job.id });
}

async function checkWebhook(deps: AppDeps, url: string): Promise<void> {
  if (deps.checkWebhookUrl === undefined) throw new FacewrightError('FW_WEBHOOK_REFUSED', { reason: 'this service sends none' });
  await deps.checkWebhookUrl(url);
}

/** Format of a photo by its first bytes. @throws FW_PHOTO_EMPTY, FW_PHOTO_NOT_IMAGE */
async function sniff(stream: Readable, signal: AbortSignal): Promise<string> {
  const head = await peekHead(stream, HEAD_BYTES, signal);
  if (head.length === 0) throw new FacewrightError('FW_PHOTO_EMPTY', {});
  const sniffed = sniffImageFormat(head);
  if (sniffed.format === null) throw new FacewrightError('FW_PHOTO_NOT_IMAGE', { found: sniffed.found });
  return sniffed.format;
}

/**
 * The photo behind a counter. Only the counter is destroyed when something fails: the body behind it must still be read away, else the
 * caller never reads the answer.
 */
function countPhoto(stream: Readable, maxBytes: number): PhotoCounter {
  const counter = new PhotoCounter(maxBytes);
  // Whoever reads it hears of the error too; where nobody does any more, it must not bring the process down.
  counter.on('error', () => {});
  const onClose = (): void => {
    if (!stream.readableEnded) counter.destroy(stream.errored ?? new Error('the body ended too early'));
  };
  stream.once('error', (error) => counter.destroy(error));
  stream.once('close', onClose);
  // One that failed while its head was looked at has told so already.
  if (stream.closed) onClose();
  return stream.pipe(counter);
}

async function hashPhoto(source: Readable, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(
    source,
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) hash.update(chunk);
    },
    { signal },
  );
  return hash.digest('hex');
}

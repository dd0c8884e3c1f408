import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { BatchView } from '@facewright/protocol';
import { FacewrightError } from '@facewright/protocol';
import { ID_PATTERN } from '@facewright/protocol/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AppContext } from '../http/app-context.ts';
import { FORM_OVERHEAD_BYTES } from '../http/create-photo-acceptor.ts';
import { invalidRequest, parseWith } from '../http/error-from-request.ts';
import { giveContinue } from '../http/expect-continue.ts';
import { guardUpload } from '../http/guard-upload.ts';
import { jobIdFromKey } from '../http/job-id.ts';
import { parseJobOptions, type RequestFields } from '../http/parse-job-options.ts';
import { setRateHeaders } from '../http/rate-headers.ts';
import { readParts } from '../http/read-parts.ts';
import { readQuery } from '../http/read-photo-upload.ts';
import { jobPrefix } from '../storage/job-keys.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { BatchRecord } from './batch-record.ts';
import { createBatchStore, waitingKey } from './batch-store.ts';
import { cancelJob } from './cancel-job.ts';
import { createBatchArchive } from './create-batch-archive.ts';
import { createBatchFeeder } from './feed-batches.ts';
import { followBatch } from './follow-batch.ts';
import { listBatches } from './list-batches.ts';
import { cleanPhotoName } from './photo-names.ts';
import { batchPath, readBatchStatus, viewBatch } from './read-batch-status.ts';
import { computeBatchFingerprint, PhotoReceiver } from './receive-photos.ts';
import { sweepBatches } from './sweep-batches.ts';

const EXPECTED = 'multipart/form-data with files "photo" or one "archive", or a zip (application/zip)';
const ZIP_TYPES = new Set(['application/zip', 'application/x-zip-compressed']);
const MAX_FIELD_BYTES = 4096;
const MAX_FIELDS = 24;
/** A batch may take this many times as long to arrive as one photo. */
export const BATCH_UPLOAD_FACTOR = 10;
const SWEEP_MS = 600_000;
/** Batches of one tenant that one process receives at once, and after how long a further one may try again. */
const MAX_UPLOADS = 4;
const UPLOADS_RETRY_S = 5;
/** Questions to the queue that are on their way at once. */
const PARALLEL = 16;

const noQuerySchema = z.strictObject({});
const listQuerySchema = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a number from 1 to 100')
    .transform(Number)
    .pipe(z.int().min(1).max(100))
    .default(20),
  after: z.string().max(1000).optional(),
});
const archiveQuerySchema = z.strictObject({
  tenant: z.string().optional(),
  expires: z.string().optional(),
  signature: z.string().optional(),
});

/** Many photos in one request: create, list, read, follow, cancel, delete, and one zip of the results. */
export function batchRoutes(app: FastifyInstance, context: AppContext): void {
  const { config, queue, storage, log, counters, holdQuota } = context;
  const store = createBatchStore(storage);
  const feeder = createBatchFeeder(context, store, context.batchPauses);
  const arrivingByTenant = new Map<string, number>();
  const sweep = (): void =>
    void sweepBatches(context, store).then(
      (batches) => batches > 0 && log.info({ batches }, 'Expired batches deleted'),
      (error: unknown) => log.warn({ error }, 'Batches were not swept; it is tried again'),
    );
  const sweeping = setInterval(sweep, SWEEP_MS);
  sweeping.unref();
  app.addHook('onReady', (done) => {
    sweep();
    done();
  });
  app.addHook('onClose', async () => {
    clearInterval(sweeping);
    await feeder.stop();
  });

  const noBatch = (): FacewrightError<'FW_NOT_FOUND'> => new FacewrightError('FW_NOT_FOUND', { what: 'batch' });
  const readRecord = async (request: FastifyRequest): Promise<BatchRecord> => {
    const { id } = request.params as { id: string };
    const record = ID_PATTERN.test(id) ? await store.read(request.tenant.name, id) : null;
    if (record === null) throw noBatch();
    return record;
  };
  const view = async (record: BatchRecord): Promise<BatchView> => viewBatch(record, await readBatchStatus(context, store, record), context);
  /** Does something with every job of a batch, a few at a time. */
  const forEachJob = async ({ photos }: BatchRecord, work: (jobId: string) => Promise<unknown>): Promise<void> => {
    const ids = photos.flatMap(({ jobId }) => (jobId === null ? [] : [jobId]));
    for (let i = 0; i < ids.length; i += PARALLEL) await Promise.all(ids.slice(i, i + PARALLEL).map(work));
  };

  void app.register((uploads, _options, done) => {
    // JSON is no batch, however well-formed.
    uploads.removeContentTypeParser('application/json');
    uploads.post('/v1/batches', { config: { streamsBody: true } }, async (request, reply) => {
      const { tenant } = request;
      const idempotencyKey = readIdempotencyKey(request);
      const id = idempotencyKey === null ? `b${randomBytes(12).toString('hex')}` : jobIdFromKey(tenant.name, `batch ${idempotencyKey}`);
      const declared = Number(request.headers['content-length'] ?? 0);
      await context.photos.takeRate(tenant, (decision) => setRateHeaders(reply, tenant, decision));
      if (declared > config.batchMaxBytes + FORM_OVERHEAD_BYTES)
        throw new FacewrightError('FW_BODY_TOO_LARGE', { maxBytes: config.batchMaxBytes });
      await checkQuota(tenant, declared);
      const uploads = arrivingByTenant.get(tenant.name) ?? 0;
      if (uploads >= MAX_UPLOADS) throw new FacewrightError('FW_RATE_LIMITED', { retryAfterS: UPLOADS_RETRY_S });
      // Two uploads under one key must not become two batches of one id, whichever processes they come to.
      const release = await counters.claim(`batch:${tenant.name}/${id}`);
      if (release === null) throw new FacewrightError('FW_STATE_CONFLICT', { state: 'being received', wanted: 'a second upload' });
      arrivingByTenant.set(tenant.name, (arrivingByTenant.get(tenant.name) ?? 0) + 1);
      try {
        const known = await store.read(tenant.name, id);
        const { record, created } = await receive(request, reply, id, known);
        reply.header('location', `${context.prefixOf(request)}/${batchPath(id)}`);
        if (created) feeder.start(record);
        return await reply.code(created ? 202 : 200).send(await view(record));
      } finally {
        release();
        const left = (arrivingByTenant.get(tenant.name) ?? 1) - 1;
        if (left === 0) arrivingByTenant.delete(tenant.name);
        else arrivingByTenant.set(tenant.name, left);
      }
    });
    done();
  });

  app.get('/v1/batches', async (request) => {
    const page = parseWith(listQuerySchema, readQuery(request), 'query');
    return await listBatches(store, context, request.tenant.name, page);
  });

  app.route({
    method: ['GET', 'HEAD'],
    url: '/v1/batches/:id/events',
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      parseWith(noQuerySchema, readQuery(request), 'query');
      const { tenant, id } = await readRecord(request);
      if (request.method === 'GET') context.streams.take(tenant, reply.raw);
      reply
        .header('content-type', 'text/event-stream')
        .header('cache-control', 'no-cache, no-transform')
        // nginx would keep it back until its buffer is full.
        .header('x-accel-buffering', 'no');
      if (request.method === 'HEAD') return reply.send();
      return await followBatch(request, reply, context, async () => {
        const record = await store.read(tenant, id);
        return record === null ? null : await view(record);
      });
    },
  });

  app.get('/v1/batches/:id', async (request) => {
    parseWith(noQuerySchema, readQuery(request), 'query');
    return await view(await readRecord(request));
  });

  app.post('/v1/batches/:id/cancel', async (request) => {
    parseWith(noQuerySchema, readQuery(request), 'query');
    const record = await readRecord(request);
    const status = await readBatchStatus(context, store, record);
    if (status.state === 'done') throw new FacewrightError('FW_STATE_CONFLICT', { state: 'done', wanted: 'canceling' });
    await store.cancel(record.tenant, record.id);
    await forEachJob(record, (jobId) => cancelJob(context, record.tenant, jobId));
    for (const key of (await store.contents(record.tenant, record.id)).waiting) await storage.delete(key);
    return await view(record);
  });

  app.delete('/v1/batches/:id', async (request, reply) => {
    parseWith(noQuerySchema, readQuery(request), 'query');
    const record = await readRecord(request);
    await store.cancel(record.tenant, record.id);
    await forEachJob(record, async (jobId) => {
      await queue.remove(record.tenant, jobId);
      await storage.deleteAll(jobPrefix(record.tenant, jobId));
    });
    await store.remove(record.tenant, record.id);
    return reply.code(204).send();
  });

  app.route({
    method: ['GET', 'HEAD'],
    url: '/v1/batches/:id/archive',
    exposeHeadRoute: false,
    config: { access: 'link' },
    handler: async (request, reply) => {
      parseWith(archiveQuerySchema, readQuery(request), 'query');
      const record = await readRecord(request);
      const status = await readBatchStatus(context, store, record);
      if (status.expiresAt === null) throw new FacewrightError('FW_NOT_FOUND', { what: 'archive yet' });
      reply
        .header('content-type', 'application/zip')
        .header('cache-control', 'private, no-store')
        .header('content-disposition', `attachment; filename="facewright-${record.id}.zip"`);
      if (request.method === 'HEAD') return reply.send();
      const archive = createBatchArchive(storage, record, status);
      reply.raw.once('close', () => archive.destroy());
      return reply.send(archive);
    },
  });

  async function checkQuota({ name, limits }: Tenant, moreBytes: number): Promise<void> {
    const usedBytes = await storage.usedBytes(name);
    if (usedBytes + moreBytes > limits.storageBytes)
      throw new FacewrightError('FW_STORAGE_QUOTA', { usedBytes, maxBytes: limits.storageBytes });
  }

  /** Reads the whole request; the batch is there when it returns, or nothing of it is. */
  async function receive(
    request: FastifyRequest,
    reply: FastifyReply,
    id: string,
    known: BatchRecord | null,
  ): Promise<{ readonly record: BatchRecord; readonly created: boolean }> {
    const tenant = request.tenant.name;
    const guard = guardUpload(request.raw, config.uploadTimeoutS * 1000 * BATCH_UPLOAD_FACTOR, context.uploadPace);
    const upload = randomBytes(8).toString('hex');
    const hold = holdQuota(request.tenant);
    const receiver = new PhotoReceiver({
      storage,
      limits: { maxPhotos: config.batchMaxPhotos, maxPhotoBytes: config.maxPhotoBytes, maxBytes: config.batchMaxBytes },
      signal: guard.signal,
      keyOf: known === null ? (index) => waitingKey(tenant, id, upload, index) : null,
      onHeld: (bytes) => hold.set(bytes),
    });
    let committed = false;
    try {
      if (known === null) await store.markKnown(tenant, id);
      const { options: jobOptions, webhookUrl } = await readBody(request, reply, receiver, guard.signal);
      if (receiver.photos.length === 0) throw invalidRequest('photo', 'is missing');
      if (webhookUrl !== null) await checkWebhook(webhookUrl);
      const fingerprint = computeBatchFingerprint(receiver.photos, jobOptions, webhookUrl);
      // Another process may have taken in a batch under this id while this one arrived.
      const existing = known ?? (await store.read(tenant, id));
      if (existing !== null) {
        if (existing.fingerprint !== fingerprint) throw new FacewrightError('FW_ID_CONFLICT', { id });
        return { record: existing, created: false };
      }
      guard.signal.throwIfAborted();
      const record: BatchRecord = {
        version: 1,
        tenant,
        id,
        createdAt: Date.now(),
        fingerprint,
        requestId: request.id,
        traceparent: request.traceparent,
        options: jobOptions,
        webhookUrl,
        photos: receiver.photos.map(({ name, bytes, key, error }, i) => ({
          name,
          bytes,
          jobId: key === null ? null : `${id}-${i + 1}`,
          key,
          error,
        })),
      };
      // Again: an upload under this id that failed elsewhere may have taken it away before the first photo was stored.
      await store.markKnown(tenant, id);
      await store.markOpen(tenant, id);
      await store.write(record);
      committed = true;
      return { record, created: true };
    } catch (error) {
      // Why it was cut off says more than what broke because of it.
      if (guard.signal.aborted) throw guard.signal.reason;
      throw error;
    } finally {
      guard.release();
      hold.release();
      if (known === null && !committed) {
        await store
          .abandon(tenant, id, upload)
          .catch((error: unknown) => log.warn({ error, requestId: request.id }, 'A refused batch was not deleted'));
      }
    }
  }

  async function checkWebhook(url: string): Promise<void> {
    if (context.checkWebhookUrl === undefined) throw new FacewrightError('FW_WEBHOOK_REFUSED', { reason: 'this service sends none' });
    await context.checkWebhookUrl(url);
  }

  async function readBody(
    request: FastifyRequest,
    reply: FastifyReply,
    receiver: PhotoReceiver,
    signal: AbortSignal,
  ): Promise<RequestFields> {
    const query = readQuery(request);
    const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw new FacewrightError('FW_MEDIA_UNSUPPORTED', { found: 'compressed (Content-Encoding)', expected: EXPECTED });
    }
    if (ZIP_TYPES.has(type)) {
      const fields = parseJobOptions(query, context.models);
      giveContinue(request.raw, reply.raw);
      await receiver.addArchive(request.raw);
      return fields;
    }
    if (type !== 'multipart/form-data') {
      throw new FacewrightError('FW_MEDIA_UNSUPPORTED', {
        found: type === '' ? 'without a content type' : type.slice(0, 60),
        expected: EXPECTED,
      });
    }
    giveContinue(request.raw, reply.raw);
    return await readForm(request, query, receiver, signal);
  }

  async function readForm(
    request: FastifyRequest,
    query: Readonly<Record<string, string>>,
    receiver: PhotoReceiver,
    signal: AbortSignal,
  ): Promise<RequestFields> {
    const fields = new Map(Object.entries(query));
    // Options that are wrong are told before hundreds of photos are sent, where they come first.
    parseJobOptions(query, context.models);
    const parts = readParts(
      request,
      {
        // Our own counters refuse; the parser would only cut.
        fileSize: config.batchMaxBytes + 1,
        files: config.batchMaxPhotos + 2,
        fields: MAX_FIELDS,
        parts: config.batchMaxPhotos + MAX_FIELDS + 3,
        fieldSize: MAX_FIELD_BYTES,
        fieldNameSize: 100,
        headerPairs: 20,
      },
      signal,
    );
    for await (const part of parts) {
      const { fieldname } = part;
      if (part.type === 'field') {
        if (fieldname === 'photo' || fieldname === 'archive')
          throw invalidRequest(fieldname, 'must be a file of the form, with a file name');
        if (fields.has(fieldname)) throw invalidRequest(fieldname, 'is given twice');
        if (typeof part.value !== 'string' || part.valueTruncated)
          throw invalidRequest(fieldname, `is not text of at most ${MAX_FIELD_BYTES} bytes`);
        fields.set(fieldname, part.value);
      } else if (fieldname === 'photo') {
        await receiver.addPhoto(cleanPhotoName(part.filename), part.file as Readable);
      } else if (fieldname === 'archive') {
        await receiver.addArchive(part.file as Readable);
      } else {
        throw invalidRequest(fieldname, 'is not known as a file');
      }
    }
    return parseJobOptions(Object.fromEntries(fields), context.models);
  }
}

function readIdempotencyKey(request: FastifyRequest): string | null {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return null;
  // The draft wants a quoted string; most clients send it bare.
  const key = String(header).replace(/^"(.*)"$/, '$1');
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) throw invalidRequest('Idempotency-Key', 'must be 1 to 255 printable characters without spaces');
  return key;
}

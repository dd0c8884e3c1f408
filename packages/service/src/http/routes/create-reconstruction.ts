import { isFacewrightError, type ReconstructionView } from '@facewright/protocol';
import { ID_PATTERN } from '@facewright/protocol/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Job } from '../../jobs/job.ts';
import type { AppContext } from '../app-context.ts';
import { computeRetryAfterS } from '../compute-wait.ts';
import type { Acceptance } from '../create-photo-acceptor.ts';
import { invalidRequest } from '../error-from-request.ts';
import { guardUpload } from '../guard-upload.ts';
import { jobIdFromKey } from '../job-id.ts';
import { parsePrefer } from '../parse-prefer.ts';
import { publicError } from '../problem.ts';
import { setRateHeaders } from '../rate-headers.ts';
import { readPhotoUpload } from '../read-photo-upload.ts';
import { sendProblem } from '../send-problem.ts';
import { reconstructionPath, viewReconstruction } from '../view-reconstruction.ts';
import { waitForEnd } from '../wait-for-end.ts';
import { noReconstruction } from './parse-id.ts';

/** POST /v1/reconstructions and PUT /v1/reconstructions/:id. */
export function createReconstructionRoutes(app: FastifyInstance, context: AppContext): void {
  const config = { streamsBody: true };
  app.post('/v1/reconstructions', { config }, async (request, reply) => {
    const key = readIdempotencyKey(request);
    const id = key === null ? undefined : jobIdFromKey(request.tenant.name, key);
    return await create(request, reply, context, id);
  });
  app.put('/v1/reconstructions/:id', { config }, async (request, reply) => {
    const { id } = request.params as { id: string };
    if (!ID_PATTERN.test(id)) throw invalidRequest('id', 'must be 1 to 64 letters, digits, "-" or "_", beginning with a letter or digit');
    return await create(request, reply, context, id);
  });
}

async function create(request: FastifyRequest, reply: FastifyReply, context: AppContext, id: string | undefined): Promise<FastifyReply> {
  const { config } = context;
  const prefer = parsePrefer(request.headers.prefer, { defaultS: config.waitS, maxS: config.maxWaitS });
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());

  const accepted = await receive(request, reply, context, id);
  request.jobId = accepted.job.id;
  // A waiting request holds its connection as a stream does. The photo is accepted, so whoever has enough of them is not refused: it is
  // answered at once, and asks again.
  const mayWait = prefer.waitMs > 0 && context.streams.tryTake(accepted.job.tenant, reply.raw);
  const waitMs = mayWait ? prefer.waitMs : 0;
  const shown = await waitAndView(request, context, accepted.job, waitMs, AbortSignal.any([gone.signal, context.closing]));
  if (shown === null) throw noReconstruction();
  const { job, view } = shown;

  const prefix = context.prefixOf(request);
  reply.header('location', `${prefix}/${reconstructionPath(job.id)}`);
  if (prefer.applied !== null && (mayWait || prefer.waitMs === 0)) reply.header('preference-applied', prefer.applied);
  if (job.error !== null) {
    return sendProblem(request, reply, publicError(job.error), { docsUrl: `${prefix}/docs`, reconstruction: job.id });
  }
  if (job.state === 'canceled') {
    return sendProblem(request, reply, publicError({ code: 'FW_CANCELED', params: { stage: job.progress?.stage ?? 'waiting' } }), {
      docsUrl: `${prefix}/docs`,
      reconstruction: job.id,
    });
  }
  if (job.state === 'succeeded') return reply.code(accepted.created ? 201 : 200).send(view);
  const jobsBefore = view.queue === undefined ? 1 : view.queue.position + 2;
  return reply
    .code(202)
    .header('retry-after', String(computeRetryAfterS(jobsBefore, context.serviceTime())))
    .send(view);
}

/**
 * The job after its end or after `waitMs`, and how it is shown; null when it was removed. What has been accepted stays accepted: where the
 * queue no longer answers, the job is shown as it was last seen, so that nobody sends the photo again.
 */
async function waitAndView(
  request: FastifyRequest,
  context: AppContext,
  accepted: Job,
  waitMs: number,
  signal: AbortSignal,
): Promise<{ readonly job: Job; readonly view: ReconstructionView } | null> {
  let last = accepted;
  try {
    const job = await waitForEnd(context.queue, accepted, waitMs, signal);
    if (job === null) return null;
    last = job;
    return { job, view: await context.viewJob(job) };
  } catch (err) {
    if (!isFacewrightError(err, 'FW_QUEUE_UNAVAILABLE')) throw err;
    const { config, linkSecret, log } = context;
    log.warn({ err, requestId: request.id, jobId: last.id }, 'the queue was lost while a request waited for its job');
    const view = viewReconstruction(last, {
      linkSecret,
      linkTtlS: config.linkTtlS,
      serviceTime: context.serviceTime(),
      now: Date.now(),
    });
    return { job: last, view };
  }
}

async function receive(request: FastifyRequest, reply: FastifyReply, context: AppContext, id: string | undefined): Promise<Acceptance> {
  const { config, photos, models } = context;
  const declared = Number(request.headers['content-length'] ?? Number.NaN);
  const guard = guardUpload(request.raw, config.uploadTimeoutS * 1000, context.uploadPace);
  try {
    return await photos.acceptPhoto({
      tenant: request.tenant,
      requestId: request.id,
      traceparent: request.traceparent,
      ...(id === undefined ? {} : { id }),
      ...(Number.isFinite(declared) ? { declaredBytes: declared } : {}),
      signal: guard.signal,
      onRate: (decision) => setRateHeaders(reply, request.tenant, decision),
      open: () => readPhotoUpload(request, reply, { models, maxPhotoBytes: config.maxPhotoBytes, signal: guard.signal }),
    });
  } catch (error) {
    // Why it was cut off says more than what broke because of it.
    if (guard.signal.aborted) throw guard.signal.reason;
    throw error;
  } finally {
    guard.release();
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

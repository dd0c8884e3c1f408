import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ERRORS, FacewrightError, isFacewrightError } from '@facewright/protocol';
import { jobOptionsSchema } from '@facewright/protocol/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AppContext } from '../http/app-context.ts';
import { errorFromFramework, invalidRequest } from '../http/error-from-request.ts';
import { giveContinue } from '../http/expect-continue.ts';
import { guardUpload } from '../http/guard-upload.ts';
import { publicError, retryAfterOf } from '../http/problem.ts';
import { setRateHeaders } from '../http/rate-headers.ts';
import { readParts } from '../http/read-parts.ts';
import { sendObject } from '../http/send-object.ts';
import { sendWhileArriving } from '../http/send-problem.ts';
import { setCorsHeaders } from '../http/set-cors-headers.ts';
import type { QuotaHold } from '../storage/create-quota-holds.ts';
import { formatEventId, type GradioEvent, parseEventId } from './event-id.ts';
import { followEvent, type GradioMessage, textOfError } from './follow-event.ts';
import { GRADIO_PREFIX, gradioConfig, gradioInfo } from './gradio-documents.ts';
import { formatUploadPath, readGradioInput, UPLOAD_GONE } from './gradio-input.ts';
import { createSessionStore, type SessionEvent } from './session-store.ts';

/** What the former demo gave: a model file and the texture of its UV map. */
const OPTIONS = jobOptionsSchema.parse({ formats: ['glb', 'maps'] });
/** Files of one upload request; official clients send one. */
const MAX_FILES = 4;
/** Proxies close what is silent for a minute, some for half of it. */
const HEARTBEAT_MS = 15_000;
/** How often a session is looked at for calls that came to another instance. */
const SESSION_LOOK_MS = 5000;
/** Clients that cancel send `/reset` next and are ready for the end a little after it; one that sends none is ready after the second. */
const AFTER_RESET_MS = 200;
const AFTER_CANCEL_MS = 1500;
/** A client that hears of an end before it has read the answer to its call does not know whose end it is. */
const AFTER_JOIN_MS = 150;
/** Refusals that belong into the status of a call: clients have words of their own for a queue that takes nothing. */
const BUSY = new Set(['FW_QUEUE_FULL', 'FW_STARTING', 'FW_DRAINING']);
/** Sessions are named by clients, in few letters. */
const SESSION_PATTERN = /^[\w.~-]{1,100}$/;

/**
 * The routes that clients of Gradio apps need, so that programs written for the demo's `/predict` work unchanged: photo in, model file
 * and UV texture out. Queue, storage, limits and links are those of the API. At `/gradio_api` and, for clients of Gradio 4, at the root.
 */
export function gradioRoutes(app: FastifyInstance, context: AppContext): void {
  const { config, queue, storage, photos, log, linkSecret, holdQuota } = context;
  const store = createSessionStore(storage);
  /** Events whose cancel, or reset after it, came to this instance: when their streams may tell the end. Unix ms. */
  const canceled = new Map<string, number>();
  app.addHook('onClose', (_app, done) => {
    store.close();
    done();
  });

  void app.register((scope, _none, ready) => {
    scope.setErrorHandler((thrown, request, reply) => sendDetail(thrown, request, reply, context));
    scope.get('/config', () => gradioConfig(config.maxPhotoBytes));
    for (const prefix of [GRADIO_PREFIX, '']) addRoutes(scope, prefix);
    ready();
  });

  function addRoutes(scope: FastifyInstance, prefix: string): void {
    scope.get(`${prefix}/info`, () => gradioInfo());
    scope.post(`${prefix}/upload`, { config: { streamsBody: true } }, upload);
    scope.post(`${prefix}/queue/join`, async (request) => {
      const { data, session_hash: session } = readBody(request);
      if (typeof session !== 'string' || !SESSION_PATTERN.test(session))
        throw invalidRequest('session_hash', 'is missing or not a plain name');
      const { isRepeat, ...event } = await call(request, Array.isArray(data) ? data[0] : undefined);
      if (isRepeat) {
        if (await store.has(event.tenant, session, event.id)) return { event_id: formatEventId(linkSecret, event) };
        // Not the same request again, and it is about to be kept.
        await photos.takeRate(request.tenant);
      }
      await store.join(event.tenant, session, event.id);
      return { event_id: formatEventId(linkSecret, event) };
    });
    scope.get(`${prefix}/queue/data`, streamSession);
    scope.post(`${prefix}/call/predict`, async (request) => {
      const { data } = readBody(request);
      return { event_id: formatEventId(linkSecret, await call(request, Array.isArray(data) ? data[0] : undefined)) };
    });
    scope.post(`${prefix}/call/v2/predict`, async (request) => {
      return { event_id: formatEventId(linkSecret, await call(request, readBody(request).photo)) };
    });
    scope.get(`${prefix}/call/predict/:event`, streamCall);
    scope.get(`${prefix}/call/v2/predict/:event`, streamCall);
    // Clients send no key here: the id is signed and enough.
    for (const name of ['cancel', 'reset'] as const) {
      scope.post(`${prefix}/${name}`, { config: { access: 'none' } }, async (request, reply) => {
        setCorsHeaders(request, reply, config.corsOrigins);
        const id = readBody(request).event_id;
        const event = parseEventId(linkSecret, id);
        if (event !== null) {
          if (name === 'cancel') await cancel(event);
          else if (canceled.has(event.id)) canceled.set(event.id, Date.now() + AFTER_RESET_MS);
        }
        // Of an id that is not ours the same: nothing is to be learned here.
        return { success: true };
      });
    }
    scope.get(`${prefix}/heartbeat/:session`, (request, reply) => {
      const out = openStream(request, reply, () => out.write('data: ALIVE\n\n'));
      out.write('data: ALIVE\n\n');
      return reply.send(out);
    });
    scope.route({
      method: ['GET', 'HEAD'],
      url: `${prefix}/file=*`,
      exposeHeadRoute: false,
      config: { access: 'link' },
      handler: sendFile,
    });
  }

  async function upload(request: FastifyRequest, reply: FastifyReply): Promise<readonly string[]> {
    const { tenant } = request;
    const guard = guardUpload(request.raw, config.uploadTimeoutS * 1000, context.uploadPace);
    const paths: string[] = [];
    const hold = holdQuota(tenant);
    try {
      await photos.takeRate(tenant, (decision) => setRateHeaders(reply, tenant, decision));
      const declared = Number(request.headers['content-length'] ?? Number.NaN);
      await photos.checkRoom(tenant, Number.isFinite(declared) ? declared : 0).catch((error: unknown) => {
        // The call that follows says it in a way that clients show.
        if (!isFacewrightError(error, 'FW_QUEUE_FULL') && !isFacewrightError(error, 'FW_TENANT_QUEUE_FULL')) throw error;
      });
      giveContinue(request.raw, reply.raw);
      const limits = { fileSize: config.maxPhotoBytes + 1, files: MAX_FILES, fields: 4, parts: MAX_FILES + 4, headerPairs: 20 };
      const parts = readParts(request, limits, guard.signal);
      for await (const part of parts) {
        guard.signal.throwIfAborted();
        if (part.type !== 'file') continue;
        const id = store.createUploadId();
        const options = { contentType: 'application/octet-stream', maxBytes: config.maxPhotoBytes, signal: guard.signal };
        await storage.put(store.uploadKey(tenant.name, id), Readable.from(held(part.file, hold), { objectMode: false }), options);
        store.expireUpload(tenant.name, id);
        await hold.set(0);
        paths.push(formatUploadPath(id));
      }
      if (paths.length === 0) throw invalidRequest('files', 'is missing');
      return paths;
    } catch (error) {
      if (guard.signal.aborted) throw guard.signal.reason;
      throw error;
    } finally {
      hold.release();
      guard.release();
    }
  }

  /**
   * Makes a job of an upload. Whatever refuses it becomes an event that says so, but for {@link BUSY}. Uploads have taken from the rate;
   * what keeps something without using one up takes from it here.
   */
  async function call(request: FastifyRequest, input: unknown): Promise<GradioEvent & { readonly isRepeat: boolean }> {
    const { tenant } = request;
    const read = readGradioInput(input, config.maxPhotoBytes);
    const refuse = async (text: string, takesRate = true) => {
      if (takesRate) await photos.takeRate(tenant);
      return { tenant: tenant.name, id: await store.refuse(tenant.name, text), isRepeat: false };
    };
    if ('refusal' in read) return refuse(read.refusal);
    const id = read.uploadId;
    // A call that is repeated, because its answer got lost.
    if ((await queue.get(tenant.name, id)) !== null) return { tenant: tenant.name, id, isRepeat: true };
    const key = store.uploadKey(tenant.name, id);
    const stored = await storage.stat(key);
    if (stored === null) return refuse(UPLOAD_GONE);
    let photo: Readable | null = null;
    try {
      request.jobId = id;
      await photos.acceptPhoto({
        tenant,
        id,
        requestId: request.id,
        traceparent: request.traceparent,
        declaredBytes: stored.bytes,
        takesRate: false,
        signal: context.closing,
        open: async () => {
          const found = await storage.get(key);
          if (found === null) throw new FacewrightError('FW_NOT_FOUND', { what: 'upload' });
          photo = found.stream;
          return { stream: found.stream, settle: async () => ({ options: OPTIONS, webhookUrl: null }) };
        },
      });
    } catch (error) {
      if (!isFacewrightError(error) || BUSY.has(error.code) || ERRORS[error.code].http === 503) throw error;
      const isFinal = ERRORS[error.code].retry === 'never';
      if (isFinal) await storage.delete(key);
      return refuse(textOfError(error), !isFinal);
    } finally {
      // A photo that was refused was not read to its end.
      (photo as Readable | null)?.destroy();
    }
    await storage.delete(key).catch((err: unknown) => log.warn({ err, requestId: request.id }, 'an upload was not deleted'));
    return { tenant: tenant.name, id, isRepeat: false };
  }

  async function cancel(event: GradioEvent): Promise<void> {
    const until = Date.now() + AFTER_CANCEL_MS;
    canceled.set(event.id, until);
    setTimeout(() => canceled.delete(event.id), 60_000).unref();
    await queue.cancel(event.tenant, event.id);
  }
  /** Waits until the client of a session can hear of an event's end. */
  async function beforeEnd({ id, joinedAt }: SessionEvent, isCanceled: boolean, signal: AbortSignal): Promise<void> {
    const begin = Date.now();
    if (!isCanceled) await sleep(Math.min(AFTER_JOIN_MS, Math.max(0, joinedAt + AFTER_JOIN_MS - begin)));
    if (!isCanceled) return;
    // A reset that comes meanwhile brings the time forward.
    for (const until = () => canceled.get(id) ?? begin + AFTER_CANCEL_MS; Date.now() < until() && !signal.aborted; ) await sleep(50);
  }

  /** One stream for all events of a session. Only `data:` lines: clients stumble over comments, names and retry times. */
  async function streamSession(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const tenant = request.tenant.name;
    const { session_hash: session } = request.query as { session_hash?: unknown };
    const write = (message: GradioMessage, event: string | null): void => {
      out.write(`data: ${JSON.stringify({ ...message, event_id: event })}\n\n`);
    };
    const out = openStream(request, reply, () => write({ msg: 'heartbeat' }, null));
    const first = typeof session === 'string' && SESSION_PATTERN.test(session) ? await store.list(tenant, session) : [];
    if (typeof session !== 'string' || first.length === 0) {
      write(
        { msg: 'unexpected_error', message: 'This session is not known, or no longer.', session_not_found: true, success: false },
        null,
      );
      out.end();
      return reply.send(out);
    }
    const stop = AbortSignal.any([signalOf(out), context.closing]);
    const baseUrl = baseUrlOf(request);
    /** All that were seen here, and those of them whose end is not told. */
    const seen = new Set<string>();
    const open = new Set<string>();
    const look = async (): Promise<void> => follow(await store.list(tenant, session));
    const follow = (events: readonly SessionEvent[]): void => {
      for (const joined of events) {
        if (seen.has(joined.id)) continue;
        seen.add(joined.id);
        open.add(joined.id);
        void tell(joined);
      }
    };
    const tell = async (joined: SessionEvent): Promise<void> => {
      const { id } = joined;
      const event = formatEventId(linkSecret, { tenant, id });
      const send = (message: GradioMessage): void => {
        write(message, event);
        if (message.msg !== 'process_completed') return;
        open.delete(id);
        if (open.size > 0) return;
        // In one breath with the last end: a client that calls again knows by then that it needs a new stream.
        write({ msg: 'close_stream' }, null);
        out.end();
      };
      const settle = async (isCanceled: boolean): Promise<void> => {
        await beforeEnd(joined, isCanceled, stop);
        if (stop.aborted) return;
        // Told once: older clients break when a stream that they open anew tells of an end again.
        await store.forget(tenant, session, id);
        await look();
      };
      try {
        await followEvent(context, store, { tenant, id }, { baseUrl, signal: stop, send, beforeEnd: settle });
      } catch (err) {
        log.warn({ err, requestId: request.id, jobId: id }, 'a Gradio event ended early');
        send({ msg: 'process_completed', success: false, output: { error: textOfError(err), title: 'Error' } });
      }
    };
    const lookQuietly = (): void => void look().catch(() => {});
    const looking = setInterval(lookQuietly, SESSION_LOOK_MS);
    const leave = store.onJoin(tenant, session, lookQuietly);
    out.once('close', () => {
      clearInterval(looking);
      leave();
    });
    follow(first);
    return reply.send(out);
  }

  /** The stream of one call, with names: for curl and whoever reads the documentation of Gradio's API. */
  async function streamCall(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { event: text } = request.params as { event: string };
    const out = openStream(request, reply, () => out.write('event: heartbeat\ndata: null\n\n'));
    const end = (name: 'complete' | 'error', data: unknown): void => void out.end(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    const event = parseEventId(linkSecret, text);
    if (event === null || event.tenant !== request.tenant.name) {
      end('error', '404: Not Found');
      return reply.send(out);
    }
    const signal = AbortSignal.any([signalOf(out), context.closing]);
    const send = (message: GradioMessage): void => {
      if (message.msg !== 'process_completed') return;
      const output = message.output as { readonly data?: unknown; readonly error?: string };
      if (message.success === true) end('complete', output.data);
      else end('error', { error: output.error });
    };
    followEvent(context, store, event, { baseUrl: baseUrlOf(request), signal, send, beforeEnd: async () => {} }).catch((err: unknown) =>
      end('error', { error: textOfError(err) }),
    );
    return reply.send(out);
  }

  async function sendFile(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { '*': path } = request.params as { '*': string };
    const [, id, name] = /^r\/([\w-]{1,64})\/([\w.-]{1,100})$/.exec(path) ?? [];
    const job = id === undefined ? null : await queue.get(request.tenant.name, id);
    const file = job?.outcome?.files.find((candidate) => candidate.name === name);
    if (job === null || file === undefined) throw new FacewrightError('FW_NOT_FOUND', { what: 'file' });
    request.jobId = job.id;
    const leftS = Math.floor(((job.expiresAt ?? 0) - Date.now()) / 1000);
    return sendObject(request, reply, storage, file, { download: false, maxAgeS: Math.max(0, Math.min(leftS, config.linkTtlS)) });
  }

  /** A stream of events that keeps itself alive and ends with the app. @throws FW_RATE_LIMITED where the tenant has too many */
  function openStream(request: FastifyRequest, reply: FastifyReply, beat: () => void): PassThrough {
    context.streams.take(request.tenant.name, reply.raw);
    const out = new PassThrough();
    reply
      .header('content-type', 'text/event-stream')
      .header('cache-control', 'no-cache, no-transform')
      // nginx would keep it back until its buffer is full.
      .header('x-accel-buffering', 'no');
    const beating = setInterval(beat, HEARTBEAT_MS);
    const onClosing = (): void => void out.end();
    context.closing.addEventListener('abort', onClosing, { once: true });
    reply.raw.once('close', () => out.destroy());
    out.once('close', () => {
      clearInterval(beating);
      context.closing.removeEventListener('abort', onClosing);
    });
    out.on('error', () => {});
    return out;
  }

  /** Address of the service as its users see it: files are fetched from there. */
  function baseUrlOf(request: FastifyRequest): string {
    const origin = config.publicUrl?.replace(/\/+$/, '');
    if (origin !== undefined) return `${origin}${new URL(origin).pathname === '/' ? context.prefixOf(request) : ''}`;
    return `${request.protocol}://${request.host}${context.prefixOf(request)}`;
  }
}

/** A file as it comes, counted against the quota: bodies need not say how long they are. */
async function* held(file: Readable, hold: QuotaHold): AsyncGenerator<Buffer, void> {
  let bytes = 0;
  for await (const chunk of file as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    await hold.set(bytes);
    yield chunk;
  }
}

function signalOf(out: PassThrough): AbortSignal {
  const gone = new AbortController();
  out.once('close', () => gone.abort());
  return gone.signal;
}

function readBody(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const { body } = request;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalidRequest('body', 'is not a JSON object');
  return body as Record<string, unknown>;
}

/** Errors as Gradio clients read them: `{"detail": text}`; from `/config` with what asks for a login. */
function sendDetail(thrown: unknown, request: FastifyRequest, reply: FastifyReply, context: AppContext): FastifyReply {
  const known = publicError(errorFromFramework(thrown, { maxBytes: context.config.maxPhotoBytes }));
  if (known.code === 'FW_INTERNAL' && !reply.raw.destroyed) context.log.error({ err: thrown, requestId: request.id }, 'unexpected error');
  request.problemCode = known.code;
  const retryAfterS = retryAfterOf(known);
  if (retryAfterS !== null) reply.header('retry-after', String(retryAfterS));
  const text = `${known.message}. ${known.hint}`;
  const isLogin = known.code === 'FW_AUTH_REQUIRED' || known.code === 'FW_AUTH_INVALID';
  const detail = isLogin ? { error: known.message, auth_message: text } : text;
  reply
    .code(BUSY.has(known.code) ? 503 : ERRORS[known.code].http)
    .header('content-type', 'application/json')
    .header('cache-control', 'no-store');
  return sendWhileArriving(request, reply, Buffer.from(JSON.stringify({ detail })));
}

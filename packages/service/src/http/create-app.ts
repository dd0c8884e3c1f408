import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import { FacewrightError } from '@facewright/protocol';
import multipart from '@fastify/multipart';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { BATCH_UPLOAD_FACTOR, batchRoutes } from '../batches/batch-routes.ts';
import { gradioRoutes } from '../gradio/gradio-routes.ts';
import { createQuotaHolds } from '../storage/create-quota-holds.ts';
import { checkListenAddress } from '../tenants/check-listen-address.ts';
import { createMemoryCounters } from '../tenants/create-memory-counters.ts';
import { webhookRoutes } from '../webhooks/webhook-routes.ts';
import { allowedMethods } from './allowed-methods.ts';
import { answerClientError } from './answer-client-error.ts';
import type { AppContext } from './app-context.ts';
import type { AppDeps } from './app-deps.ts';
import { authenticate } from './authenticate.ts';
import { checkBrowserHeaders } from './check-browser-headers.ts';
import { createPhotoAcceptor } from './create-photo-acceptor.ts';
import { errorFromFramework } from './error-from-request.ts';
import { giveContinue, holdContinue } from './expect-continue.ts';
import { guardReaders } from './guard-readers.ts';
import { limitStreams } from './limit-streams.ts';
import { publicError } from './problem.ts';
import { accountRoutes } from './routes/account.ts';
import { createReconstructionRoutes } from './routes/create-reconstruction.ts';
import { documentationRoutes } from './routes/documentation.ts';
import { eventRoutes } from './routes/events.ts';
import { fileRoutes } from './routes/files.ts';
import { healthRoutes } from './routes/health.ts';
import { reconstructionRoutes } from './routes/reconstruction.ts';
import { studioRoutes } from './routes/studio.ts';
import { sendProblem } from './send-problem.ts';
import { setCorsHeaders } from './set-cors-headers.ts';
import { viewReconstruction } from './view-reconstruction.ts';

/** Heads of requests are small; whoever needs longer for one is not a browser. */
const HEADERS_TIMEOUT_MS = 15_000;
/** How often Node looks for requests that are over their time. */
const CONNECTION_CHECK_MS = 5_000;
/** Longer than load balancers keep idle connections (60 s), so that none is closed under a request. */
const KEEP_ALIVE_MS = 72_000;
/** How often connections that became idle while the app closes are closed. */
const IDLE_CHECK_MS = 50;
/** JSON bodies (of batches and of Gradio clients); photos are streamed. */
const MAX_JSON_BYTES = 2 ** 20;

/**
 * Creates the HTTP API. The caller listens and closes.
 *
 * @throws FW_CONFIG_INVALID where there are no keys and the address is not loopback
 */
export function createApp(deps: AppDeps): FastifyInstance {
  const { config, tenants, log, metrics } = deps;
  checkListenAddress(config.host, tenants.singleUser);
  const uploadMs = config.uploadTimeoutS * 1000;
  const app = fastify({
    http: {
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, uploadMs),
      // Our own guard is first and answers; this one is for bodies that nobody reads.
      requestTimeout: uploadMs * BATCH_UPLOAD_FACTOR + CONNECTION_CHECK_MS,
      connectionsCheckingInterval: CONNECTION_CHECK_MS,
    },
    requestTimeout: uploadMs * BATCH_UPLOAD_FACTOR + CONNECTION_CHECK_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    bodyLimit: MAX_JSON_BYTES,
    trustProxy: config.trustProxy,
    // Readiness says when nothing new is taken; until then everything is answered.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
    genReqId: readRequestId,
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
    clientErrorHandler: (error, socket) =>
      answerClientError(error, socket as Socket, { docsUrl: `${config.basePath}/docs`, headersTimeoutMs: HEADERS_TIMEOUT_MS }),
  });
  app.server.maxConnections = config.maxConnections;
  holdContinue(app.server);
  guardReaders(app.server, deps.readerPace);

  const closing = new AbortController();
  // Every stream and long wait listens to it; a warning about many would be plain text among lines of JSON.
  setMaxListeners(0, closing.signal);
  const counters = deps.counters ?? createMemoryCounters();
  const context: AppContext = {
    models: ['head', 'canonical'],
    ...deps,
    counters,
    holdQuota: createQuotaHolds(deps.storage, counters),
    photos: createPhotoAcceptor(deps, counters),
    streams: limitStreams(config.maxConnections),
    closing: closing.signal,
    async viewJob(job) {
      const position = job.state === 'queued' ? await deps.queue.position(job.tenant, job.id) : null;
      const { linkSecret } = deps;
      return viewReconstruction(job, { linkSecret, linkTtlS: config.linkTtlS, serviceTime: deps.serviceTime(), position, now: Date.now() });
    },
    prefixOf(request) {
      const header = config.trustProxy ? request.headers['x-forwarded-prefix'] : undefined;
      const ofProxy = typeof header === 'string' && /^(\/[A-Za-z0-9._~-]+)+$/.test(header) ? header : '';
      return `${ofProxy}${config.basePath}`;
    },
  };

  app.decorateRequest('tenant');
  app.decorateRequest('traceparent', null);
  app.decorateRequest('span', null);
  app.decorateRequest('problemCode', null);
  app.decorateRequest('jobId', null);
  app.addHook('preClose', (done) => {
    closing.abort();
    // Node closes what is idle now; answers on their way would keep their connection for as long as it may be idle.
    const timer = setInterval(() => app.server.closeIdleConnections(), IDLE_CHECK_MS);
    app.server.once('close', () => clearInterval(timer));
    timer.unref();
    done();
  });
  app.addHook('onRequest', (request, reply, done) => {
    // A lost connection is told to whoever reads the body; where nobody does any more, it must not end the process.
    request.raw.on('error', () => {});
    reply
      .header('x-request-id', request.id)
      .header('x-content-type-options', 'nosniff')
      .header('cross-origin-resource-policy', 'same-origin');
    const trace = request.headers.traceparent;
    if (typeof trace === 'string' && /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(trace)) {
      request.traceparent = trace;
      reply.header('traceparent', trace);
    }
    const { access = 'key' } = request.routeOptions.config;
    if (access !== 'none' && !request.is404) {
      const name = `${request.method} ${request.routeOptions.url ?? ''}`;
      request.span = deps.tracing?.begin(name, { parent: request.traceparent, kind: 'server' }) ?? null;
      // Work below belongs to this request; the answer names the trace that the caller began.
      request.traceparent = request.span?.traceparent ?? request.traceparent;
    }
    try {
      if (access === 'none' && !request.is404) return done();
      if (tenants.singleUser) checkBrowserHeaders(request, config);
      if (setCorsHeaders(request, reply, config.corsOrigins)) return;
      if (access !== 'none' && !request.is404) request.tenant = authenticate(request, deps, access === 'link');
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  app.addHook('preParsing', (request, reply, _payload, done) => {
    if (request.routeOptions.config?.streamsBody !== true && !request.is404) giveContinue(request.raw, reply.raw);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown');
    const durationS = reply.elapsedTime / 1000;
    metrics.request(route, request.method, reply.statusCode, durationS);
    const failure = reply.statusCode >= 500 ? (request.problemCode ?? 'FW_INTERNAL') : undefined;
    request.span?.end({
      attributes: { 'http.request.method': request.method, 'http.route': route, 'http.response.status_code': reply.statusCode },
      ...(failure === undefined ? {} : { error: failure }),
    });
    if (request.problemCode !== null) metrics.rejected(request.problemCode);
    const level = route === 'unknown' || request.routeOptions.config?.access === 'none' ? 'debug' : 'info';
    log[level](
      {
        requestId: request.id,
        method: request.method,
        route,
        status: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime * 10) / 10,
        ...(request.tenant === undefined ? {} : { tenant: request.tenant.name }),
        ...(request.jobId === null ? {} : { jobId: request.jobId }),
        ...(request.problemCode === null ? {} : { code: request.problemCode }),
      },
      'request',
    );
    done();
  });

  const answerError = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const error = errorFromFramework(thrown, {
      maxBytes: request.routeOptions.config?.streamsBody ? config.maxPhotoBytes : MAX_JSON_BYTES,
    });
    const known = publicError(error);
    const gone = reply.raw.destroyed || request.raw.aborted;
    if (known.code === 'FW_INTERNAL' && !gone) {
      log.error({ err: thrown, requestId: request.id, route: request.routeOptions.url }, 'unexpected error');
    }
    return sendProblem(request, reply, known, { docsUrl: `${context.prefixOf(request)}/docs` });
  };
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply));
  const routes: { method: string; url: string }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const name of [method].flat()) routes.push({ method: name, url });
  });
  app.setNotFoundHandler((request, reply) => {
    const allowed = allowedMethods(routes, (request.raw.url ?? '').split('?')[0]!);
    if (allowed.length === 0) throw new FacewrightError('FW_NOT_FOUND', { what: 'address' });
    reply.header('allow', allowed.join(', '));
    if (request.method === 'OPTIONS') return reply.code(204).send();
    throw new FacewrightError('FW_METHOD_NOT_ALLOWED', { method: request.method, allowed });
  });

  void app.register(multipart, { throwFileSizeLimit: false });
  // Bodies of other types are read by the handlers that want them; those that want none do not look at them.
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  healthRoutes(app, context);
  void app.register(
    (scope, _options, done) => {
      if (config.basePath !== '') healthRoutes(scope, context);
      void scope.register((photos, _none, ready) => {
        // JSON is no photo, however well-formed.
        photos.removeContentTypeParser('application/json');
        createReconstructionRoutes(photos, context);
        ready();
      });
      reconstructionRoutes(scope, context);
      fileRoutes(scope, context);
      eventRoutes(scope, context);
      accountRoutes(scope, context);
      batchRoutes(scope, context);
      webhookRoutes(scope, context);
      if (config.gradio) gradioRoutes(scope, context);
      documentationRoutes(scope, context);
      const { studioDir } = deps;
      if (studioDir === undefined) done();
      else studioRoutes(scope, studioDir).then(() => done(), done);
    },
    { prefix: config.basePath },
  );
  return app;
}

/** The caller's own id where it is one that may stand in logs and headers, else a new one. */
function readRequestId(request: { headers: Record<string, string | string[] | undefined> }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomBytes(12).toString('hex');
}

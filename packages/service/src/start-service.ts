import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FacewrightError, isFacewrightError } from '@facewright/protocol';
import type { Config } from './config/config.ts';
import { viewReconstruction } from './http/view-reconstruction.ts';
import { measureServiceTime } from './lifecycle/measure-service-time.ts';
import { openQueue } from './lifecycle/open-queue.ts';
import { startAdminServer } from './lifecycle/start-admin-server.ts';
import { watchHealth } from './lifecycle/watch-health.ts';
import type { Log } from './observability/create-log.ts';
import { createMetrics } from './observability/create-metrics.ts';
import { createNoTracing, createOtlpTracing } from './observability/create-tracing.ts';
import { createStorage } from './storage/create-storage.ts';
import { checkListenAddress } from './tenants/check-listen-address.ts';
import { loadSecret } from './tenants/load-secret.ts';
import { openTenants } from './tenants/open-tenants.ts';
import type { TenantCounters } from './tenants/tenant-counters.ts';
import { SERVICE_VERSION } from './version.ts';
import { startWebhooks } from './webhooks/start-webhooks.ts';
import { keepHouse } from './workers/keep-house.ts';
import type { OpenedPool } from './workers/open-worker-pool.ts';
import { runJobs } from './workers/run-jobs.ts';

/** `serve` is both in one process (but for the workers' own): the API, and the work. */
export type ServiceRole = 'serve' | 'api' | 'worker';

export interface StartServiceOptions {
  readonly role: ServiceRole;
  readonly config: Config;
  readonly log: Log;
  /** The admin port was not asked for: another program on it is no reason to fail. */
  readonly isAdminOptional?: boolean;
  /** The processes that do the work, null for `api`; the service closes them, also where it does not start. */
  readonly workers: OpenedPool | null;
}

/** A service that listens. It may still be starting. */
export interface RunningService {
  /** Address of the API, e.g. `http://127.0.0.1:8080`; null for a worker. */
  readonly url: string | null;
  /** Address of metrics; null where the port was taken and not asked for. */
  readonly adminUrl: string | null;
  /** Resolves when everything has started; rejects with the code of what keeps it from that. */
  ready(): Promise<void>;
  /**
   * Takes no new work, lets running work end or hands it back, closes everything; within `drainGraceS`, whoever does not answer.
   *
   * @returns false where something could not be finished or handed back in time: its lease runs out, and another process does it
   */
  drain(): Promise<boolean>;
}

/** Of the time to drain this is left for what follows the work: answers on their way, closing files and connections. Milliseconds. */
const CLOSING_MS = 1500;
/** However short the time to drain is, handing back takes as long as a queue may take to answer. Milliseconds. */
const MIN_DRAIN_MS = 5000;

/** The most that {@link RunningService.drain} takes. Milliseconds. */
export const maxDrainMs = (config: Config): number => Math.max(1000 * config.drainGraceS, MIN_DRAIN_MS) + CLOSING_MS;

/**
 * Starts the service, or one half of it.
 *
 * The port is open first and says "starting" until a worker is warm. This process loads no networks: that is for worker processes.
 *
 * @throws FW_CONFIG_INVALID, FW_LISTEN_FAILED, FW_QUEUE_UNAVAILABLE, FW_STORAGE_UNAVAILABLE, FW_STORAGE_FULL
 */
export async function startService({ role, config, log, isAdminOptional = false, workers }: StartServiceOptions): Promise<RunningService> {
  const closers: (() => unknown)[] = [];
  /** In the opposite order of opening; one that fails must not keep the others from closing. */
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        log.warn({ error }, 'Something did not close properly');
      }
    }
  };
  // The framework loads while queue and storage open.
  const loadingApi = role === 'worker' ? null : import('./lifecycle/start-api.ts');
  loadingApi?.catch(() => {}); // awaited below
  try {
    const pool = workers?.pool ?? null;
    if (pool !== null) closers.push(() => pool.close(0));
    checkRole(role, config, log);
    const metrics = createMetrics();
    workers?.report(metrics);
    const tracing =
      config.otlpEndpoint === undefined
        ? createNoTracing()
        : createOtlpTracing(
            config.otlpEndpoint,
            {
              'service.name': `facewright-${role}`,
              'service.version': SERVICE_VERSION,
              'service.instance.id': `${hostname()}:${process.pid}`,
            },
            (spans, reason) => log.warn({ spans, reason }, 'Traces were not delivered'),
          );
    closers.push(() => tracing.close());

    const tenants = await openTenants({
      keysFile: config.keysFile ?? join(config.dataDir, 'keys.json'),
      defaults: {
        ratePerMinute: config.tenantRatePerMinute,
        maxPending: config.tenantMaxPending,
        maxProcessing: config.tenantMaxProcessing,
        storageBytes: config.tenantStorageBytes,
        weight: 1,
      },
      onError: (error) => log.error({ error }, 'The changed file of keys cannot be read; the keys before stay valid'),
    });
    closers.push(() => tenants.close());
    if (role !== 'worker') checkListenAddress(config.host, tenants.singleUser);
    const storage = await createStorage(config);
    closers.push(() => storage.close());
    const queue = await openQueue(config, (name) => tenants.shareOf(name), log);
    closers.push(() => queue.close());

    const health = watchHealth(SERVICE_VERSION, {
      queue: () => queue.check(),
      storage: () => storage.check(),
      ...(pool === null
        ? {}
        : {
            workers: async () => {
              if (!pool.isReady()) throw new FacewrightError('FW_STARTING', {});
            },
          }),
    });
    closers.push(() => health.stop());
    metrics.watchJobs(async () => {
      const counts = await queue.counts();
      return { inFlight: counts.processing, queuedByTenant: new Map([...counts.byTenant].map(([name, { queued }]) => [name, queued])) };
    });
    const admin = await startAdminServer(config.adminHost, config.adminPort, metrics, health.read).catch((error: unknown) => {
      if (!isAdminOptional) throw error;
      log.warn({ error }, 'The admin port is taken; there are no metrics');
      return null;
    });
    if (admin !== null) closers.push(() => admin.close());

    const linkSecret = config.linkSecret ?? (await loadSecret(config.dataDir, 'links'));
    const webhookSecret = config.webhookSecret ?? (await loadSecret(config.dataDir, 'webhooks'));
    const serviceTime = measureServiceTime(queue, pool?.size ?? 0, log);
    closers.push(() => serviceTime.stop());
    // In every role: an end is told to one process, whichever it is.
    const webhooks = startWebhooks({
      queue,
      storage,
      log,
      secret: webhookSecret,
      attempts: config.webhookAttempts,
      rules: { allowPrivate: config.webhookAllowPrivate },
      viewJob: (job) =>
        viewReconstruction(job, { linkSecret, linkTtlS: config.linkTtlS, serviceTime: serviceTime.read(), now: Date.now() }),
    });
    closers.push(() => webhooks.stop());
    const house = keepHouse({ queue, storage, log });
    closers.push(() => house.stop());

    let url: string | null = null;
    let closeApi: (() => Promise<void>) | undefined;
    if (loadingApi !== null) {
      const { startApi } = await loadingApi;
      const counters = config.redisUrl === undefined ? undefined : await openCounters(config.redisUrl, config.redisPrefix);
      if (counters !== undefined) closers.push(() => counters.close());
      const api = await startApi({
        ...(counters === undefined ? {} : { counters }),
        config,
        queue,
        storage,
        tenants,
        linkSecret,
        webhookSecret,
        checkWebhookUrl: (address) => webhooks.checkUrl(address),
        metrics,
        log,
        tracing,
        readiness: health.read,
        serviceTime: serviceTime.read,
        version: SERVICE_VERSION,
        ...(config.studio && existsSync(join(STUDIO_DIR, 'index.html')) ? { studioDir: STUDIO_DIR } : {}),
      });
      ({ url } = api);
      closeApi = () => api.close();
      closers.push(closeApi);
    }
    const runner =
      pool === null ? null : runJobs({ queue, storage, pool, log, metrics, tracing, consumer: `${hostname()}:${process.pid}` });

    const ready = (pool?.started() ?? Promise.resolve()).then(async () => {
      await health.check();
      health.started();
    });
    ready.catch(() => {});
    log.info({ address: url, adminAddress: admin?.url ?? null, workers: pool?.size ?? 0, version: SERVICE_VERSION }, 'Listening');

    let draining: Promise<boolean> | undefined;
    return {
      url,
      adminUrl: admin?.url ?? null,
      ready: () => ready,
      drain() {
        draining ??= (async () => {
          const startedAt = Date.now();
          const graceMs = 1000 * config.drainGraceS;
          health.draining();
          log.info({ inFlight: runner?.inFlight() ?? 0, graceMs }, 'Draining');
          const endsAt = startedAt + Math.max(graceMs - CLOSING_MS / 2, MIN_DRAIN_MS);
          const isDone = await inTime(runner?.drain(Math.max(0, graceMs - CLOSING_MS)), endsAt - Date.now());
          const isClosed = await inTime(closeAll(), Math.max(endsAt - Date.now(), CLOSING_MS));
          if (isDone && isClosed) log.info({ ms: Date.now() - startedAt }, 'Drained');
          else log.error({ ms: Date.now() - startedAt, inFlight: runner?.inFlight() ?? 0 }, 'Not everything could be handed back in time');
          return isDone && isClosed;
        })();
        return draining;
      },
    };
  } catch (error) {
    await closeAll();
    throw isFacewrightError(error) ? error : new FacewrightError('FW_INTERNAL', { what: 'the service could not start' }, { cause: error });
  }
}

/** Only where there is a Redis is its client loaded. */
async function openCounters(url: string, prefix: string): Promise<TenantCounters> {
  const { createRedisCounters } = await import('./tenants/create-redis-counters.ts');
  return createRedisCounters({ url, prefix });
}

/** Whether `work` is over within the time. What it throws is thrown. */
async function inTime(work: Promise<void> | undefined, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([(work ?? Promise.resolve()).then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** API and workers that run apart meet in Redis; a journal belongs to one process. */
function checkRole(role: ServiceRole, config: Config, log: Log): void {
  if (role === 'serve') return;
  if (config.redisUrl === undefined) {
    const problem = `is needed to run \`${role}\` on its own (or run \`serve\`)`;
    throw new FacewrightError('FW_CONFIG_INVALID', { problems: [{ field: 'redisUrl', problem }] });
  }
  // With a bucket there is no reason for a common data folder, where secrets would be found.
  if (config.s3Bucket === undefined) return;
  for (const name of ['linkSecret', 'webhookSecret'] as const) {
    if (config[name] === undefined)
      log.warn({ setting: name }, 'This secret is not set: every data folder has its own, and others do not know it');
  }
}

/** The built page, where it is there. */
const STUDIO_DIR = fileURLToPath(new URL('../../studio/dist', import.meta.url));

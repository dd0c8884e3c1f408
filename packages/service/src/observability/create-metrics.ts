import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What is counted; every name begins with `facewright_`. */
export interface Metrics {
  /** One answered request. `route` is the pattern (`/v1/reconstructions/:id`), never the address: ids would make a series each. */
  request(route: string, method: string, status: number, durationS: number): void;
  /** A request that was answered with an error, by code of the error table. */
  rejected(code: string): void;
  /** A job that failed, by code of the error table. */
  jobFailed(code: string): void;
  /** A job that ended here, from start of work to end. */
  jobEnded(state: 'succeeded' | 'failed' | 'canceled' | 'retried', durationS: number, stagesMs: Readonly<Record<string, number>>): void;
  /** From acceptance to the start of work. */
  queueWaited(durationS: number): void;
  workerRestarted(reason: string): void;
  modelLoaded(durationS: number): void;
  /** Read when metrics are asked for; later calls replace earlier ones. */
  watchJobs(read: () => Promise<{ readonly inFlight: number; readonly queuedByTenant: ReadonlyMap<string, number> }>): void;
  /** Text exposition format. */
  text(): Promise<string>;
  readonly contentType: string;
}

/**
 * Bounds of durations, seconds: from 50 ms (a face of a small photo) to a minute (the longest that work may take by default), about
 * 1.6 apart, so that a percentile read from them is at most a quarter off.
 */
const DURATION_BUCKETS_S = [0.05, 0.075, 0.1, 0.15, 0.25, 0.4, 0.6, 1, 1.5, 2.5, 4, 6, 10, 15, 25, 40, 60];
/** A stage or a request without work is shorter. */
const SHORT_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, ...DURATION_BUCKETS_S];
/** More tenants than this are summed as `other`: a series per tenant must not grow without end. */
const MAX_TENANT_SERIES = 200;

/**
 * Creates the metrics of a process in a registry of their own.
 *
 * @param options - `process` adds those of the process itself (memory, CPU, event loop)
 */
export function createMetrics(options: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.process !== false) collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Counter({
    name: 'facewright_http_requests_total',
    help: 'Answered requests.',
    labelNames: ['route', 'method', 'code'] as const,
    registers,
  });
  const requestDuration = new Histogram({
    name: 'facewright_http_request_duration_seconds',
    help: 'From the head of a request to the end of its answer; waiting for a result included.',
    labelNames: ['route', 'method'] as const,
    buckets: SHORT_BUCKETS_S,
    registers,
  });
  const rejected = new Counter({
    name: 'facewright_rejected_total',
    help: 'Requests that were answered with an error, by its code.',
    labelNames: ['code'] as const,
    registers,
  });
  const failed = new Counter({
    name: 'facewright_jobs_failed_total',
    help: 'Jobs that failed, by error code.',
    labelNames: ['code'] as const,
    registers,
  });
  const jobDuration = new Histogram({
    name: 'facewright_job_duration_seconds',
    help: 'Work on a job, from its start to its end, files stored.',
    labelNames: ['state'] as const,
    buckets: DURATION_BUCKETS_S,
    registers,
  });
  const stageDuration = new Histogram({
    name: 'facewright_stage_duration_seconds',
    help: 'Stages of a reconstruction.',
    labelNames: ['stage'] as const,
    buckets: SHORT_BUCKETS_S,
    registers,
  });
  const queueWait = new Histogram({
    name: 'facewright_queue_wait_seconds',
    help: 'From acceptance to the start of work.',
    buckets: SHORT_BUCKETS_S,
    registers,
  });
  const restarts = new Counter({
    name: 'facewright_worker_restarts_total',
    help: 'Worker processes that were replaced.',
    labelNames: ['reason'] as const,
    registers,
  });
  const modelLoad = new Histogram({
    name: 'facewright_model_load_seconds',
    help: 'Networks and face model loaded and warm, per worker process.',
    buckets: DURATION_BUCKETS_S,
    registers,
  });
  let readJobs: Parameters<Metrics['watchJobs']>[0] | undefined;
  let reading: Promise<Awaited<ReturnType<Parameters<Metrics['watchJobs']>[0]>> | null> | undefined;
  // Both gauges are collected in one turn: the queue is asked once for both.
  const jobs = () => {
    reading ??= (readJobs?.() ?? Promise.resolve(null))
      .catch(() => null)
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  new Gauge({
    name: 'facewright_jobs_in_flight',
    help: 'Jobs that are worked on, everywhere that shares the queue.',
    registers,
    async collect() {
      const now = await jobs();
      if (now === null) this.reset();
      else this.set(now.inFlight);
    },
  });
  new Gauge({
    name: 'facewright_jobs_queued',
    help: 'Jobs that wait, by tenant.',
    labelNames: ['tenant'] as const,
    registers,
    async collect() {
      const now = await jobs();
      this.reset();
      if (now === null) return;
      let other = 0;
      let series = 0;
      for (const [tenant, queued] of now.queuedByTenant) {
        if (series++ < MAX_TENANT_SERIES) this.set({ tenant }, queued);
        else other += queued;
      }
      if (other > 0) this.set({ tenant: 'other' }, other);
    },
  });
  return {
    request(route, method, status, durationS) {
      requests.inc({ route, method, code: String(status) });
      requestDuration.observe({ route, method }, durationS);
    },
    rejected: (code) => rejected.inc({ code }),
    jobFailed: (code) => failed.inc({ code }),
    jobEnded(state, durationS, stagesMs) {
      jobDuration.observe({ state }, durationS);
      for (const [stage, ms] of Object.entries(stagesMs)) stageDuration.observe({ stage }, ms / 1000);
    },
    queueWaited: (durationS) => queueWait.observe(durationS),
    workerRestarted: (reason) => restarts.inc({ reason }),
    modelLoaded: (durationS) => modelLoad.observe(durationS),
    watchJobs(read) {
      readJobs = read;
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

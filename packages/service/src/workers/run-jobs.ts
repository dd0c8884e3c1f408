import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ERRORS, FacewrightError, isFacewrightError, wireFromError } from '@facewright/protocol';
import { isFinished, type JobOutcome, type StoredFile } from '../jobs/job.ts';
import type { JobQueue, Lease, LeaseState } from '../jobs/job-queue.ts';
import type { Log } from '../observability/create-log.ts';
import type { Metrics } from '../observability/create-metrics.ts';
import type { Tracing } from '../observability/create-tracing.ts';
import { jobPrefix, resultKey } from '../storage/job-keys.ts';
import type { ObjectStorage } from '../storage/object-storage.ts';
import type { WorkerPool, WorkerResult } from './worker-pool.ts';

export interface JobRunnerDeps {
  readonly queue: JobQueue;
  readonly storage: ObjectStorage;
  readonly pool: WorkerPool;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  /** Name in logs of who takes jobs. */
  readonly consumer: string;
  /** For tests: shorter pauses. */
  readonly pauses?: { readonly progressMs?: number; readonly retryMs?: number; readonly commitMs?: number };
}

/** Takes jobs from the queue and has them done. */
export interface JobRunner {
  /** Jobs that are worked on here. */
  inFlight(): number;
  /** Takes no more jobs, lets running ones end for `graceMs`, then kills their workers and hands back what still runs. */
  drain(graceMs: number): Promise<void>;
}

/** Watchers are told at most this often; changes between are dropped, because only the latest counts. Milliseconds. */
const PROGRESS_PAUSE_MS = 100;
/** Before an attempt that failed for want of something (storage, memory) is given back to the queue. Milliseconds. */
const RETRY_PAUSE_MS = 1000;
/** Between tries to tell the queue the end of a job while the queue does not answer. Milliseconds. */
const COMMIT_PAUSE_MS = 250;
/** After the queue failed to give a job. Milliseconds. */
const TAKE_PAUSE_MS = 500;

/** Why work on a job stops before its end. */
type Stop = 'lost' | 'deadline' | 'drain';

/**
 * Runs jobs of the queue on the workers until {@link JobRunner.drain}: as many at once as the pool has processes.
 *
 * The one who holds the lease is the only one to write results, under a folder named by the lease's token, and they become visible by
 * `complete` alone: a runner that lost its lease (it was slow, the job was canceled) deletes what it wrote and changes nothing.
 * Photos are deleted by `keepHouse`, whatever the end.
 */
export function runJobs(deps: JobRunnerDeps): JobRunner {
  const { queue, pool, log } = deps;
  const taking = new AbortController();
  const untilDraining = new Promise<void>((resolve) => taking.signal.addEventListener('abort', () => resolve(), { once: true }));
  const running = new Map<Promise<void>, { stop: (reason: Stop) => void }>();

  const loop = async (): Promise<void> => {
    // Who is asked to end while workers still load does not wait for them.
    await Promise.race([pool.started().catch(() => taking.abort()), untilDraining]);
    while (!taking.signal.aborted) {
      let lease: Lease | null;
      try {
        lease = await queue.take(deps.consumer, taking.signal);
      } catch (error) {
        log.warn({ error }, 'The queue gave no job');
        await sleep(TAKE_PAUSE_MS, undefined, { signal: taking.signal }).catch(() => {});
        continue;
      }
      if (lease === null) continue;
      const work = startJob(deps, lease);
      running.set(work.done, work);
      await work.done;
      running.delete(work.done);
    }
  };
  const loops = Array.from({ length: pool.size }, loop);

  return {
    inFlight: () => running.size,
    async drain(graceMs) {
      taking.abort();
      const timer = setTimeout(() => {
        for (const { stop } of running.values()) stop('drain');
      }, graceMs);
      await Promise.all(loops);
      clearTimeout(timer);
    },
  };
}

/** Works on one job. `done` never rejects. */
function startJob(deps: JobRunnerDeps, lease: Lease): { readonly done: Promise<void>; readonly stop: (reason: Stop) => void } {
  const abort = new AbortController();
  const kill = new AbortController();
  let stopped: Stop | null = null;
  const stop = (reason: Stop): void => {
    stopped ??= reason;
    abort.abort();
    // The time for running work is over; what is left of it is for handing back, not for a worker that hangs.
    if (reason === 'drain') kill.abort();
  };
  return { stop, done: workOn(deps, lease, abort.signal, kill.signal, stop, () => stopped) };
}

async function workOn(
  deps: JobRunnerDeps,
  lease: Lease,
  signal: AbortSignal,
  killSignal: AbortSignal,
  stop: (reason: Stop) => void,
  stopped: () => Stop | null,
): Promise<void> {
  const { queue, pool, metrics, tracing } = deps;
  const { job } = lease;
  const startedAt = Date.now();
  const log = deps.log.child({ requestId: job.requestId, jobId: job.id, tenant: job.tenant, attempt: job.attempt });
  if (job.attempt <= 1) {
    metrics.queueWaited((startedAt - job.createdAt) / 1000);
    tracing.begin('queue', { parent: job.traceparent, startMs: job.createdAt }).end({ endMs: startedAt });
  }
  const span = tracing.begin('job', {
    parent: job.traceparent,
    startMs: startedAt,
    kind: 'consumer',
    attributes: { 'facewright.job.id': job.id, 'facewright.tenant': job.tenant, 'facewright.attempt': job.attempt },
  });
  const watch = holdLease(deps, lease, stop);
  let mayBeCommitted = false;
  const ended = (
    state: 'succeeded' | 'failed' | 'canceled' | 'retried',
    fields: object,
    stagesMs: Readonly<Record<string, number>> = {},
  ) => {
    const ms = Date.now() - startedAt;
    metrics.jobEnded(state, ms / 1000, stagesMs);
    log.info({ state, ms, ...fields }, 'Job ended');
  };

  try {
    if (job.deadlineAt <= Date.now()) stop('deadline');
    const result = await makeFiles(deps, lease, signal, span.traceparent);
    if (signal.aborted) throw new FacewrightError('FW_CANCELED', { stage: 'export' });
    const outcome: JobOutcome = result.outcome;
    const complete = (): Promise<LeaseState> =>
      queue.complete(lease, outcome).catch((error: unknown) => {
        // Whether the queue took the result before it fell silent is not known: files that it may name must stay. Every other error is a
        // refusal, and on a full disk the files must go.
        if (isFacewrightError(error, 'FW_QUEUE_UNAVAILABLE')) mayBeCommitted = true;
        throw error;
      });
    const state = await commit(deps, lease, complete);
    if (state === 'lost') {
      // An answer that got lost makes the second try look like a lost lease, too.
      if (!(await deleteAttempt(deps, lease, log))) {
        ended('canceled', { reason: 'lost' });
        span.end({ error: 'FW_CANCELED' });
        return;
      }
    }
    traceStages(tracing, span.traceparent, result.workStartedAt, outcome.timingsMs);
    ended('succeeded', { stagesMs: outcome.timingsMs, files: outcome.files.length }, outcome.timingsMs);
    span.end();
  } catch (thrown) {
    if (!mayBeCommitted) await deleteAttempt(deps, lease, log);
    const reason = stopped();
    try {
      if (reason === 'lost') {
        ended('canceled', { reason });
        span.end({ error: 'FW_CANCELED' });
      } else if (reason === 'drain') {
        await commit(deps, lease, () => queue.handBack(lease));
        ended('retried', { reason });
        span.end({ error: 'FW_DRAINING' });
      } else {
        const error =
          reason === 'deadline'
            ? new FacewrightError('FW_JOB_DEADLINE', { limitMs: job.deadlineAt - job.createdAt })
            : isFacewrightError(thrown, 'FW_WORKER_LOST')
              ? new FacewrightError('FW_WORKER_LOST', { attempts: job.attempt }, { cause: thrown })
              : thrown;
        const wire = wireFromError(error);
        if (wire.code === 'FW_INTERNAL') log.error({ error }, 'A job met a bug');
        const isWorthwhile = reason !== 'deadline' && (wire.code === 'FW_WORKER_LOST' || ERRORS[wire.code].retry === 'backoff');
        // A lost worker is replaced by now; what is full or does not answer gets a moment.
        if (isWorthwhile && job.attempt < 2 && wire.code !== 'FW_WORKER_LOST') await sleep(deps.pauses?.retryMs ?? RETRY_PAUSE_MS);
        const state = await commit(deps, lease, () => queue.fail(lease, wire, { retry: isWorthwhile }));
        const isAgain = isWorthwhile && job.attempt < 2;
        ended(state === 'lost' ? 'canceled' : isAgain ? 'retried' : 'failed', { code: wire.code });
        if (state === 'held' && !isAgain) metrics.jobFailed(wire.code);
        span.end({ error: wire.code });
      }
    } catch (error) {
      // The queue does not answer: the lease runs out, and whoever sweeps gives the job to another.
      log.error({ error }, 'The end of a job could not be told to the queue');
      span.end({ error: 'FW_QUEUE_UNAVAILABLE' });
    }
  } finally {
    await watch.release();
  }

  /** Fetches the photo, has the face made and takes its files into the storage. */
  async function makeFiles(
    { storage: files, pauses }: JobRunnerDeps,
    { token }: Lease,
    aborted: AbortSignal,
    traceparent: string | null,
  ): Promise<{ readonly outcome: JobOutcome; readonly workStartedAt: number }> {
    const photo = await files.toLocalFile(job.photo.key, aborted);
    // Nobody deletes the photo of a job that has not ended: it was removed, or the storage lost it.
    if (photo === null) throw new FacewrightError('FW_STORAGE_UNAVAILABLE', { reason: 'the photo is not there' });
    let outputDir: string | undefined;
    try {
      outputDir = await mkdtemp(join(files.scratchDir, 'job-'));
      const report = throttle(pauses?.progressMs ?? PROGRESS_PAUSE_MS, (update: Parameters<JobQueue['report']>[1]) => {
        // That nobody can be told how far it is does not stop the work.
        queue.report(lease, update).then(
          (state) => state === 'lost' && stop('lost'),
          () => {},
        );
      });
      const workStartedAt = Date.now();
      let result: WorkerResult;
      try {
        result = await pool.run(
          {
            photoPath: photo.path,
            outputDir,
            options: job.options,
            requestId: job.requestId,
            jobId: job.id,
            tenant: job.tenant,
            traceparent,
          },
          {
            signal: aborted,
            killSignal,
            onProgress: (progress) => report.soon({ progress }),
            onLandmarks: (landmarks) => report.now({ landmarks }),
          },
        );
      } finally {
        report.end();
      }
      const stored: StoredFile[] = [];
      for (const { name, bytes, contentType, sha256 } of result.files) {
        if (aborted.aborted) throw new FacewrightError('FW_CANCELED', { stage: 'export' });
        const key = resultKey(job.tenant, job.id, token, name);
        await files.adopt(key, join(outputDir, name), { contentType, sha256, bytes });
        stored.push({ name, key, bytes, contentType, sha256 });
      }
      if (job.options.keepPhoto) {
        const { format } = result.photo;
        stored.push({ name: `photo.${format === 'jpeg' ? 'jpg' : format}`, ...job.photo, contentType: `image/${format}` });
      }
      return { outcome: { ...result, files: stored }, workStartedAt };
    } finally {
      await photo.release().catch((error: unknown) => log.warn({ error }, 'The copy of a photo was not deleted'));
      if (outputDir !== undefined) await rm(outputDir, { recursive: true, force: true }).catch(() => {});
    }
  }
}

/** Renews the lease, and stops the work when it is lost, the job ends otherwise, or its time is up. */
function holdLease({ queue, log }: JobRunnerDeps, lease: Lease, stop: (reason: Stop) => void): { release(): Promise<void> } {
  const { job } = lease;
  let heldUntil = Date.now() + queue.leaseMs;
  let isReleased = false;
  const renewal = setInterval(() => {
    const askedAt = Date.now();
    queue.renew(lease).then(
      (state) => {
        if (state === 'lost') stop('lost');
        else heldUntil = askedAt + queue.leaseMs;
      },
      (error: unknown) => {
        log.warn({ error, jobId: job.id }, 'A lease could not be renewed');
        // By now somebody else may have the job; going on could only waste time.
        if (Date.now() >= heldUntil) stop('lost');
      },
    );
  }, queue.leaseMs / 3);
  const deadline = setTimeout(() => stop('deadline'), Math.max(0, job.deadlineAt - Date.now()));
  // A cancellation is heard at once and not with the next renewal.
  let unwatch: (() => void) | undefined;
  queue
    .watch(job.tenant, job.id, (now) => {
      if (isFinished(now.state)) stop('lost');
    })
    .then(
      (end) => {
        if (isReleased) end();
        else unwatch = end;
      },
      (error: unknown) => log.warn({ error, jobId: job.id }, 'A job cannot be watched'),
    );
  return {
    async release() {
      isReleased = true;
      clearInterval(renewal);
      clearTimeout(deadline);
      unwatch?.();
    },
  };
}

/** Tells the queue the end of a job; while it does not answer, again, for as long as the lease may hold. */
async function commit({ queue, pauses }: JobRunnerDeps, lease: Lease, tell: () => Promise<LeaseState>): Promise<LeaseState> {
  const until = Date.now() + queue.leaseMs;
  for (;;) {
    try {
      return await tell();
    } catch (error) {
      if (!isFacewrightError(error, 'FW_QUEUE_UNAVAILABLE') || Date.now() >= until) throw error;
      await sleep(pauses?.commitMs ?? COMMIT_PAUSE_MS);
      if ((await queue.renew(lease).catch(() => 'held')) === 'lost') return 'lost';
    }
  }
}

/**
 * Deletes what an attempt wrote that did not become the result. What cannot be deleted now goes when the job expires.
 *
 * @returns true where it is the result after all; then nothing was deleted
 */
async function deleteAttempt({ queue, storage }: JobRunnerDeps, { job, token }: Lease, log: Log): Promise<boolean> {
  const prefix = `${jobPrefix(job.tenant, job.id)}/${token}`;
  try {
    const now = await queue.get(job.tenant, job.id);
    if (now?.outcome?.files.some(({ key }) => key.startsWith(`${prefix}/`)) === true) return true;
    await storage.deleteAll(prefix);
  } catch (error) {
    log.warn({ error }, 'Files of an unfinished attempt were not deleted');
  }
  return false;
}

/** Stages as spans, one after the other from the start of the work: the worker measures how long each took. */
function traceStages(tracing: Tracing, parent: string | null, startMs: number, timingsMs: Readonly<Record<string, number>>): void {
  let at = startMs;
  for (const [stage, ms] of Object.entries(timingsMs)) {
    tracing.begin(stage, { parent, startMs: at }).end({ endMs: at + ms });
    at += ms;
  }
}

/** Calls `tell` with the latest value at most once per pause; `now` does not wait. */
function throttle<T extends object>(pauseMs: number, tell: (value: T) => void): { soon(value: T): void; now(value: T): void; end(): void } {
  let latest: T | undefined;
  let timer: NodeJS.Timeout | undefined;
  const onTime = (): void => {
    timer = undefined;
    if (latest === undefined) return;
    const value = latest;
    latest = undefined;
    tell(value);
    timer = setTimeout(onTime, pauseMs);
  };
  return {
    soon(value) {
      latest = value;
      if (timer === undefined) onTime();
    },
    now: tell,
    end() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

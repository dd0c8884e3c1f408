import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, FacewrightError } from '@facewright/protocol';
import { jobOptionsSchema } from '@facewright/protocol/api';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isFinished, type Job, type NewJob } from '../jobs/job.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import { createJournalQueue } from '../jobs/journal-queue/create-journal-queue.ts';
import { createLog } from '../observability/create-log.ts';
import { createMetrics } from '../observability/create-metrics.ts';
import { createNoTracing } from '../observability/create-tracing.ts';
import { createFileStorage } from '../storage/file-storage.ts';
import { photoKey } from '../storage/job-keys.ts';
import { keepHouse } from './keep-house.ts';
import { type JobRunnerDeps, runJobs } from './run-jobs.ts';
import type { RunOptions, WorkerPool, WorkerResult, WorkerTask } from './worker-pool.ts';

type Work = (task: WorkerTask, options: RunOptions) => Promise<void>;

const RESULT: Omit<WorkerResult, 'files'> = {
  model: { id: 'head', version: '1' },
  provider: 'cpu',
  face: { index: 1, count: 1 },
  photo: { widthPx: 10, heightPx: 10, format: 'jpeg' },
  pose: { yawDeg: 0, pitchDeg: 0, rollDeg: 0 },
  quality: { confidence: 1, residualRatio: 0, eyeDistancePx: 100, observedRatio: 1 },
  blendshapes: [],
  timingsMs: { decode: 10, export: 20 },
  warnings: [],
};
/** sha256 of "face". */
const SHA256_FACE = createHash('sha256').update('face').digest('hex');

/** A pool without processes: `work` runs here, then one file is there. */
const poolOf = (work: Work, size = 1): WorkerPool => ({
  size,
  started: async () => {},
  isReady: () => true,
  stats: () => ({ size, busy: 0, restarts: 0, workers: [] }),
  close: async () => {},
  async run(task, options) {
    await work(task, options);
    if (options.signal.aborted) throw new FacewrightError('FW_CANCELED', { stage: 'fit' });
    await writeFile(join(task.outputDir, 'face.glb'), 'face');
    return { ...RESULT, files: [{ name: 'face.glb', bytes: 4, contentType: 'model/gltf-binary', sha256: SHA256_FACE }] };
  },
});

/** Waits for what must become true; a busy machine needs longer than vitest's own second. */
const waitFor = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 30_000 });

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

async function createService(
  work: Work,
  { leaseMs = 3000, size = 1, ...deps }: { leaseMs?: number; size?: number } & Partial<JobRunnerDeps> = {},
) {
  const dir = await mkdtemp(join(tmpdir(), 'run jobs '));
  const queue = await createJournalQueue({ dir: join(dir, 'queue'), shareOf: () => ({ weight: 1, maxProcessing: 10 }), leaseMs });
  const storage = await createFileStorage({ dir: join(dir, 'objects') });
  const lines: string[] = [];
  const log = createLog('debug', 'test', { write: (line) => lines.push(line) });
  const metrics = createMetrics({ process: false });
  const pauses = { progressMs: 1, retryMs: 1, commitMs: 1 };
  const runner = runJobs({
    queue,
    storage,
    pool: poolOf(work, size),
    log,
    metrics,
    tracing: createNoTracing(),
    consumer: 'test',
    pauses,
    ...deps,
  });
  const house = keepHouse({ queue, storage, log, pauses: { sweepMs: 20, expireMs: 20 } });
  onTestFinished(async () => {
    await runner.drain(0);
    await house.stop();
    await queue.close();
    await storage.close();
    await rm(dir, { recursive: true });
  });
  const submit = async (id: string, changes: Partial<NewJob> = {}): Promise<Job> => {
    const stored = await storage.put(photoKey('acme', id), Buffer.from(`photo ${id}`), { contentType: 'image/jpeg' });
    const submitted = await queue.submit(
      {
        tenant: 'acme',
        id,
        options: jobOptionsSchema.parse({}),
        photo: { key: stored.key, bytes: stored.bytes, sha256: stored.sha256 },
        fingerprint: stored.sha256,
        createdAt: Date.now(),
        deadlineAt: Date.now() + 20_000,
        ttlMs: 60_000,
        requestId: 'r1',
        traceparent: null,
        batchId: null,
        webhookUrl: null,
        ...changes,
      },
      { maxQueued: 100, tenantMaxPending: 100 },
    );
    if (submitted.kind !== 'accepted') throw new Error(submitted.kind);
    return submitted.job;
  };
  const ended = async (id: string): Promise<Job> => {
    let job: Job | null = null;
    await vi.waitFor(
      async () => {
        job = await queue.get('acme', id);
        expect(isFinished(job!.state)).toBe(true);
      },
      { timeout: 15_000, interval: 5 },
    );
    return job!;
  };
  const keys = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { key } of storage.list('')) found.push(key);
    return found;
  };
  return { queue, storage, runner, submit, ended, keys, lines, metrics };
}

const fail = (code: 'FW_WORKER_LOST' | 'FW_FACE_NOT_FOUND' | 'FW_STORAGE_FULL'): never => {
  const params: Record<string, object> = {
    FW_WORKER_LOST: { attempts: 1 },
    FW_FACE_NOT_FOUND: { candidates: 0, bestScore: 0, minScore: 0.5 },
    FW_STORAGE_FULL: {},
  };
  throw new FacewrightError(code as ErrorCode, params[code] as never);
};

describe('runJobs', () => {
  it('makes the files of a job, keeps nothing of the photo, and leaves nothing in the scratch folder', async () => {
    const { submit, ended, keys, storage, metrics, lines } = await createService(async ({ photoPath }) => {
      expect(readFileSync(photoPath, 'utf8')).toBe('photo a');
    });
    await submit('a');
    const job = await ended('a');
    expect(job).toMatchObject({ state: 'succeeded', attempt: 1, error: null });
    expect(job.outcome?.files).toMatchObject([{ name: 'face.glb', bytes: 4, sha256: SHA256_FACE, contentType: 'model/gltf-binary' }]);
    await waitFor(async () => expect(await keys()).toEqual([job.outcome!.files[0].key]));
    expect((await readdir(storage.scratchDir)).filter((name) => name.startsWith('job-'))).toEqual([]);
    const text = await metrics.text();
    expect(text).toContain('facewright_job_duration_seconds_count{state="succeeded"} 1');
    expect(text).toContain('facewright_stage_duration_seconds_sum{stage="export"} 0.02');
    // One line says who, which request, how long.
    const line = lines.map((l) => JSON.parse(l)).find((l) => l.msg === 'Job ended');
    expect(line).toMatchObject({ requestId: 'r1', jobId: 'a', tenant: 'acme', state: 'succeeded', attempt: 1 });
  });

  it('keeps the photo where that was asked for', async () => {
    const { submit, ended, keys } = await createService(async () => {});
    await submit('a', { options: jobOptionsSchema.parse({ keepPhoto: true }) });
    await ended('a');
    await sleep(100);
    expect(await keys()).toContain(photoKey('acme', 'a'));
  });

  it('offers a kept photo among the files of its result', async () => {
    const { submit, ended } = await createService(async () => {});
    await submit('a', { options: jobOptionsSchema.parse({ keepPhoto: true }) });
    const { outcome, photo } = await ended('a');
    expect(outcome?.files.at(-1)).toEqual({ name: 'photo.jpg', contentType: 'image/jpeg', ...photo });
  });

  it('deletes the photo of a job without a result although keeping it was asked for', async () => {
    const { submit, ended, keys } = await createService(async () => fail('FW_FACE_NOT_FOUND'));
    await submit('a', { options: jobOptionsSchema.parse({ keepPhoto: true }) });
    await ended('a');
    await waitFor(async () => expect(await keys()).not.toContain(photoKey('acme', 'a')));
  });

  it('fails a refused photo at once, tries a lost worker and a full storage once more', async () => {
    const tries: string[] = [];
    const { submit, ended, keys, metrics } = await createService(async ({ jobId }) => {
      tries.push(jobId);
      if (jobId === 'refused') fail('FW_FACE_NOT_FOUND');
      if (jobId === 'lost') fail('FW_WORKER_LOST');
      if (jobId === 'once' && tries.filter((t) => t === 'once').length === 1) fail('FW_WORKER_LOST');
      if (jobId === 'full') fail('FW_STORAGE_FULL');
    });
    for (const id of ['refused', 'lost', 'once', 'full']) await submit(id);
    expect(await ended('refused')).toMatchObject({ state: 'failed', attempt: 1, error: { code: 'FW_FACE_NOT_FOUND' } });
    expect(await ended('lost')).toMatchObject({ state: 'failed', attempt: 2, error: { code: 'FW_WORKER_LOST', params: { attempts: 2 } } });
    expect(await ended('once')).toMatchObject({ state: 'succeeded', attempt: 2 });
    expect(await ended('full')).toMatchObject({ state: 'failed', attempt: 2, error: { code: 'FW_STORAGE_FULL' } });
    expect([...tries].sort()).toEqual(['full', 'full', 'lost', 'lost', 'once', 'once', 'refused']);
    await waitFor(async () => expect(await keys()).toHaveLength(1));
    expect(await metrics.text()).toContain('facewright_jobs_failed_total{code="FW_FACE_NOT_FOUND"} 1');
  });

  it('what is no error of the table ends as FW_INTERNAL without its text', async () => {
    const { submit, ended } = await createService(async () => {
      throw new Error('/home/someone/secret');
    });
    await submit('a');
    const { error } = await ended('a');
    expect(error?.code).toBe('FW_INTERNAL');
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  it('stops at once when a job is canceled or removed, and leaves nothing of it', async () => {
    const started: string[] = [];
    const stopped: string[] = [];
    const { submit, queue, keys } = await createService(
      async ({ jobId }, { signal }) => {
        started.push(jobId);
        await untilAborted(signal);
        stopped.push(jobId);
      },
      // By the next renewal it would be after ten seconds.
      { size: 2, leaseMs: 30_000 },
    );
    await submit('a');
    await submit('b');
    await waitFor(() => expect(started).toHaveLength(2));
    await queue.cancel('acme', 'a');
    await queue.remove('acme', 'b');
    await waitFor(() => expect(stopped).toHaveLength(2));
    expect((await queue.get('acme', 'a'))?.state).toBe('canceled');
    await waitFor(async () => expect((await keys()).filter((key) => key.includes('/a/'))).toEqual([]));
  });

  it('a job that is canceled between its work and its end leaves no files', async () => {
    let service: Awaited<ReturnType<typeof createService>> | undefined;
    service = await createService(async () => {
      // The signal comes after the work looked at it for the last time.
      queueMicrotask(() => void service?.queue.cancel('acme', 'a'));
    });
    await service.submit('a');
    await service.ended('a');
    await waitFor(async () => {
      const job = await service?.queue.get('acme', 'a');
      const files = job?.outcome?.files.map(({ key }) => key) ?? [];
      expect(await service?.keys()).toEqual(files);
    });
  });

  it('aborts work at its deadline', async () => {
    const { submit, ended, keys } = await createService(async (_task, { signal }) => untilAborted(signal));
    await submit('a', { deadlineAt: Date.now() + 150 });
    expect(await ended('a')).toMatchObject({ state: 'failed', error: { code: 'FW_JOB_DEADLINE' } });
    await waitFor(async () => expect(await keys()).toEqual([]));
  });

  it('tells progress and landmarks to watchers while it works', async () => {
    const { submit, queue, ended } = await createService(async (_task, options) => {
      await sleep(50);
      options.onProgress({ stage: 'fit', index: 3, total: 6, ratio: 0.4 });
      options.onLandmarks({ widthPx: 10, heightPx: 20, points: [[1, 2]] });
      await sleep(50);
    });
    await submit('a');
    const seen: Job[] = [];
    const unwatch = await queue.watch('acme', 'a', (job) => seen.push(job));
    await ended('a');
    unwatch();
    expect(seen.some((job) => job.progress?.stage === 'fit')).toBe(true);
    expect(seen.some((job) => job.landmarks?.widthPx === 10)).toBe(true);
  });

  it('lets running work end when it drains, and hands back what takes longer, uncounted', async () => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { submit, queue, runner } = await createService(
      ({ jobId }, { signal }) => (jobId === 'short' ? released : untilAborted(signal)),
      { size: 2 },
    );
    await submit('short');
    await submit('long');
    await waitFor(() => expect(runner.inFlight()).toBe(2));
    await submit('waiting');
    // Long enough for the short one on a busy machine.
    const drained = runner.drain(3_000);
    release();
    await drained;
    expect(await queue.get('acme', 'short')).toMatchObject({ state: 'succeeded' });
    expect(await queue.get('acme', 'long')).toMatchObject({ state: 'queued', attempt: 0 });
    expect(await queue.get('acme', 'waiting')).toMatchObject({ state: 'queued', attempt: 0 });
  });

  it('deletes the files of a result that the queue refused, before the next try', async () => {
    const { submit, ended, keys, queue } = await createService(async () => {});
    vi.spyOn(queue, 'complete').mockRejectedValueOnce(new FacewrightError('FW_STORAGE_FULL', {}));
    let left: string[] | undefined;
    const tellFailure = queue.fail.bind(queue);
    vi.spyOn(queue, 'fail').mockImplementation(async (...args) => {
      left = await keys();
      return tellFailure(...args);
    });
    await submit('a');
    expect(await ended('a')).toMatchObject({ state: 'succeeded', attempt: 2 });
    expect(left).toEqual([photoKey('acme', 'a')]);
  });

  it('hands a job back when it drains although its worker does not obey', async () => {
    // Such a worker ends by being killed alone; the second job was lost before, and its worker did not obey since.
    const { submit, queue, runner } = await createService(async (_task, { killSignal }) => untilAborted(killSignal!), { size: 2 });
    await submit('stuck');
    await submit('lost');
    await waitFor(() => expect(runner.inFlight()).toBe(2));
    await queue.cancel('acme', 'lost');
    await runner.drain(100);
    expect(await queue.get('acme', 'stuck')).toMatchObject({ state: 'queued', attempt: 0 });
    expect(await queue.get('acme', 'lost')).toMatchObject({ state: 'canceled' });
  });

  it('ends at once when it drains while workers still start', async () => {
    const { runner } = await createService(async () => {}, { pool: { ...poolOf(async () => {}), started: () => new Promise(() => {}) } });
    // Hangs without end where the start is waited for.
    await runner.drain(60_000);
    expect(runner.inFlight()).toBe(0);
  });

  it('a result whose confirmation got lost stays: the second try finds it committed', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'lost answer '));
    onTestFinished(() => rm(dir, { recursive: true }));
    const base = await createJournalQueue({
      dir,
      shareOf: () => ({ weight: 1, maxProcessing: 10 }),
      leaseMs: 3000,
    });
    let answers = 0;
    const queue: JobQueue = new Proxy(base, {
      get(target, name) {
        if (name === 'complete' && answers++ === 0) {
          return async (...args: Parameters<JobQueue['complete']>) => {
            await target.complete(...args);
            throw new FacewrightError('FW_QUEUE_UNAVAILABLE', { reason: 'the answer got lost' });
          };
        }
        const value = Reflect.get(target, name) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const { keys, storage } = await createService(async () => {}, { queue });
    const stored = await storage.put(photoKey('acme', 'a'), Buffer.from('photo'), { contentType: 'image/jpeg' });
    await base.submit(
      {
        tenant: 'acme',
        id: 'a',
        options: jobOptionsSchema.parse({}),
        photo: { key: stored.key, bytes: stored.bytes, sha256: stored.sha256 },
        fingerprint: stored.sha256,
        createdAt: Date.now(),
        deadlineAt: Date.now() + 20_000,
        ttlMs: 60_000,
        requestId: 'r1',
        traceparent: null,
        batchId: null,
        webhookUrl: null,
      },
      { maxQueued: 100, tenantMaxPending: 100 },
    );
    await waitFor(async () => expect((await base.get('acme', 'a'))?.state).toBe('succeeded'));
    await sleep(200);
    const job = await base.get('acme', 'a');
    expect(await keys()).toContain(job?.outcome?.files[0].key);
    await base.close();
  });
});

describe('keepHouse', () => {
  it('deletes everything of a job when it expires', async () => {
    const { submit, ended, keys, queue } = await createService(async () => {});
    await submit('a', { ttlMs: 200, options: jobOptionsSchema.parse({ keepPhoto: true }) });
    await ended('a');
    expect(await keys()).not.toEqual([]);
    await waitFor(async () => expect(await keys()).toEqual([]));
    expect(await queue.get('acme', 'a')).toBeNull();
  });

  it('deletes the photo of an ended job when the storage works again; the end is not told before', async () => {
    const { submit, ended, queue, storage, keys, runner } = await createService(async () => {});
    await runner.drain(0);
    const stored = photoKey('acme', 'a');
    let refused = 0;
    let isBroken = true as boolean;
    const broken: typeof storage = Object.assign(Object.create(storage) as typeof storage, {
      delete: async (key: string) => {
        if (!isBroken) return storage.delete(key);
        refused++;
        throw new FacewrightError('FW_STORAGE_UNAVAILABLE', { reason: 'test' });
      },
      async *list() {},
    });
    const settled: string[] = [];
    let told: (job: Job) => unknown = () => {};
    const lines: string[] = [];
    const watched: typeof queue = Object.assign(Object.create(queue) as typeof queue, {
      watchFinished: async (listener: (job: Job) => unknown) => {
        told = listener;
        return () => {};
      },
      sweep: async () => {},
      removeExpired: async () => [],
    });
    const house = keepHouse({
      queue: watched,
      storage: broken,
      log: createLog('debug', 'test', { write: (line) => lines.push(line) }),
      pauses: { photoMs: 1 },
    });
    const job = await submit('a', { options: jobOptionsSchema.parse({ keepPhoto: true }) });
    await queue.cancel('acme', 'a');
    await ended('a');
    void Promise.resolve(told({ ...job, state: 'canceled', options: jobOptionsSchema.parse({}) })).then(() => settled.push('a'));
    await waitFor(() => expect(refused).toBeGreaterThan(3));
    expect(settled).toEqual([]);
    // Not a line for every attempt.
    expect(lines.filter((line) => line.includes('Photos of ended jobs'))).toHaveLength(1);
    await storage.put(stored, Buffer.from('photo'), { contentType: 'image/jpeg' });
    isBroken = false;
    await waitFor(() => expect(settled).toEqual(['a']));
    expect(await keys()).toEqual([]);
    // Stopped before it is gone: never counted as told.
    isBroken = true;
    void Promise.resolve(told({ ...job, state: 'canceled', options: jobOptionsSchema.parse({}) })).then(() => settled.push('again'));
    await house.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toEqual(['a']);
  });

  it('finds what a killed process left: photos of ended jobs, and old objects that no job knows; nothing else', async () => {
    const { submit, ended, queue, storage, keys } = await createService(async () => {});
    await submit('a');
    const job = await ended('a');
    await waitFor(async () => expect(await keys()).toHaveLength(1));
    await storage.put(photoKey('acme', 'a'), Buffer.from('left'), { contentType: 'image/jpeg' });
    await storage.put('acme/jobs/unknown/in-1/photo', Buffer.from('left'), { contentType: 'image/jpeg' });
    await storage.put('acme/batches/b1/archive.zip', Buffer.from('kept'), { contentType: 'application/zip' });
    const log = createLog('silent', 'test');
    const now = keepHouse({ queue, storage, log });
    await waitFor(async () => expect(await keys()).not.toContain(photoKey('acme', 'a')));
    await now.stop();
    // A request that still arrives has no job yet.
    expect(await keys()).toContain('acme/jobs/unknown/in-1/photo');
    const later = keepHouse({ queue, storage, log, now: () => Date.now() + 3 * 3_600_000 });
    await waitFor(async () => expect(await keys()).not.toContain('acme/jobs/unknown/in-1/photo'));
    await later.stop();
    expect((await keys()).sort()).toEqual(['acme/batches/b1/archive.zip', job.outcome!.files[0].key].sort());
  });
});

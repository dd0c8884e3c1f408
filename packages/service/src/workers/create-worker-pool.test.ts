import { fork } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jobOptionsSchema } from '@facewright/protocol/api';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLog } from '../observability/create-log.ts';
import { createWorkerPool, type WorkerPoolOptions } from './create-worker-pool.ts';
import type { RunOptions, WorkerTask } from './worker-pool.ts';

const FAKE = new URL('../../test/fake-worker.mjs', import.meta.url);
const SETTINGS = { provider: 'cpu', cacheDir: null, maxPhotoBytes: 2 ** 20, maxPhotoPixels: 10 ** 6 } as const;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pool '));
  return () => rm(folder, { recursive: true });
});

function createPool(options: Partial<WorkerPoolOptions> = {}) {
  const lines: string[] = [];
  const pool = createWorkerPool({
    size: 2,
    settings: SETTINGS,
    taskTimeoutMs: 20_000,
    memoryBytes: 2 ** 30,
    log: createLog('debug', 'test', { write: (line) => lines.push(line) }),
    ...options,
    replace: { workerUrl: FAKE, execArgv: [], cancelGraceMs: 200, backoffMs: 10, ...options.replace },
  });
  onTestFinished(() => pool.close(0));
  return { pool, lines };
}

const task = (jobId: string): WorkerTask => ({
  photoPath: '/photo',
  outputDir: folder,
  options: jobOptionsSchema.parse({}),
  requestId: 'r1',
  jobId,
  tenant: 'acme',
  traceparent: null,
});

const running = (signal = new AbortController().signal): RunOptions => ({ signal, onProgress: () => {}, onLandmarks: () => {} });
/** Processes take their time on a busy machine. */
const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000 });
const codeOf = (promise: Promise<unknown>): Promise<string> => promise.then(String, (e: { code: string }) => e.code);

describe('createWorkerPool', () => {
  it('runs tasks, tells progress and landmarks, and is ready when one worker is warm', async () => {
    const loaded: number[] = [];
    const { pool } = createPool({ onLoaded: (s) => loaded.push(s) });
    expect(pool.isReady()).toBe(false);
    await pool.started();
    expect(pool.isReady()).toBe(true);
    const told: unknown[] = [];
    const result = await pool.run(task('ok'), {
      ...running(),
      onProgress: (p) => told.push(p.stage),
      onLandmarks: (l) => told.push(l.widthPx),
    });
    expect(told).toEqual(['decode', 10]);
    expect(result.files.map((f) => f.name)).toEqual(['face.glb']);
    expect(loaded[0]).toBe(0.012);
  });

  it('begins with the process that the program has started, and replaces it by one of its own', async () => {
    const given = fork(FAKE, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] });
    let takes = 0;
    const { pool } = createPool({ size: 1, firstWorker: { take: () => (takes++ === 0 ? given : null), end: () => {} } });
    await pool.started();
    expect(pool.stats().workers.map((w) => w.pid)).toEqual([given.pid]);
    await pool.run(task('ok'), running());
    expect(await codeOf(pool.run(task('crash'), running()))).toBe('FW_WORKER_LOST');
    await pool.run(task('ok'), running());
    expect(pool.stats().workers.map((w) => w.pid)).not.toEqual([given.pid]);
  });

  it('rejects the task of a process that crashes, replaces it, and others do not notice', async () => {
    const restarts: string[] = [];
    const { pool, lines } = createPool({ onRestart: (reason) => restarts.push(reason) });
    await eventually(() => expect(pool.stats().workers.filter((w) => w.state === 'idle')).toHaveLength(2));
    const slow = pool.run(task('slow_300'), running());
    expect(await codeOf(pool.run(task('crash'), running()))).toBe('FW_WORKER_LOST');
    expect(restarts).toEqual(['crash']);
    await expect(slow).resolves.toMatchObject({ model: { id: 'head' } });
    // The line of the crash says whose it was.
    const line = lines.map((l) => JSON.parse(l)).find((l) => l.reason === 'crash');
    expect(line).toMatchObject({ level: 'error', requestId: 'r1', jobId: 'crash', tenant: 'acme', signal: 'SIGSEGV' });
    await eventually(() => expect(pool.stats().workers.filter((w) => w.state === 'idle')).toHaveLength(2));
    await expect(pool.run(task('ok'), running())).resolves.toBeDefined();
  });

  it('kills a process that loops endlessly, also one that is killed from outside is replaced', async () => {
    const restarts: string[] = [];
    const { pool } = createPool({ size: 1, taskTimeoutMs: 100, onRestart: (reason) => restarts.push(reason) });
    await pool.started();
    expect(await codeOf(pool.run(task('loop'), running()))).toBe('FW_WORKER_LOST');
    await eventually(() => expect(pool.isReady()).toBe(true));
    // What the system does where memory runs out.
    const hanging = codeOf(pool.run(task('hang'), running()));
    process.kill(pool.stats().workers[0].pid, 'SIGKILL');
    expect(await hanging).toBe('FW_WORKER_LOST');
    await eventually(() => expect(pool.isReady()).toBe(true));
    process.kill(pool.stats().workers[0].pid, 'SIGKILL');
    await eventually(() => expect(pool.isReady()).toBe(false));
    await eventually(() => expect(pool.isReady()).toBe(true));
    expect(restarts.slice(0, 2)).toEqual(['timeout', 'crash']);
    expect(pool.stats().restarts).toBe(3);
  });

  it('cancels, and kills a process that does not obey', async () => {
    const restarts: string[] = [];
    const { pool } = createPool({ size: 1, onRestart: (reason) => restarts.push(reason) });
    await pool.started();
    const abort = new AbortController();
    const obedient = codeOf(pool.run(task('hang'), running(abort.signal)));
    abort.abort();
    expect(await obedient).toBe('FW_CANCELED');
    expect(restarts).toEqual([]);
    const again = new AbortController();
    const stubborn = codeOf(pool.run(task('stubborn'), running(again.signal)));
    again.abort();
    expect(await stubborn).toBe('FW_CANCELED');
    expect(restarts).toEqual(['cancel']);
    // Never begun.
    expect(await codeOf(pool.run(task('ok'), running(AbortSignal.abort())))).toBe('FW_CANCELED');
    // Begun by the replacement, because a task waits for a free process.
    await expect(pool.run(task('ok'), running())).resolves.toBeDefined();
  });

  it('kills a process at once where nobody has time to wait until it obeys', async () => {
    // By the usual pause it would be after the end of the test.
    const { pool } = createPool({ size: 1, replace: { cancelGraceMs: 600_000 } });
    await pool.started();
    const abort = new AbortController();
    const kill = new AbortController();
    const stubborn = codeOf(pool.run(task('stubborn'), { ...running(abort.signal), killSignal: kill.signal }));
    abort.abort();
    kill.abort();
    expect(await stubborn).toBe('FW_CANCELED');
  });

  it('a task that waits for a free process can be canceled too', async () => {
    const { pool } = createPool({ size: 1 });
    await pool.started();
    const first = pool.run(task('slow_200'), running());
    const abort = new AbortController();
    const second = codeOf(pool.run(task('ok'), running(abort.signal)));
    abort.abort();
    expect(await second).toBe('FW_CANCELED');
    await first;
  });

  it('replaces a process that holds too much memory, after its task is done', async () => {
    const restarts: string[] = [];
    const { pool } = createPool({ size: 1, onRestart: (reason) => restarts.push(reason) });
    await pool.started();
    const { provider: before } = await pool.run(task('fat'), running());
    const { provider: after } = await pool.run(task('ok'), running());
    expect(restarts).toEqual(['memory']);
    expect(after).not.toBe(before);
  });

  it('says with its code what keeps all processes from starting', async () => {
    const { pool } = createPool({ settings: { ...SETTINGS, cacheDir: 'unable' } });
    expect(await codeOf(pool.started())).toBe('FW_PROVIDER_UNAVAILABLE');
    const dying = createPool({ settings: { ...SETTINGS, cacheDir: 'dies' } });
    expect(await codeOf(dying.pool.started())).toBe('FW_INTERNAL');
    expect(dying.lines.join('')).toContain('a library is missing');
  });

  it('starts a process again that died at its start', async () => {
    const { pool } = createPool({ size: 1, settings: { ...SETTINGS, cacheDir: `dies once ${join(folder, 'once')}` } });
    await pool.started();
    await expect(pool.run(task('ok'), running())).resolves.toBeDefined();
    expect(pool.stats().restarts).toBe(1);
  });

  it('tries again after a pause where the system refuses a process', async () => {
    // Longer than what any system takes: `fork` throws E2BIG, as it throws ENOMEM.
    const tooLong = `--title=${'x'.repeat(2 ** 23)}`;
    const execArgv = [tooLong];
    const restarts: string[] = [];
    const { pool } = createPool({ onRestart: (reason) => restarts.push(reason), replace: { execArgv } });
    expect(restarts).toEqual(['start', 'start']);
    execArgv.pop();
    await pool.started();
    await expect(pool.run(task('ok'), running())).resolves.toBeDefined();
    const never = createPool({ replace: { execArgv: [tooLong] } });
    expect(await codeOf(never.pool.started())).toBe('FW_INTERNAL');
    expect(never.lines.join('')).toContain('E2BIG');
  });

  it('hands no secret of the environment to a process', async () => {
    const names = ['FACEWRIGHT_S3_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'MY_PASSWORD', 'FACEWRIGHT_REDIS_URL'];
    for (const name of names) vi.stubEnv(name, 'hidden-value');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { pool } = createPool({ size: 1 });
    await pool.started();
    const error = await pool.run(task('env'), running()).catch((e: Error) => e);
    expect(error).toMatchObject({ message: expect.stringContaining('ORT_DISABLE_TELEMETRY') });
    expect(error).not.toMatchObject({ message: expect.stringContaining('hidden-value') });
  });

  it('lets running tasks end when it closes, for a while', async () => {
    const { pool } = createPool();
    await eventually(() => expect(pool.stats().workers.filter((w) => w.state === 'idle')).toHaveLength(2));
    const slow = pool.run(task('slow_200'), running());
    const hanging = codeOf(pool.run(task('hang'), running()));
    await pool.close(600);
    await expect(slow).resolves.toBeDefined();
    expect(await hanging).toBe('FW_WORKER_LOST');
    expect(await codeOf(pool.run(task('ok'), running()))).toBe('FW_CANCELED');
    expect(pool.stats().workers).toEqual([]);
  });
});

describe('worker', () => {
  it('makes the files of the example portrait, with progress to the end, and refuses what is no photo', async () => {
    const { pool } = createPool({
      size: 1,
      settings: { ...SETTINGS, maxPhotoBytes: 2 ** 24, maxPhotoPixels: 10 ** 8 },
      replace: {
        workerUrl: new URL('./process/worker.ts', import.meta.url),
        execArgv: ['--conditions=@facewright/source', '--import', 'tsx'],
        cancelGraceMs: 5000,
      },
    });
    await pool.started();
    const outputDir = await mkdtemp(join(folder, 'out'));
    const photoPath = new URL('../../../../examples/portrait.jpg', import.meta.url).pathname;
    const ratios: number[] = [];
    const points: (readonly [number, number])[] = [];
    const result = await pool.run(
      { ...task('real'), photoPath, outputDir, options: jobOptionsSchema.parse({ textureSize: 512, formats: ['glb', 'json'] }) },
      { ...running(), onProgress: (p) => ratios.push(p.ratio), onLandmarks: (l) => points.push(...l.points) },
    );
    expect(ratios.at(-1)).toBe(1);
    expect([...ratios].sort((a, b) => a - b)).toEqual(ratios);
    expect(points).toHaveLength(478);
    const written = JSON.parse(await readFile(join(outputDir, 'landmarks.json'), 'utf8'));
    expect(Object.values(written).length).toBeGreaterThan(0);
    expect(result.files.map((f) => [f.name, f.contentType])).toEqual([
      ['face.glb', 'model/gltf-binary'],
      ['landmarks.json', 'application/json'],
      ['camera.json', 'application/json'],
      ['report.json', 'application/json'],
    ]);
    const { createHash } = await import('node:crypto');
    for (const file of result.files) {
      const bytes = await readFile(join(outputDir, file.name));
      expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([file.bytes, file.sha256]);
    }
    const notPhoto = { ...task('bad'), photoPath: new URL(import.meta.url).pathname, outputDir };
    expect(await codeOf(pool.run(notPhoto, running()))).toBe('FW_PHOTO_NOT_IMAGE');
    expect(pool.stats().restarts).toBe(0);
  });
});

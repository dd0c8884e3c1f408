import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HealthView } from '@facewright/protocol';
import { FacewrightError, isFacewrightError, wireFromError } from '@facewright/protocol';
import type { FastifyInstance } from 'fastify';
import { configSchema } from '../config/config.ts';
import type { StoredFile } from '../jobs/job.ts';
import type { JobQueue, Lease } from '../jobs/job-queue.ts';
import { createJournalQueue } from '../jobs/journal-queue/create-journal-queue.ts';
import { createLog } from '../observability/create-log.ts';
import { createFileStorage } from '../storage/file-storage.ts';
import { resultKey } from '../storage/job-keys.ts';
import type { ObjectStorage } from '../storage/object-storage.ts';
import { createKey } from '../tenants/manage-keys.ts';
import { openTenants, type Tenants } from '../tenants/open-tenants.ts';
import type { AppDeps } from './app-deps.ts';
import { createAnswerCheck } from './check-answer.test-support.ts';
import { createApp } from './create-app.ts';
import { ALL_OPERATIONS } from './openapi/all-operations.ts';

export interface TestServiceOptions {
  /** Where an earlier service kept its things; it is left as it is. */
  readonly dir?: string;
  readonly config?: Record<string, unknown>;
  /** Names of tenants that get a key; none: single user. */
  readonly tenants?: readonly string[];
  readonly limits?: Record<string, object>;
  readonly deps?: Partial<AppDeps>;
  /** What the stand-in for the workers does with a job; null: there are no workers. */
  readonly work?: ((lease: Lease, service: TestService) => Promise<readonly StoredFile[]>) | null;
}

export interface TestService {
  readonly app: FastifyInstance;
  readonly url: string;
  readonly port: number;
  readonly queue: JobQueue;
  readonly storage: ObjectStorage;
  readonly tenants: Tenants;
  readonly keys: Readonly<Record<string, string>>;
  readonly dir: string;
  readonly logLines: string[];
  health: HealthView['status'];
  /** Every answer is checked against the OpenAPI document. */
  fetch(path: string, init?: RequestInit & { key?: string; duplex?: 'half' }): Promise<Response>;
  /** Keys of everything that lies in the storage. */
  storedKeys(): Promise<string[]>;
  close(): Promise<void>;
}

/** A 1 x 1 GIF: the smallest that the format's magic number passes. */
export const TINY_GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
/** Bytes that begin like a JPEG; what follows is told apart by `seed`. */
export function fakeJpeg(bytes = 2000, seed = 1): Buffer {
  const photo = Buffer.alloc(bytes, seed & 255);
  photo.set([0xff, 0xd8, 0xff, 0xe0]);
  return photo;
}

/** The service over real HTTP with the real queue and storage in a temporary folder; only the workers are stand-ins. */
export async function startTestService(options: TestServiceOptions = {}): Promise<TestService> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'facewright-http-')));
  const config = configSchema.parse({ dataDir: dir, port: 0, ...options.config });
  const keysFile = join(dir, 'keys.json');
  const keys: Record<string, string> = {};
  for (const tenant of options.tenants ?? []) {
    keys[tenant] = (await createKey(keysFile, { tenant, limits: options.limits?.[tenant] ?? {} })).key;
  }
  const defaults = {
    ratePerMinute: config.tenantRatePerMinute,
    maxPending: config.tenantMaxPending,
    maxProcessing: config.tenantMaxProcessing,
    storageBytes: config.tenantStorageBytes,
    weight: 1,
  };
  const tenants = await openTenants({ keysFile, defaults, reloadMs: 20 });
  const queue = await createJournalQueue({ dir: join(dir, 'jobs'), shareOf: (name) => tenants.shareOf(name) });
  const storage = await createFileStorage({ dir: join(dir, 'objects') });
  const logLines: string[] = [];
  const log = createLog('debug', 'api', { write: (line) => logLines.push(line) });
  const deps: AppDeps = {
    config,
    queue,
    storage,
    tenants,
    linkSecret: 's'.repeat(40),
    metrics: { request: () => {}, rejected: () => {} },
    log,
    readiness: () => ({ status: service.health, version: '0.0.0', checks: {} }),
    serviceTime: () => ({ meanS: 0.5, workers: 2 }),
    version: '0.0.0',
    ...options.deps,
  };
  const app = await openApp(deps);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as { port: number };
  const stop = new AbortController();
  const check = createAnswerCheck(ALL_OPERATIONS, config.basePath);
  const service: TestService = {
    app,
    url: `http://127.0.0.1:${port}`,
    port,
    queue,
    storage,
    tenants,
    keys,
    dir,
    logLines,
    health: 'ready',
    async fetch(path, { key, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
      const absolute = `/${path.replace(/^\//, '')}`;
      const answer = await fetch(`http://127.0.0.1:${port}${absolute}`, { ...init, headers });
      await check(init.method ?? 'GET', absolute, answer);
      return answer;
    },
    async storedKeys() {
      const found: string[] = [];
      for (const tenant of [...Object.keys(keys), 'local']) for await (const object of storage.list(tenant)) found.push(object.key);
      return found;
    },
    async close() {
      stop.abort();
      await app.close();
      await working;
      await queue.close();
      await storage.close();
      tenants.close();
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
  const work = options.work === undefined ? succeed : options.work;
  const working = work === null ? Promise.resolve() : runFakeWorkers(service, work, stop.signal);
  return service;
}

/** What it refuses leaves nothing open. */
async function openApp(deps: AppDeps): Promise<FastifyInstance> {
  try {
    return createApp(deps);
  } catch (error) {
    await deps.queue.close();
    await deps.storage.close();
    deps.tenants.close();
    throw error;
  }
}

async function runFakeWorkers(service: TestService, work: NonNullable<TestServiceOptions['work']>, signal: AbortSignal): Promise<void> {
  const running = new Set<Promise<unknown>>();
  while (!signal.aborted) {
    const lease = await service.queue.take('test', signal);
    if (lease === null) break;
    const job = finishJob(service, work, lease).finally(() => running.delete(job));
    running.add(job);
  }
  await Promise.allSettled(running);
}

async function finishJob(service: TestService, work: NonNullable<TestServiceOptions['work']>, lease: Lease): Promise<void> {
  const { queue, storage } = service;
  const { job } = lease;
  try {
    const files = await work(lease, service);
    await storage.delete(job.photo.key);
    await queue.complete(lease, {
      model: { id: 'head', version: '1' },
      provider: 'cpu',
      face: { index: 1, count: 1 },
      photo: { widthPx: 640, heightPx: 480, format: 'jpeg' },
      pose: { yawDeg: 1, pitchDeg: 2, rollDeg: 3 },
      quality: { confidence: 0.9, residualRatio: 0.01, eyeDistancePx: 100, observedRatio: 0.6 },
      blendshapes: [{ name: 'jawOpen', weight: 0.1 }],
      timingsMs: { fit: 3 },
      warnings: [],
      files,
    });
  } catch (error) {
    if (!isFacewrightError(error)) throw error;
    await queue.fail(lease, wireFromError(error), { retry: false });
  }
}

/** Result of {@link succeed}: a file that tells ranges apart. */
export const RESULT_BYTES = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));

/** Work that tells progress and landmarks and makes one file. */
export async function succeed(lease: Lease, { queue, storage }: TestService): Promise<readonly StoredFile[]> {
  const { tenant, id } = lease.job;
  await queue.report(lease, { progress: { stage: 'detect', index: 1, total: 6, ratio: 0.2 } });
  const points = Array.from({ length: 478 }, (_, i): [number, number] => [i, i / 2]);
  await queue.report(lease, { landmarks: { widthPx: 640, heightPx: 480, points } });
  const key = resultKey(tenant, id, lease.token, 'face.glb');
  const { bytes, sha256, contentType } = await storage.put(key, RESULT_BYTES, { contentType: 'model/gltf-binary' });
  return [{ name: 'face.glb', key, bytes, sha256, contentType }];
}

/** Work that refuses the photo. */
export async function refuse(): Promise<never> {
  throw new FacewrightError('FW_FACE_NOT_FOUND', { candidates: 0, bestScore: 0.1, minScore: 0.5 });
}

/** A form with a photo and options. */
export function photoForm(photo: Uint8Array, fields: Record<string, string> = {}): FormData {
  const form = new FormData();
  form.append('photo', new Blob([photo as Uint8Array<ArrayBuffer>], { type: 'image/jpeg' }), 'me.jpg');
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}

/** A body whose shape the test asserts, not the compiler. */
// biome-ignore lint/suspicious/noExplicitAny: what comes is what is tested
export async function readJson(answer: Response): Promise<any> {
  return await answer.json();
}

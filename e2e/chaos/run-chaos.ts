import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '@facewright/capacity';
import type { ReconstructionView } from '@facewright/protocol';
import { startRedisServer } from '../../packages/service/src/jobs/redis-queue/redis-server.test-support.ts';
import { freePort, type Program, startProgram } from '../support/start-program.ts';
import { makeLandscape, makePortrait } from '../support/test-photos.ts';

export interface ChaosOptions {
  /** `journal`: one `serve`. `redis`: `api`, two `worker`s and Redis with its log, on one data folder. */
  readonly setup: 'journal' | 'redis';
  /** Kills. */
  readonly rounds: number;
  /** The same seed makes the same photos, victims and pauses (the machine adds its own). */
  readonly seed: number;
  readonly print: (line: string) => void;
}

export interface ChaosSummary {
  readonly kills: Readonly<Partial<Record<string, number>>>;
  readonly accepted: number;
  /** By state, failed ones with their code. */
  readonly ends: Readonly<Record<string, number>>;
  /** Files that were downloaded and had the promised sha256 and size. */
  readonly filesChecked: number;
  /** What must not be; [] is success. */
  readonly violations: readonly string[];
}

/** Jobs that are sent per round. */
const JOBS_PER_ROUND = 4;
/** The most that a round waits for jobs to end. */
const ROUND_MS = 20_000;
/** The most that everything may take to end after the last kill. Two leases and the work. */
const SETTLE_MS = 180_000;
const FINISHED = new Set(['succeeded', 'failed', 'canceled']);
/** How a job may fail here: its photo has no face, or both of its workers were killed. */
const ALLOWED_CODES = new Set(['FW_FACE_NOT_FOUND', 'FW_WORKER_LOST']);

/**
 * Kills processes of a running service at random points, starts them again, and looks whether every accepted job ends once and
 * whether ever a file is served that is not what it should be.
 */
export async function runChaos({ setup, rounds, seed, print }: ChaosOptions): Promise<ChaosSummary> {
  const random = createRandom(seed);
  const dir = await mkdtemp(join(tmpdir(), 'facewright-chaos-'));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const redis = setup === 'redis' ? await startRedisServer() : null;
  const env: Record<string, string> = {
    FACEWRIGHT_DATA_DIR: dir,
    FACEWRIGHT_PORT: String(port),
    FACEWRIGHT_WORKERS: '2',
    // Nothing may end for want of time here.
    FACEWRIGHT_JOB_DEADLINE_S: '900',
    FACEWRIGHT_TASK_TIMEOUT_S: '300',
    ...(redis === null ? {} : { FACEWRIGHT_REDIS_URL: redis.url, FACEWRIGHT_WORKERS: '1' }),
  };
  const roles = setup === 'journal' ? (['serve'] as const) : (['api', 'worker', 'worker'] as const);
  const programs: Program[] = roles.map((role) => startProgram([role], env));
  const kills: Partial<Record<string, number>> = {};
  const violations: string[] = [];
  /** What is known of an accepted job: its first final answer. */
  const jobs = new Map<string, { final: ReconstructionView | null }>();
  let filesChecked = 0;
  let isDone = false;
  const photos = await Promise.all([0, 1, 2, 3].map((number) => makePortrait(400, number)));
  const landscape = await makeLandscape(400);

  /** Asks until there is an answer that is no refusal for now. */
  const ask = async (path: string, init: RequestInit = {}): Promise<Response | null> => {
    const until = Date.now() + SETTLE_MS;
    while (Date.now() < until) {
      try {
        const answer = await fetch(`${base}${path}`, { ...init, signal: AbortSignal.timeout(30_000) });
        if (answer.status !== 503 && answer.status !== 429) return answer;
        await answer.body?.cancel();
      } catch {
        // Killed while it answered, or not there yet.
      }
      await sleep(100);
    }
    violations.push(`no answer to ${path} within ${SETTLE_MS} ms`);
    return null;
  };
  const send = async (id: string, photo: Buffer, isCanceled: boolean): Promise<void> => {
    const query = 'textureSize=512&formats=glb,json';
    const answer = await ask(`/v1/reconstructions/${id}?${query}`, {
      method: 'PUT',
      headers: { 'content-type': 'image/jpeg', prefer: 'respond-async' },
      body: new Uint8Array(photo),
    });
    if (answer === null) return;
    const text = await answer.text().catch(() => '');
    if (answer.status >= 300) violations.push(`${id} was answered with ${answer.status}: ${text.slice(0, 200)}`);
    else jobs.set(id, { final: null });
    if (isCanceled) await (await ask(`/v1/reconstructions/${id}/cancel`, { method: 'POST' }))?.body?.cancel().catch(() => {});
  };
  /** Downloads every file of a result: what is served must be whole. A connection that breaks off is no answer. */
  const checkFiles = async (view: ReconstructionView): Promise<void> => {
    for (const { url, sha256, bytes, name } of view.result?.files ?? []) {
      for (;;) {
        const answer = await ask(`/${url.replace(/^\//, '')}`);
        if (answer === null) return;
        const got = await answer.arrayBuffer().catch(() => null);
        if (got === null) continue;
        if (answer.status !== 200) violations.push(`${view.id}/${name}: ${answer.status} ${Buffer.from(got).toString().slice(0, 200)}`);
        else if (got.byteLength !== bytes || createHash('sha256').update(new Uint8Array(got)).digest('hex') !== sha256) {
          violations.push(`${view.id}/${name}: ${got.byteLength} bytes served, ${bytes} promised, or another sha256`);
        } else filesChecked++;
        break;
      }
    }
  };
  const look = async (id: string): Promise<void> => {
    const known = jobs.get(id)!;
    const answer = await ask(`/v1/reconstructions/${id}`);
    const text = await answer?.text().catch(() => null);
    if (answer === null || text === null || text === undefined) return;
    if (answer.status !== 200) {
      violations.push(`${id} was accepted and is gone: ${answer.status} ${text.slice(0, 200)}`);
      return;
    }
    const view = JSON.parse(text) as ReconstructionView;
    const { final } = known;
    if (final !== null) {
      const isSame = final.state === view.state && final.finishedAt === view.finishedAt && final.attempt === view.attempt;
      const shaOf = ({ result }: ReconstructionView) => JSON.stringify(result?.files.map((file) => [file.name, file.sha256]));
      if (!isSame || shaOf(final) !== shaOf(view))
        violations.push(`${id} ended twice: ${final.state} ${final.finishedAt}, ${view.state} ${view.finishedAt}`);
      return;
    }
    if (!FINISHED.has(view.state)) return;
    known.final = view;
    if (view.attempt > 2) violations.push(`${id} was started ${view.attempt} times`);
    await checkFiles(view);
  };
  const watcher = (async () => {
    while (!isDone) {
      for (const id of [...jobs.keys()]) if (!isDone && jobs.get(id)?.final === null) await look(id);
      await sleep(50);
    }
  })();

  try {
    await Promise.all(programs.map((program) => program.line('Ready')));
    const sending: Promise<void>[] = [];
    for (let round = 0; round < rounds; round++) {
      for (let k = 0; k < JOBS_PER_ROUND; k++) {
        const isLandscape = random() < 0.1;
        const photo = isLandscape ? landscape : photos[Math.floor(random() * photos.length)];
        sending.push(send(`s${seed}-${round}-${k}`, photo, random() < 0.15));
      }
      // Counted in finished jobs and not in seconds, so that a slow machine gets as far as a quick one; and a moment more, so that it
      // hits every stage of the next.
      const ended = () => [...jobs.values()].filter(({ final }) => final !== null).length;
      const wanted = ended() + Math.floor(random() * (JOBS_PER_ROUND + 1));
      const latest = Date.now() + ROUND_MS;
      while (ended() < wanted && Date.now() < latest) await sleep(20);
      await sleep(random() * 500);
      const victim = Math.floor(random() * (programs.length + (redis === null ? 0 : 1)));
      const name = victim < programs.length ? roles[victim] : 'redis';
      // Sometimes one of the workers' own processes, which the program must replace by itself.
      const child = name === 'serve' || name === 'worker' ? workerPidOf(programs[victim], random()) : null;
      if (child !== null && random() < 0.4) {
        kills['worker process'] = (kills['worker process'] ?? 0) + 1;
        try {
          process.kill(child, 'SIGKILL');
        } catch {
          // It was being replaced just now.
        }
      } else {
        kills[name] = (kills[name] ?? 0) + 1;
        if (victim < programs.length) {
          await programs[victim].end('SIGKILL');
          await sleep(random() * 500);
          programs[victim] = startProgram([roles[victim]], env);
          // Most often it gets to work before the next one falls; sometimes it falls again while it starts.
          if (random() < 0.75) await programs[victim].line('Ready');
        } else {
          await redis!.kill();
          await sleep(random() * 1500);
          await redis!.start();
        }
      }
      print(`round ${round + 1}/${rounds}: killed ${child === null ? name : `${name} or its process`}, ${jobs.size} jobs accepted`);
    }
    await Promise.all(sending);
    const until = Date.now() + SETTLE_MS;
    while ([...jobs.values()].some(({ final }) => final === null) && Date.now() < until) await sleep(100);
    isDone = true;
    await watcher;
    // Once more: what ended stays as it ended, and every file is still whole.
    for (const [id, { final }] of jobs) {
      if (final === null) violations.push(`${id} did not end within ${SETTLE_MS} ms after the last kill`);
      else {
        await look(id);
        const code = final.error?.code;
        if (final.state === 'failed' && !ALLOWED_CODES.has(code ?? '')) violations.push(`${id} failed with ${code}`);
      }
    }
    const ended = await Promise.all(programs.map((program) => program.end('SIGTERM')));
    for (const [i, { code }] of ended.entries()) if (code !== 0) violations.push(`${roles[i]} ended with ${code} on SIGTERM`);
  } finally {
    isDone = true;
    await Promise.all(programs.map((program) => program.end('SIGKILL')));
    await redis?.dispose();
    await rm(dir, { recursive: true, force: true });
  }
  const ends: Record<string, number> = {};
  for (const { final } of jobs.values()) {
    const end = final === null ? 'none' : final.state === 'failed' ? `failed ${final.error?.code}` : final.state;
    ends[end] = (ends[end] ?? 0) + 1;
  }
  return { kills, accepted: jobs.size, ends, filesChecked, violations };
}

function workerPidOf(program: Program, chance: number): number | null {
  const pids = program.lines.filter((line) => line.msg === 'Worker ready').map((line) => Number(line.workerPid));
  return pids.length === 0 ? null : pids[Math.floor(chance * pids.length) % pids.length];
}

/**
 * What the service bears: throughput and latency at several loads, with the number of jobs in the system beside them, so that
 * throughput × time = number can be checked; CPU time above that of the bare engine; time until it is ready.
 *
 *   npm run bench:service                       everything, some five minutes
 *   npm run bench:service -- --seconds 60       longer at each load
 *   npm run bench:service -- --json             the same as JSON
 *
 * One `facewright serve` with its own storage and journal on this machine's disk; the load comes from this process, over HTTP, one
 * connection per request where none is free. A request is answered when its face is made and stored (`Prefer: wait`); the GLB is not
 * downloaded. Arrivals are independent (Poisson) and do not wait for answers; latency counts from the time a request should have been
 * sent. Load is a share of the throughput that was measured just before with as many requests at once as keep all workers busy.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type LoadSummary, runOpenLoop, summarizeLoad } from '@facewright/capacity';
import { freePort, type Program, startProgram } from '../e2e/support/start-program.ts';
import { describeMachine } from './describe-machine.ts';
import { makePhoto } from './make-photo.ts';
import type { WorkerResult } from './warm-worker.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    workers: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const DURATION_MS = 1000 * Number(values.seconds);
const WORKERS = Number(values.workers);
const LOADS = [0.5, 0.8, 1.2];
/** Rounds of the comparison with the bare engine, and faces of each process in a round. */
const ROUNDS = 3;
const FACES_PER_ROUND = 6;
const STARTS = 3;

const dir = await mkdtemp(join(tmpdir(), 'facewright-bench-'));
const port = await freePort();
const base = `http://127.0.0.1:${port}`;
const env = {
  FACEWRIGHT_DATA_DIR: dir,
  FACEWRIGHT_PORT: String(port),
  FACEWRIGHT_WORKERS: String(WORKERS),
  FACEWRIGHT_TENANT_RATE_PER_MINUTE: '1000000',
  FACEWRIGHT_TENANT_MAX_PENDING: '100000',
  FACEWRIGHT_MAX_QUEUED: '100000',
  FACEWRIGHT_JOB_DEADLINE_S: '600',
  FACEWRIGHT_MAX_WAIT_S: '600',
  // Results of a whole run would fill the disk.
  FACEWRIGHT_RESULT_TTL_S: '20',
};

interface Load {
  readonly share: number;
  readonly summary: LoadSummary;
  /** As the service counted them, mean of samples taken twice a second. */
  readonly server: { readonly inFlight: number; readonly queued: number };
}

interface PhotoReport {
  readonly photo: string;
  readonly bytes: number;
  readonly capacityPerS: number;
  readonly loads: readonly Load[];
  readonly cpu: { readonly bareMs: number; readonly serviceMs: number; readonly overheadRatio: number } | null;
}

try {
  const machine = describeMachine();
  if (!values.json) console.log(`${machine}\n${WORKERS} workers, ${values.seconds} s at each load, seed ${values.seed}\n`);
  const starts: { listeningMs: number; readyMs: number }[] = [];
  for (let k = 0; k < STARTS; k++) {
    const { program, listeningMs, readyMs } = await start();
    starts.push({ listeningMs, readyMs });
    await program.end('SIGTERM');
  }
  if (!values.json) {
    console.log('start       listening   ready (first worker warm)   ms from the start of the process');
    for (const { listeningMs, readyMs } of starts) console.log(`            ${format(listeningMs, 9)}   ${format(readyMs, 5)}`);
    console.log();
  }
  const reports: PhotoReport[] = [];
  const photos = [
    ['2 MB', await makePhoto(3000, 4000, 2e6)],
    ['512 px', await makePhoto(512, 512, null)],
  ] as const;
  for (const [name, photo] of photos) {
    const report = await measure(name, photo);
    reports.push(report);
    if (!values.json) print(report);
  }
  if (values.json) console.log(JSON.stringify({ machine, workers: WORKERS, seconds: Number(values.seconds), starts, reports }, null, 2));
} finally {
  await rm(dir, { recursive: true, force: true });
}

async function start(): Promise<{ program: Program; listeningMs: number; readyMs: number }> {
  const begin = performance.now();
  const program = startProgram(['serve'], env);
  await program.line('Listening');
  const listeningMs = performance.now() - begin;
  await program.line('Ready');
  return { program, listeningMs, readyMs: performance.now() - begin };
}

async function measure(name: string, photo: Buffer): Promise<PhotoReport> {
  const { program } = await start();
  try {
    const admin = String(program.lines.find((line) => line.msg === 'Listening')!.adminAddress);
    const body = new Uint8Array(photo);
    const send = async (): Promise<string> => {
      const answer = await fetch(`${base}/v1/reconstructions?formats=glb`, {
        method: 'POST',
        headers: { 'content-type': 'image/jpeg', prefer: 'wait=600' },
        body,
      });
      await answer.arrayBuffer();
      return answer.status === 201 ? 'ok' : String(answer.status);
    };
    const workersReady = () => program.lines.filter((line) => line.msg === 'Worker ready').length;
    while (workersReady() < WORKERS) await sleep(50);
    // Compiles what the first faces of each worker run through.
    await closedLoop(send, 2 * WORKERS, 4 * WORKERS);
    const capacityPerS = await measureCapacity(send);
    const loads: Load[] = [];
    for (const share of LOADS) loads.push(await measureLoad(share, capacityPerS, send, admin));
    const cpu = process.platform === 'linux' ? await compareCpu(program, photo, send) : null;
    return { photo: name, bytes: photo.length, capacityPerS, loads, cpu };
  } finally {
    await program.end('SIGTERM');
  }
}

/** Requests at once, `count` in all; returns seconds. */
async function closedLoop(send: () => Promise<string>, atOnce: number, count: number): Promise<number> {
  let left = count;
  const begin = performance.now();
  const loop = async (): Promise<void> => {
    while (left-- > 0) {
      const outcome = await send();
      if (outcome !== 'ok') throw new Error(`the service answered ${outcome}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, loop));
  return (performance.now() - begin) / 1000;
}

/** Faces per second with all workers busy: two requests per worker, so that one is always there. */
async function measureCapacity(send: () => Promise<string>): Promise<number> {
  const first = 8 * WORKERS;
  const rate = first / (await closedLoop(send, 2 * WORKERS, first));
  const count = Math.max(first, Math.round((rate * DURATION_MS) / 2000));
  return count / (await closedLoop(send, 2 * WORKERS, count));
}

async function measureLoad(share: number, capacityPerS: number, send: () => Promise<string>, admin: string): Promise<Load> {
  const over = new AbortController();
  const samples: { inFlight: number; queued: number }[] = [];
  const sampling = (async () => {
    while (!over.signal.aborted) {
      const text = await (await fetch(`${admin}/metrics`)).text();
      const sum = (metric: string) =>
        [...text.matchAll(new RegExp(`^${metric}(?:\\{.*\\})? (\\d+)`, 'gm'))].reduce((total, [, value]) => total + Number(value), 0);
      samples.push({ inFlight: sum('facewright_jobs_in_flight'), queued: sum('facewright_jobs_queued') });
      await sleep(500);
    }
  })();
  const records = await runOpenLoop({
    ratePerS: share * capacityPerS,
    durationMs: DURATION_MS,
    arrivals: 'poisson',
    seed: Number(values.seed),
    send,
  });
  over.abort();
  await sampling;
  const mean = (key: 'inFlight' | 'queued') => samples.reduce((sum, sample) => sum + sample[key], 0) / samples.length;
  return { share, summary: summarizeLoad(records, DURATION_MS), server: { inFlight: mean('inFlight'), queued: mean('queued') } };
}

/** CPU time of one face: in processes that do nothing else, and in the service (its own process and the workers); in turns. */
async function compareCpu(program: Program, photo: Buffer, send: () => Promise<string>): Promise<PhotoReport['cpu']> {
  const path = join(dir, 'photo.jpg');
  await writeFile(path, photo);
  const bare: ChildProcess[] = [];
  for (let k = 0; k < WORKERS; k++) {
    const child = fork(new URL('./warm-worker.ts', import.meta.url), [path]);
    await once(child, 'message');
    bare.push(child);
  }
  const pids = () => [program.pid, ...program.lines.filter((line) => line.msg === 'Worker ready').map((line) => Number(line.workerPid))];
  let bareMs = 0;
  let serviceMs = 0;
  const faces = ROUNDS * FACES_PER_ROUND * WORKERS;
  for (let round = 0; round < ROUNDS; round++) {
    const results = await Promise.all(
      bare.map(async (child) => {
        child.send(FACES_PER_ROUND);
        const [result] = (await once(child, 'message')) as [WorkerResult];
        return result.cpuMs;
      }),
    );
    bareMs += results.reduce((a, b) => a + b, 0);
    const before = cpuOf(pids());
    await closedLoop(send, 2 * WORKERS, FACES_PER_ROUND * WORKERS);
    serviceMs += cpuOf(pids()) - before;
  }
  for (const child of bare) child.kill();
  return { bareMs: bareMs / faces, serviceMs: serviceMs / faces, overheadRatio: serviceMs / bareMs - 1 };
}

/** User and system milliseconds of processes so far (proc(5): fields 14 and 15, in ticks of 10 ms). */
function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return sum + 10 * (Number(fields[11]) + Number(fields[12]));
  }, 0);
}

function print({ photo, bytes, capacityPerS, loads, cpu }: PhotoReport): void {
  console.log(`${photo} photo (${bytes} bytes), face.glb, capacity ${capacityPerS.toFixed(2)} faces/s`);
  console.log('  load  offered/s  done/s    mean    p50    p95    p99    max ms   in flight  queued   X*R = N (counted)   outcomes');
  for (const { share, summary, server } of loads) {
    const { latencyMs: l, littlesLaw: law, outcomes } = summary;
    const numbers = l === null ? '-' : [l.mean, l.p50, l.p95, l.p99, l.max].map((ms) => format(ms, 6)).join(' ');
    console.log(
      `  ${String(Math.round(100 * share)).padStart(3)} %  ${summary.offeredPerS.toFixed(2).padStart(8)}  ${summary.completedPerS.toFixed(2).padStart(6)}  ${numbers}  ` +
        `${server.inFlight.toFixed(2).padStart(9)}  ${server.queued.toFixed(2).padStart(6)}   ` +
        `${law.throughputPerS.toFixed(2)} x ${law.meanS.toFixed(3)} = ${law.product.toFixed(2)} (${law.counted.toFixed(2)})   ${JSON.stringify(outcomes)}`,
    );
  }
  if (cpu !== null) {
    const percent = (100 * cpu.overheadRatio).toFixed(1);
    console.log(`  CPU per face: bare engine ${cpu.bareMs.toFixed(1)} ms, service ${cpu.serviceMs.toFixed(1)} ms (${percent} % above)`);
  }
  console.log();
}

function format(ms: number, width: number): string {
  return ms.toFixed(0).padStart(width);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

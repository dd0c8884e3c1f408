/**
 * Speed of one face: per stage and whole, warm and cold, alone and two at once. Prints machine and versions.
 *
 *   npm run bench                 everything, about two minutes
 *   npm run bench -- --runs 50    more runs
 *   npm run bench -- --json       the same as JSON
 *
 * The photos are made of the example portrait: one of 12 megapixels and about 2 MB, one of 512 pixels. CPU time is that of
 * the whole process (decoder threads included); medians, with the range beside them, because machines are noisy.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createEngine, type Engine, encodeFiles, STAGES, type Stage } from '@facewright/engine';
import { describeMachine } from './describe-machine.ts';
import { makePhoto } from './make-photo.ts';
import type { WorkerResult } from './warm-worker.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '20' }, json: { type: 'boolean', default: false } } });
const RUNS = Number(values.runs);
/** Rounds and faces of the comparison of one warm process with two; a round is long enough for both to run side by side all the time. */
const WORKER_ROUNDS = 5;
const FACES_PER_ROUND = Math.max(1, Math.ceil(RUNS / 4));
const CLI = fileURLToPath(new URL('../packages/cli/dist/bin.js', import.meta.url));

/** Milliseconds of CPU (user and system, all threads of this process). */
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

interface Sample {
  readonly cpu: number;
  readonly wall: number;
}
type Row = { readonly name: string; readonly cpu: readonly number[]; readonly wall: readonly number[] };

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
const ascending = (list: readonly number[]): number[] => [...list].sort((a, b) => a - b);
const median = (list: readonly number[]): number => quantile(ascending(list), 0.5);

/** Runs the whole job many times: each stage, the encoding of each kind of file, and the sum. */
async function timeFaces(engine: Engine, photo: Buffer): Promise<Row[]> {
  const rows = new Map<string, Sample[]>();
  const add = (name: string, sample: Sample): void => {
    rows.set(name, [...(rows.get(name) ?? []), sample]);
  };
  for (let run = -3; run < RUNS; run++) {
    const started = new Map<Stage, Sample>();
    const stages: [string, Sample][] = [];
    const since = (from: Sample): Sample => ({ cpu: cpuMs() - from.cpu, wall: performance.now() - from.wall });
    const start = { cpu: cpuMs(), wall: performance.now() };
    const result = await engine.reconstruct(photo, {
      onProgress: ({ stage, done }) => {
        if (done) stages.push([stage, since(started.get(stage)!)]);
        else started.set(stage, { cpu: cpuMs(), wall: performance.now() });
      },
    });
    stages.push(['= reconstruct', since(start)]);
    const exporting = { cpu: cpuMs(), wall: performance.now() };
    await encodeFiles(result, { formats: ['glb'] });
    stages.push(['face.glb', since(exporting)], ['= photo to face.glb', since(start)]);
    const others = { cpu: cpuMs(), wall: performance.now() };
    await encodeFiles(result, { formats: ['maps', 'preview', 'json'] });
    stages.push(['maps, preview, json', since(others)], ['= photo to all default files', since(start)]);
    if (run >= 0) for (const [name, sample] of stages) add(name, sample);
  }
  const order = [...STAGES, '= reconstruct', 'face.glb', '= photo to face.glb', 'maps, preview, json', '= photo to all default files'];
  return order
    .filter((name) => rows.has(name))
    .map((name) => ({ name, cpu: rows.get(name)!.map((s) => s.cpu), wall: rows.get(name)!.map((s) => s.wall) }));
}

/** Runs the command line in a process of its own: wall time from start to exit, its CPU time and peak memory. */
async function timeCommand(args: readonly string[]): Promise<{ wall: number; cpu: number; peakMb: number }> {
  // The child says at its exit what the system counted for it; nothing else is added to it.
  const hook = `data:text/javascript,process.on('exit',()=>{const r=process.resourceUsage();process.stderr.write('\\n@@'+JSON.stringify([(r.userCPUTime+r.systemCPUTime)/1000,r.maxRSS/1024])+'\\n')})`;
  const start = performance.now();
  const child = spawn(process.execPath, ['--import', hook, CLI, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const wall = performance.now() - start;
  const usage = /@@(\[.*\])/.exec(text);
  if (status !== 0 || usage === null) throw new Error(`the command line ended with ${status}: ${text}`);
  const [cpu, peakMb] = JSON.parse(usage[1]!) as [number, number];
  return { wall, cpu, peakMb };
}

/** A warm engine in a process of its own. */
async function startWorker(photoFile: string): Promise<ChildProcess> {
  // As the service starts its workers.
  const env = { ...process.env, MALLOC_ARENA_MAX: process.env.MALLOC_ARENA_MAX ?? '2' };
  const worker = fork(fileURLToPath(new URL('./warm-worker.ts', import.meta.url)), [photoFile], { env });
  await nextMessage(worker);
  return worker;
}

/** What a worker says next; an error when it ends instead. */
async function nextMessage(worker: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const exit = once(worker, 'exit', { signal: ended.signal }).then(([status]) => {
    throw new Error(`a worker ended with ${status}`);
  });
  exit.catch(() => {});
  try {
    const [message] = (await Promise.race([once(worker, 'message', { signal: ended.signal }), exit])) as [unknown];
    return message;
  } finally {
    ended.abort();
  }
}

async function makeFaces(worker: ChildProcess, count: number): Promise<WorkerResult> {
  worker.send(count);
  return (await nextMessage(worker)) as WorkerResult;
}

/** Photo to face.glb in warm processes: one alone and two side by side, in turns, so that a slow moment of the machine meets both. */
async function timeWorkers(photoFile: string) {
  const workers = [await startWorker(photoFile), await startWorker(photoFile)] as const;
  const alone: WorkerResult[] = [];
  const together: number[] = [];
  for (let round = 0; round < WORKER_ROUNDS; round++) {
    alone.push(await makeFaces(workers[0], FACES_PER_ROUND));
    const start = performance.now();
    await Promise.all(workers.map((worker) => makeFaces(worker, FACES_PER_ROUND)));
    together.push(performance.now() - start);
  }
  for (const worker of workers) worker.disconnect();
  const aloneMs = median(alone.map((a) => a.wallMs));
  const togetherMs = median(together);
  return {
    faceWallMs: aloneMs / FACES_PER_ROUND,
    faceCpuMs: median(alone.map((a) => a.cpuMs)) / FACES_PER_ROUND,
    peakMb: Math.max(...alone.map((a) => a.peakMb)),
    facesPerSecondAlone: (1000 * FACES_PER_ROUND) / aloneMs,
    facesPerSecondTogether: (2000 * FACES_PER_ROUND) / togetherMs,
    throughputRatio: (2 * aloneMs) / togetherMs,
  };
}

function print(title: string, rows: readonly Row[]): void {
  process.stdout.write(
    `\n${title}\n${'stage'.padEnd(32)}${'CPU ms: median (min .. p95)'.padStart(32)}${'wall ms: median (min .. p95)'.padStart(34)}\n`,
  );
  const cell = (list: readonly number[]): string => {
    const sorted = ascending(list);
    return `${quantile(sorted, 0.5).toFixed(1)} (${sorted[0]!.toFixed(1)} .. ${quantile(sorted, 0.95).toFixed(1)})`;
  };
  for (const row of rows) process.stdout.write(`${row.name.padEnd(32)}${cell(row.cpu).padStart(32)}${cell(row.wall).padStart(34)}\n`);
}

const machine = describeMachine();
if (!values.json) process.stdout.write(`${machine}\n${RUNS} runs each after 3 not counted\n`);
const photos = [
  { name: '12 MP', bytes: await makePhoto(3000, 4000, 2e6) },
  { name: '512 px', bytes: await makePhoto(512, 512, null) },
];
const report: Record<string, unknown> = { machine, runs: RUNS };

const loading = { cpu: cpuMs(), wall: performance.now() };
const engine = await createEngine();
const load = { cpu: cpuMs() - loading.cpu, wall: performance.now() - loading.wall };
report.load = load;
if (!values.json)
  process.stdout.write(`\nengine loaded in ${load.wall.toFixed(0)} ms (${load.cpu.toFixed(0)} ms CPU), cache ${engine.networks.cache}\n`);
for (const photo of photos) {
  const rows = await timeFaces(engine, photo.bytes);
  report[photo.name] = rows;
  if (!values.json) print(`${photo.name} photo, ${(photo.bytes.length / 1e6).toFixed(2)} MB`, rows);
}
report.peakRssMb = process.resourceUsage().maxRSS / 1024;
if (!values.json)
  process.stdout.write(`\npeak memory of this process: ${(report.peakRssMb as number).toFixed(0)} MB (all kinds of files, two photos)\n`);
await engine.close();

const folder = await mkdtemp(join(tmpdir(), 'facewright-bench-'));
try {
  const file = join(folder, 'photo.jpg');
  await writeFile(file, photos[0]!.bytes);
  const warm = await timeWorkers(file);
  report.warm = warm;
  if (!values.json) {
    process.stdout.write(
      `\none warm process, 12 MP photo to face.glb and nothing else: wall ${warm.faceWallMs.toFixed(0)} ms, CPU ${warm.faceCpuMs.toFixed(0)} ms a face, peak memory ${warm.peakMb.toFixed(0)} MB\n` +
        `two of them side by side: ${warm.facesPerSecondTogether.toFixed(1)} faces a second against ${warm.facesPerSecondAlone.toFixed(1)}, ${warm.throughputRatio.toFixed(2)} times the throughput of one\n`,
    );
  }
  const single = (k: number): Promise<{ wall: number; cpu: number; peakMb: number }> =>
    timeCommand(['make', file, '-o', join(folder, `out-${k}`), '--quiet']);
  await single(0);
  const alone = [];
  const pairs = [];
  for (let k = 1; k <= 5; k++) {
    alone.push(await single(k));
    // Interleaved with the runs alone, so that a slow moment of the machine meets both.
    const start = performance.now();
    await Promise.all([single(100 + k), single(200 + k)]);
    pairs.push(performance.now() - start);
  }
  const cold = {
    wallMs: median(alone.map((a) => a.wall)),
    cpuMs: median(alone.map((a) => a.cpu)),
    peakMb: median(alone.map((a) => a.peakMb)),
    twoAtOnceWallMs: median(pairs),
  };
  report.cold = cold;
  if (!values.json) {
    process.stdout.write(
      `\ncommand line, cold, 12 MP photo, all default files (5 runs): wall ${cold.wallMs.toFixed(0)} ms, CPU ${cold.cpuMs.toFixed(0)} ms, peak memory ${cold.peakMb.toFixed(0)} MB\n` +
        `two of them at once: ${cold.twoAtOnceWallMs.toFixed(0)} ms, ${((2 * cold.wallMs) / cold.twoAtOnceWallMs).toFixed(2)} times the throughput of one\n`,
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
if (values.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);

/**
 * @module A worker process: one engine, one photo after another. Started by {@link createWorkerPool} and no other way.
 *
 * A process and not a thread, because photos come from strangers: a crash in native code (decoder, network runtime), an endless loop
 * or memory without end must cost one job. It has no secrets in its environment and opens no connection.
 */

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import module from 'node:module';
import { join } from 'node:path';
import type { Engine, ReconstructOptions } from '@facewright/engine';
import { FacewrightError, type JobProgress, wireFromError } from '@facewright/protocol';
import type { FromWorker, ToWorker, WorkerSettings } from '../worker-messages.ts';
import type { WorkerFile, WorkerResult, WorkerTask } from '../worker-pool.ts';
import { contentTypeOf } from './content-type-of.ts';

/** Share of the whole that is done when a stage begins and when it ends: wall time of a 2 MB photo with the default outputs. */
const STAGE_RATIOS = {
  decode: [0, 0.2],
  detect: [0.2, 0.3],
  landmarks: [0.3, 0.38],
  fit: [0.38, 0.5],
  texture: [0.5, 0.7],
  export: [0.7, 1],
} as const;
const STAGE_NAMES = Object.keys(STAGE_RATIOS) as (keyof typeof STAGE_RATIOS)[];

/** A face to warm up with. It comes with the project; where only the packages are installed, the first job is slower. */
const WARM_UP_PHOTO = new URL('../../../../../examples/portrait.jpg', import.meta.url);

/** Begins to load before the settings are here: it takes most of the time of a start. */
const loading = import('@facewright/engine');
loading.catch(() => {}); // told at `start`

let engine: Engine | undefined;
let running: { readonly number: number; readonly abort: AbortController } | undefined;

// Signals to the whole group (Ctrl-C) reach workers too; the pool decides what happens.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
// The service is gone, and with it whoever wanted the result. `process.exit` would wait for threads of native code.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', (message: ToWorker) => {
  void handle(message);
});

async function handle(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'start':
      await start(message.settings);
      break;
    case 'run':
      await run(message.number, message.task);
      break;
    case 'cancel':
      if (running?.number === message.number) running.abort.abort();
      break;
    case 'close':
      process.exit(0);
  }
}

async function start(settings: WorkerSettings): Promise<void> {
  try {
    const { createEngine, encodeFiles } = await loading;
    engine = await createEngine({
      provider: settings.provider,
      ...(settings.cacheDir === null ? {} : { cacheDir: settings.cacheDir }),
      limits: { maxBytes: settings.maxPhotoBytes, maxPixels: settings.maxPhotoPixels },
    });
    const photo = await readFile(WARM_UP_PHOTO).catch(() => null);
    // Compiles what runs for every photo. Its failure says nothing of other photos.
    if (photo !== null) await engine.reconstruct(photo).then((face) => encodeFiles(face, { formats: ['glb', 'preview', 'json'] }));
    send({ type: 'ready', loadMs: performance.now() });
    keepCompiledCode();
  } catch (error) {
    send({ type: 'unable', error: wireFromError(error), stack: stackOf(error) }, () => process.exit(1));
  }
}

async function run(number: number, task: WorkerTask): Promise<void> {
  const abort = new AbortController();
  running = { number, abort };
  try {
    if (engine === undefined) throw new FacewrightError('FW_INTERNAL', { what: 'a worker was given work before it was ready' });
    const result = await makeFace(engine, number, task, abort.signal);
    send({ type: 'done', number, result, rssBytes: process.memoryUsage.rss() });
  } catch (error) {
    send({ type: 'failed', number, error: wireFromError(error), stack: stackOf(error), rssBytes: process.memoryUsage.rss() });
  }
  running = undefined;
}

async function makeFace(engine: Engine, number: number, task: WorkerTask, signal: AbortSignal): Promise<WorkerResult> {
  const { encodeFiles } = await loading;
  const { options } = task;
  const photo = await readFile(task.photoPath);
  const progress = (stage: JobProgress['stage'], done: boolean): void => {
    const index = STAGE_NAMES.indexOf(stage);
    send({
      type: 'progress',
      number,
      progress: { stage, index, total: STAGE_NAMES.length, ratio: STAGE_RATIOS[stage][done ? 1 : 0] },
    });
  };
  const reconstructOptions: ReconstructOptions = {
    face: options.face,
    textureSize: options.textureSize,
    model: options.model,
    ...(options.focal35mm === undefined ? {} : { focal35mm: options.focal35mm }),
    signal,
    onProgress: ({ stage, done }) => progress(stage, done),
    onLandmarks: ({ points }, { width, height }) => {
      send({
        type: 'landmarks',
        number,
        landmarks: {
          widthPx: width,
          heightPx: height,
          // A tenth of a pixel is what the network can tell.
          points: Array.from({ length: 478 }, (_, k): [number, number] => [round(points[3 * k], 1), round(points[3 * k + 1], 1)]),
        },
      });
    },
  };
  const made = await engine.reconstruct(photo, reconstructOptions);
  progress('export', false);
  const begin = performance.now();
  const encoded = await encodeFiles(made, { formats: options.formats, compact: options.compact });
  const files: WorkerFile[] = [];
  for (const [name, bytes] of encoded) {
    if (signal.aborted) throw new FacewrightError('FW_CANCELED', { stage: 'export' });
    await writeFile(join(task.outputDir, name), bytes, { flag: 'wx' });
    files.push({
      name,
      bytes: bytes.length,
      contentType: contentTypeOf(name),
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  }
  progress('export', true);
  const { face } = made;
  return {
    model: { id: face.model.id, version: face.model.version },
    provider: made.provider,
    face: { index: made.faceIndex, count: made.faceCount },
    photo: { widthPx: made.photo.width, heightPx: made.photo.height, format: made.photo.format },
    pose: { yawDeg: round(face.pose.yawDeg, 3), pitchDeg: round(face.pose.pitchDeg, 3), rollDeg: round(face.pose.rollDeg, 3) },
    quality: {
      confidence: round(face.confidence, 4),
      residualRatio: round(face.residualRmsPx / face.eyeDistancePx, 6),
      eyeDistancePx: round(face.eyeDistancePx, 2),
      observedRatio: round(made.maps.observedRatio, 4),
    },
    blendshapes: made.blendshapes.map(({ name, weight }) => ({ name, weight: round(weight, 4) })),
    timingsMs: Object.fromEntries(
      Object.entries({ ...made.timings, export: performance.now() - begin }).map(([stage, ms]) => [stage, round(ms, 2)]),
    ),
    // The one warning that names a folder of this machine is the operator's business (`facewright doctor` tells it).
    warnings: made.warnings
      .filter(({ code }) => code !== 'CACHE_NOT_WRITABLE')
      .map(({ code, message, hint, params }) => ({ code, message, hint, params })),
    files,
  };
}

function send(message: FromWorker, then: () => void = () => {}): void {
  if (process.connected) process.send?.(message, undefined, {}, then);
}

/** Node (22.10 and later) writes what it compiled when a process ends; ours are often killed. */
function keepCompiledCode(): void {
  (module as { readonly flushCompileCache?: () => void }).flushCompileCache?.();
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function round(value: number, decimals: number): number {
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale;
}

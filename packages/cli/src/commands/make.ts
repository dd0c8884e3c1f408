import { randomUUID } from 'node:crypto';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { ERRORS, type FacewrightError } from '@facewright/protocol';
import type { CommandContext } from '../command-context.ts';
import type { CommandIo } from '../command-io.ts';
import { createBatchReport } from '../make/batch-report.ts';
import { createLocalMaker } from '../make/create-local-maker.ts';
import { formatBytes, formatMs, formatRefused, isAboutPath, isRemark, jsonFromOutcome } from '../make/describe-outcome.ts';
import { findPhotos } from '../make/find-photos.ts';
import type { MakeJob, MakeOptions } from '../make/make-options.ts';
import { findFinished, type MadePhoto } from '../make/make-photo.ts';
import { planOutputs } from '../make/plan-outputs.ts';
import { type PhotoOutcome, runBatch } from '../make/run-batch.ts';
import { checkTarget } from '../output/write-folder.ts';
import { createPaint } from '../print/paint.ts';
import { createProgressLine } from '../print/progress-line.ts';
import { errorOfTable, exitStatusOf, reportError } from '../print/report-error.ts';
import { showPath, showText } from '../print/show-path.ts';

export interface MakeCommandOptions extends Omit<MakeOptions, 'cwd'> {
  readonly output?: string | undefined;
  readonly concurrency?: number | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
}

/** What one worker process takes at most, bytes: 300 MB for the engine (its budget) and room for a large photo. */
const WORKER_BYTES = 450e6;

type Job = MakeJob & { readonly error: FacewrightError | undefined };
type Printing = Pick<MakeCommandOptions, 'json' | 'quiet' | 'debug'>;

/** `facewright make`: returns the exit status. */
export async function make(args: readonly string[], options: MakeCommandOptions, context: CommandContext): Promise<number> {
  const { cwd } = context.io;
  const { output, concurrency, json, quiet, debug, ...rest } = options;
  const makeOptions: MakeOptions = { ...rest, cwd };
  const { photos, isSingle, leftOut } = await findPhotos(args, cwd);
  const paths = photos.map((photo) => photo.path);
  const targets = planOutputs(paths, { isSingle, output, cwd });
  const jobs = photos.map(({ path, error }, i): Job => ({ photo: path, target: targets[i]!, error }));
  const printing = { json, quiet, debug };
  return isSingle
    ? makeOne(jobs[0]!, makeOptions, printing, context)
    : makeSeveral(jobs, makeOptions, { ...printing, leftOut, concurrency }, context);
}

async function makeOne(job: Job, options: MakeOptions, { json, quiet, debug }: Printing, context: CommandContext): Promise<number> {
  const { io, now } = context;
  const photo = showPath(job.photo, io.cwd);
  const progress = createProgressLine(io.stderr, !json && !quiet);
  const maker = createLocalMaker(options, context.engineModule);
  const start = now();
  let outcome: PhotoOutcome;
  try {
    if (job.error !== undefined) throw job.error;
    const made = await maker.make(job, {
      signal: io.signal,
      onProgress: ({ stage, index, total }) => progress.show(`${photo}  ${stage} (${index + 1}/${total})`),
    });
    outcome = { photo: job.photo, ms: now() - start, made };
  } catch (thrown) {
    outcome = { photo: job.photo, ms: now() - start, error: errorOfTable(thrown) };
  }
  progress.clear();
  await maker.close();

  if (json) io.stdout.write(`${JSON.stringify(jsonFromOutcome(outcome, io))}\n`);
  const { made, error } = outcome;
  if (error !== undefined) {
    reportError(io, error, { ...(isAboutPath(error) ? {} : { about: photo }), debug });
    return exitStatusOf(error, io);
  }
  if (!quiet) printWarnings(made!, io);
  if (!quiet && !json) io.stdout.write(formatMade(outcome, made!, io));
  io.stderr.write(formatRefused(made!, photo));
  return made!.refused.length > 0 ? ERRORS.FW_BATCH_FAILED.exit : 0;
}

async function makeSeveral(
  jobs: readonly Job[],
  options: MakeOptions,
  { leftOut, concurrency, ...printing }: Printing & { readonly leftOut: number; readonly concurrency: number | undefined },
  context: CommandContext,
): Promise<number> {
  const { io, now } = context;
  const isVain = jobs.every((job) => job.error !== undefined);
  // One look at the place where everything goes: without it, each of a thousand photos would fail by itself.
  // The name is one that is not there: what lies in the place under another name is nobody's obstacle.
  if (!isVain) await checkTarget(join(dirname(jobs[0]!.target), `.facewright-${randomUUID()}`), { cwd: io.cwd });

  const atOnce = chooseConcurrency(concurrency, jobs.length);
  const makers = await Promise.all(Array.from({ length: atOnce }, () => context.createBatchMaker(options)));
  const report = createBatchReport({ ...printing, io, now, total: jobs.length, atOnce, leftOut, isVain });
  const result = await runBatch({
    jobs,
    makers,
    findFinished: options.force ? null : (job) => findFinished(job, options),
    signal: io.signal,
    now,
    onStart: report.started,
    onOutcome: report.finished,
  });
  await Promise.all(makers.map((maker) => maker.close()));
  return report.end(result);
}

/** The answer for one photo: where it is, what the pose and the confidence are, which files. */
function formatMade({ ms }: PhotoOutcome, made: MadePhoto, io: CommandIo): string {
  const paint = createPaint(io.stdout, io.env);
  const bytes = made.files.reduce((sum, file) => sum + file.bytes, 0);
  const lines = [`${paint.green(showPath(made.target, io.cwd))}  ${formatMs(ms)}, ${formatBytes(bytes)}`];
  for (const face of made.faces) {
    const { yawDeg, pitchDeg, rollDeg } = face.pose;
    const name = face.folder === '' ? 'face' : face.folder;
    const angles = `yaw ${yawDeg.toFixed(0)}, pitch ${pitchDeg.toFixed(0)}, roll ${rollDeg.toFixed(0)} degrees`;
    const seen = `${Math.round(100 * face.observedRatio)} % of the texture seen`;
    lines.push(`  ${name}: ${angles}; ${seen}; confidence ${face.confidence.toFixed(2)}`);
  }
  const names = new Set(made.files.map((file) => file.name.replace(/\/.*/, '/')));
  lines.push(`  ${paint.dim([...names].join('  '))}`);
  return `${lines.join('\n')}\n`;
}

function printWarnings(made: MadePhoto, io: CommandIo): void {
  const paint = createPaint(io.stderr, io.env);
  for (const face of made.faces) {
    const about = face.folder === '' ? '' : `${face.folder}: `;
    for (const { code, message, hint } of face.warnings) {
      const label = isRemark(code) ? 'note:' : paint.yellow('warning:');
      io.stderr.write(`${label} ${showText(about + message)} ${paint.dim(`[${code}]`)}\n  ${hint}\n`);
    }
  }
}

/** Cores, but no more workers than photos, or than fit into the memory (of a container, too). */
function chooseConcurrency(wanted: number | undefined, photos: number): number {
  const constrained = process.constrainedMemory() ?? 0;
  const memory = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  const fitting = wanted ?? Math.min(availableParallelism(), Math.floor(memory / WORKER_BYTES));
  return Math.max(1, Math.min(fitting, photos));
}

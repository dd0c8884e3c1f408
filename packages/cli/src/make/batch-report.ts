import { FacewrightError } from '@facewright/protocol';
import type { CommandIo } from '../command-io.ts';
import { createPaint } from '../print/paint.ts';
import { createProgressLine, estimateEtaMs, formatBar } from '../print/progress-line.ts';
import { exitStatusOf, jsonFromError, reportError } from '../print/report-error.ts';
import { showPath } from '../print/show-path.ts';
import {
  countOf,
  formatMs,
  formatOutcome,
  formatOutcomes,
  formatRefused,
  formatRemarks,
  isAboutPath,
  jsonFromOutcome,
} from './describe-outcome.ts';
import type { MakeJob } from './make-options.ts';
import type { BatchResult, PhotoOutcome } from './run-batch.ts';

/** Tells how a batch goes: a bar on a terminal, lines in a pipe, a table at the end; or JSON lines. */
export interface BatchReport {
  started(job: MakeJob): void;
  finished(outcome: PhotoOutcome): void;
  /** Returns the exit status. */
  end(result: BatchResult): number;
}

export interface BatchReportOptions {
  readonly io: CommandIo;
  /** Milliseconds. */
  readonly now: () => number;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
  /** Photos in all. */
  readonly total: number;
  /** Photos that are made at once. */
  readonly atOnce: number;
  /** Files in folders that were no photos by their names. */
  readonly leftOut: number;
  /** No argument led to a photo that can be read: the errors are all there is to say. */
  readonly isVain: boolean;
}

interface Counts {
  made: number;
  skipped: number;
  failed: number;
  untried: number;
  /** Faces that `--face all` asked for and that could not be made. */
  refusedFaces: number;
}

export function createBatchReport(options: BatchReportOptions): BatchReport {
  const { io, now, json, quiet, debug, total, atOnce, leftOut, isVain } = options;
  const startMs = now();
  // Text for people, apart from errors; stdout belongs to the JSON where there is any.
  const text = quiet || isVain ? null : json ? io.stderr : io.stdout;
  const isLive = !quiet && !isVain && io.stderr.isTTY === true;
  const progress = createProgressLine(io.stderr, isLive);
  const counts: Counts = { made: 0, skipped: 0, failed: 0, untried: 0, refusedFaces: 0 };
  const finishedAtMs: number[] = [];
  let current = '';

  const countDone = (): number => counts.made + counts.skipped + counts.failed;
  const draw = (): void => {
    const done = countDone();
    const etaMs = estimateEtaMs({ startMs, finishedAtMs, atOnce, left: total - done });
    progress.show(formatBar({ done, total, failed: counts.failed, etaMs, columns: io.stderr.columns ?? 80, note: current }));
  };

  return {
    started(job) {
      current = showPath(job.photo, io.cwd);
      draw();
    },

    finished(outcome) {
      const { made, error } = outcome;
      if (error !== undefined) counts.failed++;
      else if (made?.state === 'skipped') counts.skipped++;
      else counts.made++;
      counts.refusedFaces += made?.refused.length ?? 0;
      if (made?.state !== 'skipped') finishedAtMs.push(now());

      progress.clear();
      const photo = showPath(outcome.photo, io.cwd);
      if (json) io.stdout.write(`${JSON.stringify(jsonFromOutcome(outcome, io))}\n`);
      // On a terminal the bar says how far it is and the table at the end has the rest.
      if (!isLive) text?.write(`[${countDone()}/${total}] ${photo} -> ${formatOutcome(outcome, io.cwd)}\n`);
      if (error !== undefined) reportError(io, error, { ...(isAboutPath(error) ? {} : { about: photo }), debug });
      else io.stderr.write(formatRefused(made!, photo));
      draw();
    },

    end(result) {
      progress.clear();
      counts.untried = result.untried.length;
      const ms = now() - startMs;
      const parts = [
        `${counts.made} made`,
        ...(counts.skipped > 0 ? [`${counts.skipped} finished before`] : []),
        ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
        ...(counts.untried > 0 ? [`${counts.untried} not tried`] : []),
        ...(leftOut > 0 ? [`${countOf(leftOut, 'other file')} left out`] : []),
      ];
      text?.write(
        `\n${formatOutcomes(result.outcomes, io.cwd)}\n${parts.join(', ')} in ${formatMs(ms)}\n${formatRemarks(result.outcomes)}`,
      );

      const error = isVain ? result.outcomes[0]!.error! : judgeBatch(result, counts, total);
      const exitStatus = error === null ? 0 : exitStatusOf(error, io);
      if (json) {
        const verdict = { ok: error === null, exitStatus, ...(error === null ? {} : { error: jsonFromError(error, io) }) };
        io.stdout.write(`${JSON.stringify({ type: 'summary', photos: total, ...counts, ms: Math.round(ms), ...verdict })}\n`);
      }
      if (error !== null && !isVain) printVerdict(io, error, result, counts, total);
      return exitStatus;
    },
  };
}

/** What is wrong with the batch as a whole, or null. Refused faces count: not all that was asked for is there. */
function judgeBatch({ stoppedBy }: BatchResult, { failed, refusedFaces, untried }: Counts, total: number): FacewrightError | null {
  if (stoppedBy !== null) return stoppedBy;
  // Without a reason of its own, a batch leaves photos untried only when it was told to stop.
  if (untried > 0) return new FacewrightError('FW_CANCELED', { stage: 'the batch' });
  return failed > 0 || refusedFaces > 0 ? new FacewrightError('FW_BATCH_FAILED', { failed, total }) : null;
}

/** The two last lines of a batch that did not go as asked. */
function printVerdict(io: CommandIo, error: FacewrightError, { stoppedBy }: BatchResult, counts: Counts, total: number): void {
  const lines = (what: string, hint: string): void => {
    io.stderr.write(`${createPaint(io.stderr, io.env).red('facewright:')} ${what} [${error.code}]\n  ${hint}\n`);
  };
  const again = 'Run the same command again to go on; finished photos are not done twice.';
  if (stoppedBy !== null) lines(`stopped with ${counts.untried} of ${total} photos not tried`, again);
  else if (error.code === 'FW_CANCELED') lines(`canceled with ${counts.made + counts.skipped} of ${total} photos finished`, again);
  else if (counts.failed > 0) reportError(io, error);
  else lines(`${countOf(counts.refusedFaces, 'face')} could not be reconstructed`, error.hint);
}

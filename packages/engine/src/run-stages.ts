import { FacewrightError } from '@facewright/protocol';
import { type OnProgress, STAGES, type Stage } from './progress.ts';

/** Runs the stages of one reconstruction: checks for cancellation before each, measures wall time, reports progress. */
export interface StageRunner {
  /** @throws FW_CANCELED when the signal was aborted before or while the stage ran */
  run<T>(stage: Stage, work: () => T | Promise<T>): Promise<T>;
  /** Wall time of each stage so far, milliseconds; a stage that ran twice is the sum. */
  readonly timings: Partial<Record<Stage, number>>;
}

/**
 * @param now - clock, milliseconds; passed in so that the engine reads none by itself
 * @param signal - aborts between stages (stages check it inside as well where they take long)
 */
export function createStageRunner(now: () => number, signal: AbortSignal | undefined, onProgress: OnProgress | undefined): StageRunner {
  const timings: Partial<Record<Stage, number>> = {};
  const checkAborted = (stage: Stage): void => {
    if (signal?.aborted) throw new FacewrightError('FW_CANCELED', { stage });
  };
  return {
    timings,
    async run(stage, work) {
      checkAborted(stage);
      const position = { stage, index: STAGES.indexOf(stage), total: STAGES.length };
      onProgress?.({ ...position, done: false });
      const start = now();
      const result = await work();
      const ms = now() - start;
      timings[stage] = (timings[stage] ?? 0) + ms;
      checkAborted(stage);
      onProgress?.({ ...position, done: true, ms });
      // Between two stages the event loop gets a turn, so that an abort from outside is seen within one stage.
      await new Promise<void>((resolve) => setImmediate(resolve));
      return result;
    },
  };
}

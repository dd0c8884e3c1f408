import type { ServiceTime } from '../http/app-deps.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import type { Log } from '../observability/create-log.ts';

/** Until something was measured: a face of a usual photo on a usual core. Seconds. */
const FIRST_GUESS_S = 0.25;
/** Weight of the latest job in the running mean: the last twenty or so count. */
const SMOOTHING = 0.1;
const COUNT_PAUSE_MS = 2000;

/**
 * Measures how long jobs take and how many run at once, for waiting times (`Retry-After`, position in the queue).
 *
 * @param workers - processes here; 0 where others do the work: then the most jobs that were seen running at once, forgotten by a
 *   tenth each time fewer are, stand for them
 */
export function measureServiceTime(
  queue: JobQueue,
  workers: number,
  log: Log,
): { readonly read: () => ServiceTime; readonly stop: () => void } {
  let meanS: number | undefined;
  let seen = Math.max(1, workers);
  let isStopped = false;
  let unwatch = (): void => {};
  queue
    .watchFinished((job) => {
      if (job.state !== 'succeeded' || job.startedAt === null || job.finishedAt === null) return;
      const tookS = (job.finishedAt - job.startedAt) / 1000;
      meanS = meanS === undefined ? tookS : meanS + SMOOTHING * (tookS - meanS);
    })
    .then(
      (end) => {
        if (isStopped) end();
        else unwatch = end;
      },
      (error: unknown) => log.warn({ error }, 'Service time cannot be measured'),
    );
  const timer =
    workers > 0
      ? undefined
      : setInterval(() => {
          queue.counts().then(
            ({ processing }) => {
              seen = Math.max(1, processing, 0.9 * seen);
            },
            () => {},
          );
        }, COUNT_PAUSE_MS).unref();
  return {
    read: () => ({ meanS: Math.max(0.01, meanS ?? FIRST_GUESS_S), workers: Math.round(seen) }),
    stop() {
      isStopped = true;
      clearInterval(timer);
      unwatch();
    },
  };
}

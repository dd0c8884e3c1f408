import { isFinished, type Job } from '../jobs/job.ts';
import type { JobQueue } from '../jobs/job-queue.ts';

/**
 * The job after its end, or as it is after `waitMs`, or when `signal` aborts (then nobody waits any more, or the service closes).
 * null when it was removed meanwhile.
 *
 * @throws FW_QUEUE_UNAVAILABLE
 */
export async function waitForEnd(queue: JobQueue, job: Job, waitMs: number, signal: AbortSignal): Promise<Job | null> {
  if (isFinished(job.state) || waitMs === 0 || signal.aborted) return job;
  let stop!: () => void;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const timer = setTimeout(stop, waitMs);
  signal.addEventListener('abort', stop, { once: true });
  let unwatch: (() => void) | undefined;
  try {
    unwatch = await queue.watch(job.tenant, job.id, (changed) => {
      if (isFinished(changed.state)) stop();
    });
    // It may have ended before the watch began.
    const now = await queue.get(job.tenant, job.id);
    if (now === null || isFinished(now.state)) return now;
    await stopped;
    return await queue.get(job.tenant, job.id);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    unwatch?.();
  }
}

import type { ServiceTime } from './app-deps.ts';
import { MAX_RETRY_AFTER_S } from './problem.ts';

/** Seconds until `jobs` have been worked off: their number times the measured work on one, over how many run at once. */
export function computeWaitS(jobs: number, { meanS, workers }: ServiceTime): number {
  return (Math.max(0, jobs) * Math.max(0, meanS)) / Math.max(1, workers);
}

/** The same as a Retry-After: whole seconds from 1 to {@link MAX_RETRY_AFTER_S}. */
export function computeRetryAfterS(jobs: number, time: ServiceTime): number {
  return Math.min(MAX_RETRY_AFTER_S, Math.max(1, Math.ceil(computeWaitS(jobs, time))));
}

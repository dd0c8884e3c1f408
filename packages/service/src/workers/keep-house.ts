import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Job } from '../jobs/job.ts';
import { isFinished, keepsPhoto } from '../jobs/job.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import type { Log } from '../observability/create-log.ts';
import { jobPrefix } from '../storage/job-keys.ts';
import type { ObjectStorage } from '../storage/object-storage.ts';

export interface HouseDeps {
  readonly queue: JobQueue;
  readonly storage: ObjectStorage;
  readonly log: Log;
  /** Unix ms. @default Date.now */
  readonly now?: () => number;
  /** For tests: shorter pauses. */
  readonly pauses?: { readonly sweepMs?: number; readonly expireMs?: number; readonly orphansMs?: number; readonly photoMs?: number };
}

const SWEEP_PAUSE_MS = 1000;
const EXPIRE_PAUSE_MS = 5000;
const ORPHANS_PAUSE_MS = 3_600_000;
/** Pauses between attempts to delete the photo of an ended job begin with this, double, and are at most the second; all together last the third. */
const PHOTO_RETRY_MS = 500;
const PHOTO_MAX_PAUSE_MS = 60_000;
const PHOTO_GIVE_UP_MS = 3_600_000;
/** The queue holds an end as not told for at most this long: then another process would be told of it, too. Milliseconds. */
const PHOTO_HOLD_MS = 20_000;
/** More photos than this are not waited for one by one; the hourly round finds them. */
const MAX_WAITING_PHOTOS = 1000;
/** Expired jobs that are forgotten at once. */
const EXPIRE_BATCH = 100;
/** An object without a job is one of a request that still arrives, until it is this old. Longer than any upload may take. Milliseconds. */
const ORPHAN_AGE_MS = 2 * 3_600_000;

/**
 * Keeps the house of a queue and its storage in order, for as long as it runs: deadlines and lost leases every second, photos of
 * ended jobs at once (where the storage fails, as soon as it works again), results when they expire, and at the start and every hour whatever no job knows (left by a process that was
 * killed). Several processes may do it at the same time.
 */
export function keepHouse(deps: HouseDeps): { readonly stop: () => Promise<void> } {
  const { queue, storage, log, pauses = {} } = deps;
  const works = new Set<Promise<void>>();
  const timers = new Set<NodeJS.Timeout>();
  let isStopped = false;
  const begin = (work: () => Promise<void>): Promise<void> => {
    const done = work().catch((error: unknown) => log.warn({ error }, 'Keeping house failed; it is tried again'));
    works.add(done);
    return done.finally(() => works.delete(done));
  };
  const every = (pauseMs: number, work: () => Promise<void>): void => {
    const turn = (): void => {
      void begin(work).then(() => {
        if (isStopped) return;
        const timer = setTimeout(() => {
          timers.delete(timer);
          turn();
        }, pauseMs);
        timers.add(timer);
      });
    };
    turn();
  };

  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  const pause = (ms: number): Promise<void> => delay(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
  let waitingPhotos = 0;
  /** Tries until it is gone. True when it is, or is left to the hourly round; false when the house was stopped before. */
  const deletePhoto = async (key: string): Promise<boolean> => {
    const end = Date.now() + PHOTO_GIVE_UP_MS;
    let isWaiting = false;
    try {
      for (let pauseMs = pauses.photoMs ?? PHOTO_RETRY_MS; ; pauseMs = Math.min(2 * pauseMs, PHOTO_MAX_PAUSE_MS)) {
        const error = await storage.delete(key).then(
          () => null,
          (e: unknown) => e,
        );
        if (error === null) return true;
        if (isStopped) return false;
        if (!isWaiting) {
          // Not a line for every photo of an outage.
          if (waitingPhotos === 0) log.warn({ error }, 'Photos of ended jobs cannot be deleted; it is tried again');
          if (waitingPhotos >= MAX_WAITING_PHOTOS) return true;
          isWaiting = true;
          waitingPhotos++;
        }
        if (Date.now() >= end) return true;
        await pause(pauseMs);
      }
    } finally {
      if (isWaiting) waitingPhotos--;
    }
  };
  /** Settles when the photo is gone or the queue has waited enough. Never where the house stops before: the end is then told again. */
  const heldWhileTrying = (key: string): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, PHOTO_HOLD_MS).unref();
      void begin(async () => {
        const isSettled = await deletePhoto(key);
        clearTimeout(timer);
        if (isSettled) resolve();
      });
    });

  let unwatch: (() => void) | undefined;
  const watching = queue
    .watchFinished((job) => (keepsPhoto(job) ? undefined : heldWhileTrying(job.photo.key)))
    .then(
      (end) => {
        if (isStopped) end();
        else unwatch = end;
      },
      (error: unknown) => log.error({ error }, 'Ended jobs cannot be watched; photos go with the hourly round'),
    );
  every(pauses.sweepMs ?? SWEEP_PAUSE_MS, () => queue.sweep());
  every(pauses.expireMs ?? EXPIRE_PAUSE_MS, () => expire(deps, () => isStopped));
  every(pauses.orphansMs ?? ORPHANS_PAUSE_MS, () => removeOrphans(deps, () => isStopped));

  return {
    async stop() {
      isStopped = true;
      stopping.abort();
      for (const timer of timers) clearTimeout(timer);
      await watching;
      unwatch?.();
      await Promise.all(works);
    },
  };
}

async function expire({ queue, storage, log }: HouseDeps, isStopped: () => boolean): Promise<void> {
  while (!isStopped()) {
    const jobs = await queue.removeExpired(EXPIRE_BATCH);
    for (const { tenant, id } of jobs) {
      // The job is forgotten already: what stays now is found by the hourly round.
      await storage
        .deleteAll(jobPrefix(tenant, id))
        .catch((error: unknown) => log.warn({ error, jobId: id, tenant }, 'Files of an expired job were not deleted'));
    }
    if (jobs.length > 0) log.info({ jobs: jobs.length }, 'Expired results deleted');
    if (jobs.length < EXPIRE_BATCH) return;
  }
}

/** `<tenant>/jobs/<id>/…` */
const JOB_KEY = /^([^/]+)\/jobs\/([^/]+)\//;

/** Deletes objects of jobs that nobody knows, photos that should be gone, and files of attempts that did not become the result. */
async function removeOrphans({ queue, storage, log, now = Date.now }: HouseDeps, isStopped: () => boolean): Promise<void> {
  let removed = 0;
  let last: { readonly tenant: string; readonly id: string; readonly job: Job | null } | undefined;
  for await (const { key, modifiedAt } of storage.list('')) {
    if (isStopped()) break;
    const [, tenant, id] = JOB_KEY.exec(key) ?? [];
    if (tenant === undefined || id === undefined) continue;
    const isOld = now() - modifiedAt > ORPHAN_AGE_MS;
    if (last?.tenant !== tenant || last.id !== id) last = { tenant, id, job: await queue.get(tenant, id) };
    const { job } = last;
    const isUnknown = job === null && isOld;
    const isEndedPhoto = job !== null && isFinished(job.state) && key === job.photo.key && !keepsPhoto(job);
    const isLostAttempt =
      job !== null && isFinished(job.state) && isOld && key !== job.photo.key && !job.outcome?.files.some((file) => file.key === key);
    if (!isUnknown && !isEndedPhoto && !isLostAttempt) continue;
    await storage.delete(key);
    removed++;
  }
  if (removed > 0) log.info({ objects: removed }, 'Objects without a job deleted');
}

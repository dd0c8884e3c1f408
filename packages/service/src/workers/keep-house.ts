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
  readonly pauses?: { readonly sweepMs?: number; readonly expireMs?: number; readonly orphansMs?: number };
}

const SWEEP_PAUSE_MS = 1000;
const EXPIRE_PAUSE_MS = 5000;
const ORPHANS_PAUSE_MS = 3_600_000;
/** Expired jobs that are forgotten at once. */
const EXPIRE_BATCH = 100;
/** An object without a job is one of a request that still arrives, until it is this old. Longer than any upload may take. Milliseconds. */
const ORPHAN_AGE_MS = 2 * 3_600_000;

/**
 * Keeps the house of a queue and its storage in order, for as long as it runs: deadlines and lost leases every second, photos of
 * ended jobs at once, results when they expire, and at the start and every hour whatever no job knows (left by a process that was
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

  let unwatch: (() => void) | undefined;
  const watching = queue
    .watchFinished((job) => {
      if (!keepsPhoto(job)) void begin(() => storage.delete(job.photo.key));
    })
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

import type { JobLandmarks, JobProgress, WireError } from '@facewright/protocol';
import type { Job, JobOutcome, NewJob } from './job.ts';

/** Limits that `submit` applies atomically. */
export interface SubmitLimits {
  /** Waiting jobs of all tenants. */
  readonly maxQueued: number;
  /** Waiting and running jobs of this tenant. */
  readonly tenantMaxPending: number;
}

/**
 * What became of a submission. `existing` is the job that holds the id already (in any state, also a finished one): the
 * caller compares fingerprints. The two `full` ones kept nothing.
 */
export type Submitted =
  | { readonly kind: 'accepted'; readonly job: Job }
  | { readonly kind: 'existing'; readonly job: Job }
  | { readonly kind: 'queue-full'; readonly queued: number }
  | { readonly kind: 'tenant-full'; readonly pending: number };

/**
 * The right to work on a job for a while. `token` is the fence: whoever holds an older one can change nothing any more.
 * A lease that is not renewed in time goes to another worker (second and last attempt) or fails the job with FW_WORKER_LOST.
 */
export interface Lease {
  readonly job: Job;
  readonly token: string;
}

/** Answer to a renewal: go on, or stop because the job was canceled, removed, timed out or given to another. */
export type LeaseState = 'held' | 'lost';

export interface QueueCounts {
  readonly queued: number;
  readonly processing: number;
  readonly byTenant: ReadonlyMap<string, { readonly queued: number; readonly processing: number }>;
}

export interface ListOptions {
  readonly limit: number;
  /** Cursor that the page before returned. */
  readonly after?: string;
}

/** How many jobs of a tenant may run at once, and its share where tenants compete. */
export interface TenantShare {
  /** Positive. A tenant of weight 2 gets twice as many turns as one of weight 1. */
  readonly weight: number;
  readonly maxProcessing: number;
}

/**
 * The queue of jobs and the only keeper of their state. Two adapters (a journal on disk, Redis) pass one conformance suite.
 *
 * Guarantees: `submit` returns only when the job survives kill -9 of every process; jobs of one tenant start in order of
 * submission; tenants take turns by weight (one tenant's thousand do not starve another's one); a job is started at most twice;
 * it ends exactly once (`complete`, `fail`, `cancel`, the deadline and losing the second lease exclude each other); an ended job
 * never changes until it is removed. Times come from `now` of the adapter.
 *
 * Every method throws FW_QUEUE_UNAVAILABLE when the store does not answer within a bounded time; nothing is then half done.
 */
export interface JobQueue {
  /** Accepts a job durably, or says why not. */
  submit(job: NewJob, limits: SubmitLimits): Promise<Submitted>;
  get(tenant: string, id: string): Promise<Job | null>;
  /** Newest first, all states; only of this tenant. */
  list(tenant: string, options: ListOptions): Promise<{ readonly jobs: readonly Job[]; readonly next: string | null }>;
  /** Jobs that start before this one; null when it does not wait. */
  position(tenant: string, id: string): Promise<number | null>;
  /** Waiting or running → canceled, at once; a finished job stays as it is. Returns the job after it, null when there is none. */
  cancel(tenant: string, id: string): Promise<Job | null>;
  /** Forgets a job in any state (a running one is canceled first). Returns it for cleaning up, null when there was none. */
  remove(tenant: string, id: string): Promise<Job | null>;
  counts(): Promise<QueueCounts>;

  /** Waits for the next job whose turn it is; null when `signal` aborts. `consumer` names the taker in logs. */
  take(consumer: string, signal: AbortSignal): Promise<Lease | null>;
  /** Prolongs a lease. Callers renew at least every third of `leaseMs`. */
  renew(lease: Lease): Promise<LeaseState>;
  readonly leaseMs: number;
  /** Tells watchers how far a job is; ignored (`lost`) from an old lease. Progress need not survive a crash. */
  report(lease: Lease, update: { readonly progress?: JobProgress; readonly landmarks?: JobLandmarks }): Promise<LeaseState>;
  /**
   * Commits the result. `lost`: somebody else ended the job; the caller deletes its files. After FW_QUEUE_UNAVAILABLE nobody knows whether it
   * was committed: the caller keeps the files and calls again; the lease that committed hears `held` again.
   */
  complete(lease: Lease, outcome: JobOutcome): Promise<LeaseState>;
  /** Ends the job with an error; with `retry` and an attempt left it waits again, in front of its tenant's others. */
  fail(lease: Lease, error: WireError, options: { readonly retry: boolean }): Promise<LeaseState>;
  /** Gives the job back unworked (draining): it waits again, in front, and the attempt does not count. */
  handBack(lease: Lease): Promise<LeaseState>;

  /** Calls `listener` with the job after every change (state, progress, landmarks) until the returned function is called. */
  watch(tenant: string, id: string, listener: (job: Job) => void): Promise<() => void>;
  /**
   * Calls `listener` with every job that ends, wherever it ran, at least once per job and process group: webhooks, metrics. The job
   * counts as told when what the listener returns has settled; a process that dies before is told again, or another is.
   */
  watchFinished(listener: (job: Job) => unknown): Promise<() => void>;
  /** Ends jobs past their deadline and requeues or fails lost leases. Called every second by the owner; safe from several processes. */
  sweep(): Promise<void>;
  /** Forgets and returns up to `limit` finished jobs with `expiresAt` at or before now; the caller deletes their files. */
  removeExpired(limit: number): Promise<readonly Job[]>;
  /** Throws FW_QUEUE_UNAVAILABLE with the reason when the store does not work. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Where an adapter asks for the share of a tenant; tenants change while the service runs. */
export type ShareOf = (tenant: string) => TenantShare;

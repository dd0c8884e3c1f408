import { FacewrightError, type JobLandmarks, type JobProgress, type WireError, wireFromError } from '@facewright/protocol';
import { FairTurns, type TenantLine, type TurnClocks } from './fair-turns.ts';
import { isFinished, type Job, type JobOutcome, type NewJob } from './job.ts';
import type { Lease, LeaseState, ListOptions, QueueCounts, ShareOf, SubmitLimits, Submitted } from './job-queue.ts';
import { packJob, unpackJob } from './pack-job.ts';

/** Most starts of one job. */
const MAX_ATTEMPTS = 2;

/** Milliseconds after the end until a job is packed: for who comes late to see the landmarks. */
const PACK_AFTER_MS = 60_000;

/** A job with what the queue must know beside it. Never changed in place, so that an old one can be put back. */
export interface JobRecord {
  readonly job: Job;
  /** Submission number: order of lists and of starts. What was started before has smaller ones than what waits for the first time. */
  readonly seq: number;
  /** Of the last lease, also when it has ended. */
  readonly token: string | null;
  /** Unix ms. */
  readonly leaseUntil: number;
  /** The end was told to whoever watches for ends. */
  readonly told: boolean;
  /** Of a job that ended a while ago: all that is not in an index, deflated. Then `job` has the index only; see {@link jobOf}. */
  readonly packed?: string;
}

/** The job of a record, whole. */
export function jobOf({ job, packed }: JobRecord): Job {
  return packed === undefined ? job : unpackJob(job, packed);
}

/** The record of an ended job as it is kept until it expires, for which there are days. */
export function packRecord(record: JobRecord): JobRecord {
  const { index, packed } = packJob(jobOf(record));
  // The table looks at nothing else of a job that has ended.
  const { seq, token, leaseUntil, told } = record;
  return { job: index as Job, seq, token, leaseUntil, told, packed };
}

/** One step from a record to the next; null where there is none. */
export interface Change {
  readonly key: string;
  readonly before: JobRecord | null;
  readonly after: JobRecord | null;
  readonly clocks: TurnClocks;
}

interface TenantJobs extends TenantLine {
  queued: number;
  processing: number;
  /** Both by `seq`. */
  readonly waiting: JobRecord[];
  readonly all: JobRecord[];
}

export const recordKey = (tenant: string, id: string): string => `${tenant}/${id}`;

/**
 * All jobs in memory with the rules of {@link import('./job-queue.ts').JobQueue}, synchronous: who may do what, whose turn it is.
 * Every change is handed to `onChange` and can be undone with {@link JobTable.undo} in reverse order, so that a journal can refuse it.
 */
export class JobTable {
  readonly #records = new Map<string, JobRecord>();
  readonly #unfinished = new Set<string>();
  readonly #processing = new Set<string>();
  readonly #finished = new Set<string>();
  /** Ended and not packed, in the order of their ends. */
  readonly #unpacked = new Set<string>();
  readonly #tenants = new Map<string, TenantJobs>();
  readonly #turns: FairTurns;
  readonly #onChange: (change: Change) => void;
  #queued = 0;
  /** No job has an earlier deadline: most sweeps need not look. */
  #earliestDeadline = Number.POSITIVE_INFINITY;
  #lastSeq = 0;

  constructor(shareOf: ShareOf, onChange: (change: Change) => void) {
    this.#turns = new FairTurns(shareOf);
    this.#onChange = onChange;
  }

  get(key: string): JobRecord | null {
    return this.#records.get(key) ?? null;
  }
  records(): readonly JobRecord[] {
    return [...this.#records.values()];
  }

  submit(job: NewJob, limits: SubmitLimits): Submitted {
    const key = recordKey(job.tenant, job.id);
    const existing = this.#records.get(key);
    if (existing) return { kind: 'existing', job: jobOf(existing) };
    const line = this.#tenants.get(job.tenant);
    const pending = (line?.queued ?? 0) + (line?.processing ?? 0);
    if (pending >= limits.tenantMaxPending) return { kind: 'tenant-full', pending };
    if (this.#queued >= limits.maxQueued) return { kind: 'queue-full', queued: this.#queued };
    const accepted: Job = {
      ...job,
      state: 'queued',
      attempt: 0,
      startedAt: null,
      finishedAt: null,
      expiresAt: null,
      progress: null,
      landmarks: null,
      outcome: null,
      error: null,
    };
    const seq = this.#lastSeq + 1;
    this.put(key, { job: accepted, seq, token: null, leaseUntil: 0, told: false });
    return { kind: 'accepted', job: accepted };
  }

  list(tenant: string, options: ListOptions): { readonly jobs: readonly Job[]; readonly next: string | null } {
    const all = this.#tenants.get(tenant)?.all ?? [];
    const before = options.after === undefined ? Number.POSITIVE_INFINITY : cursorSeq(options.after);
    const end = lowerBound(all, before);
    const start = Math.max(0, end - options.limit);
    const page = all.slice(start, end).reverse();
    return { jobs: page.map(jobOf), next: start > 0 && page.length > 0 ? formatCursor(page.at(-1)!.seq) : null };
  }

  position(key: string): number | null {
    const record = this.#records.get(key);
    if (record?.job.state !== 'queued') return null;
    const line = this.#tenants.get(record.job.tenant)!;
    return this.#turns.position(line, lowerBound(line.waiting, record.seq), this.#tenants.values());
  }

  counts(): QueueCounts {
    const byTenant = new Map<string, { queued: number; processing: number }>();
    let processing = 0;
    for (const line of this.#tenants.values()) {
      if (line.queued + line.processing === 0) continue;
      byTenant.set(line.tenant, { queued: line.queued, processing: line.processing });
      processing += line.processing;
    }
    return { queued: this.#queued, processing, byTenant };
  }

  /** Starts the next job; jobs past their deadline that stand in front of it end on the way. */
  start(token: string, now: number, leaseMs: number): Lease | null {
    for (;;) {
      const tenant = this.#turns.next(this.#tenants.values());
      if (tenant === null) return null;
      const record = this.#tenants.get(tenant)!.waiting[0];
      if (record.job.deadlineAt <= now) {
        this.#endByDeadline(record, now);
        continue;
      }
      const job: Job = { ...record.job, state: 'processing', attempt: record.job.attempt + 1, startedAt: now };
      this.#change(record, { ...record, job, token, leaseUntil: now + leaseMs }, () => this.#turns.take(tenant));
      return { job, token };
    }
  }

  renew(lease: Lease, now: number, leaseMs: number): LeaseState {
    const record = this.#held(lease, now);
    if (record === null) return 'lost';
    // Neither a change nor journaled: leases are void after a restart.
    this.#replace(recordKey(lease.job.tenant, lease.job.id), { ...record, leaseUntil: now + leaseMs });
    return 'held';
  }

  /** The job with its progress, or null when the lease was lost. Not a change: progress need not survive. */
  report(lease: Lease, update: { readonly progress?: JobProgress; readonly landmarks?: JobLandmarks }, now: number): Job | null {
    const record = this.#held(lease, now);
    if (record === null) return null;
    const job: Job = {
      ...record.job,
      progress: update.progress ?? record.job.progress,
      landmarks: update.landmarks ?? record.job.landmarks,
    };
    this.#replace(recordKey(job.tenant, job.id), { ...record, job });
    return job;
  }

  complete(lease: Lease, outcome: JobOutcome, now: number): LeaseState {
    const known = this.#records.get(recordKey(lease.job.tenant, lease.job.id));
    // Done before by the same holder, who did not hear of it.
    if (known?.job.state === 'succeeded' && known.token === lease.token) return 'held';
    const record = this.#held(lease, now);
    if (record === null) return 'lost';
    this.#end(record, now, { state: 'succeeded', outcome });
    return 'held';
  }

  fail(lease: Lease, error: WireError, retry: boolean, now: number): LeaseState {
    const record = this.#held(lease, now);
    if (record === null) return 'lost';
    if (retry && record.job.attempt < MAX_ATTEMPTS) this.#requeue(record, record.job.attempt);
    else this.#end(record, now, { state: 'failed', error });
    return 'held';
  }

  handBack(lease: Lease, now: number): LeaseState {
    const record = this.#held(lease, now);
    if (record === null) return 'lost';
    this.#requeue(record, record.job.attempt - 1, () => this.#turns.giveBack(record.job.tenant));
    return 'held';
  }

  cancel(key: string, now: number): Job | null {
    const record = this.#records.get(key);
    if (!record) return null;
    if (!isFinished(record.job.state)) this.#end(record, now, { state: 'canceled' });
    return jobOf(this.#records.get(key)!);
  }

  remove(key: string, now: number): Job | null {
    const job = this.cancel(key, now);
    if (job !== null) this.#change(this.#records.get(key)!, null);
    return job;
  }

  sweep(now: number): void {
    for (const key of [...this.#processing]) {
      const record = this.#records.get(key)!;
      if (record.job.deadlineAt > now && record.leaseUntil <= now) this.#loseLease(record, now);
    }
    this.#pack(now);
    if (now < this.#earliestDeadline) return;
    this.#earliestDeadline = Number.POSITIVE_INFINITY;
    for (const key of [...this.#unfinished]) {
      const record = this.#records.get(key)!;
      if (record.job.deadlineAt <= now) this.#endByDeadline(record, now);
      else this.#earliestDeadline = Math.min(this.#earliestDeadline, record.job.deadlineAt);
    }
  }

  /** Takes every lease away: the processes that held them are gone. */
  loseLeases(now: number): void {
    for (const key of [...this.#processing]) this.#loseLease(this.#records.get(key)!, now);
  }

  removeExpired(limit: number, now: number): readonly Job[] {
    const removed: Job[] = [];
    for (const key of this.#finished) {
      if (removed.length >= limit) break;
      const record = this.#records.get(key)!;
      if (record.job.expiresAt! > now) continue;
      removed.push(jobOf(record));
    }
    for (const job of removed) this.#change(this.#records.get(recordKey(job.tenant, job.id))!, null);
    return removed;
  }

  markTold(key: string): void {
    const record = this.#records.get(key);
    if (record && !record.told) this.#change(record, { ...record, told: true });
  }

  /** Sets a record, as a change. For `submit` and for reading a journal. */
  put(key: string, after: JobRecord | null): void {
    const before = this.#records.get(key) ?? null;
    const tenant = (after ?? before)?.job.tenant;
    if (tenant === undefined) return;
    const clocks = this.#turns.clocks(tenant);
    this.#replace(key, after);
    this.#onChange({ key, before, after, clocks });
  }

  /** Takes a change back. Later ones must have been taken back before. */
  undo(change: Change): void {
    this.#replace(change.key, change.before);
    this.#turns.restore((change.before ?? change.after)!.job.tenant, change.clocks);
  }

  /** Not a change: what is told of the job, but for its landmarks, stays the same. */
  #pack(now: number): void {
    for (const key of this.#unpacked) {
      const record = this.#records.get(key)!;
      if (record.job.finishedAt! + PACK_AFTER_MS > now) return;
      this.#replace(key, packRecord(record));
    }
  }

  #held(lease: Lease, now: number): JobRecord | null {
    const record = this.#records.get(recordKey(lease.job.tenant, lease.job.id));
    if (record?.job.state !== 'processing' || record.token !== lease.token) return null;
    if (record.job.deadlineAt <= now) {
      this.#endByDeadline(record, now);
      return null;
    }
    if (record.leaseUntil <= now) {
      this.#loseLease(record, now);
      return null;
    }
    return record;
  }

  #endByDeadline(record: JobRecord, now: number): void {
    const { job } = record;
    const error = wireFromError(new FacewrightError('FW_JOB_DEADLINE', { limitMs: job.deadlineAt - job.createdAt }));
    this.#end(record, now, { state: 'failed', error });
  }

  #loseLease(record: JobRecord, now: number): void {
    const { attempt } = record.job;
    if (attempt < MAX_ATTEMPTS) this.#requeue(record, attempt);
    else this.#end(record, now, { state: 'failed', error: wireFromError(new FacewrightError('FW_WORKER_LOST', { attempts: attempt })) });
  }

  #requeue(record: JobRecord, attempt: number, afterwards?: () => void): void {
    const job: Job = { ...record.job, state: 'queued', attempt, progress: null, landmarks: null };
    this.#change(record, { ...record, job, token: null, leaseUntil: 0 }, afterwards);
  }

  #end(record: JobRecord, now: number, end: Pick<Job, 'state'> & Partial<Pick<Job, 'outcome' | 'error'>>): void {
    const job: Job = { ...record.job, ...end, finishedAt: now, expiresAt: now + record.job.ttlMs };
    this.#change(record, { ...record, job, leaseUntil: 0 });
  }

  #change(before: JobRecord, after: JobRecord | null, afterwards?: () => void): void {
    const { tenant, id } = before.job;
    const key = recordKey(tenant, id);
    const clocks = this.#turns.clocks(tenant);
    this.#replace(key, after);
    afterwards?.();
    this.#onChange({ key, before, after, clocks });
  }

  /** Sets the record and everything that is derived from it. */
  #replace(key: string, after: JobRecord | null): void {
    const before = this.#records.get(key);
    const { tenant } = (after ?? before)!.job;
    let line = this.#tenants.get(tenant);
    if (!line) {
      line = { tenant, queued: 0, processing: 0, waiting: [], all: [] };
      this.#tenants.set(tenant, line);
    }
    const wasWaiting = line.queued > 0;
    if (before) {
      line.all.splice(lowerBound(line.all, before.seq), 1);
      if (before.job.state === 'queued') {
        line.waiting.splice(lowerBound(line.waiting, before.seq), 1);
        this.#queued--;
      } else if (before.job.state === 'processing') {
        line.processing--;
        this.#processing.delete(key);
      }
    }
    this.#unfinished.delete(key);
    this.#unpacked.delete(key);
    if (after) {
      this.#records.set(key, after);
      this.#lastSeq = Math.max(this.#lastSeq, after.seq);
      line.all.splice(lowerBound(line.all, after.seq), 0, after);
      if (after.job.state === 'queued') {
        line.waiting.splice(lowerBound(line.waiting, after.seq), 0, after);
        this.#queued++;
      } else if (after.job.state === 'processing') {
        line.processing++;
        this.#processing.add(key);
      }
      if (isFinished(after.job.state)) {
        this.#finished.add(key);
        if (after.packed === undefined) this.#unpacked.add(key);
      } else {
        this.#finished.delete(key);
        this.#unfinished.add(key);
        this.#earliestDeadline = Math.min(this.#earliestDeadline, after.job.deadlineAt);
      }
    } else {
      this.#records.delete(key);
      this.#finished.delete(key);
    }
    line.queued = line.waiting.length;
    if (!wasWaiting && line.queued > 0) this.#turns.join(tenant);
    if (line.all.length === 0) this.#tenants.delete(tenant);
  }
}

const formatCursor = (seq: number): string => seq.toString(36);

function cursorSeq(cursor: string): number {
  const seq = /^[0-9a-z]{1,11}$/.test(cursor) ? Number.parseInt(cursor, 36) : Number.NaN;
  if (!Number.isSafeInteger(seq))
    throw new FacewrightError('FW_REQUEST_INVALID', { problems: [{ field: 'after', problem: 'not a cursor of this list' }] });
  return seq;
}

/** First index whose number is not below `seq`. */
function lowerBound(records: readonly JobRecord[], seq: number): number {
  let [low, high] = [0, records.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (records[middle].seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

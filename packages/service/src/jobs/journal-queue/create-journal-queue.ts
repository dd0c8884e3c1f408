import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FacewrightError, type WireError } from '@facewright/protocol';
import { isFinished, type Job, type JobOutcome, type NewJob } from '../job.ts';
import type { JobQueue, Lease, LeaseState, ListOptions, QueueCounts, ShareOf, SubmitLimits, Submitted } from '../job-queue.ts';
import { type Change, type JobRecord, JobTable, jobOf, packRecord, recordKey } from '../job-table.ts';
import { type JournalEntry, JournalFile } from './journal-file.ts';
import { JournalLock } from './journal-lock.ts';

export interface JournalQueueOptions {
  /** Folder of the journal and its lock; made where it is missing. */
  readonly dir: string;
  readonly shareOf: ShareOf;
  /** Milliseconds that a lease lasts without renewal. */
  readonly leaseMs?: number;
  /** Unix ms. */
  readonly now?: () => number;
}

/** A worker of this machine renews every few seconds, also while its computer is busy. */
const DEFAULT_LEASE_MS = 15_000;
/** Pause before `take` tries again to write down a start, where the disk was full. */
const TAKE_RETRY_MS = 500;

/** Whoever waits for the journal: changes that were applied in memory and what to do when they are, or are not, on the disk. */
interface Group {
  readonly changes: readonly Change[];
  /** Write also where nothing changed, to see that the disk works. */
  readonly isProbe?: boolean;
  readonly resolve: () => void;
  readonly reject: (e: unknown) => void;
}

interface Waiter {
  readonly resolve: (lease: Lease | null) => void;
  readonly signal: AbortSignal;
}

/**
 * Opens the {@link JobQueue} of one process: jobs in memory, every change in an append-only journal before anybody hears of it.
 *
 * Changes that arrive while the disk works are committed together with one `fdatasync`. Where a change cannot be written, it and all that were made
 * since are taken back: memory is never ahead of the disk for longer than a write, and nobody saw it. Progress is not written. After
 * a restart waiting jobs wait in their order; those that ran lost their worker (second attempt, or FW_WORKER_LOST).
 *
 * @throws FW_QUEUE_UNAVAILABLE when the journal is damaged or in use by another process, FW_STORAGE_FULL
 */
export async function createJournalQueue(options: JournalQueueOptions): Promise<JobQueue> {
  const { dir, shareOf, leaseMs = DEFAULT_LEASE_MS, now = Date.now } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 }).catch((e: NodeJS.ErrnoException) => {
    throw new FacewrightError('FW_QUEUE_UNAVAILABLE', { reason: `its folder cannot be made: ${e.code}` }, { cause: e });
  });
  const lock = await JournalLock.take(join(dir, 'jobs.lock'));
  try {
    const records = new Map<string, JobRecord>();
    const journal = await JournalFile.open(join(dir, 'jobs.journal'), (entry) => applyEntry(records, entry));
    const queue = new JournalQueue(journal, lock, shareOf, leaseMs, now);
    await queue.restore(records);
    return queue;
  } catch (e) {
    lock.release();
    throw e;
  }
}

class JournalQueue implements JobQueue {
  readonly leaseMs: number;
  readonly #journal: JournalFile;
  readonly #lock: JournalLock;
  readonly #now: () => number;
  readonly #table: JobTable;
  /** Changes of the operation that runs. */
  #changes: Change[] = [];
  #pending: Group[] = [];
  #writing: Promise<void> | null = null;
  /** The last rewriting of the journal. */
  #compacting: Promise<void> = Promise.resolve();
  /** How often changes were taken back: who reads waits for the disk and reads again where this moved. */
  #undone = 0;
  readonly #waiters: Waiter[] = [];
  #retryTimer: NodeJS.Timeout | null = null;
  readonly #watchers = new Map<string, Set<(job: Job) => void>>();
  readonly #finishWatchers = new Set<(job: Job) => unknown>();
  #backlog: NodeJS.Immediate | null = null;
  #isClosed: boolean = false;

  constructor(journal: JournalFile, lock: JournalLock, shareOf: ShareOf, leaseMs: number, now: () => number) {
    this.#journal = journal;
    this.#lock = lock;
    this.leaseMs = leaseMs;
    this.#now = now;
    this.#table = new JobTable(shareOf, (change) => this.#changes.push(change));
  }

  async restore(records: ReadonlyMap<string, JobRecord>): Promise<void> {
    for (const [key, record] of records) this.#table.put(key, record);
    this.#changes = [];
    await this.#change(() => this.#table.loseLeases(this.#now()));
  }

  submit(job: NewJob, limits: SubmitLimits): Promise<Submitted> {
    return this.#change(() => this.#table.submit(job, limits));
  }
  get(tenant: string, id: string): Promise<Job | null> {
    return this.#read(() => {
      const record = this.#table.get(recordKey(tenant, id));
      return record && jobOf(record);
    });
  }
  list(tenant: string, options: ListOptions): Promise<{ readonly jobs: readonly Job[]; readonly next: string | null }> {
    return this.#read(() => this.#table.list(tenant, options));
  }
  position(tenant: string, id: string): Promise<number | null> {
    return this.#read(() => this.#table.position(recordKey(tenant, id)));
  }
  cancel(tenant: string, id: string): Promise<Job | null> {
    return this.#change(() => this.#table.cancel(recordKey(tenant, id), this.#now()));
  }
  remove(tenant: string, id: string): Promise<Job | null> {
    return this.#change(() => this.#table.remove(recordKey(tenant, id), this.#now()));
  }
  counts(): Promise<QueueCounts> {
    return this.#read(() => this.#table.counts());
  }

  take(_consumer: string, signal: AbortSignal): Promise<Lease | null> {
    this.#assertUsable();
    if (signal.aborted) return Promise.resolve(null);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        signal,
        resolve: (lease) => {
          signal.removeEventListener('abort', onAbort);
          resolve(lease);
        },
      };
      const onAbort = (): void => {
        const at = this.#waiters.indexOf(waiter);
        if (at >= 0) this.#waiters.splice(at, 1);
        waiter.resolve(null);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push(waiter);
      this.#dispatch();
    });
  }
  renew(lease: Lease): Promise<LeaseState> {
    return this.#change(() => this.#table.renew(lease, this.#now(), this.leaseMs));
  }
  report(lease: Lease, update: Parameters<JobQueue['report']>[1]): Promise<LeaseState> {
    return this.#change(() => {
      const job = this.#table.report(lease, update, this.#now());
      if (job !== null) this.#tell(recordKey(job.tenant, job.id), job);
      return job === null ? 'lost' : 'held';
    });
  }
  complete(lease: Lease, outcome: JobOutcome): Promise<LeaseState> {
    return this.#change(() => this.#table.complete(lease, outcome, this.#now()));
  }
  fail(lease: Lease, error: WireError, options: { readonly retry: boolean }): Promise<LeaseState> {
    return this.#change(() => this.#table.fail(lease, error, options.retry, this.#now()));
  }
  handBack(lease: Lease): Promise<LeaseState> {
    return this.#change(() => this.#table.handBack(lease, this.#now()));
  }

  watch(tenant: string, id: string, listener: (job: Job) => void): Promise<() => void> {
    this.#assertUsable();
    const key = recordKey(tenant, id);
    const listeners = this.#watchers.get(key) ?? new Set();
    // A function of its own, so that the same listener may watch twice.
    const own = (job: Job): void => listener(job);
    this.#watchers.set(key, listeners.add(own));
    return Promise.resolve(() => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#watchers.get(key) === listeners) this.#watchers.delete(key);
    });
  }
  watchFinished(listener: (job: Job) => unknown): Promise<() => void> {
    this.#assertUsable();
    const own = (job: Job): unknown => listener(job);
    this.#finishWatchers.add(own);
    // Ends that nobody heard of, from before a crash or before anybody watched: told to all who begin to watch now, once.
    this.#backlog ??= setImmediate(() => {
      this.#backlog = null;
      const untold = this.#table.records().filter((r) => isFinished(r.job.state) && !r.told);
      for (const record of untold) this.#tellFinished(recordKey(record.job.tenant, record.job.id), jobOf(record));
    });
    return Promise.resolve(() => void this.#finishWatchers.delete(own));
  }
  sweep(): Promise<void> {
    return this.#change(() => this.#table.sweep(this.#now()));
  }
  removeExpired(limit: number): Promise<readonly Job[]> {
    return this.#change(() => this.#table.removeExpired(limit, this.#now()));
  }
  async check(): Promise<void> {
    this.#assertUsable();
    this.#lock.check();
    await new Promise<void>((resolve, reject) => {
      this.#pending.push({ changes: [], isProbe: true, resolve, reject });
      this.#startWriting();
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    if (this.#backlog !== null) clearImmediate(this.#backlog);
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(null);
    while (this.#writing !== null) await this.#writing;
    await this.#compacting;
    await this.#journal.close();
    this.#lock.release();
  }

  #assertUsable(): void {
    if (this.#isClosed) throw new FacewrightError('FW_QUEUE_UNAVAILABLE', { reason: 'it is closed' });
  }

  /** Applies an operation and returns when it is on the disk. */
  #change<T>(operation: () => T): Promise<T> {
    try {
      this.#assertUsable();
    } catch (e) {
      return Promise.reject(e);
    }
    return this.#commit(operation);
  }

  async #commit<T>(operation: () => T): Promise<T> {
    this.#lock.check();
    const value = operation();
    const changes = this.#changes.splice(0);
    // What changed nothing may tell of changes that are not on the disk yet; if those fail, it was told in error.
    if (changes.length === 0) {
      const undone = this.#undone;
      await this.#settled();
      return undone === this.#undone ? value : this.#commit(operation);
    }
    await new Promise<void>((resolve, reject) => {
      this.#pending.push({ changes, resolve, reject });
      this.#startWriting();
    });
    return value;
  }

  async #read<T>(query: () => T): Promise<T> {
    for (;;) {
      this.#assertUsable();
      const undone = this.#undone;
      const value = query();
      await this.#settled();
      if (undone === this.#undone) return value;
    }
  }

  /** Returns when everything that is applied now is written or taken back. */
  #settled(): Promise<void> {
    if (this.#pending.length === 0) return this.#writing ?? Promise.resolve();
    return new Promise((resolve) => {
      this.#pending.push({ changes: [], resolve, reject: () => resolve() });
    });
  }

  #startWriting(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
      if (this.#pending.length > 0) this.#startWriting();
    });
  }

  async #write(): Promise<void> {
    const groups = this.#pending.splice(0);
    try {
      this.#lock.check();
      const entries = groups.flatMap((g) => g.changes.map(entryOf));
      if (entries.length > 0 || groups.some((g) => g.isProbe)) await this.#journal.append(entries);
    } catch (e) {
      const refused = [...groups, ...this.#pending.splice(0)];
      for (const change of refused.flatMap((g) => g.changes).reverse()) this.#table.undo(change);
      this.#undone++;
      for (const group of refused) group.reject(e);
      return;
    }
    for (const group of groups) {
      group.resolve();
      for (const change of group.changes) this.#publish(change);
    }
    this.#dispatch();
    // In the background: whoever submits meanwhile does not wait for it.
    if (this.#journal.wantsCompaction) this.#compacting = this.#compact();
  }

  /** Rewrites the journal with what is on the disk now: what is pending comes after it. */
  async #compact(): Promise<void> {
    const records = new Map(this.#table.records().map((r) => [recordKey(r.job.tenant, r.job.id), r]));
    for (const change of this.#pending.flatMap((g) => g.changes).reverse()) {
      if (change.before === null) records.delete(change.key);
      else records.set(change.key, change.before);
    }
    // A disk without room for it is no reason to stop: the journal as it was is still there.
    await this.#journal.compact(snapshotOf(records)).catch(() => {});
  }

  /** Gives waiting jobs to waiting takers. */
  #dispatch(): void {
    while (this.#waiters.length > 0 && !this.#isClosed) {
      const lease = this.#table.start(randomUUID(), this.#now(), this.leaseMs);
      const changes = this.#changes.splice(0);
      if (changes.length === 0) return;
      const waiter = lease === null ? null : this.#waiters.shift()!;
      this.#pending.push({
        changes,
        resolve: () => {
          if (lease === null || waiter === null) return;
          // Gone, or the caller does not want it any more: as if it had not been started.
          if (waiter.signal.aborted || this.#isClosed) {
            waiter.resolve(null);
            void this.#commit(() => this.#table.handBack(lease, this.#now())).catch(() => {});
          } else waiter.resolve(lease);
        },
        reject: () => {
          if (waiter === null) return;
          if (waiter.signal.aborted || this.#isClosed) waiter.resolve(null);
          else this.#waiters.unshift(waiter);
          this.#retryTimer ??= setTimeout(() => {
            this.#retryTimer = null;
            this.#dispatch();
          }, TAKE_RETRY_MS).unref();
        },
      });
      this.#startWriting();
    }
  }

  #publish(change: Change): void {
    const { key, before, after } = change;
    if (after !== null) {
      if (before === null || before.job !== after.job) this.#tell(key, after.job);
      if (isFinished(after.job.state) && !after.told) this.#tellFinished(key, after.job);
    }
  }

  #tell(key: string, job: Job): void {
    for (const listener of this.#watchers.get(key) ?? []) callSafely(listener, job);
  }

  #tellFinished(key: string, job: Job): void {
    if (this.#finishWatchers.size === 0) return;
    const heard = [...this.#finishWatchers].map((listener) => callSafely(listener, job));
    // Not waited for: if it is lost, the end is told once more.
    void Promise.allSettled(heard).then(() => {
      // The id may be in use again by now.
      if (!this.#isClosed && this.#table.get(key)?.job.finishedAt === job.finishedAt)
        void this.#change(() => this.#table.markTold(key)).catch(() => {});
    });
  }
}

/** A listener that throws must not stop the others or the queue; its error ends where every unhandled one does. */
function callSafely(listener: (job: Job) => unknown, job: Job): unknown {
  try {
    return listener(job);
  } catch (e) {
    queueMicrotask(() => {
      throw e;
    });
    return undefined;
  }
}

/** What a journal keeps of a record: neither progress nor leases, but that by which a result was committed, for who asks again. */
function fieldsOf(record: JobRecord, whole = jobOf(record)): Record<string, unknown> {
  const { progress: _p, landmarks: _l, ...job } = whole;
  return { ...job, seq: record.seq, told: record.told, ...(job.state === 'succeeded' ? { token: record.token } : {}) };
}

/** Unpacks one record after the other. Records never change in place, so that this stays the state of one moment. */
function* snapshotOf(records: ReadonlyMap<string, JobRecord>): Generator<JournalEntry, void, undefined> {
  for (const [key, record] of records) yield [key, fieldsOf(record)];
}

function entryOf(change: Change): JournalEntry {
  if (change.after === null) return [change.key, null];
  if (change.before === null) return [change.key, fieldsOf(change.after)];
  // What is packed, and stays the same, need not be unpacked to see that.
  const isSame = change.before.packed !== undefined && change.before.packed === change.after.packed;
  const [before, after] = [change.before, change.after].map((record) => fieldsOf(record, isSame ? record.job : jobOf(record)));
  return [change.key, Object.fromEntries(Object.entries(after).filter(([name, value]) => before[name] !== value))];
}

function applyEntry(records: Map<string, JobRecord>, [key, fields]: JournalEntry): void {
  if (fields === null) {
    records.delete(key);
    return;
  }
  const known = records.get(key);
  // The usual change of a job that has ended: its end was told.
  if (known?.packed !== undefined && Object.keys(fields).every((name) => name === 'told')) {
    records.set(key, { ...known, ...fields });
    return;
  }
  const before = known === undefined ? {} : { ...jobOf(known), seq: known.seq, told: known.told };
  const { seq, told, token = null, ...job } = { ...before, ...fields } as unknown as Job & JobRecord;
  const record: JobRecord = { job: { ...job, progress: null, landmarks: null }, seq, told, token, leaseUntil: 0 };
  // Packed at once: all results of a large journal at their full size would not fit in the memory.
  records.set(key, isFinished(job.state) ? packRecord(record) : record);
}

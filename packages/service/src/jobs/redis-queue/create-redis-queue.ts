import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { FacewrightError, isFacewrightError, type WireError } from '@facewright/protocol';
import { Queue, type Job as Turn, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import type { Job, JobOutcome, NewJob } from '../job.ts';
import type { JobQueue, Lease, LeaseState, ListOptions, QueueCounts, ShareOf, SubmitLimits, Submitted } from '../job-queue.ts';
import { jobFromHash } from './job-from-hash.ts';
import { SCRIPTS, type ScriptName, scriptText } from './scripts.ts';

export interface RedisQueueOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** Of all keys. */
  readonly prefix: string;
  /** Asked at every submission and kept in Redis: workers need not know the tenants. */
  readonly shareOf: ShareOf;
  readonly leaseMs?: number;
  /** Unix ms; the clocks of all processes should agree within a second. */
  readonly now?: () => number;
  /** Told once of settings of the server with which accepted jobs may be lost. */
  readonly onWarning?: (text: string) => void;
}

/** Renewed every third of it; longer than a pause of the network that is worth waiting for. */
const DEFAULT_LEASE_MS = 15_000;
/** A command that has no answer after this has none. */
const COMMAND_TIMEOUT_MS = 4000;
/** How long a command waits for a connection before it is refused. Together with the one above: bounded, a few seconds. */
const CONNECT_TIMEOUT_MS = 2000;
/** Pause after a failure before the next turn is waited for. */
const RETRY_MS = 200;
/** Seconds that a worker waits in one blocking command; it is asked again at once. */
const BLOCK_S = 5;
/** Ended jobs that were read by a process which died before it told of them go to another after this. */
const CLAIM_MS = 30_000;
/** How long an end that somebody is slow to hear of keeps the next ones from being read. Milliseconds. */
const TELL_MS = 500;
/** How often ends are looked for where the message about them was lost. */
const ENDED_POLL_MS = 1000;
/** Closing takes at most twice this. */
const CLOSE_MS = 2000;
/** Most jobs that one run of the sweep script treats: Redis does nothing else meanwhile. */
const SWEEP_BATCH = 200;
/** Most turns that a sweep hands out anew. */
const MAX_NEW_TURNS = 64;

type ConnectionSettings = Omit<RedisOptions, 'replyMapping'>;
/** A command is refused, not kept for later, when there is no connection or no answer. */
const BOUNDED: ConnectionSettings = { maxRetriesPerRequest: 0, commandTimeout: COMMAND_TIMEOUT_MS };

interface Taker {
  readonly consumer: string;
  readonly signal: AbortSignal;
  readonly resolve: (lease: Lease | null) => void;
}

/**
 * The {@link JobQueue} of many processes, on Redis or Valkey.
 *
 * The state of a job is changed by scripts of our own, each one atomic step (scripts.ts). BullMQ hands out the turns: for every job
 * that may start there is a BullMQ job, a "turn"; workers wait for turns with BullMQ's blocking fetch, hold a turn, locked, while they
 * work, and get the turns of dead workers through its stalled check. Which job a turn is for is decided when it is taken. A turn too
 * many does nothing, one too few is added by `sweep`, so the two need no common transaction (docs/decisions/queue.md).
 *
 * Does not wait for the server: without one, methods throw FW_QUEUE_UNAVAILABLE within {@link COMMAND_TIMEOUT_MS} and a little, and work
 * again when it is back. A command whose answer was lost may have been done: `submit` of the same id tells.
 */
export function createRedisQueue(options: RedisQueueOptions): Promise<JobQueue> {
  return Promise.resolve(new RedisQueue(options));
}

class RedisQueue implements JobQueue {
  readonly leaseMs: number;
  readonly #options: RedisQueueOptions;
  readonly #now: () => number;
  readonly #prefix: string;
  readonly #redis: Redis;
  readonly #turns: Queue;
  #worker: Worker | null = null;
  #workerRedis: Redis | null = null;
  #subscriber: Redis | null = null;
  readonly #takers: Taker[] = [];
  #pump: Promise<void> | null = null;
  #isPumping: boolean = false;
  /** Turns that this process holds, by the token of the lease. */
  readonly #held = new Map<string, Turn>();
  readonly #background = new Set<Promise<unknown>>();
  readonly #watchers = new Map<string, { readonly listeners: Set<(job: Job) => void>; refresh: () => void }>();
  readonly #finishWatchers = new Set<(job: Job) => unknown>();
  readonly #connecting = new Map<Redis, Promise<void>>();
  readonly #instance = randomUUID();
  /** Ends that are being told of, by their place in the stream. */
  readonly #telling = new Map<string, Promise<void>>();
  #endedTimer: NodeJS.Timeout | null = null;
  #readingEnded: Promise<void> | null = null;
  #isReadingEnded: boolean = false;
  #readEndedAgain: boolean = false;
  #mayOwnEnded: boolean = false;
  #hasGroup: boolean = false;
  #hasWarned: boolean = false;
  #isClosed: boolean = false;

  constructor(options: RedisQueueOptions) {
    this.#options = options;
    this.leaseMs = options.leaseMs ?? DEFAULT_LEASE_MS;
    this.#now = options.now ?? Date.now;
    this.#prefix = `{${options.prefix}}:`;
    this.#redis = this.#connect({ ...BOUNDED, enableOfflineQueue: false, autoResendUnfulfilledCommands: false });
    for (const name of Object.keys(SCRIPTS) as ScriptName[]) {
      this.#redis.defineCommand(name, { numberOfKeys: 1, lua: scriptText(name) });
    }
    this.#turns = new Queue('turns', {
      connection: this.#redis,
      prefix: `{${options.prefix}}`,
      skipVersionCheck: true,
      skipMetasUpdate: true,
      streams: { events: { maxLen: 1000 } },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    this.#turns.on('error', () => {});
  }

  async submit(job: NewJob, limits: SubmitLimits): Promise<Submitted> {
    const { weight, maxProcessing } = this.#options.shareOf(job.tenant);
    const reply = await this.#run<[string, string[] | number]>(
      'fwSubmit',
      refOf(job),
      JSON.stringify(job),
      job.createdAt,
      job.deadlineAt,
      job.ttlMs,
      limits.maxQueued,
      limits.tenantMaxPending,
      weight,
      maxProcessing,
    );
    const [kind, value] = reply;
    if (kind === 'queue-full') return { kind, queued: value as number };
    if (kind === 'tenant-full') return { kind, pending: value as number };
    if (kind === 'accepted') this.#addTurns(1);
    return { kind: kind as 'accepted' | 'existing', job: jobFromHash(value as string[])!.job };
  }

  async get(tenant: string, id: string): Promise<Job | null> {
    const flat = await this.#ask((redis) => redis.call('HGETALL', `${this.#prefix}job:${tenant}/${id}`) as Promise<string[]>);
    return jobFromHash(flat)?.job ?? null;
  }

  async list(tenant: string, options: ListOptions): Promise<{ readonly jobs: readonly Job[]; readonly next: string | null }> {
    const highest = options.after === undefined ? '+inf' : `(${seqFromCursor(options.after)}`;
    const replies = await this.#run<string[][]>('fwList', tenant, highest, options.limit + 1);
    const found = replies.map((flat) => jobFromHash(flat)!);
    const page = found.slice(0, options.limit);
    return { jobs: page.map((f) => f.job), next: found.length > page.length && page.length > 0 ? page.at(-1)!.seq.toString(36) : null };
  }

  position(tenant: string, id: string): Promise<number | null> {
    return this.#run<number | null>('fwPosition', tenant, id);
  }
  cancel(tenant: string, id: string): Promise<Job | null> {
    return this.#cancel(tenant, id, false);
  }
  remove(tenant: string, id: string): Promise<Job | null> {
    return this.#cancel(tenant, id, true);
  }

  async counts(): Promise<QueueCounts> {
    const replies = await this.#ask((redis) => redis.multi().hgetall(`${this.#prefix}queued`).hgetall(`${this.#prefix}running`).exec());
    const [queued, running] = (replies ?? []).map(([, value]) => Object.entries(value as Record<string, string>));
    const byTenant = new Map<string, { queued: number; processing: number }>();
    const total = { queued: 0, processing: 0 };
    for (const [name, entries] of [['queued', queued] as const, ['processing', running] as const]) {
      for (const [tenant, text] of entries) {
        const line = byTenant.get(tenant) ?? { queued: 0, processing: 0 };
        line[name] = Number(text);
        total[name] += Number(text);
        byTenant.set(tenant, line);
      }
    }
    return { ...total, byTenant };
  }

  take(consumer: string, signal: AbortSignal): Promise<Lease | null> {
    if (signal.aborted || this.#isClosed) return Promise.resolve(null);
    return new Promise((resolve) => {
      const onAbort = (): void => {
        const at = this.#takers.indexOf(taker);
        if (at >= 0) this.#takers.splice(at, 1);
        resolve(null);
      };
      const taker: Taker = {
        consumer,
        signal,
        resolve: (lease) => {
          signal.removeEventListener('abort', onAbort);
          resolve(lease);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#takers.push(taker);
      if (!this.#isPumping) this.#pump = this.#pumpTurns();
    });
  }

  async renew(lease: Lease): Promise<LeaseState> {
    const state = await this.#asHolder('fwRenew', lease, this.leaseMs);
    const turn = this.#held.get(lease.token);
    if (state === 'held' && turn) this.#inBackground(turn.extendLock(lease.token, this.leaseMs));
    if (state === 'lost') this.#endTurn(lease.token);
    return state;
  }
  report(lease: Lease, update: Parameters<JobQueue['report']>[1]): Promise<LeaseState> {
    const fields = Object.entries(update).flatMap(([name, value]) => (value === undefined ? [] : [name, JSON.stringify(value)]));
    return this.#asHolder('fwReport', lease, ...fields);
  }
  complete(lease: Lease, outcome: JobOutcome): Promise<LeaseState> {
    return this.#asLastHolder('fwComplete', lease, JSON.stringify(outcome));
  }
  fail(lease: Lease, error: WireError, options: { readonly retry: boolean }): Promise<LeaseState> {
    return this.#asLastHolder('fwFail', lease, JSON.stringify(error), options.retry ? 1 : 0);
  }
  handBack(lease: Lease): Promise<LeaseState> {
    return this.#asLastHolder('fwHandBack', lease);
  }

  async watch(tenant: string, id: string, listener: (job: Job) => void): Promise<() => void> {
    const channel = `${this.#prefix}changed:${tenant}/${id}`;
    let entry = this.#watchers.get(channel);
    if (!entry) {
      const listeners = new Set<(job: Job) => void>();
      const refresh = coalesced(async () => {
        const job = await this.get(tenant, id).catch(() => null);
        if (job !== null) for (const tell of listeners) tell(job);
      });
      entry = { listeners, refresh };
      this.#watchers.set(channel, entry);
    }
    const own = (job: Job): void => listener(job);
    entry.listeners.add(own);
    const { listeners } = entry;
    const leave = (): void => {
      if (!listeners.delete(own) || listeners.size > 0) return;
      this.#watchers.delete(channel);
      if (this.#subscriber) this.#inBackground(this.#subscriber.unsubscribe(channel));
    };
    try {
      await this.#subscribe(channel);
    } catch (e) {
      leave();
      throw e;
    }
    return leave;
  }

  async watchFinished(listener: (job: Job) => unknown): Promise<() => void> {
    const own = (job: Job): unknown => listener(job);
    this.#finishWatchers.add(own);
    await this.#subscribe(`${this.#prefix}ended`);
    this.#endedTimer ??= setInterval(() => this.#readEnded(), ENDED_POLL_MS).unref();
    this.#readEnded();
    return () => void this.#finishWatchers.delete(own);
  }

  async sweep(): Promise<void> {
    for (;;) {
      const [done, wake] = await this.#run<[number, number]>('fwSweep', this.#now(), SWEEP_BATCH);
      this.#addTurns(wake);
      if (done < SWEEP_BATCH) break;
    }
    const startable = await this.#run<number>('fwStartable');
    if (startable === 0) return;
    const waiting = await this.#ask((redis) => redis.llen(this.#turns.toKey('wait')));
    if (waiting === 0) this.#addTurns(Math.min(startable, MAX_NEW_TURNS));
  }

  async removeExpired(limit: number): Promise<readonly Job[]> {
    const replies = await this.#run<string[][]>('fwRemoveExpired', this.#now(), limit);
    return replies.flatMap((flat) => jobFromHash(flat)?.job ?? []);
  }

  async check(): Promise<void> {
    const info = parseInfo(await this.#ask((redis) => redis.info()));
    if (info.get('role') === 'slave') throw unavailable('the server is a read-only replica');
    if (info.get('aof_last_write_status') === 'err') throw unavailable('the server cannot write its log');
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const warn = this.#options.onWarning ?? (() => {});
    if (info.get('aof_enabled') !== '1')
      warn('Redis keeps no append-only file: accepted jobs are lost when it ends (set appendonly yes, appendfsync always)');
    const policy = info.get('maxmemory_policy');
    if (policy !== undefined && policy !== 'noeviction' && info.get('maxmemory') !== '0')
      warn(`Redis may throw keys away when memory is short (maxmemory-policy ${policy}; set noeviction)`);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const taker of this.#takers.splice(0)) taker.resolve(null);
    if (this.#endedTimer !== null) clearInterval(this.#endedTimer);
    this.#finishWatchers.clear();
    this.#watchers.clear();
    // A server that does not answer must not keep the process from ending: what is not done in time is cut off.
    await inTime(async () => {
      await this.#readingEnded;
      await Promise.all(this.#telling.values());
      // Closing interrupts the blocking wait.
      await this.#worker?.close(true);
      await this.#pump;
      while (this.#background.size > 0) await Promise.allSettled(this.#background);
      // What it has read and not told would be lost with it.
      if (this.#hasGroup && !this.#mayOwnEnded && this.#redis.status === 'ready')
        await this.#redis.xgroup('DELCONSUMER', `${this.#prefix}ended`, 'watchers', this.#instance);
    });
    for (const redis of [this.#redis, this.#workerRedis, this.#subscriber]) redis?.disconnect();
    await inTime(() => this.#turns.close());
  }

  async #cancel(tenant: string, id: string, remove: boolean): Promise<Job | null> {
    const reply = await this.#run<[string[], number] | null>('fwCancel', `${tenant}/${id}`, this.#now(), remove ? 1 : 0);
    if (reply === null) return null;
    this.#addTurns(reply[1]);
    return jobFromHash(reply[0])!.job;
  }

  async #asHolder(name: ScriptName, lease: Lease, ...args: (string | number)[]): Promise<LeaseState> {
    const [isHeld, wake] = await this.#run<[number, number]>(name, refOf(lease.job), lease.token, this.#now(), ...args);
    this.#addTurns(wake);
    return isHeld === 1 ? 'held' : 'lost';
  }
  async #asLastHolder(name: ScriptName, lease: Lease, ...args: (string | number)[]): Promise<LeaseState> {
    const state = await this.#asHolder(name, lease, ...args);
    this.#endTurn(lease.token);
    return state;
  }

  #addTurns(count: number): void {
    // Not waited for: a turn that could not be added is added by the next sweep.
    if (count === 1) this.#inBackground(this.#turns.add('turn', {}));
    else if (count > 1) this.#inBackground(this.#turns.addBulk(Array.from({ length: count }, () => ({ name: 'turn', data: {} }))));
  }
  #endTurn(token: string): void {
    const turn = this.#held.get(token);
    if (!turn) return;
    this.#held.delete(token);
    this.#inBackground(turn.moveToCompleted('', token, false));
  }

  /** Waits for turns while somebody wants one. */
  async #pumpTurns(): Promise<void> {
    this.#isPumping = true;
    while (this.#takers.length > 0 && !this.#isClosed) {
      const token = randomUUID();
      let isAnswered = true;
      try {
        const turn = await this.#workerOf().getNextJob(token, { block: true });
        if (!turn) continue;
        // Whoever waited longest, of those who still do.
        const taker = this.#takers[0];
        if (!taker || this.#isClosed) {
          await turn.moveToWait(token);
          continue;
        }
        this.#held.set(token, turn);
        isAnswered = false;
        const flat = await this.#run<string[] | null>('fwStart', token, this.#now(), this.leaseMs, taker.consumer);
        isAnswered = true;
        const job = flat && jobFromHash(flat)!.job;
        if (job === null) this.#endTurn(token);
        else if (this.#takers[0] === taker) {
          this.#takers.shift();
          taker.resolve({ job, token });
        } else await this.#giveToAnother({ job, token });
      } catch (e) {
        // No connection, or the script was refused. What is left locked comes back through the stalled check and the sweep.
        this.#endTurn(token);
        if (!isAnswered && mayBeDone(e)) this.#inBackground(this.#handBackUnknown(token));
        if (!this.#isClosed) await sleep(RETRY_MS);
      }
    }
    // In the same breath as the last look at the takers: whoever comes after it starts anew.
    this.#isPumping = false;
  }
  /** A job that was started for nobody waits again at once, and has not lost an attempt. */
  async #handBackUnknown(token: string): Promise<void> {
    // Later its lease has ended.
    for (const end = performance.now() + this.leaseMs; performance.now() < end && !this.#isClosed; ) {
      const reply = await this.#run<[number, number]>('fwHandBackUnknown', token, this.#now()).catch(() => null);
      if (reply !== null) return this.#addTurns(reply[1]);
      await sleep(RETRY_MS);
    }
  }
  async #giveToAnother(lease: Lease): Promise<void> {
    const taker = this.#takers.shift();
    if (taker) taker.resolve(lease);
    else await this.handBack(lease);
  }

  #workerOf(): Worker {
    if (this.#worker) return this.#worker;
    // Blocking commands must outlive interruptions, so this connection repeats what others refuse.
    this.#workerRedis = this.#connect({ maxRetriesPerRequest: null });
    this.#worker = new Worker('turns', null, {
      connection: this.#workerRedis,
      prefix: `{${this.#options.prefix}}`,
      autorun: false,
      skipVersionCheck: true,
      drainDelay: BLOCK_S,
      lockDuration: this.leaseMs,
      stalledInterval: this.leaseMs,
    });
    this.#worker.on('error', () => {});
    this.#inBackground(this.#worker.startStalledCheckTimer());
    return this.#worker;
  }

  async #subscribe(channel: string): Promise<void> {
    if (this.#subscriber === null) {
      // Its own way of subscribing again has nobody who hears of a failure.
      const subscriber = this.#connect({ ...BOUNDED, autoResubscribe: false });
      this.#subscriber = subscriber;
      subscriber.on('message', (name: string, text: string) => this.#onMessage(name, text));
      subscriber.on('ready', () => this.#inBackground(this.#resubscribe(subscriber)));
    }
    await this.#guard(async () => {
      await this.#ready(this.#subscriber!);
      await this.#subscriber!.subscribe(channel);
    });
  }
  /** After every connecting. What was said meanwhile was not heard: everything is looked at again. */
  async #resubscribe(subscriber: Redis): Promise<void> {
    const channels = [...this.#watchers.keys(), ...(this.#finishWatchers.size > 0 ? [`${this.#prefix}ended`] : [])];
    if (channels.length === 0) return;
    try {
      await subscriber.subscribe(...channels);
    } catch {
      // A connection that does not even do this is made anew.
      if (!this.#isClosed) subscriber.disconnect(true);
      return;
    }
    for (const { refresh } of this.#watchers.values()) refresh();
    this.#readEnded();
  }
  #onMessage(channel: string, text: string): void {
    if (channel === `${this.#prefix}ended`) this.#readEnded();
    const entry = this.#watchers.get(channel);
    if (!entry) return;
    if (text === '') entry.refresh();
    else {
      // Removed: there is nothing to read any more.
      const job = jobFromHash(JSON.parse(text) as string[])!.job;
      for (const tell of entry.listeners) tell(job);
    }
  }

  #readEnded(): void {
    if (this.#finishWatchers.size === 0) return;
    this.#readEndedAgain = true;
    if (this.#isReadingEnded) return;
    this.#isReadingEnded = true;
    this.#readingEnded = this.#drainEnded().catch(() => {
      // What was read and not told waits under our name; a server that lost its memory has lost the group, too.
      this.#mayOwnEnded = true;
      this.#hasGroup = false;
      this.#isReadingEnded = false;
    });
  }

  /** Every ended job goes to one process that watches: read, told, then acknowledged. */
  async #drainEnded(): Promise<void> {
    const key = `${this.#prefix}ended`;
    if (!this.#hasGroup) {
      await this.#ask((redis) => redis.xgroup('CREATE', key, 'watchers', '0', 'MKSTREAM')).catch((e: unknown) => {
        if (!(isFacewrightError(e) && String(e.cause).includes('BUSYGROUP'))) throw e;
      });
      this.#hasGroup = true;
    }
    while (this.#readEndedAgain && this.#finishWatchers.size > 0 && this.#hasGroup) {
      this.#readEndedAgain = false;
      const claimed = await this.#ask(
        (redis) => redis.xautoclaim(key, 'watchers', this.#instance, CLAIM_MS, '0', 'COUNT', 100) as Promise<[string, StreamEntry[]]>,
      );
      const from = this.#mayOwnEnded ? '0' : '>';
      this.#mayOwnEnded = false;
      const read = await this.#ask(
        (redis) =>
          redis.xreadgroup('GROUP', 'watchers', this.#instance, 'COUNT', 100, 'STREAMS', key, from) as Promise<
            [string, StreamEntry[]][] | null
          >,
      );
      if (from === '0') this.#readEndedAgain = true;
      const entries = [...claimed[1], ...(read?.[0]?.[1] ?? [])];
      if (entries.length > 0) this.#readEndedAgain = true;
      const begun = entries.flatMap(([entryId, fields]) =>
        fields === null || this.#telling.has(entryId) ? [] : this.#tell(entryId, fields),
      );
      // Whoever takes longer to hear of an end does not keep others from hearing of theirs.
      if (begun.length > 0) await Promise.race([Promise.all(begun), sleep(TELL_MS)]);
    }
    this.#isReadingEnded = false;
  }
  #tell(entryId: string, fields: readonly string[]): Promise<void> {
    const key = `${this.#prefix}ended`;
    const work = async (): Promise<void> => {
      const [tenant, id] = (fields[1] ?? '').split('/');
      const job = fields[3] ? jobFromHash(JSON.parse(fields[3]) as string[])!.job : await this.get(tenant, id);
      if (job !== null) await Promise.allSettled([...this.#finishWatchers].map(async (tell) => tell(job)));
      await this.#ask((redis) => redis.multi().xack(key, 'watchers', entryId).xdel(key, entryId).exec());
    };
    const telling = work()
      // It still waits under our name.
      .catch(() => {
        this.#mayOwnEnded = true;
        this.#hasGroup = false;
      })
      .finally(() => this.#telling.delete(entryId));
    this.#telling.set(entryId, telling);
    return telling;
  }

  #run<T>(name: ScriptName, ...args: (string | number)[]): Promise<T> {
    return this.#ask((redis) =>
      (redis as unknown as Record<ScriptName, (...args: (string | number)[]) => Promise<T>>)[name](this.#prefix, ...args),
    );
  }

  /** One exchange with the server, in bounded time. */
  #ask<T>(exchange: (redis: Redis) => Promise<T>): Promise<T> {
    if (this.#isClosed && this.#redis.status !== 'ready') return Promise.reject(unavailable('it is closed'));
    return this.#guard(async () => {
      await this.#ready(this.#redis);
      return exchange(this.#redis);
    });
  }

  async #guard<T>(exchange: () => Promise<T>): Promise<T> {
    try {
      return await exchange();
    } catch (e) {
      if (isFacewrightError(e)) throw e;
      const text = e instanceof Error ? e.message : '';
      // The server has no memory, or no disk, for writing.
      if (/^(OOM|MISCONF) /.test(text)) throw new FacewrightError('FW_STORAGE_FULL', {}, { cause: e });
      throw unavailable(/timed out/.test(text) ? 'no answer in time' : /^[A-Z]+ /.test(text) ? text.split(' ')[0] : 'no connection', e);
    }
  }

  /** Resolves when the connection stands; all who wait share one wait. */
  #ready(redis: Redis): Promise<void> {
    if (redis.status === 'ready') return Promise.resolve();
    if (redis.status === 'end') return Promise.reject(unavailable('it is closed'));
    const known = this.#connecting.get(redis);
    if (known !== undefined) return known;
    const waiting = new Promise<void>((resolve, reject) => {
      const done = (failed: boolean): void => {
        clearTimeout(timer);
        redis.off('ready', onReady);
        redis.off('end', onEnd);
        this.#connecting.delete(redis);
        if (failed) reject(unavailable('no connection'));
        else resolve();
      };
      const onReady = (): void => done(false);
      const onEnd = (): void => done(true);
      const timer = setTimeout(onEnd, CONNECT_TIMEOUT_MS);
      redis.once('ready', onReady);
      redis.once('end', onEnd);
    });
    this.#connecting.set(redis, waiting);
    return waiting;
  }

  #connect(options: ConnectionSettings): Redis {
    // Replies as lists, as scripts and BullMQ expect them, whatever the client's default is.
    const shared: ConnectionSettings = {
      protocol: 2,
      connectTimeout: CONNECT_TIMEOUT_MS,
      retryStrategy: (times) => Math.min(50 * times, 1000),
    };
    const redis = new Redis(this.#options.url, { ...shared, ...options });
    // Every command tells of its own failure; without a listener the process would end.
    redis.on('error', () => {});
    return redis;
  }

  #inBackground(work: Promise<unknown>): void {
    const own = work.catch(() => {}).finally(() => this.#background.delete(own));
    this.#background.add(own);
  }
}

/** Whether a command that failed was sent and not answered. A refusal is an answer. */
const mayBeDone = (e: unknown): boolean => isFacewrightError(e) && e.cause instanceof Error && e.cause.name !== 'ReplyError';

/** Without fields where it was deleted meanwhile. */
type StreamEntry = readonly [id: string, fields: readonly string[] | null];

const refOf = (job: { readonly tenant: string; readonly id: string }): string => `${job.tenant}/${job.id}`;
const unavailable = (reason: string, cause?: unknown): FacewrightError =>
  new FacewrightError('FW_QUEUE_UNAVAILABLE', { reason }, { cause });

function seqFromCursor(cursor: string): number {
  const seq = /^[0-9a-z]{1,11}$/.test(cursor) ? Number.parseInt(cursor, 36) : Number.NaN;
  if (!Number.isSafeInteger(seq))
    throw new FacewrightError('FW_REQUEST_INVALID', { problems: [{ field: 'after', problem: 'not a cursor of this list' }] });
  return seq;
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  return new Map(text.split(/\r?\n/).flatMap((line) => (line.includes(':') ? [line.split(':', 2) as [string, string]] : [])));
}

/** Waits for `work`, at most {@link CLOSE_MS}, whatever becomes of it. */
async function inTime(work: () => Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_MS);
  });
  await Promise.race([work().catch(() => {}), over]);
  clearTimeout(timer);
}

/** Runs `work` at most once at a time and once more when it was asked for meanwhile. */
function coalesced(work: () => Promise<void>): () => void {
  let wanted = 0;
  return () => {
    wanted++;
    if (wanted > 1) return;
    void (async () => {
      for (let done = 0; done < wanted; ) {
        done = wanted;
        await work();
      }
      wanted = 0;
    })();
  };
}

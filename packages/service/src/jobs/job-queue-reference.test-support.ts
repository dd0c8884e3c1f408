import fc from 'fast-check';
import { expect } from 'vitest';
import type { JobQueue, Lease, SubmitLimits, TenantShare } from './job-queue.ts';
import { ERROR, LEASE_MS, makeJob, OUTCOME, type QueueUnderTest, T0 } from './test-jobs.test-support.ts';

interface PlainJob {
  readonly tenant: string;
  readonly id: string;
  readonly deadlineAt: number;
  state: string;
  attempt: number;
  readonly order: number;
  /** Number of the take that holds it. */
  holder: number | null;
  leaseUntil: number;
  expiresAt: number | null;
}

const TENANTS = ['a', 'b', 'c'];
const TTL_MS = 40_000;
// Powers of two: tags are exact, so that a formula and a count step by step must agree to the last turn.
const SHARES: Readonly<Record<string, TenantShare>> = {
  a: { weight: 1, maxProcessing: 2 },
  b: { weight: 2, maxProcessing: 3 },
  c: { weight: 0.5, maxProcessing: 100 },
};
const LIMITS: SubmitLimits = { maxQueued: 14, tenantMaxPending: 8 };

/** The rules of the queue written down as plainly as possible: one list, everything by searching. */
class PlainQueue {
  jobs: PlainJob[] = [];
  now = T0;
  #virtual = 0;
  #tags = new Map<string, number>();
  #submitted = 0;
  #takes = 0;

  find(tenant: string, id: string): PlainJob | undefined {
    return this.jobs.find((j) => j.tenant === tenant && j.id === id);
  }
  of(tenant: string, state?: string): PlainJob[] {
    return this.jobs.filter((j) => j.tenant === tenant && (state === undefined || j.state === state));
  }
  waiting(tenant: string): PlainJob[] {
    return this.of(tenant, 'queued').sort((x, y) => x.order - y.order);
  }

  submit(tenant: string, id: string, deadlineAt: number): string {
    if (this.find(tenant, id)) return 'existing';
    if (this.of(tenant).filter((j) => j.holder !== null || j.state === 'queued').length >= LIMITS.tenantMaxPending) return 'tenant-full';
    if (this.jobs.filter((j) => j.state === 'queued').length >= LIMITS.maxQueued) return 'queue-full';
    const order = ++this.#submitted;
    this.#join(tenant);
    this.jobs.push({ tenant, id, deadlineAt, state: 'queued', attempt: 0, order, holder: null, leaseUntil: 0, expiresAt: null });
    return 'accepted';
  }
  take(): PlainJob | null {
    for (;;) {
      const tenant = this.#next((t) => this.of(t, 'processing').length < SHARES[t].maxProcessing && this.waiting(t).length > 0, this.#tags);
      if (tenant === null) return null;
      const job = this.waiting(tenant)[0];
      if (job.deadlineAt <= this.now) {
        this.end(job, 'failed');
        continue;
      }
      this.#virtual = Math.max(this.#virtual, this.#tags.get(tenant)!);
      this.#tags.set(tenant, this.#virtual + 1 / SHARES[tenant].weight);
      Object.assign(job, { state: 'processing', attempt: job.attempt + 1, holder: ++this.#takes, leaseUntil: this.now + LEASE_MS });
      return job;
    }
  }
  holds(job: PlainJob, holder: number): boolean {
    if (this.find(job.tenant, job.id) !== job || job.state !== 'processing' || job.holder !== holder) return false;
    if (job.deadlineAt <= this.now) this.end(job, 'failed');
    else if (job.leaseUntil <= this.now) this.lose(job);
    return job.state === 'processing';
  }
  end(job: PlainJob, state: string): void {
    Object.assign(job, { state, holder: null, expiresAt: this.now + TTL_MS });
  }
  lose(job: PlainJob): void {
    if (job.attempt < 2) this.requeue(job, job.attempt);
    else this.end(job, 'failed');
  }
  requeue(job: PlainJob, attempt: number): void {
    this.#join(job.tenant);
    Object.assign(job, { state: 'queued', attempt, holder: null });
  }
  handBack(job: PlainJob): void {
    this.requeue(job, job.attempt - 1);
    this.#tags.set(job.tenant, this.#tags.get(job.tenant)! - 1 / SHARES[job.tenant].weight);
  }
  sweep(): void {
    for (const job of this.jobs) {
      if (job.state !== 'queued' && job.state !== 'processing') continue;
      if (job.deadlineAt <= this.now) this.end(job, 'failed');
    }
    for (const job of this.jobs) if (job.state === 'processing' && job.leaseUntil <= this.now) this.lose(job);
  }
  /** All processes end and one starts anew. */
  restart(leasesAreVoid: boolean): void {
    if (!leasesAreVoid) return;
    this.#virtual = 0;
    this.#tags.clear();
    for (const tenant of TENANTS) if (this.waiting(tenant).length > 0) this.#tags.set(tenant, 0);
    for (const job of this.jobs) if (job.state === 'processing') this.lose(job);
  }
  /** Counted turn by turn. Null where a tenant lags behind: it catches up by one turn, which positions leave aside. */
  position(job: PlainJob): number | null {
    const tags = new Map(this.#tags);
    const left = new Map(TENANTS.map((t) => [t, this.waiting(t)]));
    if (TENANTS.some((t) => left.get(t)!.length > 0 && tags.get(t)! < this.#virtual)) return null;
    for (let before = 0; ; before++) {
      const tenant = this.#next((t) => left.get(t)!.length > 0, tags)!;
      if (left.get(tenant)!.shift() === job) return before;
      tags.set(tenant, tags.get(tenant)! + 1 / SHARES[tenant].weight);
    }
  }

  #join(tenant: string): void {
    if (this.waiting(tenant).length === 0) this.#tags.set(tenant, Math.max(this.#virtual, this.#tags.get(tenant) ?? 0));
  }
  #next(may: (tenant: string) => boolean, tags: ReadonlyMap<string, number>): string | null {
    let best: string | null = null;
    for (const tenant of TENANTS) if (may(tenant) && (best === null || tags.get(tenant)! < tags.get(best)!)) best = tenant;
    return best;
  }
}

type Command =
  | { readonly do: 'submit'; readonly tenant: string; readonly number: number; readonly deadlineMs: number }
  | { readonly do: 'take' }
  | { readonly do: 'sweep' | 'expire' }
  | { readonly do: 'restart' }
  | { readonly do: 'renew' | 'complete' | 'fail' | 'retry' | 'hand-back' | 'report'; readonly lease: number }
  | { readonly do: 'cancel' | 'remove'; readonly job: number }
  | { readonly do: 'wait'; readonly ms: number };

const tenant = fc.constantFrom(...TENANTS);
const lease = fc.nat(5);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      tenant,
      number: fc.nat(9),
      deadlineMs: fc.constantFrom(5000, 30_000, 10 ** 6, 10 ** 6),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('renew', 'complete', 'fail', 'retry', 'hand-back', 'report'), lease }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('cancel', 'remove'), job: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 4000, LEASE_MS - 1, LEASE_MS, 45_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('sweep', 'expire') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);

/** Random orders to both, and everything that can be seen of them compared after each. fast-check prints the seed of a failure. */
export async function runAgainstReference(createUnderTest: () => Promise<QueueUnderTest>, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 60, size: 'max' }), async (commands) => {
      const under = await createUnderTest();
      const plain = new PlainQueue();
      const open = (): Promise<JobQueue> => under.open({ shareOf: (t) => SHARES[t], leaseMs: LEASE_MS, now: () => plain.now });
      let queue = await open();
      const leases: { readonly real: Lease; readonly job: PlainJob; readonly holder: number }[] = [];
      try {
        for (const c of commands) {
          if (c.do === 'restart') {
            await queue.close();
            plain.restart(under.restart === 'leases-void');
            queue = await open();
          } else await applyBoth(c, queue, plain, leases, under.quietMs);
          await compare(queue, plain);
        }
      } finally {
        await queue.close();
        await under.dispose();
      }
    }),
    { numRuns, endOnFailure: true },
  );
}

async function applyBoth(
  c: Exclude<Command, { do: 'restart' }>,
  queue: JobQueue,
  plain: PlainQueue,
  leases: { readonly real: Lease; readonly job: PlainJob; readonly holder: number }[],
  quietMs: number,
): Promise<void> {
  switch (c.do) {
    case 'submit': {
      const deadlineAt = plain.now + c.deadlineMs;
      const job = makeJob(c.tenant, `j${c.number}`, { createdAt: plain.now, deadlineAt, ttlMs: TTL_MS });
      expect((await queue.submit(job, LIMITS)).kind).toBe(plain.submit(c.tenant, job.id, deadlineAt));
      return;
    }
    case 'take': {
      const expected = plain.take();
      const real = await queue.take('test', expected === null ? AbortSignal.timeout(quietMs) : AbortSignal.timeout(5000));
      expect(real && { tenant: real.job.tenant, id: real.job.id, attempt: real.job.attempt }).toEqual(
        expected && { tenant: expected.tenant, id: expected.id, attempt: expected.attempt },
      );
      if (real && expected) leases.push({ real, job: expected, holder: expected.holder! });
      return;
    }
    case 'wait':
      plain.now += c.ms;
      return;
    case 'sweep':
      plain.sweep();
      await queue.sweep();
      return;
    case 'expire': {
      const gone = plain.jobs.filter((j) => j.expiresAt !== null && j.expiresAt <= plain.now);
      plain.jobs = plain.jobs.filter((j) => !gone.includes(j));
      const removed = await queue.removeExpired(1000);
      expect(removed.map((j) => `${j.tenant}/${j.id}`).sort()).toEqual(gone.map((j) => `${j.tenant}/${j.id}`).sort());
      return;
    }
    case 'cancel':
    case 'remove': {
      const job = plain.jobs[c.job % Math.max(1, plain.jobs.length)];
      if (!job) return;
      if (job.expiresAt === null) plain.end(job, 'canceled');
      const result = c.do === 'cancel' ? await queue.cancel(job.tenant, job.id) : await queue.remove(job.tenant, job.id);
      expect(result).toMatchObject({ id: job.id, state: job.state });
      if (c.do === 'remove') plain.jobs = plain.jobs.filter((j) => j !== job);
      return;
    }
    default: {
      // The last ones and, now and then, one that is long lost.
      const held = leases.at(-1 - c.lease);
      if (!held) return;
      const { real, job, holder } = held;
      const isDone = c.do === 'complete' && doneBy.get(job) === holder && plain.find(job.tenant, job.id) === job;
      const holds = plain.holds(job, holder);
      const expected = holds || isDone ? 'held' : 'lost';
      if (c.do === 'renew') {
        expect(await queue.renew(real)).toBe(expected);
        if (holds) job.leaseUntil = plain.now + LEASE_MS;
      } else if (c.do === 'report') {
        expect(await queue.report(real, { progress: { stage: 'fit', index: 3, total: 6, ratio: 0.5 } })).toBe(expected);
      } else if (c.do === 'complete') {
        expect(await queue.complete(real, OUTCOME)).toBe(expected);
        if (holds) {
          plain.end(job, 'succeeded');
          doneBy.set(job, holder);
        }
      } else if (c.do === 'hand-back') {
        expect(await queue.handBack(real)).toBe(expected);
        if (holds) plain.handBack(job);
      } else {
        expect(await queue.fail(real, ERROR, { retry: c.do === 'retry' })).toBe(expected);
        if (!holds) return;
        if (c.do === 'retry' && job.attempt < 2) plain.requeue(job, job.attempt);
        else plain.end(job, 'failed');
      }
    }
  }
}

/** Which take completed a job. */
const doneBy = new WeakMap<PlainJob, number>();

async function compare(queue: JobQueue, plain: PlainQueue): Promise<void> {
  const counts = await queue.counts();
  for (const name of TENANTS) {
    const { jobs } = await queue.list(name, { limit: 1000 });
    const seen = jobs.map((j) => ({ id: j.id, state: j.state, attempt: j.attempt, expiresAt: j.expiresAt })).reverse();
    expect(seen).toEqual(plain.of(name).map((j) => ({ id: j.id, state: j.state, attempt: j.attempt, expiresAt: j.expiresAt })));
    const [queued, processing] = [plain.of(name, 'queued').length, plain.of(name, 'processing').length];
    expect(counts.byTenant.get(name)).toEqual(queued + processing === 0 ? undefined : { queued, processing });
    for (const job of plain.of(name, 'queued')) {
      const [position, expected] = [await queue.position(name, job.id), plain.position(job)];
      if (expected === null) expect(position).toBeGreaterThanOrEqual(0);
      else expect(position).toBe(expected);
    }
  }
}

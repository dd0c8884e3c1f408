import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Job, NewJob } from './job.ts';
import type { JobQueue, Lease, TenantShare } from './job-queue.ts';
import { runAgainstReference } from './job-queue-reference.test-support.ts';
import { ERROR, LEASE_MS, makeJob, OUTCOME, type QueueUnderTest, T0, WIDE } from './test-jobs.test-support.ts';

const FREE: TenantShare = { weight: 1, maxProcessing: 1000 };
const PROGRESS = { stage: 'fit', index: 3, total: 6, ratio: 0.5 } as const;

/** The guarantees of {@link JobQueue}, for every adapter. `referenceRuns`: how many random histories are compared with a plain queue. */
export function describeJobQueue(name: string, createUnderTest: () => Promise<QueueUnderTest>, referenceRuns: number): void {
  describe(name, () => {
    let under: QueueUnderTest | null = null;
    let queues: JobQueue[] = [];
    let now = T0;
    let shares: Record<string, TenantShare> = {};
    afterEach(async () => {
      for (const queue of queues) await queue.close();
      await under?.dispose();
      [under, queues, now, shares] = [null, [], T0, {}];
    });
    const openQueue = async (): Promise<JobQueue> => {
      under ??= await createUnderTest();
      const queue = await under.open({ shareOf: (tenant) => shares[tenant] ?? FREE, leaseMs: LEASE_MS, now: () => now });
      queues.push(queue);
      return queue;
    };
    const take = async (queue: JobQueue): Promise<Lease> => (await queue.take('test', AbortSignal.timeout(5000)))!;
    const findsNothing = async (queue: JobQueue): Promise<boolean> =>
      (await queue.take('test', AbortSignal.timeout(under!.quietMs))) === null;
    const submit = async (queue: JobQueue, tenant: string, id: string, change?: Partial<NewJob>): Promise<Job> => {
      const submitted = await queue.submit(makeJob(tenant, id, change), WIDE);
      expect(submitted.kind).toBe('accepted');
      return (submitted as { job: Job }).job;
    };

    it('takes a job from submission to result', async () => {
      const queue = await openQueue();
      const job = makeJob('a', 'one');
      const queued = { ...job, state: 'queued', attempt: 0, startedAt: null, finishedAt: null, expiresAt: null };
      const empty = { progress: null, landmarks: null, outcome: null, error: null };
      expect(await queue.submit(job, WIDE)).toEqual({ kind: 'accepted', job: { ...queued, ...empty } });
      expect(await queue.get('a', 'one')).toEqual({ ...queued, ...empty });
      expect(await queue.position('a', 'one')).toBe(0);
      now += 5;
      const lease = await take(queue);
      expect(lease.job).toEqual({ ...queued, ...empty, state: 'processing', attempt: 1, startedAt: T0 + 5 });
      expect(await queue.get('a', 'one')).toEqual(lease.job);
      expect(await queue.position('a', 'one')).toBeNull();
      now += 5;
      expect(await queue.report(lease, { progress: PROGRESS })).toBe('held');
      expect(await queue.get('a', 'one')).toEqual({ ...lease.job, progress: PROGRESS });
      const points = Array.from({ length: 478 }, (_, i): [number, number] => [i + 0.25, 0.5 - i]);
      const landmarks = { widthPx: 4, heightPx: 3, points };
      expect(await queue.report(lease, { landmarks })).toBe('held');
      expect(await queue.complete(lease, OUTCOME)).toBe('held');
      const end = { state: 'succeeded', finishedAt: T0 + 10, expiresAt: T0 + 10 + 60_000, outcome: OUTCOME };
      expect(await queue.get('a', 'one')).toEqual({ ...lease.job, progress: PROGRESS, landmarks, ...end });
      expect(await queue.counts()).toEqual({ queued: 0, processing: 0, byTenant: new Map() });
      // Nothing else changes any more.
      now += 60_000;
      await queue.sweep();
      expect(await queue.get('a', 'one')).toEqual({ ...lease.job, progress: PROGRESS, ...end });
      expect((await queue.list('a', { limit: 1 })).jobs[0]).toEqual(await queue.get('a', 'one'));
      expect(await queue.removeExpired(1)).toEqual([{ ...lease.job, progress: PROGRESS, ...end }]);
    });

    it('knows no job of another tenant', async () => {
      const queue = await openQueue();
      await submit(queue, 'a', 'one');
      expect(await queue.get('b', 'one')).toBeNull();
      expect(await queue.position('b', 'one')).toBeNull();
      expect(await queue.cancel('b', 'one')).toBeNull();
      expect(await queue.remove('b', 'one')).toBeNull();
      expect(await queue.list('b', { limit: 10 })).toEqual({ jobs: [], next: null });
      expect((await submit(queue, 'b', 'one')).tenant).toBe('b');
      expect((await queue.get('a', 'one'))?.state).toBe('queued');
    });

    it('returns the job that holds an id, in every state, and changes nothing', async () => {
      const queue = await openQueue();
      await submit(queue, 'a', 'one');
      const again = () => queue.submit(makeJob('a', 'one', { fingerprint: 'e'.repeat(64) }), { maxQueued: 0, tenantMaxPending: 0 });
      expect(await again()).toMatchObject({ kind: 'existing', job: { state: 'queued', fingerprint: 'f'.repeat(64) } });
      const lease = await take(queue);
      expect(await again()).toMatchObject({ kind: 'existing', job: { state: 'processing' } });
      await queue.complete(lease, OUTCOME);
      expect(await again()).toMatchObject({ kind: 'existing', job: { state: 'succeeded' } });
      expect(await queue.remove('a', 'one')).toMatchObject({ state: 'succeeded' });
      expect(await queue.submit(makeJob('a', 'one'), WIDE)).toMatchObject({ kind: 'accepted' });
    });

    it('keeps to its limits under a hundred submissions at once', async () => {
      const queue = await openQueue();
      const limits = { maxQueued: 30, tenantMaxPending: 20 };
      const kinds = await Promise.all(
        Array.from({ length: 100 }, (_, i) => queue.submit(makeJob(`t${i % 2}`, `j${i}`), limits).then((s) => s.kind)),
      );
      expect(kinds.filter((k) => k === 'accepted')).toHaveLength(30);
      const counts = await queue.counts();
      expect(counts.queued).toBe(30);
      for (const tenant of counts.byTenant.values()) expect(tenant.queued).toBeLessThanOrEqual(20);
      // A running job counts for its tenant and not for the queue.
      const lease = await take(queue);
      const { tenant } = lease.job;
      expect(await queue.submit(makeJob(tenant, 'more'), { maxQueued: 30, tenantMaxPending: counts.byTenant.get(tenant)!.queued })).toEqual(
        {
          kind: 'tenant-full',
          pending: counts.byTenant.get(tenant)!.queued,
        },
      );
      expect(await queue.submit(makeJob(tenant, 'more'), { maxQueued: 29, tenantMaxPending: 1000 })).toEqual({
        kind: 'queue-full',
        queued: 29,
      });
      expect(await queue.submit(makeJob(tenant, 'more'), { maxQueued: 30, tenantMaxPending: 1000 })).toMatchObject({ kind: 'accepted' });
    });

    it('starts the jobs of a tenant in order of submission, each once', async () => {
      const queue = await openQueue();
      for (let i = 0; i < 20; i++) await submit(queue, 'a', `j${i}`);
      const leases = await Promise.all(Array.from({ length: 20 }, () => take(queue)));
      expect(new Set(leases.map((l) => l.job.id)).size).toBe(20);
      const next = await openIds(queue, 'b', 5);
      expect(next).toEqual(['b0', 'b1', 'b2', 'b3', 'b4']);
    });
    const openIds = async (queue: JobQueue, tenant: string, count: number): Promise<string[]> => {
      for (let i = 0; i < count; i++) await submit(queue, tenant, `${tenant}${i}`);
      const ids: string[] = [];
      for (let i = 0; i < count; i++) ids.push((await take(queue)).job.id);
      return ids;
    };

    it('serves a taker who asks again in the moment he was served', async () => {
      const queue = await openQueue();
      for (let i = 0; i < 10; i++) await submit(queue, 'a', `j${i}`);
      const next = (count: number): Promise<Lease | null> =>
        queue.take('test', AbortSignal.timeout(5000)).then((lease) => (lease !== null && count > 1 ? next(count - 1) : lease));
      expect((await next(10))?.job.id).toBe('j9');
    });

    it('does not let a thousand jobs of one tenant starve the one of another', async () => {
      const queue = await openQueue();
      await Promise.all(Array.from({ length: 1000 }, (_, i) => submit(queue, 'crowd', `j${i}`)));
      for (let i = 0; i < 10; i++) await queue.complete(await take(queue), OUTCOME);
      await submit(queue, 'single', 'mine');
      const position = await queue.position('single', 'mine');
      const before: string[] = [];
      for (;;) {
        const lease = await take(queue);
        if (lease.job.tenant === 'single') break;
        before.push(lease.job.id);
      }
      expect(before.length).toBeLessThanOrEqual(1);
      expect(before.length).toBe(position);
      // Idle time is not saved up: the newcomer's next ones share.
      for (let i = 0; i < 10; i++) await submit(queue, 'single', `next${i}`);
      const tenants: string[] = [];
      for (let i = 0; i < 10; i++) tenants.push((await take(queue)).job.tenant);
      expect(tenants.filter((t) => t === 'single')).toHaveLength(5);
    });

    it('shares turns by weight', async () => {
      shares = { heavy: { weight: 3, maxProcessing: 1000 }, light: { weight: 1, maxProcessing: 1000 } };
      const queue = await openQueue();
      for (let i = 0; i < 40; i++) await Promise.all([submit(queue, 'light', `j${i}`), submit(queue, 'heavy', `j${i}`)]);
      const tenants: string[] = [];
      for (let i = 0; i < 40; i++) tenants.push((await take(queue)).job.tenant);
      for (const part of [tenants.slice(0, 20), tenants.slice(20)]) expect(part.filter((t) => t === 'heavy').length).toBe(15);
    });

    it('runs no more of a tenant than it may, and the others meanwhile', async () => {
      shares = { a: { weight: 1, maxProcessing: 2 } };
      const queue = await openQueue();
      for (let i = 0; i < 5; i++) await submit(queue, 'a', `j${i}`);
      const first = await take(queue);
      await take(queue);
      expect(await findsNothing(queue)).toBe(true);
      const waiting = take(queue);
      await submit(queue, 'b', 'other');
      expect((await waiting).job.id).toBe('other');
      const freed = take(queue);
      await queue.complete(first, OUTCOME);
      expect((await freed).job.id).toBe('j2');
      expect(await findsNothing(queue)).toBe(true);
      expect((await queue.counts()).byTenant.get('a')).toEqual({ queued: 2, processing: 2 });
    });

    it('wakes a waiting taker at once, the one who waits longest', async () => {
      const queue = await openQueue();
      const first = take(queue);
      await sleep(30);
      const begin = performance.now();
      await submit(queue, 'a', 'one');
      expect((await first).job.id).toBe('one');
      // Not a measure of speed: a queue that is not woken waits for the end of a blocking command, 5 s.
      expect(performance.now() - begin).toBeLessThan(4000);
      const aborted = new AbortController();
      const gone = queue.take('gone', aborted.signal);
      const stays = take(queue);
      aborted.abort();
      expect(await gone).toBeNull();
      await submit(queue, 'a', 'two');
      expect((await stays).job.id).toBe('two');
      expect(await queue.take('late', AbortSignal.abort())).toBeNull();
    });

    it('fences off whoever lost the lease', async () => {
      const queue = await openQueue();
      await submit(queue, 'a', 'one');
      const first = await take(queue);
      now += LEASE_MS - 1;
      expect(await queue.renew(first)).toBe('held');
      now += LEASE_MS - 1;
      await queue.sweep();
      expect(await queue.renew(first)).toBe('held');
      now += LEASE_MS + 1;
      await queue.sweep();
      expect(await queue.get('a', 'one')).toMatchObject({ state: 'queued', attempt: 1, progress: null });
      const second = await take(queue);
      expect(second.job).toMatchObject({ id: 'one', attempt: 2 });
      expect(second.token).not.toBe(first.token);
      const unchanged = await queue.get('a', 'one');
      expect(await queue.renew(first)).toBe('lost');
      expect(await queue.report(first, { progress: PROGRESS })).toBe('lost');
      expect(await queue.complete(first, OUTCOME)).toBe('lost');
      expect(await queue.fail(first, ERROR, { retry: true })).toBe('lost');
      expect(await queue.handBack(first)).toBe('lost');
      expect(await queue.get('a', 'one')).toEqual(unchanged);
      now += LEASE_MS + 1;
      await queue.sweep();
      expect(await queue.get('a', 'one')).toMatchObject({
        state: 'failed',
        attempt: 2,
        finishedAt: now,
        error: { code: 'FW_WORKER_LOST', params: { attempts: 2 } },
      });
      expect(await queue.complete(second, OUTCOME)).toBe('lost');
      expect((await queue.counts()).processing).toBe(0);
    });

    it('does not take a result after the lease ran out, even before the sweep', async () => {
      const queue = await openQueue();
      await submit(queue, 'a', 'one');
      const lease = await take(queue);
      now += LEASE_MS;
      expect(await queue.complete(lease, OUTCOME)).toBe('lost');
      expect((await take(queue)).job.attempt).toBe(2);
    });

    it('lets the same lease complete again, for whoever did not hear the answer', async () => {
      const queue = await openQueue();
      await submit(queue, 'a', 'one');
      const lease = await take(queue);
      expect(await queue.complete(lease, OUTCOME)).toBe('held');
      expect(await queue.complete(lease, { ...OUTCOME, provider: 'other' })).toBe('held');
      expect((await queue.get('a', 'one'))?.outcome).toEqual(OUTCOME);
      expect(await queue.complete({ ...lease, token: 'other' }, OUTCOME)).toBe('lost');
      expect(await queue.fail(lease, ERROR, { retry: false })).toBe('lost');
    });

    it('tries a failed job again, in front of its tenant’s others, once', async () => {
      const queue = await openQueue();
      for (const id of ['one', 'two', 'three']) await submit(queue, 'a', id);
      expect(await queue.fail(await take(queue), ERROR, { retry: true })).toBe('held');
      expect(await queue.get('a', 'one')).toMatchObject({ state: 'queued', attempt: 1, error: null });
      const again = await take(queue);
      expect(again.job).toMatchObject({ id: 'one', attempt: 2 });
      expect(await queue.fail(again, ERROR, { retry: true })).toBe('held');
      expect(await queue.get('a', 'one')).toMatchObject({ state: 'failed', error: ERROR, expiresAt: now + 60_000 });
      const other = await take(queue);
      expect(other.job.id).toBe('two');
      expect(await queue.fail(other, ERROR, { retry: false })).toBe('held');
      expect(await queue.get('a', 'two')).toMatchObject({ state: 'failed', attempt: 1 });
    });

    it('takes back what was not worked on, in front, without counting the attempt', async () => {
      const queue = await openQueue();
      for (const id of ['one', 'two', 'three', 'four']) await submit(queue, 'a', id);
      const [one, two, three] = [await take(queue), await take(queue), await take(queue)];
      expect(await queue.handBack(one)).toBe('held');
      expect(await queue.handBack(three)).toBe('held');
      expect(await queue.handBack(two)).toBe('held');
      expect(await queue.get('a', 'two')).toMatchObject({ state: 'queued', attempt: 0 });
      expect(await queue.position('a', 'two')).toBe(1);
      const order: string[] = [];
      for (let i = 0; i < 4; i++) order.push((await take(queue)).job.id);
      expect(order).toEqual(['one', 'two', 'three', 'four']);
      expect(await queue.renew(one)).toBe('lost');
    });

    it('cancels in every state', async () => {
      const queue = await openQueue();
      for (const id of ['run', 'wait', 'done']) await submit(queue, 'a', id);
      const run = await take(queue);
      expect(await queue.cancel('a', 'wait')).toMatchObject({ state: 'canceled', finishedAt: now, expiresAt: now + 60_000 });
      expect(await queue.cancel('a', 'run')).toMatchObject({ state: 'canceled', attempt: 1 });
      expect(await queue.renew(run)).toBe('lost');
      expect(await queue.complete(run, OUTCOME)).toBe('lost');
      const done = await take(queue);
      expect(done.job.id).toBe('done');
      await queue.complete(done, OUTCOME);
      expect(await queue.cancel('a', 'done')).toMatchObject({ state: 'succeeded' });
      expect(await queue.cancel('a', 'wait')).toMatchObject({ state: 'canceled' });
      expect(await queue.cancel('a', 'none')).toBeNull();
      expect(await queue.counts()).toEqual({ queued: 0, processing: 0, byTenant: new Map() });
    });

    it('removes in every state', async () => {
      const queue = await openQueue();
      for (const id of ['run', 'wait', 'after']) await submit(queue, 'a', id);
      const run = await take(queue);
      expect(await queue.remove('a', 'wait')).toMatchObject({ id: 'wait', state: 'canceled' });
      expect(await queue.remove('a', 'run')).toMatchObject({ id: 'run', state: 'canceled' });
      expect(await queue.complete(run, OUTCOME)).toBe('lost');
      expect(await queue.get('a', 'run')).toBeNull();
      expect(await queue.remove('a', 'run')).toBeNull();
      expect((await queue.list('a', { limit: 10 })).jobs.map((j) => j.id)).toEqual(['after']);
      expect((await take(queue)).job.id).toBe('after');
    });

    it('ends jobs at their deadline in every state', async () => {
      const queue = await openQueue();
      for (const id of ['run', 'swept', 'skipped', 'late']) await submit(queue, 'a', id, { deadlineAt: T0 + (id === 'swept' ? 50 : 100) });
      const run = await take(queue);
      now = T0 + 50;
      await queue.sweep();
      const error = { code: 'FW_JOB_DEADLINE', params: { limitMs: 100 } };
      expect(await queue.get('a', 'swept')).toMatchObject({ state: 'failed', attempt: 0, error: { ...error, params: { limitMs: 50 } } });
      expect(await queue.get('a', 'run')).toMatchObject({ state: 'processing' });
      now = T0 + 100;
      // No sweep: the worker's own renewal and a taker notice it, too.
      expect(await queue.renew(run)).toBe('lost');
      expect(await queue.get('a', 'run')).toMatchObject({ state: 'failed', attempt: 1, finishedAt: now, error });
      expect(await findsNothing(queue)).toBe(true);
      expect(await queue.get('a', 'skipped')).toMatchObject({ state: 'failed', attempt: 0, error });
      await queue.sweep();
      expect(await queue.get('a', 'late')).toMatchObject({ state: 'failed', error });
    });

    it('lists newest first, in pages, while jobs come and go', async () => {
      const queue = await openQueue();
      for (let i = 0; i < 7; i++) await submit(queue, 'a', `j${i}`);
      await submit(queue, 'b', 'other');
      const first = await queue.list('a', { limit: 3 });
      expect(first.jobs.map((j) => j.id)).toEqual(['j6', 'j5', 'j4']);
      await submit(queue, 'a', 'new');
      await queue.remove('a', 'j4');
      await queue.remove('a', 'j3');
      const second = await queue.list('a', { limit: 3, after: first.next! });
      expect(second.jobs.map((j) => j.id)).toEqual(['j2', 'j1', 'j0']);
      expect(second.next).toBeNull();
      await expect(queue.list('a', { limit: 3, after: '../x' })).rejects.toMatchObject({ code: 'FW_REQUEST_INVALID' });
    });

    it('tells watchers of one job every change until they leave', async () => {
      const queue = await openQueue();
      await submit(queue, 'a', 'one');
      await submit(queue, 'a', 'other');
      const seen: Job[] = [];
      const leave = await queue.watch('a', 'one', (job) => seen.push(job));
      const foreign: Job[] = [];
      await queue.watch('b', 'one', (job) => foreign.push(job));
      const lease = await take(queue);
      await expect.poll(() => seen.at(-1)?.state).toBe('processing');
      await queue.report(lease, { progress: PROGRESS });
      await expect.poll(() => seen.at(-1)?.progress).toEqual(PROGRESS);
      await queue.complete(lease, OUTCOME);
      await expect.poll(() => seen.at(-1)?.outcome).toEqual(OUTCOME);
      const count = seen.length;
      leave();
      await queue.remove('a', 'one');
      await sleep(30);
      expect(seen).toHaveLength(count);
      expect(foreign).toEqual([]);
      expect(seen.every((job) => job.id === 'one' && job.tenant === 'a')).toBe(true);
    });

    it('tells every end, however it came', async () => {
      const queue = await openQueue();
      const ends = new Map<string, string>();
      const leave = await queue.watchFinished((job) => ends.set(job.id, job.state));
      for (const id of ['done', 'failed', 'gone']) await submit(queue, 'a', id);
      await submit(queue, 'a', 'late', { deadlineAt: T0 + 10 });
      await queue.complete(await take(queue), OUTCOME);
      await queue.fail(await take(queue), ERROR, { retry: false });
      await queue.cancel('a', 'gone');
      now += 10;
      await queue.sweep();
      const all = { done: 'succeeded', failed: 'failed', gone: 'canceled', late: 'failed' };
      await expect.poll(() => Object.fromEntries(ends)).toEqual(all);
      leave();
      await submit(queue, 'a', 'unheard');
      await queue.cancel('a', 'unheard');
      await sleep(30);
      expect(ends.has('unheard')).toBe(false);
      // Nobody heard it: whoever comes next does.
      await queue.watchFinished((job) => ends.set(job.id, job.state));
      await expect.poll(() => ends.get('unheard')).toBe('canceled');
    });

    it('forgets what has expired, a part at a time', async () => {
      const queue = await openQueue();
      for (let i = 0; i < 5; i++) await submit(queue, 'a', `j${i}`, { ttlMs: i === 4 ? 1000 : 10 });
      for (let i = 0; i < 4; i++) await queue.complete(await take(queue), OUTCOME);
      await queue.cancel('a', 'j4');
      now += 9;
      expect(await queue.removeExpired(10)).toEqual([]);
      now += 1;
      const first = await queue.removeExpired(3);
      expect(first).toHaveLength(3);
      expect(first[0].outcome).toEqual(OUTCOME);
      const second = await queue.removeExpired(3);
      expect([...first, ...second].map((j) => j.id).sort()).toEqual(['j0', 'j1', 'j2', 'j3']);
      expect((await queue.list('a', { limit: 10 })).jobs.map((j) => j.id)).toEqual(['j4']);
      expect(await queue.get('a', 'j0')).toBeNull();
    });

    it('ends a job exactly once whoever tries', async () => {
      const queue = await openQueue();
      const heard: string[] = [];
      await queue.watchFinished((job) => heard.push(`${job.id} ${job.state}`));
      for (let i = 0; i < 30; i++) {
        const id = `j${i}`;
        await submit(queue, 'a', id, { deadlineAt: T0 + 1000 * (i + 1) });
        const lease = await take(queue);
        const ends: (() => Promise<unknown>)[] = [
          () => queue.complete(lease, OUTCOME),
          () => queue.cancel('a', id),
          () => queue.fail(lease, ERROR, { retry: false }),
          () => queue.complete(lease, { ...OUTCOME, provider: 'cuda' }),
        ];
        // Every order is tried over the runs.
        const [told] = await Promise.all([...ends.slice(i % 4), ...ends.slice(0, i % 4)].map((end) => end()));
        const ended = (await queue.get('a', id))!;
        expect(told === 'held' || (told as Job).state === 'canceled').toBe(true);
        now = T0 + 1000 * (i + 1);
        await queue.sweep();
        expect(await queue.get('a', id)).toEqual(ended);
      }
      await expect.poll(() => heard.length).toBe(30);
    });

    it('counts positions among ten thousand waiting jobs', async () => {
      const queue = await openQueue();
      for (let begin = 0; begin < 10_000; begin += 500) {
        await Promise.all(Array.from({ length: 500 }, (_, k) => submit(queue, `t${k % 10}`, `j${begin + k}`)));
      }
      expect(await queue.position('t9', 'j9999')).toBe(9999);
      expect(await queue.position('t0', 'j0')).toBe(0);
      expect(await queue.position('t3', 'j5003')).toBe(5003);
      expect((await queue.counts()).queued).toBe(10_000);
    });

    it('keeps what it accepted and what it ended over a restart', async () => {
      let queue = await openQueue();
      for (let i = 0; i < 6; i++) await submit(queue, 'a', `j${i}`);
      const done = await take(queue);
      await queue.complete(done, OUTCOME);
      const running = await take(queue);
      const before = await Promise.all(['j0', 'j2', 'j3', 'j4', 'j5'].map((id) => queue.get('a', id)));
      await queue.close();
      queue = await openQueue();
      expect(await Promise.all(['j0', 'j2', 'j3', 'j4', 'j5'].map((id) => queue.get('a', id)))).toEqual(before);
      if (under!.restart === 'leases-void') {
        expect(await queue.get('a', 'j1')).toMatchObject({ state: 'queued', attempt: 1 });
        expect(await queue.complete(running, OUTCOME)).toBe('lost');
        expect((await take(queue)).job).toMatchObject({ id: 'j1', attempt: 2 });
        await queue.close();
        queue = await openQueue();
        expect(await queue.get('a', 'j1')).toMatchObject({ state: 'failed', error: { code: 'FW_WORKER_LOST' } });
      } else expect(await queue.complete(running, OUTCOME)).toBe('held');
      for (const id of ['j2', 'j3', 'j4', 'j5']) expect((await take(queue)).job.id).toBe(id);
      expect((await queue.list('a', { limit: 10 })).jobs.map((j) => j.id)).toEqual(['j5', 'j4', 'j3', 'j2', 'j1', 'j0']);
      expect(await queue.submit(makeJob('a', 'j0'), WIDE)).toMatchObject({ kind: 'existing' });
    });

    it('tells who committed a result so also after a restart', async () => {
      let queue = await openQueue();
      await queue.submit(makeJob('a', 'x'), WIDE);
      const lease = await take(queue);
      expect(await queue.complete(lease, OUTCOME)).toBe('held');
      await queue.close();
      queue = await openQueue();
      expect(await queue.complete(lease, OUTCOME)).toBe('held');
      expect(await queue.complete({ ...lease, token: 'another' }, OUTCOME)).toBe('lost');
    });

    it('does whatever is asked as a slow, plain queue does', async () => {
      await runAgainstReference(createUnderTest, referenceRuns);
    });

    it('works while it is open and says so', async () => {
      const queue = await openQueue();
      await queue.check();
      const waiting = queue.take('test', AbortSignal.timeout(5000));
      await queue.close();
      expect(await waiting).toBeNull();
      await expect(queue.check()).rejects.toMatchObject({ code: 'FW_QUEUE_UNAVAILABLE' });
      await expect(queue.submit(makeJob('a', 'late'), WIDE)).rejects.toMatchObject({ code: 'FW_QUEUE_UNAVAILABLE' });
      await queue.close();
    });
  });
}

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { NewJob } from '../job.ts';
import { describeJobQueue } from '../job-queue.test-support.ts';
import type { JobQueue, Lease } from '../job-queue.ts';
import { makeJob, OUTCOME, WIDE } from '../test-jobs.test-support.ts';
import { createRedisQueue, type RedisQueueOptions } from './create-redis-queue.ts';
import { type RedisServer, redisProgram, startRedisServer } from './redis-server.test-support.ts';
import { scriptText } from './scripts.ts';

if (redisProgram === null) {
  describe('Redis queue', () => {
    it('runs on Redis or Valkey', (context) => context.skip('neither redis-server nor valkey-server is installed'));
  });
} else {
  describe('on a server', () => {
    let server: RedisServer;
    let tests = 0;
    beforeAll(async () => {
      server = await startRedisServer();
    });
    afterAll(() => server.dispose());

    const prefixOf = (): string => `test${tests++}`;

    describeJobQueue(
      'Redis queue',
      () => {
        const prefix = prefixOf();
        return Promise.resolve({
          open: (options) => createRedisQueue({ url: server.url, prefix, ...options }),
          restart: 'leases-kept',
          quietMs: 100,
          dispose: () => Promise.resolve(),
        });
      },
      10,
    );

    /** An instance of the service, closed after the test. */
    const open = async (prefix: string, options: Partial<RedisQueueOptions> = {}): Promise<JobQueue> => {
      const queue = await createRedisQueue({ url: server.url, prefix, shareOf: () => ({ weight: 1, maxProcessing: 1000 }), ...options });
      onTestFinished(() => queue.close());
      return queue;
    };
    const take = async (queue: JobQueue): Promise<Lease> => (await queue.take('test', AbortSignal.timeout(8000)))!;
    const fresh = (id: string): NewJob => makeJob('a', id, { createdAt: Date.now(), deadlineAt: Date.now() + 600_000 });

    it('shares one queue between instances: each job goes to one, news to all', async () => {
      const prefix = prefixOf();
      const [one, two] = [await open(prefix), await open(prefix)];
      const seen: string[] = [];
      await two.watch('a', 'j0', (job) => seen.push(job.state));
      const told: string[][] = [[], []];
      await one.watchFinished((job) => told[0].push(job.id));
      await two.watchFinished((job) => told[1].push(job.id));
      for (let i = 0; i < 20; i++) await one.submit(fresh(`j${i}`), WIDE);
      const leases = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => ({ by: [one, two][i % 2], lease: await take([one, two][i % 2]) })),
      );
      expect(new Set(leases.map((l) => l.lease.job.id)).size).toBe(20);
      // Whoever has the token may end it, on any instance.
      await Promise.all(leases.map(({ by, lease }) => (by === one ? two : one).complete(lease, OUTCOME)));
      await expect.poll(() => seen.at(-1)).toBe('succeeded');
      await expect.poll(() => new Set([...told[0], ...told[1]]).size).toBe(20);
      expect(told[0].length + told[1].length).toBe(20);
    });

    it('gives the jobs of a process that is gone to another', async () => {
      const prefix = prefixOf();
      const [one, two] = [await open(prefix, { leaseMs: 300 }), await open(prefix, { leaseMs: 300 })];
      await one.submit(fresh('mine'), WIDE);
      // Neither renewed nor ended, as by kill -9.
      expect((await take(one)).job.attempt).toBe(1);
      const sweeping = setInterval(() => void two.sweep(), 50);
      onTestFinished(() => clearInterval(sweeping));
      expect((await take(two)).job).toMatchObject({ id: 'mine', attempt: 2 });
      await expect.poll(() => two.get('a', 'mine').then((job) => job?.error?.code), { timeout: 5000 }).toBe('FW_WORKER_LOST');
    });

    it('loses no job when BullMQ’s turns are lost, and starts none for turns too many', async () => {
      const prefix = prefixOf();
      const queue = await open(prefix);
      const redis = new Redis(server.url);
      onTestFinished(() => redis.disconnect());
      for (let i = 0; i < 5; i++) await queue.submit(fresh(`j${i}`), WIDE);
      await expect.poll(() => redis.llen(`{${prefix}}:turns:wait`)).toBe(5);
      await redis.del(await redis.keys(`{${prefix}}:turns:*`));
      await queue.sweep();
      for (let i = 0; i < 5; i++) expect((await take(queue)).job.id).toBe(`j${i}`);
      const turns = new Queue('turns', { connection: { url: server.url }, prefix: `{${prefix}}` });
      onTestFinished(() => turns.close());
      await turns.addBulk(Array.from({ length: 10 }, () => ({ name: 'turn', data: {} })));
      expect(await queue.take('test', AbortSignal.timeout(300))).toBeNull();
      await queue.submit(fresh('next'), WIDE);
      expect((await take(queue)).job.id).toBe('next');
    });

    it('keeps nothing in Redis of jobs that are forgotten', async () => {
      const prefix = prefixOf();
      const queue = await open(prefix);
      await queue.watchFinished(() => {});
      for (let i = 0; i < 5; i++) await queue.submit({ ...fresh(`j${i}`), ttlMs: 0 }, WIDE);
      for (let i = 0; i < 4; i++) await queue.complete(await take(queue), OUTCOME);
      await queue.remove('a', 'j4');
      const redis = new Redis(server.url);
      onTestFinished(() => redis.disconnect());
      await expect.poll(() => redis.xlen(`{${prefix}}:ended`)).toBe(0);
      expect(await queue.removeExpired(100)).toHaveLength(4);
      // The turn of the removed job is taken for nothing.
      expect(await queue.take('test', AbortSignal.timeout(200))).toBeNull();
      await queue.close();
      const left = (await redis.keys(`{${prefix}}:*`)).map((key) => key.slice(prefix.length + 3)).sort();
      // Counters and clocks of tenants, the stream with nothing in it, BullMQ's own of a queue with nothing in it.
      const expected = ['ended', 'meta', 'share', 'start', 'turns:events', 'turns:id', 'turns:marker', 'turns:meta', 'turns:stalled-check'];
      expect(left.filter((key) => !expected.includes(key))).toEqual([]);
    });

    it('says which settings of the server may lose jobs', async () => {
      const careless = await startRedisServer(['--appendonly', 'no', '--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru']);
      onTestFinished(() => careless.dispose());
      const warnings: string[] = [];
      const queue = await open('w', { url: careless.url, onWarning: (text) => warnings.push(text) });
      await queue.check();
      await queue.check();
      expect(warnings).toEqual([expect.stringContaining('appendonly yes'), expect.stringContaining('noeviction')]);
      const good: string[] = [];
      await (await open('w', { onWarning: (text) => good.push(text) })).check();
      expect(good).toEqual([]);
    });

    it('refuses work when the server is out of memory, and takes it again afterwards', async () => {
      const small = await startRedisServer();
      onTestFinished(() => small.dispose());
      const queue = await open('m', { url: small.url });
      await queue.submit(fresh('before'), WIDE);
      const redis = new Redis(small.url);
      onTestFinished(() => redis.disconnect());
      await redis.config('SET', 'maxmemory', '1mb');
      await expect(queue.submit(fresh('full'), WIDE)).rejects.toMatchObject({ code: 'FW_STORAGE_FULL' });
      expect(await queue.get('a', 'full')).toBeNull();
      expect((await queue.get('a', 'before'))?.state).toBe('queued');
      await redis.config('SET', 'maxmemory', '0');
      expect((await queue.submit(fresh('full'), WIDE)).kind).toBe('accepted');
    });

    it('answers in bounded time when the server is gone, and carries on when it is back', async () => {
      const own = await startRedisServer();
      onTestFinished(() => own.dispose());
      const queue = await open('d', { url: own.url });
      const seen: string[] = [];
      await queue.watch('a', 'kept', (job) => seen.push(job.state));
      const ends: string[] = [];
      await queue.watchFinished((job) => ends.push(job.id));
      await queue.submit(fresh('kept'), WIDE);
      await own.kill();
      const begin = performance.now();
      const outcomes = await Promise.allSettled([
        queue.submit(fresh('refused'), WIDE),
        queue.get('a', 'kept'),
        queue.list('a', { limit: 1 }),
        queue.counts(),
        queue.sweep(),
        queue.check(),
        queue.watch('a', 'other', () => {}),
      ]);
      for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'FW_QUEUE_UNAVAILABLE' } });
      // Two limits of two and four seconds; the rest is for a busy machine.
      expect(performance.now() - begin).toBeLessThan(20_000);
      const waiting = take(queue);
      await own.start();
      // As every second: the turn may not have got as far as the server.
      await queue.sweep();
      const lease = await waiting;
      expect(lease.job.id).toBe('kept');
      expect(await queue.get('a', 'refused')).toBeNull();
      await queue.complete(lease, OUTCOME);
      await expect.poll(() => seen.at(-1)).toBe('succeeded');
      await expect.poll(() => ends).toEqual(['kept']);
    });

    it('gives up on a server that hangs, and closes beside it', async () => {
      const own = await startRedisServer();
      onTestFinished(() => own.dispose());
      const queue = await open('h', { url: own.url });
      await queue.watch('a', 'one', () => {});
      const waiting = queue.take('test', new AbortController().signal);
      await queue.submit(fresh('one'), WIDE);
      await waiting;
      const next = queue.take('test', new AbortController().signal);
      process.kill(own.pid, 'SIGSTOP');
      await expect(queue.get('a', 'one')).rejects.toMatchObject({ code: 'FW_QUEUE_UNAVAILABLE' });
      // The test's own time limit says whether these come back at all.
      await queue.close();
      expect(await next).toBeNull();
      const never = await open('h', { url: 'redis://127.0.0.1:1' });
      await expect(never.check()).rejects.toMatchObject({ code: 'FW_QUEUE_UNAVAILABLE' });
      await never.close();
    });

    it('a start whose answer is lost costs no attempt', async () => {
      const prefix = prefixOf();
      const direct = await open(prefix);
      const sha = createHash('sha1').update(scriptText('fwStart')).digest('hex');
      let cuts = 0;
      const proxy = createServer((client) => {
        const target = connect(Number(new URL(server.url).port), '127.0.0.1');
        client.on('error', () => {});
        target.on('error', () => {});
        client.on('close', () => target.destroy());
        target.on('close', () => client.destroy());
        target.on('data', (data) => client.write(data));
        client.on('data', (data) => {
          target.write(data);
          if (cuts > 0 || !data.includes(sha)) return;
          cuts++;
          target.removeAllListeners('data').once('data', () => client.destroy());
        });
      }).listen(0, '127.0.0.1');
      onTestFinished(() => void proxy.close());
      await once(proxy, 'listening');
      const queue = await open(prefix, { url: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
      // The first time on a connection the client sends the script, then its checksum.
      await direct.submit(fresh('first'), WIDE);
      await queue.complete(await take(queue), OUTCOME);
      expect(cuts).toBe(0);
      const next = take(queue);
      await direct.submit(fresh('second'), WIDE);
      expect((await next).job).toMatchObject({ id: 'second', attempt: 1 });
      expect(cuts).toBe(1);
    });

    it('an end that somebody is slow to hear of does not hold up the others', async () => {
      const prefix = prefixOf();
      const queue = await open(prefix);
      const redis = new Redis(server.url);
      onTestFinished(() => redis.disconnect());
      const told: string[] = [];
      let release = (): void => {};
      const slow = new Promise<void>((resolve) => {
        release = resolve;
      });
      await queue.watchFinished((job) => {
        told.push(job.id);
        return job.id === 'slow' ? slow : undefined;
      });
      for (const id of ['slow', 'next', 'last']) {
        await queue.submit(fresh(id), WIDE);
        await queue.cancel('a', id);
        await expect.poll(() => told, { timeout: 5000 }).toContain(id);
      }
      // What is not heard of stays, for another process if this one is lost.
      await expect.poll(() => redis.xlen(`{${prefix}}:ended`), { timeout: 5000 }).toBe(1);
      release();
      await expect.poll(() => redis.xlen(`{${prefix}}:ended`), { timeout: 5000 }).toBe(0);
      expect(told).toEqual(['slow', 'next', 'last']);
    });

    it('tells ends again on a server that forgot everything', async () => {
      const own = await startRedisServer(['--appendonly', 'no']);
      onTestFinished(() => own.dispose());
      const queue = await open('f', { url: own.url });
      const ends: string[] = [];
      await queue.watchFinished((job) => ends.push(job.id));
      await queue.submit(fresh('before'), WIDE);
      await queue.cancel('a', 'before');
      await expect.poll(() => ends).toEqual(['before']);
      await own.kill();
      await own.start();
      await expect.poll(() => queue.submit(fresh('after'), WIDE).catch(() => null), { timeout: 8000 }).toMatchObject({ kind: 'accepted' });
      await queue.cancel('a', 'after');
      await expect.poll(() => ends, { timeout: 8000 }).toContain('after');
    });

    it('keeps every accepted job when the server is killed at random moments', async () => {
      const seed = Number(process.env.FACEWRIGHT_SEED ?? Date.now() % 1_000_000);
      const random = prand(seed);
      const own = await startRedisServer();
      onTestFinished(() => own.dispose());
      const api = await open('k', { url: own.url, leaseMs: 1500 });
      const worker = await open('k', { url: own.url, leaseMs: 1500 });
      const told = new Map<string, number>();
      await api.watchFinished((job) => told.set(job.id, (told.get(job.id) ?? 0) + 1));
      const stop = new AbortController();
      const accepted: string[] = [];
      const completed: string[] = [];
      const sweeping = (async () => {
        for (; !stop.signal.aborted; await sleep(100)) await api.sweep().catch(() => {});
      })();
      const submitting = (async () => {
        for (let i = 0; accepted.length < 120; i++) {
          const job = fresh(`j${i}`);
          const result = await api.submit(job, WIDE).catch(() => null);
          if (result !== null) accepted.push(job.id);
          await sleep(5);
        }
      })();
      const working = Array.from({ length: 3 }, async () => {
        for (;;) {
          const lease = await worker.take('test', stop.signal).catch(() => null);
          if (stop.signal.aborted) return;
          if (lease === null) continue;
          await sleep(10);
          // As a worker does it: ask again until somebody answers.
          for (;;) {
            const state = await worker.complete(lease, OUTCOME).catch(() => null);
            if (state === 'held') completed.push(lease.job.id);
            if (state !== null) break;
            await sleep(50);
          }
        }
      });
      for (let round = 0; round < 5; round++) {
        await sleep(100 + 400 * random());
        await own.kill();
        await sleep(300 * random());
        await own.start();
      }
      await submitting;
      try {
        await expect.poll(async () => (await api.counts()).byTenant.size, { timeout: 30_000, interval: 200 }).toBe(0);
        for (const id of accepted) {
          const job = (await api.get('a', id))!;
          // Twice in a row without an answer to the start is the only way not to succeed here.
          expect(job.state === 'succeeded' || job.error?.code === 'FW_WORKER_LOST').toBe(true);
          expect(job.attempt).toBeLessThanOrEqual(2);
        }
        expect(new Set(completed).size).toBe(completed.length);
        await expect.poll(() => accepted.filter((id) => !told.has(id)), { timeout: 5000 }).toEqual([]);
      } catch (e) {
        throw new Error(`FACEWRIGHT_SEED=${seed} repeats this run`, { cause: e });
      } finally {
        stop.abort();
        await Promise.all([sweeping, ...working]);
      }
    });
  });
}

/** Numbers from 0 to 1 that a seed determines (mulberry32). */
function prand(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

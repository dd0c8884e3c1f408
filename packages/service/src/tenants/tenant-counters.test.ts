import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type RedisServer, redisProgram, startRedisServer } from '../jobs/redis-queue/redis-server.test-support.ts';
import { createMemoryCounters } from './create-memory-counters.ts';
import { createRedisCounters, type RedisCountersOptions } from './create-redis-counters.ts';
import type { TenantCounters } from './tenant-counters.ts';

/** What both do. `open` gives counters that count together with all others of the same test. */
function describeCounters(open: () => TenantCounters): void {
  it('allow a burst of a quarter, then one per interval, each tenant for itself', async () => {
    const counters = open();
    const take = () => counters.takeRate('a', 6);
    expect(await take()).toMatchObject({ allowed: true, remaining: 0 });
    const refused = await take();
    expect(refused).toMatchObject({ allowed: false, remaining: 0 });
    expect(refused.retryAfterS).toBeGreaterThan(0);
    expect(refused.retryAfterS).toBeLessThanOrEqual(10);
    expect((await counters.takeRate('b', 6)).allowed).toBe(true);
    // A hundred a second: one is due by the time it says, at the latest.
    for (let i = 0; i < 1500; i++) await counters.takeRate('fast', 6000);
    await expect.poll(async () => (await counters.takeRate('fast', 6000)).allowed, { interval: 20 }).toBe(true);
  });

  it('sum what uploads hold, until each ends', async () => {
    const counters = open();
    expect(await counters.hold('a', 'one', 5e9)).toBe(5e9);
    expect(await counters.hold('a', 'two', 7)).toBe(5e9 + 7);
    expect(await counters.hold('b', 'three', 1)).toBe(1);
    expect(await counters.hold('a', 'one', 3)).toBe(10);
    expect(await counters.hold('a', 'one', 0)).toBe(7);
  });

  it('give a name to one at a time', async () => {
    const counters = open();
    const release = await counters.claim('x');
    expect(await counters.claim('x')).toBeNull();
    expect(await counters.claim('y')).not.toBeNull();
    release!();
    await expect.poll(() => counters.claim('x')).not.toBeNull();
  });
}

describe('counters of one process', () => {
  describeCounters(createMemoryCounters);
});

describe('counters in Redis', () => {
  if (redisProgram === null) {
    it('run on Redis or Valkey', (context) => context.skip('neither redis-server nor valkey-server is installed'));
    return;
  }
  let server: RedisServer;
  let tests = 0;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.dispose());
  const openWith = (prefix: string, options: Partial<RedisCountersOptions> = {}): TenantCounters => {
    const counters = createRedisCounters({ url: server.url, prefix, ...options });
    onTestFinished(() => counters.close());
    return counters;
  };
  describeCounters(() => openWith(`t${++tests}`));

  it('count together in several processes', async () => {
    const [one, two] = [openWith('shared'), openWith('shared')];
    const decisions = await Promise.all(Array.from({ length: 30 }, (_, i) => [one, two][i % 2]!.takeRate('a', 40)));
    // A burst of ten, not of ten each; none is due again for a second and a half.
    expect(decisions.filter(({ allowed }) => allowed).length).toBeGreaterThanOrEqual(10);
    expect(decisions.filter(({ allowed }) => allowed).length).toBeLessThan(20);
    await one.hold('a', 'one', 5);
    expect(await two.hold('a', 'two', 6)).toBe(11);
    const claims = await Promise.all(Array.from({ length: 10 }, (_, i) => [one, two][i % 2]!.claim('x')));
    expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
  });

  it('forget what a process that died has held and claimed, and keep what lives', async () => {
    const short = { holdMs: 1000, claimMs: 1000 };
    const [dying, living] = [openWith('mortal', short), openWith('mortal', short)];
    await dying.hold('a', 'dying', 5);
    await dying.claim('dying');
    await living.hold('a', 'living', 6);
    const other = openWith('mortal', short);
    // What it says again is said to nobody from here on.
    await dying.close();
    await expect.poll(() => other.hold('a', 'other', 1), { timeout: 20_000 }).toBe(7);
    await expect.poll(() => other.claim('dying'), { timeout: 20_000 }).not.toBeNull();
    // Longer than it lasts has passed: it was said again.
    await expect.poll(() => other.hold('a', 'other', 1), { timeout: 20_000 }).toBe(7);
  });

  it('say within seconds that the server is gone', async () => {
    const gone = createRedisCounters({ url: 'redis://127.0.0.1:1', prefix: 'x' });
    onTestFinished(() => gone.close());
    await expect(gone.takeRate('a', 60)).rejects.toMatchObject({ code: 'FW_QUEUE_UNAVAILABLE' });
    await expect(gone.claim('a')).rejects.toMatchObject({ code: 'FW_QUEUE_UNAVAILABLE' });
  });
});

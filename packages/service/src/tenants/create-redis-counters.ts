import { randomUUID } from 'node:crypto';
import { FacewrightError } from '@facewright/protocol';
import { Redis } from 'ioredis';
import { burstOf, decideRate } from './rate-limiter.ts';
import type { TenantCounters } from './tenant-counters.ts';

export interface RedisCountersOptions {
  readonly url: string;
  readonly prefix: string;
  /** For tests: how long what is held and claimed lasts without being said again, ms. */
  readonly holdMs?: number;
  readonly claimMs?: number;
}

const HOLD_MS = 120_000;
const CLAIM_MS = 30_000;
/** A request waits no longer for a count. */
const COMMAND_TIMEOUT_MS = 4000;
const CONNECT_TIMEOUT_MS = 2000;

/** A bucket as in {@link import('./rate-limiter.ts').RateLimiter}, by the clock of the server. Lua writes 14 digits where it is not told otherwise. */
const TAKE_RATE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local perMs, capacity = tonumber(ARGV[1]) / 60000, tonumber(ARGV[2])
local known = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local at = tonumber(known[2] or '') or now
local tokens = math.min(capacity, (tonumber(known[1] or '') or capacity) + math.max(0, now - at) * perMs)
local allowed = tokens >= 1 - 1e-6
if allowed then tokens = math.max(0, tokens - 1) end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.17g', math.max(at, now)))
redis.call('PEXPIRE', KEYS[1], math.ceil(capacity / perMs) + 1000)
return { allowed and 1 or 0, string.format('%.17g', tokens) }`;

/** Fields: "bytes until" by holder. */
const HOLD = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local bytes, ttl = tonumber(ARGV[2]), tonumber(ARGV[3])
if bytes > 0 then redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %.0f', bytes, now + ttl))
else redis.call('HDEL', KEYS[1], ARGV[1]) end
local sum = 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local held, ends = string.match(all[i + 1], '(%S+) (%S+)')
  if tonumber(ends) <= now then redis.call('HDEL', KEYS[1], all[i]) else sum = sum + tonumber(held) end
end
redis.call('PEXPIRE', KEYS[1], ttl)
return string.format('%.0f', sum)`;

/** Prolongs a claim, or ends it with 0, where it is still that of the asker. */
const KEEP_CLAIM = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

/** Counts for all processes of the API that share a Redis. Each change is one step of the server. */
export function createRedisCounters({ url, prefix, holdMs = HOLD_MS, claimMs = CLAIM_MS }: RedisCountersOptions): TenantCounters {
  const redis = new Redis(url, {
    protocol: 2,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(50 * times, 1000),
  });
  // Every command tells of its own failure; without a listener the process would end.
  redis.on('error', () => {});
  // With a hash tag, as the queue's: a cluster keeps them on one node.
  const keyOf = (kind: string, name: string): string => `{${prefix}}:${kind}:${name}`;
  const run = async <T>(script: string, key: string, ...args: (string | number)[]): Promise<T> => {
    try {
      return (await redis.eval(script, 1, key, ...args)) as T;
    } catch (error) {
      const text = error instanceof Error ? error.message : '';
      if (/^(OOM|MISCONF) /.test(text)) throw new FacewrightError('FW_STORAGE_FULL', {}, { cause: error });
      throw new FacewrightError('FW_QUEUE_UNAVAILABLE', { reason: 'limits cannot be counted' }, { cause: error });
    }
  };

  const sayHeld = (tenant: string, holder: string, bytes: number): Promise<string> =>
    run<string>(HOLD, keyOf('held', tenant), holder, bytes, holdMs);
  /** Uploads of this process, said again before they are forgotten. */
  const held = new Map<string, { readonly tenant: string; readonly bytes: number }>();
  const repeating = setInterval(() => {
    for (const [holder, { tenant, bytes }] of held) void sayHeld(tenant, holder, bytes).catch(() => {});
  }, holdMs / 3);
  repeating.unref();

  return {
    async takeRate(tenant, ratePerMinute) {
      const [allowed, left] = await run<[number, string]>(TAKE_RATE, keyOf('rate', tenant), ratePerMinute, burstOf(ratePerMinute));
      return decideRate(allowed === 1, Number(left), ratePerMinute);
    },
    async hold(tenant, holder, bytes) {
      if (bytes > 0) held.set(holder, { tenant, bytes });
      else held.delete(holder);
      return Number(await sayHeld(tenant, holder, bytes));
    },
    async claim(name) {
      const key = keyOf('claim', name);
      const token = randomUUID();
      const isMine = await redis.set(key, token, 'PX', claimMs, 'NX').catch((error: unknown) => {
        throw new FacewrightError('FW_QUEUE_UNAVAILABLE', { reason: 'limits cannot be counted' }, { cause: error });
      });
      if (isMine === null) return null;
      const keeping = setInterval(() => void run(KEEP_CLAIM, key, token, claimMs).catch(() => {}), claimMs / 3);
      keeping.unref();
      return () => {
        clearInterval(keeping);
        void run(KEEP_CLAIM, key, token, 0).catch(() => {});
      };
    },
    async close() {
      clearInterval(repeating);
      redis.disconnect();
    },
  };
}

import { RateLimiter } from './rate-limiter.ts';
import type { TenantCounters } from './tenant-counters.ts';

/** Counts for one process. */
export function createMemoryCounters(): TenantCounters {
  const rates = new RateLimiter();
  const held = new Map<string, Map<string, number>>();
  const claims = new Set<string>();
  return {
    takeRate: async (tenant, ratePerMinute) => rates.take(tenant, ratePerMinute),
    async hold(tenant, holder, bytes) {
      const own = held.get(tenant) ?? new Map<string, number>();
      if (bytes > 0) own.set(holder, bytes);
      else own.delete(holder);
      if (own.size === 0) held.delete(tenant);
      else held.set(tenant, own);
      let sum = 0;
      for (const each of own.values()) sum += each;
      return sum;
    },
    async claim(name) {
      if (claims.has(name)) return null;
      claims.add(name);
      return () => void claims.delete(name);
    },
    close: async () => {},
  };
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { burstOf, RateLimiter } from './rate-limiter.ts';

describe('rate limiter', () => {
  it('allows a burst of a quarter, then one per interval', () => {
    let now = 0;
    const limiter = new RateLimiter(() => now);
    const take = () => limiter.take('a', 60).allowed;
    expect(Array.from({ length: 16 }, take)).toEqual([...Array(15).fill(true), false]);
    expect(limiter.take('a', 60)).toEqual({ allowed: false, remaining: 0, retryAfterS: 1 });
    now += 1000;
    expect([take(), take()]).toEqual([true, false]);
  });

  it('keeps tenants apart', () => {
    const limiter = new RateLimiter(() => 0);
    while (limiter.take('a', 60).allowed);
    expect(limiter.take('b', 60).allowed).toBe(true);
  });

  it('never allows more than burst + rate x time, and waiting as long as it says always helps', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6000 }), fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 200 }), (rate, pauses) => {
        let now = 0;
        let allowed = 0;
        const limiter = new RateLimiter(() => now);
        for (const pause of pauses) {
          now += pause;
          const decision = limiter.take('a', rate);
          if (decision.allowed) allowed++;
          else {
            now += decision.retryAfterS * 1000;
            expect(limiter.take('a', rate).allowed).toBe(true);
            allowed++;
          }
        }
        expect(allowed).toBeLessThanOrEqual(burstOf(rate) + (rate / 60_000) * now + 1e-3);
      }),
    );
  });
});

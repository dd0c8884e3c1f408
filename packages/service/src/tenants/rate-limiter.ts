/** What a bucket answers; the numbers go into the RateLimit fields of the answer. */
export interface RateDecision {
  readonly allowed: boolean;
  /** Requests that may follow at once. */
  readonly remaining: number;
  /** Whole seconds until the next one is allowed; at least 1 where this one was not. */
  readonly retryAfterS: number;
}

/**
 * Rates of tenants: each has a bucket that fills evenly and holds a quarter of a minute's worth (at least one). In memory of one
 * process.
 */
export class RateLimiter {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();
  readonly #now: () => number;

  /** @param now - milliseconds of a clock that does not jump */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  take(tenant: string, ratePerMinute: number): RateDecision {
    const capacity = burstOf(ratePerMinute);
    const perMs = ratePerMinute / 60_000;
    const now = this.#now();
    const bucket = this.#buckets.get(tenant) ?? { tokens: capacity, at: now };
    const tokens = Math.min(capacity, bucket.tokens + (now - bucket.at) * perMs);
    // A millionth of a request: sums of fractions must not refuse what is due exactly now.
    const allowed = tokens >= 1 - 1e-6;
    const left = allowed ? Math.max(0, tokens - 1) : tokens;
    this.#buckets.set(tenant, { tokens: left, at: now });
    return decideRate(allowed, left, ratePerMinute);
  }
}

/** The answer of a bucket in which `left` requests are left. */
export function decideRate(allowed: boolean, left: number, ratePerMinute: number): RateDecision {
  const retryAfterS = left >= 1 ? 0 : Math.max(1, Math.ceil(((1 - left) * 60) / ratePerMinute));
  return { allowed, remaining: Math.floor(left + 1e-6), retryAfterS };
}

/** Requests that a full bucket allows at once. */
export function burstOf(ratePerMinute: number): number {
  return Math.max(1, Math.floor(ratePerMinute / 4));
}

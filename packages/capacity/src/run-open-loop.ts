import { type Arrivals, createArrivals } from './create-arrivals.ts';

export interface OpenLoopOptions {
  readonly ratePerS: number;
  readonly durationMs: number;
  readonly arrivals: Arrivals;
  readonly seed: number;
  /** Sends one request and says what came of it: `ok`, or a short word such as `429`. Never rejects for a refusal. */
  readonly send: (index: number) => Promise<string>;
  /** Milliseconds; for tests. @default performance.now */
  readonly now?: () => number;
}

/** One request. Milliseconds from the start. */
export interface RequestRecord {
  /** When it was to be sent: waiting times are counted from here. */
  readonly intendedAt: number;
  /** When it was sent. Later than intended where this program was too slow; then its figures are worth little. */
  readonly sentAt: number;
  readonly endedAt: number;
  readonly outcome: string;
}

/**
 * Sends requests at their times, whatever becomes of those before: an open loop. A service that falls behind meets the load that it
 * would meet, instead of a generator that waits with it ("coordinated omission" hides overload).
 *
 * @returns every request when all have ended, in the order of their times
 */
export async function runOpenLoop(options: OpenLoopOptions): Promise<readonly RequestRecord[]> {
  const { now = () => performance.now() } = options;
  const times = createArrivals(options.arrivals, options.ratePerS, options.durationMs, options.seed);
  const start = now();
  const requests: Promise<RequestRecord>[] = [];
  for (const [index, intendedAt] of times.entries()) {
    const wait = intendedAt - (now() - start);
    // Timers are a millisecond late at most; a wait for every request would add up, so those that are due go at once.
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const sentAt = now() - start;
    requests.push(
      options.send(index).then(
        (outcome) => ({ intendedAt, sentAt, endedAt: now() - start, outcome }),
        (error: unknown) => ({ intendedAt, sentAt, endedAt: now() - start, outcome: error instanceof Error ? error.name : 'error' }),
      ),
    );
  }
  return Promise.all(requests);
}

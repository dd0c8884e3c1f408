import { createRandom } from './create-random.ts';

/** How requests arrive: independently of each other (users), or evenly (a program). */
export type Arrivals = 'poisson' | 'constant';

/**
 * Makes the times at which requests are sent, milliseconds from the start, in order: `ratePerS` on average for `durationMs`. The same
 * seed gives the same times.
 */
export function createArrivals(arrivals: Arrivals, ratePerS: number, durationMs: number, seed: number): Float64Array {
  const gapMs = 1000 / ratePerS;
  const times: number[] = [];
  const random = createRandom(seed);
  // An even stream begins half a gap in, so that its mean rate over the whole time is exact.
  let at = arrivals === 'constant' ? gapMs / 2 : -gapMs * Math.log(1 - random());
  while (at < durationMs) {
    times.push(at);
    // Gaps of a Poisson process are exponential: inverse of their distribution function.
    at += arrivals === 'constant' ? gapMs : -gapMs * Math.log(1 - random());
  }
  return Float64Array.from(times);
}

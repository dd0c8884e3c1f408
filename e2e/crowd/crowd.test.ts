import { expect, it } from 'vitest';
import { runCrowd } from './run-crowd.ts';

/** What CI bears of `npm run crowd` (docs/service-runs.md has a long run). */
const CLIENTS = 200;
const SECONDS = 20;

it('200 clients with mixed traffic: nothing is lost, no status above 499, memory stays', { timeout: 600_000 }, async () => {
  const seed = Number(process.env.CROWD_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const { violations, statuses, ends, memoryMb } = await runCrowd({ clients: CLIENTS, seconds: SECONDS, seed });
  expect(violations, `seed ${seed}`).toEqual([]);
  // It was really busy: work was done and work was refused.
  expect(ends.succeeded).toBeGreaterThan(0);
  expect(statuses['429']).toBeGreaterThan(0);
  if (memoryMb !== null) {
    // Node collects late; a photo that stays or a request that is not let go would be hundreds of megabytes after twenty seconds.
    expect(memoryMb.secondHalf).toBeLessThan(1.5 * memoryMb.firstHalf + 64);
    expect(memoryMb.end).toBeLessThan(600);
  }
});

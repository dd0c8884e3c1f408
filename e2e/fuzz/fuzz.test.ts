import { expect, it } from 'vitest';
import { runFuzz } from './run-fuzz.ts';

/** What CI bears of `npm run fuzz:service` (docs/service-runs.md has a run of 10 000). */
const CASES = 1000;

it('malformed requests and photos: no crash, no status above 499, no leak, bounded memory', { timeout: 600_000 }, async () => {
  const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const { violations, statuses, codes, memoryMb } = await runFuzz({ cases: CASES, seed });
  expect(violations, `seed ${seed}`).toEqual([]);
  // The cases reach behind the front door.
  expect(statuses['200']).toBeGreaterThan(0);
  for (const code of ['FW_REQUEST_INVALID', 'FW_NOT_FOUND', 'FW_PHOTO_NOT_IMAGE', 'FW_MEDIA_UNSUPPORTED'])
    expect(codes[code], code).toBeGreaterThan(0);
  // Node collects late, and a photo has 4 MB at most: what stays of a thousand requests would be far more than this.
  if (memoryMb !== null) expect(memoryMb.peak).toBeLessThan(500);
});

import { describe, expect, it } from 'vitest';
import { redisProgram } from '../../packages/service/src/jobs/redis-queue/redis-server.test-support.ts';
import { runChaos } from './run-chaos.ts';

/** Kills in the suite; `npm run chaos` does fifty and more. */
const ROUNDS = 5;
const seedOf = (): number => Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));

describe('kill -9 at random points', () => {
  it('serve with its journal: every accepted job ends once, no partial file is served', { timeout: 400_000 }, async () => {
    const seed = seedOf();
    // Printed, so that a failure can be replayed: CHAOS_SEED=… npm test e2e/chaos
    const lines = [`seed ${seed}`];
    const summary = await runChaos({ setup: 'journal', rounds: ROUNDS, seed, print: (line) => lines.push(line) });
    expect(summary.violations, lines.join('\n')).toEqual([]);
    expect(summary.accepted, lines.join('\n')).toBe(4 * ROUNDS);
  });

  it.skipIf(redisProgram === null)(
    `api, workers and Redis${redisProgram === null ? ' (no redis-server or valkey-server here)' : ''}`,
    { timeout: 400_000 },
    async () => {
      const seed = seedOf();
      const lines = [`seed ${seed}`];
      const summary = await runChaos({ setup: 'redis', rounds: ROUNDS, seed, print: (line) => lines.push(line) });
      expect(summary.violations, lines.join('\n')).toEqual([]);
      expect(summary.accepted, lines.join('\n')).toBe(4 * ROUNDS);
    },
  );
});

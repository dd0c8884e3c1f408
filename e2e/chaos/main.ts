/**
 * @module `npm run chaos -- [--rounds 50] [--seed N] [--setup journal|redis|both]`: kills processes of the service at random points and
 * tells whether everything that was accepted ended once. Exit status 1 where it did not.
 */

import { parseArgs } from 'node:util';
import { redisProgram } from '../../packages/service/src/jobs/redis-queue/redis-server.test-support.ts';
import { runChaos } from './run-chaos.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    setup: { type: 'string', default: 'both' },
  },
});
const seed = Number(values.seed);
const setups = (values.setup === 'both' ? ['journal', 'redis'] : [values.setup]) as ('journal' | 'redis')[];
for (const setup of setups) {
  if (setup === 'redis' && redisProgram === null) {
    console.log('redis: left out, there is no redis-server or valkey-server');
    continue;
  }
  console.log(`${setup}: seed ${seed}, ${values.rounds} kills`);
  const begin = Date.now();
  const summary = await runChaos({ setup, rounds: Number(values.rounds), seed, print: (line) => console.log(`  ${line}`) });
  console.log(JSON.stringify({ setup, seed, seconds: Math.round((Date.now() - begin) / 1000), ...summary }, null, 2));
  if (summary.violations.length > 0) process.exitCode = 1;
}

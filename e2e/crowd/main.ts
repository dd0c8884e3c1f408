/**
 * @module `npm run crowd -- [--clients 200] [--seconds 60] [--seed N]`: mixed traffic of many clients at once; tells whether anything
 * was lost, failed that should not, or grew. Exit status 1 where it did.
 */

import { parseArgs } from 'node:util';
import { describeMachine } from '../../benchmarks/describe-machine.ts';
import { runCrowd } from './run-crowd.ts';

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
console.log(`${describeMachine()}\n${values.clients} clients, ${values.seconds} s, seed ${values.seed}`);
const summary = await runCrowd({ clients: Number(values.clients), seconds: Number(values.seconds), seed: Number(values.seed) });
console.log(JSON.stringify({ ...summary, violations: summary.violations.slice(0, 50) }, null, 2));
if (summary.violations.length > 0) process.exitCode = 1;

/**
 * @module `npm run fuzz:service -- [--cases 10000] [--seed N] [--only CASE]`: malformed requests and photos against the whole program;
 * prints what came back. The same seed sends the same cases. Exit status 1 where anything came back that must not.
 */

import { parseArgs } from 'node:util';
import { describeMachine } from '../../benchmarks/describe-machine.ts';
import { describeCase, runFuzz } from './run-fuzz.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    only: { type: 'string' },
  },
});
const seed = Number(values.seed);
console.log(`${describeMachine()}\n${values.cases} cases, seed ${seed}`);
const began = performance.now();
const summary = await runFuzz({
  cases: Number(values.cases),
  seed,
  ...(values.only === undefined ? {} : { only: Number(values.only) }),
  onProgress: (done) => done % 1000 === 0 && console.error(`${done}`),
});
console.log(
  JSON.stringify(
    { ...summary, seconds: Math.round((performance.now() - began) / 1000), violations: summary.violations.slice(0, 50) },
    null,
    2,
  ),
);
if (summary.violations.length > 0) {
  const number = /^case (\d+)/.exec(summary.violations[0]!)?.[1];
  if (number !== undefined) console.error(`Again: ${describeCase(Number(number), seed)} --cases ${values.cases}`);
  process.exitCode = 1;
}

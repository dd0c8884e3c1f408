/** Program of a test: submits, starts and completes jobs as fast as it can and prints what was acknowledged, until it is killed. */
import { writeSync } from 'node:fs';
import { makeJob, OUTCOME, WIDE } from '../test-jobs.test-support.ts';
import { createJournalQueue } from './create-journal-queue.ts';

const [dir, round] = process.argv.slice(2);
const queue = await createJournalQueue({ dir, shareOf: () => ({ weight: 1, maxProcessing: 1000 }), leaseMs: 60_000 });
const print = (line: string): void => void writeSync(1, `${line}\n`);
print('open');

async function submit(lane: number): Promise<void> {
  for (let i = 0; ; i++) {
    const id = `r${round}-${lane}-${i}`;
    await queue.submit(makeJob('a', id, { createdAt: Date.now(), deadlineAt: Date.now() + 600_000 }), WIDE);
    print(`accepted ${id}`);
  }
}
async function work(): Promise<void> {
  for (;;) {
    const lease = (await queue.take('test', new AbortController().signal))!;
    if ((await queue.complete(lease, OUTCOME)) === 'held') print(`completed ${lease.job.id}`);
  }
}
await Promise.all([submit(0), submit(1), submit(2), work(), work()]);

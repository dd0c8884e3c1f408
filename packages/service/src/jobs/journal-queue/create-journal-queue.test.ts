import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeJobQueue } from '../job-queue.test-support.ts';
import { createJournalQueue } from './create-journal-queue.ts';

describeJobQueue('journal queue', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'facewright-journal-'));
  return {
    open: (options) => createJournalQueue({ dir, ...options }),
    restart: 'leases-void',
    quietMs: 20,
    dispose: () => rm(dir, { recursive: true, force: true }),
  };
});

import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { JobQueue, ShareOf } from '../jobs/job-queue.ts';
import type { Log } from '../observability/create-log.ts';

/**
 * Opens the queue that the settings name: Redis where there is an address, else the journal in the data folder. Only the adapter that
 * is used is loaded.
 *
 * @throws FW_QUEUE_UNAVAILABLE, FW_STORAGE_FULL
 */
export async function openQueue(config: Config, shareOf: ShareOf, log: Log): Promise<JobQueue> {
  if (config.redisUrl !== undefined) {
    const { createRedisQueue } = await import('../jobs/redis-queue/create-redis-queue.ts');
    return createRedisQueue({
      url: config.redisUrl,
      prefix: config.redisPrefix,
      shareOf,
      onWarning: (text) => log.warn({}, text),
    });
  }
  const { createJournalQueue } = await import('../jobs/journal-queue/create-journal-queue.ts');
  return createJournalQueue({ dir: join(config.dataDir, 'queue'), shareOf });
}

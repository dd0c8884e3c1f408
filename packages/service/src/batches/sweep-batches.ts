import type { AppContext } from '../http/app-context.ts';
import type { BatchStore } from './batch-store.ts';
import { readBatchStatus } from './read-batch-status.ts';

/** A batch without a record is one that still arrives, until it is this old. Longer than any upload may take. */
const ARRIVING_MS = 2 * 3_600_000;

/** Deletes batches whose reconstructions have all expired, and what is left of uploads that a crash cut off. */
export async function sweepBatches(context: AppContext, store: BatchStore, now = Date.now()): Promise<number> {
  let removed = 0;
  for await (const { tenant, id, markedAt } of store.known()) {
    if (context.closing.aborted) break;
    if (now - markedAt < Math.min(ARRIVING_MS, context.config.resultTtlS * 1000)) continue;
    const record = await store.read(tenant, id);
    if (record === null) {
      if (now - markedAt < ARRIVING_MS) continue;
    } else {
      const { expiresAt } = await readBatchStatus(context, store, record);
      if (expiresAt === null || expiresAt > now) continue;
    }
    await store.remove(tenant, id);
    removed++;
  }
  return removed;
}

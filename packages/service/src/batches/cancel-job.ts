import type { AppContext } from '../http/app-context.ts';

/** Cancels a job that has not ended yet; its photo goes at once. */
export async function cancelJob({ queue, storage }: Pick<AppContext, 'queue' | 'storage'>, tenant: string, jobId: string): Promise<void> {
  const job = await queue.cancel(tenant, jobId);
  if (job?.state === 'canceled') await storage.delete(job.photo.key);
}

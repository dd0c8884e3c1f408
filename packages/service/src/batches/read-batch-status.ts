import type { BatchView, WireError } from '@facewright/protocol';
import { FacewrightError, wireFromError } from '@facewright/protocol';
import type { AppContext } from '../http/app-context.ts';
import { signLink } from '../http/links.ts';
import { publicError } from '../http/problem.ts';
import { isFinished, type Job } from '../jobs/job.ts';
import type { BatchPhoto, BatchRecord } from './batch-record.ts';
import type { BatchContents, BatchStore } from './batch-store.ts';

/** What became of one photo of a batch. */
export interface PhotoStatus {
  readonly name: string;
  readonly state: Job['state'];
  /** Its reconstruction, where there is one (still). */
  readonly job: Job | null;
  /** Id of the reconstruction, also where that is gone. */
  readonly jobId: string | null;
  readonly error: WireError | null;
}

export interface BatchStatus {
  readonly state: BatchView['state'];
  readonly photos: readonly PhotoStatus[];
  /** Unix ms when everything of it will be gone; null while something is to be done. */
  readonly expiresAt: number | null;
}

export const batchPath = (id: string): string => `v1/batches/${id}`;
export const batchArchivePath = (id: string): string => `${batchPath(id)}/archive`;

/** Questions to the queue that are on their way at once. */
const PARALLEL = 16;

/** What became of every photo of a batch, from the queue and from what waits in the storage. */
export async function readBatchStatus(context: AppContext, store: BatchStore, record: BatchRecord): Promise<BatchStatus> {
  const { tenant, id, photos } = record;
  // The waiting ones first: what becomes a job in between is seen there, and what is in neither has had its job deleted.
  const contents = await store.contents(tenant, id);
  const statuses: PhotoStatus[] = [];
  for (let start = 0; start < photos.length; start += PARALLEL) {
    const some = photos.slice(start, start + PARALLEL);
    statuses.push(...(await Promise.all(some.map((photo, i) => readPhoto(context, store, record, contents, photo, start + i)))));
  }
  const isOver = statuses.every(({ state }) => isFinished(state));
  const ends = statuses.map(({ job }) => job?.expiresAt ?? 0);
  return {
    state: contents.canceled ? 'canceled' : isOver ? 'done' : 'processing',
    photos: statuses,
    expiresAt: isOver ? Math.max(record.createdAt + context.config.resultTtlS * 1000, ...ends) : null,
  };
}

async function readPhoto(
  { queue }: AppContext,
  store: BatchStore,
  { tenant, id }: BatchRecord,
  { waiting, refused, canceled }: BatchContents,
  { name, jobId, key, error }: BatchPhoto,
  index: number,
): Promise<PhotoStatus> {
  if (jobId === null) return { name, state: 'failed', job: null, jobId, error };
  const job = await queue.get(tenant, jobId);
  if (job !== null) return { name, state: job.state, job, jobId, error: job.error };
  if (refused.has(index)) return { name, state: 'failed', job, jobId: null, error: await store.readRefusal(tenant, id, index) };
  if (canceled) return { name, state: 'canceled', job, jobId: null, error: null };
  if (key !== null && waiting.has(key)) return { name, state: 'queued', job, jobId: null, error: null };
  return { name, state: 'canceled', job, jobId, error: wireFromError(new FacewrightError('FW_NOT_FOUND', { what: 'reconstruction' })) };
}

/** A batch as its tenant sees it. */
export function viewBatch(record: BatchRecord, status: BatchStatus, context: Pick<AppContext, 'config' | 'linkSecret'>): BatchView {
  const { id, tenant, createdAt } = record;
  const count = (state: Job['state']): number => status.photos.filter((photo) => photo.state === state).length;
  const isOver = status.expiresAt !== null;
  const expiresAtS = Math.floor(Math.min(Date.now() + context.config.linkTtlS * 1000, status.expiresAt ?? 0) / 1000);
  return {
    id,
    state: status.state,
    createdAt: iso(createdAt),
    ...(status.expiresAt === null ? {} : { expiresAt: iso(status.expiresAt) }),
    counts: {
      total: status.photos.length,
      queued: count('queued'),
      processing: count('processing'),
      succeeded: count('succeeded'),
      failed: count('failed'),
      canceled: count('canceled'),
    },
    photos: status.photos.map(({ name, state, jobId, error }) => ({
      name,
      ...(jobId === null ? {} : { reconstruction: jobId }),
      state,
      ...(error === null ? {} : { error: viewError(error) }),
    })),
    ...(isOver
      ? {
          archive: {
            url: signLink(context.linkSecret, { tenant, path: batchArchivePath(id), expiresAtS }),
            linkExpiresAt: iso(expiresAtS * 1000),
          },
        }
      : {}),
    links: { self: batchPath(id), events: `${batchPath(id)}/events`, cancel: `${batchPath(id)}/cancel` },
  };
}

const viewError = (error: WireError): NonNullable<BatchView['photos'][number]['error']> => {
  const { code, message, hint, params } = publicError(error);
  return { code, message, hint, params };
};

const iso = (ms: number): string => new Date(ms).toISOString();

import type { ReconstructionView, WireError } from '@facewright/protocol';
import { isFinished, type Job, keepsPhoto } from '../jobs/job.ts';
import type { ServiceTime } from './app-deps.ts';
import { computeWaitS } from './compute-wait.ts';
import { signLink } from './links.ts';
import { publicError } from './problem.ts';

export interface ViewContext {
  readonly linkSecret: string;
  readonly linkTtlS: number;
  readonly serviceTime: ServiceTime;
  /** Jobs before it; null or absent where it does not wait or nobody asked. */
  readonly position?: number | null;
  /** Unix ms. */
  readonly now: number;
}

/** Path of a job below the service. */
export const reconstructionPath = (id: string): string => `v1/reconstructions/${id}`;
/** Path of one of its files. */
export const filePath = (id: string, name: string): string => `${reconstructionPath(id)}/files/${encodeURIComponent(name)}`;

/** A job as its tenant sees it: without keys of the storage, with signed links. */
export function viewReconstruction(job: Job, context: ViewContext): ReconstructionView {
  const self = reconstructionPath(job.id);
  return {
    id: job.id,
    state: job.state,
    options: job.options,
    photo: { bytes: job.photo.bytes, sha256: job.photo.sha256, kept: keepsPhoto(job) },
    ...(job.batchId === null ? {} : { batch: job.batchId }),
    attempt: job.attempt,
    createdAt: iso(job.createdAt),
    ...(job.startedAt === null ? {} : { startedAt: iso(job.startedAt) }),
    ...(job.finishedAt === null ? {} : { finishedAt: iso(job.finishedAt) }),
    deadlineAt: iso(job.deadlineAt),
    ...(job.expiresAt === null ? {} : { expiresAt: iso(job.expiresAt) }),
    ...(job.state === 'queued' && typeof context.position === 'number'
      ? { queue: viewPosition(context.position, context.serviceTime) }
      : {}),
    ...(job.progress === null || isFinished(job.state) ? {} : { progress: job.progress }),
    ...(job.outcome === null ? {} : { result: { ...job.outcome, files: viewFiles(job, context) } }),
    ...(job.error === null ? {} : { error: viewError(job.error) }),
    links: { self, events: `${self}/events`, cancel: `${self}/cancel` },
  };
}

/** Place in the queue and when its turn comes. */
export function viewPosition(position: number, time: ServiceTime): { position: number; etaS: number } {
  // The job in work when it arrives counts too.
  return { position, etaS: Math.round(computeWaitS(position + 1, time) * 100) / 100 };
}

function viewFiles(job: Job, { linkSecret, linkTtlS, now }: ViewContext) {
  // A link never outlives its file.
  const expiresAtS = Math.floor(Math.min(now + linkTtlS * 1000, job.expiresAt ?? Number.POSITIVE_INFINITY) / 1000);
  return job.outcome!.files.map(({ name, bytes, contentType, sha256 }) => ({
    name,
    bytes,
    contentType,
    sha256,
    url: signLink(linkSecret, { tenant: job.tenant, path: filePath(job.id, name), expiresAtS }),
    linkExpiresAt: iso(expiresAtS * 1000),
  }));
}

function viewError(error: WireError): NonNullable<ReconstructionView['error']> {
  const { code, message, hint, params } = publicError(error);
  return { code, message, hint, params };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

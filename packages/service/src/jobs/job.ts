import type { JobLandmarks, JobOptions, JobProgress, JobResult, JobState, WireError } from '@facewright/protocol';

/** One file of a finished job, as it lies in the storage. */
export interface StoredFile {
  readonly name: string;
  /** Key in the {@link ObjectStorage}. */
  readonly key: string;
  readonly bytes: number;
  readonly contentType: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** What a finished job knows of its face: the result as the API shows it, but for links. */
export type JobOutcome = Omit<JobResult, 'files'> & { readonly files: readonly StoredFile[] };

/** What the API hands to the queue. Plain data: it crosses processes and is written to journals. Never image bytes. */
export interface NewJob {
  readonly tenant: string;
  /** Unique within the tenant. */
  readonly id: string;
  readonly options: JobOptions;
  readonly photo: { readonly key: string; readonly bytes: number; readonly sha256: string };
  /** sha256 over photo and options, lower-case hex: same id and same fingerprint is the same job. */
  readonly fingerprint: string;
  /** Unix ms. */
  readonly createdAt: number;
  /** Unix ms after which the job fails with FW_JOB_DEADLINE, in whatever state it is. */
  readonly deadlineAt: number;
  /** Milliseconds that job and result are kept after the end. */
  readonly ttlMs: number;
  readonly requestId: string;
  /** W3C trace context of the request, or null. */
  readonly traceparent: string | null;
  readonly batchId: string | null;
  readonly webhookUrl: string | null;
}

/** A job as the queue keeps it. Times are Unix ms. */
export interface Job extends NewJob {
  readonly state: JobState;
  /** How often it was started: 0 while it waits for the first time, at most 2. */
  readonly attempt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** `finishedAt + ttlMs`; null before the end. */
  readonly expiresAt: number | null;
  readonly progress: JobProgress | null;
  /** Kept for a minute after the end: most of a job is landmarks. */
  readonly landmarks: JobLandmarks | null;
  readonly outcome: JobOutcome | null;
  readonly error: WireError | null;
}

/** A job has ended and never changes again. */
export const isFinished = (state: JobState): boolean => state === 'succeeded' || state === 'failed' || state === 'canceled';

/** Whether the photo stays when the job has ended: asked for, and there is a result that it belongs to. */
export const keepsPhoto = (job: Job): boolean => job.options.keepPhoto && job.state === 'succeeded';

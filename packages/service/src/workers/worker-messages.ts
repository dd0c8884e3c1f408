import type { JobLandmarks, JobProgress, WireError } from '@facewright/protocol';
import type { WorkerResult, WorkerTask } from './worker-pool.ts';

/** What a worker process needs before its first task. */
export interface WorkerSettings {
  readonly provider: 'cpu' | 'auto' | 'webgpu' | 'cuda';
  readonly cacheDir: string | null;
  readonly maxPhotoBytes: number;
  readonly maxPhotoPixels: number;
}

/** What the pool tells a worker process. Tasks are numbered, so that a late `cancel` does not hit the next one. */
export type ToWorker =
  | { readonly type: 'start'; readonly settings: WorkerSettings }
  | { readonly type: 'run'; readonly number: number; readonly task: WorkerTask }
  | { readonly type: 'cancel'; readonly number: number }
  | { readonly type: 'close' };

/** What a worker process answers. Errors cross as plain objects; no image bytes cross at all. */
export type FromWorker =
  /** Milliseconds since the process began. */
  | { readonly type: 'ready'; readonly loadMs: number }
  /** The engine cannot be made here; the process ends. */
  | { readonly type: 'unable'; readonly error: WireError; readonly stack: string }
  | { readonly type: 'progress'; readonly number: number; readonly progress: JobProgress }
  | { readonly type: 'landmarks'; readonly number: number; readonly landmarks: JobLandmarks }
  | { readonly type: 'done'; readonly number: number; readonly result: WorkerResult; readonly rssBytes: number }
  /** `stack` is for the log of the operator, never for callers. */
  | { readonly type: 'failed'; readonly number: number; readonly error: WireError; readonly stack: string; readonly rssBytes: number };

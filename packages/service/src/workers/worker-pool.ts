import type { JobLandmarks, JobOptions, JobProgress, JobResult } from '@facewright/protocol';

/** What a worker process is asked to do. Paths of this machine; no bytes cross the process border. */
export interface WorkerTask {
  readonly photoPath: string;
  /** Existing empty folder that the files are written to. */
  readonly outputDir: string;
  readonly options: JobOptions;
  /** For the worker's own log lines. */
  readonly requestId: string;
  readonly jobId: string;
  readonly tenant: string;
  readonly traceparent: string | null;
}

/** A file that a worker wrote into `outputDir`. */
export interface WorkerFile {
  readonly name: string;
  readonly bytes: number;
  readonly contentType: string;
  readonly sha256: string;
}

export type WorkerResult = Omit<JobResult, 'files'> & { readonly files: readonly WorkerFile[] };

export interface RunOptions {
  readonly signal: AbortSignal;
  /** Aborted after `signal` where nobody has time to wait until the worker obeys: it is killed at once. */
  readonly killSignal?: AbortSignal;
  readonly onProgress: (progress: JobProgress) => void;
  readonly onLandmarks: (landmarks: JobLandmarks) => void;
}

export interface PoolStats {
  readonly size: number;
  readonly busy: number;
  readonly restarts: number;
  readonly workers: readonly { readonly pid: number; readonly state: 'starting' | 'idle' | 'busy'; readonly rssBytes: number | null }[];
}

/**
 * Worker processes, each with one engine. A process that crashes, is killed or hangs is replaced; only its own job notices.
 */
export interface WorkerPool {
  readonly size: number;
  /** Resolves when at least one worker is warm; rejects with the code of what keeps them from starting. */
  started(): Promise<void>;
  /** At least one warm worker. */
  isReady(): boolean;
  /**
   * Runs one task on a free worker; the caller never runs more than `size` at once.
   *
   * @throws the engine's codes; FW_WORKER_LOST when the process ended or hung (the caller may try again); FW_CANCELED when `signal`
   *   aborted (a worker that does not obey within a bounded time is killed)
   */
  run(task: WorkerTask, options: RunOptions): Promise<WorkerResult>;
  stats(): PoolStats;
  /** Lets running tasks end for at most `graceMs`, then kills. */
  close(graceMs: number): Promise<void>;
}

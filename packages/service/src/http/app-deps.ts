import type { HealthView } from '@facewright/protocol';
import type { FeedPauses } from '../batches/feed-batches.ts';
import type { Config } from '../config/config.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import type { Log } from '../observability/create-log.ts';
import type { Metrics } from '../observability/create-metrics.ts';
import type { Tracing } from '../observability/create-tracing.ts';
import type { ObjectStorage } from '../storage/object-storage.ts';
import type { Tenants } from '../tenants/open-tenants.ts';
import type { TenantCounters } from '../tenants/tenant-counters.ts';

/** Measured: what waiting times are computed from. */
export interface ServiceTime {
  /** Seconds of work on one photo. */
  readonly meanS: number;
  /** How many are worked on at once, in all processes that share the queue. */
  readonly workers: number;
}

/** What the API is made of. */
export interface AppDeps {
  readonly config: Config;
  readonly queue: JobQueue;
  readonly storage: ObjectStorage;
  readonly tenants: Tenants;
  /** Signs links to files; at least 32 characters, the same in all instances that share a queue. */
  readonly linkSecret: string;
  readonly metrics: Pick<Metrics, 'request' | 'rejected'>;
  readonly log: Log;
  /** Makes a span of every request of the API. @default none: the caller's trace context is handed on */
  readonly tracing?: Tracing;
  /** Health as `/readyz` shows it; create requests are refused while it is starting or draining. */
  readonly readiness: () => HealthView;
  readonly serviceTime: () => ServiceTime;
  readonly version: string;
  /** Face models that requests may name. */
  readonly models?: readonly string[];
  /** Folder with the built page; without it there is none. */
  readonly studioDir?: string;
  /**
   * Checks the address of a webhook before its job is accepted.
   *
   * @throws FW_WEBHOOK_REFUSED
   */
  readonly checkWebhookUrl?: (url: string) => Promise<void>;
  /** Secret that the tenants' own, with which their webhooks are signed, are derived from. */
  readonly webhookSecret?: string;
  /** Slowest upload that is borne; tests shorten it. */
  readonly uploadPace?: UploadPace;
  /** How long readers may take nothing; tests shorten it. */
  readonly readerPace?: ReaderPace;
  /** What the processes of the API count together. @default in memory: this one is alone */
  readonly counters?: TenantCounters;
  /** How batches are fed into the queue; tests shorten it. */
  readonly batchPauses?: FeedPauses;
}

/** An upload that brings less than `minBytes` in `windowMs` is cut off, unless it waits for us. */
export interface UploadPace {
  readonly windowMs: number;
  readonly minBytes: number;
}

/** A reader that took nothing of what is ready for it at `checks` looks in a row, every `checkMs`, is cut off. */
export interface ReaderPace {
  readonly checkMs: number;
  readonly checks: number;
}

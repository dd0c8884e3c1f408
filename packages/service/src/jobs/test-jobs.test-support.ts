import type { WireError } from '@facewright/protocol';
import type { JobOutcome, NewJob } from './job.ts';
import type { JobQueue, ShareOf, SubmitLimits } from './job-queue.ts';

export interface QueueUnderTest {
  /** Opens the queue on the store of this test; a second call opens the same store again (after `close`, where one alone may have it). */
  open(options: { readonly shareOf: ShareOf; readonly leaseMs: number; readonly now: () => number }): Promise<JobQueue>;
  /** Whether a restart takes every lease away (the workers are of the same process) or leaves them. */
  readonly restart: 'leases-void' | 'leases-kept';
  /** Milliseconds after which a `take` that found nothing is believed to find nothing. */
  readonly quietMs: number;
  dispose(): Promise<void>;
}

export const LEASE_MS = 10_000;
export const T0 = Date.UTC(2026, 0, 1);
export const WIDE: SubmitLimits = { maxQueued: 100_000, tenantMaxPending: 100_000 };

export function makeJob(tenant: string, id: string, change: Partial<NewJob> = {}): NewJob {
  return {
    tenant,
    id,
    options: { model: 'head', textureSize: 1024, formats: ['glb'], compact: false, face: 'only', keepPhoto: false },
    photo: { key: `${tenant}/jobs/${id}/photo`, bytes: 1000, sha256: 'a'.repeat(64) },
    fingerprint: 'f'.repeat(64),
    createdAt: T0,
    deadlineAt: T0 + 3_600_000,
    ttlMs: 60_000,
    requestId: `r-${id}`,
    traceparent: null,
    batchId: null,
    webhookUrl: null,
    ...change,
  };
}

export const OUTCOME: JobOutcome = {
  model: { id: 'head', version: '1' },
  provider: 'cpu',
  face: { index: 1, count: 1 },
  photo: { widthPx: 10, heightPx: 10, format: 'jpeg' },
  pose: { yawDeg: 0.5, pitchDeg: 0, rollDeg: 0 },
  quality: { confidence: 0.9, residualRatio: 0.01, eyeDistancePx: 50, observedRatio: 0.7 },
  blendshapes: [],
  timingsMs: { fit: 10 },
  warnings: [],
  files: [{ name: 'face.glb', key: 'a/jobs/x/t/face.glb', bytes: 3, contentType: 'model/gltf-binary', sha256: 'b'.repeat(64) }],
};
export const ERROR: WireError = { code: 'FW_FIT_FAILED', message: 'no', params: { reason: 'test' } };

import { describe, expect, it } from 'vitest';
import { createMetrics } from './create-metrics.ts';

/** Value of a series, by its whole name with labels. */
const valueOfSeries = (text: string, series: string): number | undefined => {
  const line = text.split('\n').find((l) => l.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};

describe('createMetrics', () => {
  it('counts under the names and labels that dashboards are made for', async () => {
    const metrics = createMetrics({ process: false });
    metrics.request('/v1/reconstructions', 'POST', 201, 0.3);
    metrics.rejected('FW_QUEUE_FULL');
    metrics.jobFailed('FW_FACE_NOT_FOUND');
    metrics.jobEnded('succeeded', 0.2, { decode: 20, texture: 60 });
    metrics.queueWaited(1);
    metrics.workerRestarted('crash');
    metrics.modelLoaded(0.7);
    metrics.watchJobs(async () => ({ inFlight: 3, queuedByTenant: new Map([['acme', 4]]) }));
    const text = await metrics.text();
    const expected: Record<string, number> = {
      'facewright_http_requests_total{route="/v1/reconstructions",method="POST",code="201"}': 1,
      'facewright_http_request_duration_seconds_sum{route="/v1/reconstructions",method="POST"}': 0.3,
      'facewright_rejected_total{code="FW_QUEUE_FULL"}': 1,
      'facewright_jobs_failed_total{code="FW_FACE_NOT_FOUND"}': 1,
      'facewright_job_duration_seconds_count{state="succeeded"}': 1,
      'facewright_job_duration_seconds_bucket{le="0.15",state="succeeded"}': 0,
      'facewright_job_duration_seconds_bucket{le="0.25",state="succeeded"}': 1,
      'facewright_job_duration_seconds_bucket{le="60",state="succeeded"}': 1,
      'facewright_stage_duration_seconds_sum{stage="decode"}': 0.02,
      facewright_queue_wait_seconds_sum: 1,
      'facewright_worker_restarts_total{reason="crash"}': 1,
      facewright_model_load_seconds_count: 1,
      facewright_jobs_in_flight: 3,
      'facewright_jobs_queued{tenant="acme"}': 4,
    };
    for (const [series, value] of Object.entries(expected)) expect(valueOfSeries(text, series), series).toBe(value);
  });

  it('forgets tenants without work and never makes series without end', async () => {
    const metrics = createMetrics({ process: false });
    let queued = new Map(Array.from({ length: 500 }, (_, i) => [`t${i}`, 1]));
    metrics.watchJobs(async () => ({ inFlight: 0, queuedByTenant: queued }));
    const many = await metrics.text();
    expect(many.match(/^facewright_jobs_queued\{/gm)).toHaveLength(201);
    expect(valueOfSeries(many, 'facewright_jobs_queued{tenant="other"}')).toBe(300);
    queued = new Map();
    expect(await metrics.text()).not.toContain('facewright_jobs_queued{');
  });

  it('answers while the queue does not', async () => {
    const metrics = createMetrics({ process: false });
    metrics.watchJobs(() => Promise.reject(new Error('no queue')));
    expect(await metrics.text()).toContain('facewright_rejected_total');
  });

  it('tells of the process too', async () => {
    expect(await createMetrics().text()).toContain('process_resident_memory_bytes');
  });
});

import { FacewrightError } from '@facewright/protocol';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Job } from '../jobs/job.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import { createLog } from '../observability/create-log.ts';
import { createMetrics } from '../observability/create-metrics.ts';
import { measureServiceTime } from './measure-service-time.ts';
import { startAdminServer } from './start-admin-server.ts';
import { watchHealth } from './watch-health.ts';

describe('watchHealth', () => {
  it('is starting, ready, unhealthy while a part is, and draining to the end', async () => {
    let storage: FacewrightError | Error | null = null;
    const health = watchHealth('1.2.3', {
      queue: async () => {},
      storage: async () => {
        if (storage !== null) throw storage;
      },
    });
    onTestFinished(() => health.stop());
    expect(health.read()).toMatchObject({ status: 'starting', version: '1.2.3' });
    await health.check();
    health.started();
    expect(health.read()).toEqual({ status: 'ready', version: '1.2.3', checks: { queue: { ok: true }, storage: { ok: true } } });
    storage = new FacewrightError('FW_STORAGE_FULL', {});
    await health.check();
    expect(health.read()).toMatchObject({ status: 'unhealthy', checks: { storage: { ok: false, reason: storage.message } } });
    // Reasons that are not of the table may name paths.
    storage = new Error('/srv/secret is broken');
    await health.check();
    expect(JSON.stringify(health.read())).not.toContain('/srv');
    storage = null;
    await health.check();
    expect(health.read().status).toBe('ready');
    health.draining();
    health.started();
    expect(health.read().status).toBe('draining');
  });
});

describe('measureServiceTime', () => {
  const finished = (tookMs: number, state: Job['state'] = 'succeeded') => ({ state, startedAt: 1000, finishedAt: 1000 + tookMs }) as Job;

  it('follows how long jobs take, and does not count those that were refused early', async () => {
    let tell: (job: Job) => void = () => {};
    const queue = {
      watchFinished: async (listener: (job: Job) => void) => {
        tell = listener;
        return () => {};
      },
    } as unknown as JobQueue;
    const time = measureServiceTime(queue, 3, createLog('silent', 'test'));
    onTestFinished(() => time.stop());
    expect(time.read()).toEqual({ meanS: 0.25, workers: 3 });
    tell(finished(2000));
    expect(time.read().meanS).toBe(2);
    for (let k = 0; k < 100; k++) tell(finished(500));
    expect(time.read().meanS).toBeCloseTo(0.5, 3);
    tell(finished(1, 'failed'));
    expect(time.read().meanS).toBeCloseTo(0.5, 3);
  });

  it('takes what runs at once elsewhere for the number of workers', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let processing = 0;
    const queue = { watchFinished: async () => () => {}, counts: async () => ({ processing }) } as unknown as JobQueue;
    const time = measureServiceTime(queue, 0, createLog('silent', 'test'));
    onTestFinished(() => time.stop());
    expect(time.read().workers).toBe(1);
    processing = 8;
    await vi.advanceTimersByTimeAsync(2100);
    expect(time.read().workers).toBe(8);
    // Less to do is not fewer workers at once; after a minute it may be.
    processing = 0;
    await vi.advanceTimersByTimeAsync(4000);
    expect(time.read().workers).toBeGreaterThan(5);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(time.read().workers).toBe(1);
  });
});

describe('startAdminServer', () => {
  it('tells metrics and health to programs of the operator', async () => {
    let status: 'starting' | 'ready' | 'draining' = 'starting';
    const admin = await startAdminServer('127.0.0.1', 0, createMetrics({ process: false }), () => ({ status, version: '1', checks: {} }));
    onTestFinished(() => admin.close());
    const statuses = async () =>
      Object.fromEntries(
        await Promise.all(
          ['livez', 'startupz', 'readyz', 'health'].map(async (path) => [path, (await fetch(`${admin.url}/${path}`)).status] as const),
        ),
      );
    expect(await statuses()).toEqual({ livez: 200, startupz: 503, readyz: 503, health: 503 });
    status = 'ready';
    expect(await statuses()).toEqual({ livez: 200, startupz: 200, readyz: 200, health: 200 });
    status = 'draining';
    expect(await statuses()).toEqual({ livez: 200, startupz: 200, readyz: 503, health: 503 });
    const metrics = await fetch(`${admin.url}/metrics?x=1`);
    expect(metrics.headers.get('content-type')).toContain('text/plain');
    expect(await metrics.text()).toContain('facewright_jobs_in_flight');
    expect((await fetch(`${admin.url}/v1/reconstructions`)).status).toBe(404);
    expect((await fetch(`${admin.url}/metrics`, { method: 'POST' })).status).toBe(405);
    const port = Number(new URL(admin.url).port);
    await expect(
      startAdminServer('127.0.0.1', port, createMetrics({ process: false }), () => ({ status, version: '1', checks: {} })),
    ).rejects.toMatchObject({ code: 'FW_LISTEN_FAILED' });
  });
});

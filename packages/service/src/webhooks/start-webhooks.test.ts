import { createHmac, timingSafeEqual } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { viewReconstruction } from '../http/view-reconstruction.ts';
import type { NewJob } from '../jobs/job.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import { createJournalQueue } from '../jobs/journal-queue/create-journal-queue.ts';
import { createLog } from '../observability/create-log.ts';
import { createFileStorage } from '../storage/file-storage.ts';
import type { ObjectStorage } from '../storage/object-storage.ts';
import type { HostRules } from './resolve-webhook-host.ts';
import { deriveWebhookSecret } from './sign-webhook.ts';
import { computePauseMs, startWebhooks, type WebhookPauses, type Webhooks } from './start-webhooks.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Receiver {
  readonly url: string;
  readonly received: Received[];
}

const SECRET = 'a secret of the service, long enough';
const PAUSES: WebhookPauses = { firstRetryMs: 20, timeoutMs: 400, lookMs: 50, overdueMs: 200, leaseMs: 400 };
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A receiver on this machine that answers as told. */
async function startReceiver(answer: (request: Received, response: ServerResponse) => unknown): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const one = { path: request.url ?? '', headers: request.headers, body };
      received.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received };
}

interface Bench {
  readonly queue: JobQueue;
  readonly storage: ObjectStorage;
  readonly lines: string[];
  start(options?: { rules?: HostRules; attempts?: number; pauses?: WebhookPauses }): Webhooks;
  /** A job that has ended. */
  end(id: string, webhookUrl: string | null, tenant?: string): Promise<void>;
}

async function createBench(dir?: string): Promise<Bench> {
  const folder = dir ?? (await mkdtemp(join(tmpdir(), 'fw-webhooks-')));
  if (dir === undefined) closers.push(() => rm(folder, { recursive: true, force: true }));
  const queue = await createJournalQueue({ dir: join(folder, 'jobs'), shareOf: () => ({ weight: 1, maxProcessing: 9 }) });
  closers.push(() => queue.close());
  const storage = await createFileStorage({ dir: join(folder, 'objects') });
  closers.push(() => storage.close());
  const lines: string[] = [];
  return {
    queue,
    storage,
    lines,
    start({ rules = { allowPrivate: true }, attempts = 4, pauses = PAUSES } = {}) {
      const webhooks = startWebhooks({
        queue,
        storage,
        log: createLog('debug', 'test', { write: (line) => lines.push(line) }),
        secret: SECRET,
        attempts,
        rules,
        pauses,
        viewJob: (job) =>
          viewReconstruction(job, { linkSecret: 'l'.repeat(40), linkTtlS: 60, serviceTime: { meanS: 1, workers: 1 }, now: Date.now() }),
      });
      closers.push(() => webhooks.stop());
      return webhooks;
    },
    async end(id, webhookUrl, tenant = 'alice') {
      const now = Date.now();
      const job: NewJob = {
        tenant,
        id,
        options: { model: 'head', textureSize: 1024, formats: ['glb'], compact: false, face: 'only', keepPhoto: false },
        photo: { key: `${tenant}/jobs/${id}/photo`, bytes: 10, sha256: 'ab'.repeat(32) },
        fingerprint: id,
        createdAt: now,
        deadlineAt: now + 60_000,
        ttlMs: 60_000,
        requestId: 'request',
        traceparent: null,
        batchId: null,
        webhookUrl,
      };
      await queue.submit(job, { maxQueued: 1_000, tenantMaxPending: 1_000 });
      await queue.cancel(tenant, id);
    },
  };
}

const deliveriesLeft = async (storage: ObjectStorage): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of storage.list('_webhooks')) keys.push(key);
  return keys;
};

/** A receiver's check, written from the text of Standard Webhooks, not from our code. */
function verify({ headers, body }: Received, secret: string, nowS = Date.now() / 1000): boolean {
  const timestamp = Number(headers['webhook-timestamp']);
  if (Math.abs(nowS - timestamp) > 300) return false;
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const wanted = createHmac('sha256', key).update(`${headers['webhook-id']}.${timestamp}.${body}`).digest();
  return String(headers['webhook-signature'])
    .split(' ')
    .filter((part) => part.startsWith('v1,'))
    .some((part) => {
      const given = Buffer.from(part.slice(3), 'base64');
      return given.length === wanted.length && timingSafeEqual(given, wanted);
    });
}

describe('webhooks', () => {
  it('tell of the end, signed with the secret of the tenant', async () => {
    const receiver = await startReceiver((_, response) => response.end());
    const bench = await createBench();
    bench.start();
    await bench.end('r1', receiver.url);
    await bench.end('r2', null);
    await expect.poll(() => receiver.received).toHaveLength(1);
    const [one] = receiver.received;
    const body = JSON.parse(one!.body);
    expect(body).toMatchObject({ type: 'reconstruction.canceled', data: { id: 'r1', state: 'canceled' } });
    expect(one!.headers['content-type']).toBe('application/json');
    expect(verify(one!, deriveWebhookSecret(SECRET, 'alice'))).toBe(true);
    expect(verify(one!, deriveWebhookSecret(SECRET, 'mallory'))).toBe(false);
    expect(verify({ ...one!, body: one!.body.replace('r1', 'r2') }, deriveWebhookSecret(SECRET, 'alice'))).toBe(false);
    expect(verify(one!, deriveWebhookSecret(SECRET, 'alice'), Date.now() / 1000 + 600)).toBe(false);
    await expect.poll(() => deliveriesLeft(bench.storage)).toEqual([]);
  });

  it('are tried again until the receiver takes them, with the same id', async () => {
    const statuses = [500, 429, 302, 200];
    const receiver = await startReceiver((_, response) => {
      response.writeHead(statuses.shift() ?? 200, { location: '/elsewhere' }).end('x');
    });
    const bench = await createBench();
    bench.start({ pauses: { ...PAUSES, firstRetryMs: 5 } });
    await bench.end('r1', receiver.url);
    await expect.poll(() => receiver.received, { timeout: 5_000 }).toHaveLength(4);
    await expect.poll(() => deliveriesLeft(bench.storage)).toEqual([]);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    // Redirects are not followed.
    expect(new Set(receiver.received.map(({ path }) => path))).toEqual(new Set(['/hook']));
    expect(receiver.received.every((one) => verify(one, deriveWebhookSecret(SECRET, 'alice')))).toBe(true);
  });

  it('are given up after the last attempt, and at once where the receiver says that it is gone', async () => {
    const receiver = await startReceiver(({ path }, response) => response.writeHead(path === '/hook' ? 503 : 410).end());
    const bench = await createBench();
    bench.start({ attempts: 3, pauses: { ...PAUSES, firstRetryMs: 2 } });
    await bench.end('r1', receiver.url);
    await bench.end('r2', receiver.url.replace('/hook', '/gone'));
    await expect.poll(() => bench.lines.filter((line) => line.includes('given up')), { timeout: 5_000 }).toHaveLength(2);
    await expect.poll(() => deliveriesLeft(bench.storage)).toEqual([]);
    expect(receiver.received.filter(({ path }) => path === '/hook')).toHaveLength(3);
    expect(receiver.received.filter(({ path }) => path === '/gone')).toHaveLength(1);
    // Addresses of receivers are the tenant's own business.
    expect(bench.lines.join()).not.toMatch(/127\.0\.0\.1|\/hook|\/gone/);
  });

  it('survive a restart, and the end of a job while nobody listens', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'fw-webhooks-'));
    const receiverIs: { up: boolean } = { up: false };
    const receiver = await startReceiver((_, response) => response.writeHead(receiverIs.up ? 200 : 500).end());
    const first = await createBench(dir);
    const webhooks = first.start({ pauses: { ...PAUSES, firstRetryMs: 300 } });
    await first.end('before', receiver.url);
    await expect.poll(() => receiver.received.length).toBeGreaterThan(0);
    await webhooks.stop();
    await first.end('unheard', receiver.url);
    expect(await deliveriesLeft(first.storage)).toEqual([expect.stringMatching(/^_webhooks\/alice\/before\/\d+$/)]);
    for (const close of closers.splice(1).reverse()) await close();

    receiverIs.up = true;
    receiver.received.length = 0;
    const second = await createBench(dir);
    closers.unshift(() => rm(dir, { recursive: true, force: true }));
    second.start();
    await expect
      .poll(() => receiver.received.map(({ body }) => JSON.parse(body).data.id).sort(), { timeout: 5_000 })
      .toEqual(['before', 'unheard']);
    await expect.poll(() => deliveriesLeft(second.storage)).toEqual([]);
  });

  it('of one tenant do not wait for dead receivers of another', async () => {
    const hanging = await startReceiver(() => {});
    const receiver = await startReceiver((_, response) => response.end());
    const bench = await createBench();
    bench.start({ pauses: { ...PAUSES, timeoutMs: 30_000 } });
    for (let i = 0; i < 60; i++) await bench.end(`dead${i}`, hanging.url, 'mallory');
    await bench.end('alive', receiver.url, 'alice');
    await expect.poll(() => receiver.received).toHaveLength(1);
    // And a dead receiver holds few connections.
    expect(hanging.received.length).toBeLessThanOrEqual(4);
  });

  it('give up waiting for a receiver that hangs or never stops answering', async () => {
    const receiver = await startReceiver(({ path }, response) => {
      if (path !== '/endless') return;
      response.writeHead(200);
      const more = (): void => {
        if (!response.destroyed) response.write('x'.repeat(60_000), () => setImmediate(more));
      };
      more();
    });
    const bench = await createBench();
    bench.start({ attempts: 1, pauses: { ...PAUSES, timeoutMs: 300 } });
    await bench.end('hangs', receiver.url);
    await bench.end('endless', receiver.url.replace('/hook', '/endless'));
    await expect.poll(() => bench.lines.filter((line) => line.includes('no answer in time')), { timeout: 5_000 }).toHaveLength(1);
    await expect.poll(() => bench.lines.filter((line) => line.includes('Webhook delivered'))).toHaveLength(1);
    await expect.poll(() => deliveriesLeft(bench.storage)).toEqual([]);
  });

  it('go to no private address, also when the name leads elsewhere only after it was checked', async () => {
    const receiver = await startReceiver((_, response) => response.end());
    const answers = [['93.184.215.14']];
    const rules: HostRules = { allowPrivate: false, resolveName: async () => answers.shift() ?? ['127.0.0.1'] };
    const bench = await createBench();
    const webhooks = bench.start({ rules, attempts: 1 });
    const url = receiver.url.replace('http://127.0.0.1', 'https://rebinding.example');
    await webhooks.checkUrl(url);
    await bench.end('r1', url);
    await bench.end('r2', receiver.url);
    await expect.poll(() => bench.lines.filter((line) => line.includes('given up'))).toHaveLength(2);
    expect(receiver.received).toEqual([]);
    expect(bench.lines.join()).toContain('refused: it does not lead to a public address');
  });

  it('tell of both ends where an id is used again while the first is told', async () => {
    const open: ServerResponse[] = [];
    const receiver = await startReceiver((_, response) => open.push(response));
    const bench = await createBench();
    bench.start({ pauses: { ...PAUSES, timeoutMs: 30_000 } });
    await bench.end('r1', receiver.url);
    await expect.poll(() => open).toHaveLength(1);
    await bench.queue.remove('alice', 'r1');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await bench.end('r1', receiver.url);
    await expect.poll(() => open).toHaveLength(2);
    for (const response of open) response.end();
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
    await expect.poll(() => deliveriesLeft(bench.storage)).toEqual([]);
  });

  it('that wait for their turn are not taken up by another process', async () => {
    const receiver = await startReceiver((_, response) => void setTimeout(() => response.end(), 400));
    const bench = await createBench();
    // Four at a time: the last wait for five rounds, twice as long as what is overdue is left alone.
    const pauses = { ...PAUSES, timeoutMs: 30_000, overdueMs: 1_000, leaseMs: 3_000 };
    bench.start({ pauses });
    for (let i = 0; i < 24; i++) await bench.end(`r${i}`, receiver.url);
    await expect
      .poll(() => deliveriesLeft(bench.storage).then((keys) => keys.length + receiver.received.length))
      .toBeGreaterThanOrEqual(24);
    // The queue tells of ends until it has learned that they were heard of.
    await new Promise((resolve) => setTimeout(resolve, 500));
    bench.start({ pauses });
    await expect.poll(() => deliveriesLeft(bench.storage), { timeout: 15_000 }).toEqual([]);
    expect(receiver.received.map(({ body }) => JSON.parse(body).data.id).sort()).toEqual(
      Array.from({ length: 24 }, (_, i) => `r${i}`).sort(),
    );
  });

  it('of a reconstruction that was deleted are not sent any more', async () => {
    const receiver = await startReceiver((_, response) => response.writeHead(500).end());
    const bench = await createBench();
    bench.start({ pauses: { ...PAUSES, firstRetryMs: 100 } });
    await bench.end('r1', receiver.url);
    await expect.poll(() => receiver.received).toHaveLength(1);
    await bench.queue.remove('alice', 'r1');
    await expect.poll(() => deliveriesLeft(bench.storage)).toEqual([]);
    expect(receiver.received).toHaveLength(1);
  });
});

describe('pauses between attempts', () => {
  it('grow, differ a little, and are as long as the receiver asks', () => {
    const middle = [1, 2, 3, 4].map((attempt) => computePauseMs(attempt, null, 5_000, 0.5));
    expect(middle).toEqual([5_000, 25_000, 125_000, 625_000]);
    expect(computePauseMs(1, null, 5_000, 0)).toBe(4_000);
    expect(computePauseMs(1, null, 5_000, 1)).toBe(6_000);
    expect(computePauseMs(1, 60, 5_000, 0.5)).toBe(60_000);
    expect(computePauseMs(40, 10 ** 9, 5_000, 0.5)).toBe(6 * 3_600_000);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { openRaw, type RawConnection } from './raw-request.test-support.ts';
import { fakeJpeg, photoForm, readJson, startTestService, type TestService } from './test-service.test-support.ts';

/** A quarter of it is what one tenant may hold. */
const MAX_CONNECTIONS = 80;
const MAX_STREAMS = 20;

let service: TestService;
const connections: RawConnection[] = [];
afterEach(async () => {
  for (const { socket } of connections.splice(0)) socket.destroy();
  await service?.close();
});

it('one tenant cannot hold every connection with streams, of either kind; others and short requests go on', async () => {
  service = await startTestService({ work: null, tenants: ['greedy', 'other'], config: { maxConnections: MAX_CONNECTIONS } });
  const keyed = (name: string) => ({ key: service.keys[name]! });
  for (const name of ['greedy', 'other']) {
    const init = { ...keyed(name), method: 'PUT', body: photoForm(fakeJpeg()), headers: { prefer: 'respond-async' } };
    expect((await service.fetch('v1/reconstructions/a', init)).status).toBe(202);
  }
  const events = '/v1/reconstructions/a/events';
  const heartbeat = '/gradio_api/heartbeat/abc';
  const ask = async (path: string, name = 'greedy', method = 'GET') => {
    const connection = await openRaw(service.port);
    connections.push(connection);
    const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${service.keys[name]}\r\n\r\n`;
    connection.socket.write(head);
    return Number((await connection.until((text) => text.includes('\r\n\r\n'))).split(' ')[1]);
  };
  for (let i = 0; i < MAX_STREAMS; i++) expect(await ask(i % 2 === 0 ? events : heartbeat)).toBe(200);

  const refused = await service.fetch(events, keyed('greedy'));
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await readJson(refused)).toMatchObject({ code: 'FW_RATE_LIMITED' });
  expect(await ask(heartbeat)).toBe(429);
  expect(await ask('/gradio_api/call/predict/none')).toBe(429);
  expect(await ask('/gradio_api/queue/data?session_hash=none')).toBe(429);
  expect(await ask(events, 'greedy', 'HEAD')).toBe(200);
  expect(await ask('/v1/account')).toBe(200);
  expect((await service.fetch('readyz')).status).toBe(200);
  for (const path of [events, heartbeat]) expect(await ask(path, 'other')).toBe(200);

  // One that ends makes room for one.
  connections[0]!.socket.destroy();
  let status = 429;
  for (let i = 0; i < 100 && status === 429; i++) {
    await sleep(20);
    status = await ask(heartbeat);
  }
  expect(status).toBe(200);
  expect(await ask(events)).toBe(429);
});

it('however few connections there are, a tenant gets some streams', async () => {
  service = await startTestService({ work: null, config: { maxConnections: 30 } });
  const { url } = service;
  const gone = new AbortController();
  // Held: an answer that is collected as garbage gives its place back.
  const answers: Response[] = [];
  for (let i = 0; i < 17; i++) answers.push(await fetch(`${url}/gradio_api/heartbeat/a${i}`, { signal: gone.signal }));
  expect(answers.map((answer) => answer.status)).toEqual([...Array(16).fill(200), 429]);
  gone.abort();
});

it('requests that wait for their result count too: one too many is answered at once, not refused', async () => {
  service = await startTestService({ work: null, config: { maxConnections: 30, tenantMaxPending: 100 } });
  const { url } = service;
  const gone = new AbortController();
  const wait = { method: 'POST', headers: { prefer: 'wait=60' } };
  const waiting = Array.from({ length: 15 }, (_, i) =>
    fetch(`${url}/v1/reconstructions`, { ...wait, body: photoForm(fakeJpeg(2000, i)), signal: gone.signal }).catch(() => null),
  );
  // All are accepted, so all wait or are about to; a heartbeat takes the last place as soon as they do.
  await expect.poll(async () => (await service.queue.counts()).queued, { timeout: 20_000 }).toBe(15);
  const heartbeat = await fetch(`${url}/gradio_api/heartbeat/a`, { signal: gone.signal });
  expect(heartbeat.status).toBe(200);
  const tryOnce = async (): Promise<number> => {
    const once = new AbortController();
    const { status } = await fetch(`${url}/gradio_api/heartbeat/b`, { signal: once.signal });
    once.abort();
    return status;
  };
  await expect.poll(tryOnce, { timeout: 20_000 }).toBe(429);
  const answer = await service.fetch('v1/reconstructions', { ...wait, body: photoForm(fakeJpeg(2000, 99)) });
  expect([answer.status, answer.headers.get('preference-applied')]).toEqual([202, null]);
  gone.abort();
  await Promise.all(waiting);
});

import type { ReconstructionEvent } from '@facewright/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { ConnectionError, createClient, ServiceError } from './index.ts';
import { sendJson, startTestServer, type TestServer } from './test-server.test-support.ts';

let server: TestServer;
afterEach(() => server.close());

const job = (state: string) => ({ id: 'a1', state });

describe('requests', () => {
  it('sends a photo as a form, options in the query, key and preference as headers', async () => {
    server = await startTestServer((_, response) => sendJson(response, 201, job('succeeded')));
    const client = createClient({ baseUrl: `${server.url}/face`, apiKey: 'fw_key' });
    const view = await client.create(new TextEncoder().encode('abc'), {
      options: { formats: ['glb', 'json'], textureSize: 2048, compact: true },
      wait: 5,
      idempotencyKey: 'once',
      contentType: 'image/png',
    });
    expect(view.id).toBe('a1');
    const { method, url, headers, body } = server.seen[0]!;
    expect([method, url]).toEqual(['POST', '/face/v1/reconstructions?formats=glb%2Cjson&textureSize=2048&compact=true']);
    expect(headers).toMatchObject({ authorization: 'Bearer fw_key', prefer: 'wait=5', 'idempotency-key': 'once' });
    expect(headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(body.toString()).toContain('name="photo"; filename="photo"\r\nContent-Type: image/png\r\n\r\nabc\r\n');
  });

  it('streams a stream as the body itself', async () => {
    server = await startTestServer((_, response) => sendJson(response, 202, job('queued')));
    const stream = new Blob(['abc', 'def']).stream() as ReadableStream<Uint8Array>;
    await createClient({ baseUrl: server.url }).put('mine', stream, { contentType: 'image/jpeg', wait: 0 });
    const { method, url, headers, body } = server.seen[0]!;
    expect([method, url, body.toString()]).toEqual(['PUT', '/v1/reconstructions/mine', 'abcdef']);
    expect(headers).toMatchObject({ 'content-type': 'image/jpeg', prefer: 'respond-async' });
    expect(headers.authorization).toBeUndefined();
  });

  it('never sends the name of a photo, but those of a batch', async () => {
    server = await startTestServer((_, response) => sendJson(response, 202, { id: 'b' }));
    const client = createClient({ baseUrl: server.url });
    await client.create(new File(['x'], 'jane-doe.jpg', { type: 'image/jpeg' }));
    await client.batches.create([
      { name: 'one.jpg', photo: new Blob(['1']) },
      { name: 'two.jpg', photo: new Blob(['2']) },
    ]);
    expect(server.seen[0]!.body.toString()).not.toContain('jane');
    expect(server.seen[1]!.body.toString().match(/filename="(\w+\.jpg)"/g)).toEqual(['filename="one.jpg"', 'filename="two.jpg"']);
  });

  it.each([
    ['get', 'GET', '/v1/reconstructions/a%2Fb'],
    ['cancel', 'POST', '/v1/reconstructions/a%2Fb/cancel'],
    ['delete', 'DELETE', '/v1/reconstructions/a%2Fb'],
  ] as const)('%s asks for the right thing', async (call, method, url) => {
    server = await startTestServer((_, response) =>
      call === 'delete' ? response.writeHead(204).end() : sendJson(response, 200, job('queued')),
    );
    await createClient({ baseUrl: `${server.url}/` })[call]('a/b');
    expect(server.seen.map((r) => [r.method, r.url])).toEqual([[method, url]]);
  });

  it('lists batches and follows one to its end', async () => {
    server = await startTestServer(({ url }, response) => {
      if (!url.endsWith('/events')) return sendJson(response, 200, { batches: [] });
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(['snapshot', 'progress', 'end'].map((event) => `event: ${event}\ndata: {"counts":{"total":2}}\n\n`).join(''));
    });
    const { batches } = createClient({ baseUrl: server.url });
    await batches.list({ limit: 7, after: 'x y' });
    const events: string[] = [];
    for await (const { event, data } of batches.events('a/b')) events.push(`${event} ${data.counts.total}`);
    expect(events).toEqual(['snapshot 2', 'progress 2', 'end 2']);
    expect(server.seen.map((r) => r.url)).toEqual(['/v1/batches?limit=7&after=x+y', '/v1/batches/a%2Fb/events']);
  });

  it('lists by pages and asks for the account', async () => {
    server = await startTestServer((_, response) => sendJson(response, 200, { reconstructions: [] }));
    const client = createClient({ baseUrl: server.url });
    await client.list({ limit: 7, after: 'x y' });
    await client.account();
    expect(server.seen.map((r) => r.url)).toEqual(['/v1/reconstructions?limit=7&after=x+y', '/v1/account']);
  });

  it('asks a key function anew for every request', async () => {
    server = await startTestServer((_, response) => sendJson(response, 200, {}));
    let key: string | null = null;
    const client = createClient({ baseUrl: server.url, apiKey: () => key });
    await client.account();
    key = 'later';
    await client.account();
    expect(server.seen.map((r) => r.headers.authorization)).toEqual([undefined, 'Bearer later']);
  });

  it('tells of an instance that is not ready instead of throwing', async () => {
    const health = { status: 'starting', version: '1', checks: { workers: { ok: false } } };
    server = await startTestServer((_, response) => sendJson(response, 503, health));
    expect(await createClient({ baseUrl: server.url }).health()).toEqual(health);
  });

  it('downloads by a signed link without the key', async () => {
    server = await startTestServer((_, response) => response.end('bytes'));
    const client = createClient({ baseUrl: `${server.url}/face/`, apiKey: 'secret' });
    const response = await client.download('/v1/reconstructions/a1/files/face.glb?sig=1');
    expect(await response.text()).toBe('bytes');
    expect(server.seen[0]!.url).toBe('/face/v1/reconstructions/a1/files/face.glb?sig=1');
    expect(server.seen[0]!.headers.authorization).toBeUndefined();
  });
});

describe('errors', () => {
  it('carries everything of a problem', async () => {
    const problem = {
      type: 'x',
      title: 't',
      status: 429,
      detail: 'The queue is full',
      code: 'FW_QUEUE_FULL',
      hint: 'Wait',
      requestId: 'r1',
      params: { queued: 3 },
    };
    server = await startTestServer((_, response) =>
      sendJson(response, 429, problem, { 'content-type': 'application/problem+json', 'retry-after': '12' }),
    );
    const error = await createClient({ baseUrl: server.url })
      .get('a')
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({
      code: 'FW_QUEUE_FULL',
      status: 429,
      message: 'The queue is full',
      hint: 'Wait',
      requestId: 'r1',
      retryAfterS: 12,
      params: { queued: 3 },
      reconstruction: null,
    });
  });

  it('names the status where a proxy answered, and where a success is not JSON', async () => {
    let status = 502;
    server = await startTestServer((_, response) => response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>'));
    const client = createClient({ baseUrl: server.url });
    await expect(client.get('a')).rejects.toMatchObject({ name: 'ServiceError', code: 'HTTP_502', requestId: '' });
    status = 200;
    await expect(client.get('a')).rejects.toMatchObject({ name: 'ServiceError', code: 'HTTP_200' });
  });

  it('does not take a code that the table does not have', async () => {
    server = await startTestServer((_, response) => sendJson(response, 418, { code: 'toString' }));
    await expect(createClient({ baseUrl: server.url }).get('a')).rejects.toMatchObject({ code: 'HTTP_418' });
  });

  it('tells a missing answer from a refusal', async () => {
    server = await startTestServer((_, response) => response.destroy());
    const client = createClient({ baseUrl: server.url });
    const error = await client.get('a').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ConnectionError);
    expect((error as Error).message).toBe('No answer to GET /v1/reconstructions/a');
  });

  it('throws the reason of the signal', async () => {
    server = await startTestServer(() => undefined);
    const controller = new AbortController();
    const promise = createClient({ baseUrl: server.url }).get('a', { signal: controller.signal });
    controller.abort(new Error('no longer'));
    await expect(promise).rejects.toThrow('no longer');
  });

  it('refuses a relative address outside a page', async () => {
    server = await startTestServer(() => undefined);
    expect(() => createClient({ baseUrl: './' })).toThrow('Expected an absolute http(s) address');
  });
});

describe('events', () => {
  const frame = (event: string, data: unknown, id?: number) =>
    `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

  it('goes on over a broken connection and a passing refusal, and ends with `end`', async () => {
    server = await startTestServer((_, response) => {
      const connection = server.seen.length;
      if (connection === 2) return sendJson(response, 503, { code: 'FW_DRAINING' });
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (connection === 1) {
        response.write(`retry: 1\n: comment\n\n${frame('snapshot', job('queued'), 1)}${frame('queued', { position: 2, etaS: 1 }, 2)}`);
        setTimeout(() => response.destroy(), 20);
      } else {
        response.end(frame('snapshot', job('processing')) + frame('end', job('succeeded')));
      }
    });
    const states: boolean[] = [];
    const events: ReconstructionEvent[] = [];
    const view = await createClient({ baseUrl: server.url, apiKey: 'k' }).waitFor('a1', {
      onEvent: (e) => events.push(e),
      onConnection: (s) => states.push(s.connected),
    });
    expect(view.state).toBe('succeeded');
    expect(events.map((e) => e.event)).toEqual(['snapshot', 'queued', 'snapshot', 'end']);
    expect(states).toEqual([true, false, false, true]);
    expect(server.seen.map((r) => r.headers['last-event-id'])).toEqual([undefined, '2', '2']);
    expect(server.seen[2]!.headers).toMatchObject({ accept: 'text/event-stream', authorization: 'Bearer k' });
  });

  it('gives up where trying again does not help', async () => {
    server = await startTestServer((_, response) => sendJson(response, 404, { code: 'FW_NOT_FOUND' }));
    await expect(createClient({ baseUrl: server.url }).waitFor('gone')).rejects.toMatchObject({ code: 'FW_NOT_FOUND' });
    expect(server.seen).toHaveLength(1);
  });

  it('closes the connection when the reader stops', async () => {
    let closed = false;
    server = await startTestServer((_, response) => {
      response.on('close', () => (closed = true));
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(frame('snapshot', job('queued')));
    });
    for await (const _ of createClient({ baseUrl: server.url }).events('a1')) break;
    await expect.poll(() => closed).toBe(true);
  });

  it('stops waiting when its signal aborts', async () => {
    server = await startTestServer((_, response) => response.destroy());
    const controller = new AbortController();
    const promise = createClient({ baseUrl: server.url }).waitFor('a1', {
      signal: controller.signal,
      onConnection: () => controller.abort(new Error('enough')),
    });
    await expect(promise).rejects.toThrow('enough');
  });
});

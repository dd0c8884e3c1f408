import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { openRaw, parseRaw, type RawConnection, rawRequest, uploadHead } from './raw-request.test-support.ts';
import { fakeJpeg, photoForm, readJson, startTestService, type TestService } from './test-service.test-support.ts';

let service: TestService;
const open: RawConnection[] = [];
afterEach(async () => {
  for (const connection of open.splice(0)) connection.socket.destroy();
  await service?.close();
});
const connect = async () => {
  const connection = await openRaw(service.port);
  open.push(connection);
  return connection;
};
const problemIn = (text: string) => JSON.parse(parseRaw(text).body);
const complete = (text: string) => /\r\n\r\n\{.*\}$/s.test(parseRaw(text).text) && parseRaw(text).body.endsWith('}');
/** Nothing of any upload is left, in the storage and among its unfinished files. */
const nothingKept = async () => {
  expect(await service.storedKeys()).toEqual([]);
  expect(await service.storage.usedBytes('local')).toBe(0);
};
const gone = async (isSo: () => Promise<boolean>) => {
  while (!(await isSo())) await sleep(10);
};

describe('what can be refused before the photo is', () => {
  it('a full queue: 429 with a wait from queue and measured time, before a byte of the body, and the connection ends', async () => {
    service = await startTestService({ work: null, config: { maxQueued: 3 } });
    for (let i = 0; i < 3; i++)
      await service.fetch('v1/reconstructions', {
        method: 'POST',
        body: photoForm(fakeJpeg(2000, i)),
        headers: { prefer: 'respond-async' },
      });
    const connection = await connect();
    connection.socket.write(uploadHead({ length: 20_000_000 }));
    const answer = parseRaw(await connection.until(complete));
    expect(answer.status).toBe(429);
    expect(answer.headers).toMatchObject({ connection: 'close', 'content-type': 'application/problem+json' });
    // 3 waiting x 0.5 s / 2 workers.
    expect(answer.headers['retry-after']).toBe('1');
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'FW_QUEUE_FULL', params: { queued: 3 } });
    // The rest of the body may still come; it is read away, and then the connection is closed.
    connection.socket.write(Buffer.alloc(1_000_000));
    connection.socket.end();
    await connection.closed();
  });

  it('a client that sends all of it before it reads gets the answer, not a reset', async () => {
    service = await startTestService({ work: null, config: { maxQueued: 1 } });
    await service.fetch('v1/reconstructions', { method: 'POST', body: photoForm(fakeJpeg()), headers: { prefer: 'respond-async' } });
    for (let i = 0; i < 3; i++) {
      const answer = await service.fetch('v1/reconstructions', { method: 'POST', body: photoForm(fakeJpeg(8_000_000, i)) });
      expect((await readJson(answer)).code).toBe('FW_QUEUE_FULL');
    }
    expect((await service.storedKeys()).length).toBe(1);
  });

  it.each([
    ['starting', 503, 'FW_STARTING', '2'],
    ['draining', 503, 'FW_DRAINING', '5'],
  ] as const)('%s: 503', async (status, http, code, retryAfter) => {
    service = await startTestService({ work: null });
    service.health = status;
    const answer = await rawRequest(service.port, uploadHead({ length: 5000 }));
    expect([answer.status, JSON.parse(answer.body).code, answer.headers['retry-after']]).toEqual([http, code, retryAfter]);
    expect((await service.fetch('readyz')).status).toBe(503);
    expect((await service.fetch('startupz')).status).toBe(status === 'starting' ? 503 : 200);
    expect((await service.fetch('livez')).status).toBe(200);
    // What is there can still be read.
    expect((await service.fetch('v1/reconstructions')).status).toBe(200);
  });

  it('the rate of a tenant: 429 with the wait, and what is left in every answer', async () => {
    service = await startTestService({ tenants: ['acme', 'beta'], limits: { acme: { ratePerMinute: 8 } } });
    const send = (tenant: string) =>
      service.fetch('v1/reconstructions', { method: 'POST', body: photoForm(fakeJpeg()), key: service.keys[tenant]! });
    const first = await send('acme');
    expect(first.status).toBe(201);
    expect(first.headers.get('ratelimit-policy')).toBe('"photos";q=8;w=60, "burst";q=2;w=15');
    expect(first.headers.get('ratelimit')).toMatch(/^"burst";r=1;t=0$/);
    expect((await send('acme')).status).toBe(201);
    const refused = await send('acme');
    expect(await readJson(refused)).toMatchObject({ code: 'FW_RATE_LIMITED' });
    // One every 7.5 s.
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(5);
    expect((await send('beta')).status).toBe(201);
    expect((await service.fetch('readyz', { key: service.keys.acme! })).status).toBe(200);
    expect((await service.fetch('v1/account', { key: service.keys.acme! })).status).toBe(200);
  });

  it('a tenant with enough of its own waiting; uploads on their way count', async () => {
    service = await startTestService({ work: null, tenants: ['acme', 'beta'], limits: { acme: { maxPending: 2 } } });
    const key = service.keys.acme!;
    const uploading = await connect();
    uploading.socket.write(uploadHead({ length: 5000, headers: { authorization: `Bearer ${key}` } }));
    uploading.socket.write(fakeJpeg(1000));
    await sleep(100);
    const send = (tenant: string) =>
      service.fetch('v1/reconstructions', {
        method: 'POST',
        body: photoForm(fakeJpeg()),
        key: service.keys[tenant]!,
        headers: { prefer: 'respond-async' },
      });
    expect((await send('acme')).status).toBe(202);
    expect(await readJson(await send('acme'))).toMatchObject({ code: 'FW_TENANT_QUEUE_FULL', params: { queued: 2, max: 2 } });
    expect((await send('beta')).status).toBe(202);
    uploading.socket.destroy();
    await gone(async () => (await send('acme')).status === 202);
  });

  it('a tenant whose storage is used up', async () => {
    service = await startTestService({ tenants: ['acme'], limits: { acme: { storageBytes: 3000 } } });
    const send = () => service.fetch('v1/reconstructions', { method: 'POST', body: photoForm(fakeJpeg(1500)), key: service.keys.acme! });
    // A result has 1000 bytes, a request some 1700.
    for (let i = 0; i < 2; i++) expect((await send()).status).toBe(201);
    expect(await readJson(await send())).toMatchObject({ code: 'FW_STORAGE_QUOTA', params: { usedBytes: 2000, maxBytes: 3000 } });
  });

  it('a body that says it is too long', async () => {
    service = await startTestService({ work: null, config: { maxPhotoBytes: 1_000_000 } });
    const answer = await rawRequest(service.port, uploadHead({ length: 2_000_000 }));
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'FW_BODY_TOO_LARGE' });
  });
});

describe('Expect: 100-continue', () => {
  it('the go-ahead comes when the photo is wanted', async () => {
    service = await startTestService();
    const connection = await connect();
    connection.socket.write(uploadHead({ length: 2000, headers: { expect: '100-continue' } }));
    expect(await connection.until((text) => text.includes('\r\n\r\n'))).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    connection.socket.write(fakeJpeg(2000));
    expect(parseRaw(await connection.until((text) => text.includes('"succeeded"'))).status).toBe(201);
  });

  it('a refused photo is never asked for', async () => {
    service = await startTestService({ tenants: ['acme'] });
    const answer = await rawRequest(service.port, uploadHead({ length: 2000, headers: { expect: '100-continue' } }));
    expect(answer.text).not.toContain('100 Continue');
    expect([answer.status, answer.headers.connection]).toEqual([401, 'close']);
  });
});

describe('uploads that do not end well leave nothing', () => {
  it.each([
    ['in the first bytes', 10],
    ['in the middle', 100_000],
  ])('the caller goes away %s', async (_name, bytes) => {
    service = await startTestService({ work: null });
    const connection = await connect();
    connection.socket.write(uploadHead({ length: 200_000 }));
    connection.socket.write(fakeJpeg(bytes));
    await sleep(150);
    connection.socket.destroy();
    await gone(async () => (await service.app.server.listening) && (await countConnections()) === 0);
    await nothingKept();
    expect((await service.queue.counts()).queued).toBe(0);
  });

  it('the caller goes away in the middle of a form', async () => {
    service = await startTestService({ work: null });
    const connection = await connect();
    connection.socket.write(uploadHead({ headers: { 'content-type': 'multipart/form-data; boundary=b' } }));
    const part = Buffer.concat([
      Buffer.from('--b\r\ncontent-disposition: form-data; name="photo"; filename="a"\r\n\r\n'),
      fakeJpeg(50_000),
    ]);
    connection.socket.write(`${part.length.toString(16)}\r\n`);
    connection.socket.write(part);
    await sleep(150);
    connection.socket.destroy();
    await gone(async () => (await countConnections()) === 0);
    await nothingKept();
  });

  it('a form that ends without its last boundary is refused', async () => {
    service = await startTestService({ work: null });
    const body = Buffer.concat([
      Buffer.from('--b\r\ncontent-disposition: form-data; name="photo"; filename="a"\r\n\r\n'),
      fakeJpeg(50_000),
    ]);
    const answer = await rawRequest(
      service.port,
      Buffer.concat([
        Buffer.from(uploadHead({ length: body.length, headers: { 'content-type': 'multipart/form-data; boundary=b' } })),
        body,
      ]),
    );
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([400, 'FW_REQUEST_INVALID']);
    await nothingKept();
  });

  it('the caller goes away before the storage has begun to read', async () => {
    service = await startTestService({ work: null });
    const { put } = service.storage;
    service.storage.put = async (...args) => {
      await sleep(300);
      return await put.apply(service.storage, args);
    };
    for (const headers of [{}, { 'content-type': 'multipart/form-data; boundary=b' }]) {
      const connection = await connect();
      connection.socket.write(uploadHead({ length: 100_000, headers }));
      if ('content-type' in headers) connection.socket.write('--b\r\ncontent-disposition: form-data; name="photo"; filename="a"\r\n\r\n');
      connection.socket.write(fakeJpeg(30_000));
      await sleep(100);
      connection.socket.destroy();
    }
    await gone(async () => (await countConnections()) === 0);
    await sleep(500);
    // An error that nobody listens to would have ended the process.
    expect((await service.fetch('livez')).status).toBe(200);
    await nothingKept();
  });

  it.each([
    ['of 300 characters', `boundary=${'x'.repeat(300)}`],
    ['that is none', 'charset=utf-8'],
  ])('a boundary %s is refused', async (_name, parameter) => {
    service = await startTestService({ work: null });
    for (const path of ['/v1/reconstructions', '/v1/batches', '/gradio_api/upload']) {
      const head = uploadHead({ path, length: 4, headers: { 'content-type': `multipart/form-data; ${parameter}` } });
      expect((await rawRequest(service.port, `${head}--b\r`)).status, path).toBe(400);
    }
  });

  it('a part of a form without a name is refused', async () => {
    service = await startTestService({ work: null });
    const body = `--b\r\ncontent-disposition: form-data; filename="x"\r\n\r\n${'x'.repeat(50)}\r\n--b--\r\n`;
    const head = uploadHead({ length: body.length, headers: { 'content-type': 'multipart/form-data; boundary=b' } });
    expect((await rawRequest(service.port, head + body)).status).toBe(400);
  });

  it('an expectation that nobody knows harms nobody', async () => {
    service = await startTestService();
    const answer = await rawRequest(
      service.port,
      Buffer.concat([Buffer.from(uploadHead({ length: 2000, headers: { expect: 'miracles' } })), fakeJpeg(2000)]),
    );
    expect(answer.status).toBe(201);
  });

  it('an upload that is too slow gets 408 and its connection is closed', async () => {
    service = await startTestService({ work: null, deps: { uploadPace: { windowMs: 200, minBytes: 1000 } } });
    const connection = await connect();
    connection.socket.write(uploadHead({ length: 50_000 }));
    connection.socket.write(fakeJpeg(2000));
    const drip = setInterval(() => connection.socket.write('x'), 50);
    const text = await connection.until(complete);
    clearInterval(drip);
    expect(parseRaw(text).status).toBe(408);
    expect(problemIn(text)).toMatchObject({ code: 'FW_REQUEST_TIMEOUT' });
    connection.socket.end();
    await connection.closed();
    await nothingKept();
  });

  it('so does one that sends only its head, and a form that stops between its parts', async () => {
    service = await startTestService({ work: null, deps: { uploadPace: { windowMs: 200, minBytes: 1000 } } });
    const one = await connect();
    one.socket.write(uploadHead({ length: 50_000 }));
    const two = await connect();
    two.socket.write(uploadHead({ length: 50_000, headers: { 'content-type': 'multipart/form-data; boundary=b' } }));
    two.socket.write('--b\r\ncontent-disposition: form-data; name="face"\r\n\r\n1\r\n--b\r\n');
    for (const connection of [one, two]) expect(problemIn(await connection.until(complete)).code).toBe('FW_REQUEST_TIMEOUT');
  });

  it('one that is fast enough but never ends is cut off after the whole time', async () => {
    service = await startTestService({ work: null, config: { uploadTimeoutS: 1 } });
    const connection = await connect();
    connection.socket.write(uploadHead());
    connection.socket.write(`7d0\r\n${fakeJpeg(2000).toString('latin1')}\r\n`, 'latin1');
    const drip = setInterval(() => connection.socket.write(`3e8\r\n${'x'.repeat(1000)}\r\n`), 20);
    const text = await connection.until(complete);
    clearInterval(drip);
    expect(problemIn(text)).toMatchObject({ code: 'FW_REQUEST_TIMEOUT', params: { limitMs: 1000 } });
    await nothingKept();
  });

  it('a storage that is full: 507, and the service goes on', async () => {
    service = await startTestService();
    const { put } = service.storage;
    const { FacewrightError } = await import('@facewright/protocol');
    service.storage.put = async (_key, source) => {
      if (!(source instanceof Uint8Array)) source.destroy();
      throw new FacewrightError('FW_STORAGE_FULL', {});
    };
    const send = () => service.fetch('v1/reconstructions', { method: 'POST', body: photoForm(fakeJpeg(300_000)) });
    const full = await send();
    expect([full.status, full.headers.get('retry-after')]).toEqual([507, '60']);
    service.storage.put = put;
    expect((await send()).status).toBe(201);
  });

  it('a queue that fails after the photo was stored: 503, the photo is gone', async () => {
    service = await startTestService({ work: null });
    const { FacewrightError } = await import('@facewright/protocol');
    service.queue.submit = async () => {
      throw new FacewrightError('FW_QUEUE_UNAVAILABLE', { reason: 'connect ECONNREFUSED' });
    };
    const answer = await service.fetch('v1/reconstructions', { method: 'POST', body: photoForm(fakeJpeg()) });
    expect(await readJson(answer)).toMatchObject({ code: 'FW_QUEUE_UNAVAILABLE', retryAfterS: 5 });
    await nothingKept();
  });
});

describe('many at once', () => {
  it('two hundred open uploads cost little memory', async () => {
    service = await startTestService({ work: null, config: { tenantMaxPending: 1000, maxQueued: 1000 } });
    const MIB = 2 ** 20;
    const photo = fakeJpeg(2 * MIB);
    const used = () => {
      const { heapUsed, external } = process.memoryUsage();
      return (heapUsed + external) / MIB;
    };
    const before = used();
    const connections = await Promise.all(Array.from({ length: 200 }, connect));
    for (const { socket } of connections) socket.write(uploadHead({ length: 2 * MIB + 1 }));
    // All but the last byte, so that all of them are open at the same time.
    await Promise.all(connections.map(({ socket }) => new Promise<void>((resolve) => socket.write(photo, () => resolve()))));
    await sleep(300);
    const during = used();
    for (const { socket } of connections) socket.write('x');
    for (const connection of connections) connection.socket.destroy();
    await gone(async () => (await countConnections()) === 0);
    // 400 MiB were sent. A connection may hold a few buffers of 64 KiB on either side (this process is also the sender).
    expect(during - before).toBeLessThan(200 * 0.5);
  });
});

function countConnections(): Promise<number> {
  return new Promise((resolve, reject) =>
    service.app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );
}

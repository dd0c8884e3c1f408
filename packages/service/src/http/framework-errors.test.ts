import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRaw, parseRaw, rawRequest, uploadHead } from './raw-request.test-support.ts';
import { fakeJpeg, photoForm, readJson, startTestService, type TestService } from './test-service.test-support.ts';

describe('what is wrong with a request, as problem+json', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ work: null });
  });
  afterAll(async () => await service.close());

  it.each([
    ['GET', '/nothing', 404, 'FW_NOT_FOUND'],
    ['GET', '/v1', 404, 'FW_NOT_FOUND'],
    ['GET', '/v1/reconstructions/', 404, 'FW_NOT_FOUND'],
    ['GET', '/v1/reconstructions/unknown', 404, 'FW_NOT_FOUND'],
    ['GET', `/v1/reconstructions/${'a'.repeat(300)}`, 404, 'FW_NOT_FOUND'],
    ['GET', '/V1/reconstructions', 404, 'FW_NOT_FOUND'],
    ['GET', '//v1//reconstructions', 404, 'FW_NOT_FOUND'],
    ['GET', '/v1/reconstructions/%zz', 400, 'FW_REQUEST_INVALID'],
    ['GET', '/v1/reconstructions/%ff', 400, 'FW_REQUEST_INVALID'],
    ['GET', '/v1/reconstructions/a?x=%zz', 400, 'FW_REQUEST_INVALID'],
    ['DELETE', '/v1/reconstructions', 405, 'FW_METHOD_NOT_ALLOWED'],
    ['PATCH', '/v1/reconstructions/a', 405, 'FW_METHOD_NOT_ALLOWED'],
    ['GET', '/v1/reconstructions/a/cancel', 405, 'FW_METHOD_NOT_ALLOWED'],
    ['POST', '/readyz', 405, 'FW_METHOD_NOT_ALLOWED'],
    ['PROPFIND', '/v1/reconstructions', 405, 'FW_METHOD_NOT_ALLOWED'],
    ['TRACE', '/v1/reconstructions', 405, 'FW_METHOD_NOT_ALLOWED'],
  ])('%s %s', async (method, path, status, code) => {
    const answer = await rawRequest(service.port, `${method} ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
    expect([answer.status, answer.headers['content-type']], answer.text).toEqual([status, 'application/problem+json']);
    expect(JSON.parse(answer.body)).toMatchObject({ code, status, requestId: answer.headers['x-request-id'] });
  });

  it('405 says what is allowed', async () => {
    const answer = await service.fetch('v1/reconstructions/a', { method: 'PATCH' });
    expect(answer.headers.get('allow')).toBe('DELETE, GET, HEAD, OPTIONS, PUT');
    expect(await readJson(answer)).toMatchObject({ params: { method: 'PATCH', allowed: ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PUT'] } });
    const options = await service.fetch('v1/reconstructions/a', { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'DELETE, GET, HEAD, OPTIONS, PUT']);
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a header without a colon', 'GET / HTTP/1.1\r\nhost: localhost\r\nnonsense\r\n\r\n', 400],
    ['a header with a zero byte', 'GET / HTTP/1.1\r\nhost: localhost\r\nx: a\0b\r\n\r\n', 400],
    ['no Host', 'GET /v1/account HTTP/1.1\r\n\r\n', 400],
    ['an address of 20 kB', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`, 400],
    ['headers of 20 kB', `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, 400],
    [
      'two different lengths',
      `POST /v1/reconstructions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello`,
      400,
    ],
    [
      'length and chunks (smuggling)',
      `POST /v1/reconstructions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a chunk size that is none', `${uploadHead()}zz\r\n`, 400],
  ])('%s', async (_name, text, status) => {
    const connection = await openRaw(service.port);
    connection.socket.write(text, 'latin1');
    await connection.until((t) => parseRaw(t).body.includes('}') || parseRaw(t).status === 400);
    await connection.until((t) => t.includes('\r\n\r\n'));
    const answer = parseRaw(connection.text());
    connection.socket.destroy();
    expect(answer.status, answer.text).toBe(status);
    expect(answer.text).not.toMatch(/node_modules|\.ts:|\.js:|\bat /);
  });

  it('a content type that is none', async () => {
    for (const [type, status] of [
      ['/', 415],
      ['text', 415],
      ['image', 415],
      ['multipart/form-data', 400],
      ['multipart/form-data; boundary=', 400],
    ] as const) {
      const answer = await service.fetch('v1/reconstructions', {
        method: 'POST',
        body: fakeJpeg() as never,
        headers: { 'content-type': type },
      });
      expect(answer.status, type).toBe(status);
    }
  });

  it('a bug says nothing but its request id, and is in the log', async () => {
    const { list } = service.queue;
    service.queue.list = async () => {
      throw new TypeError(`Cannot read properties of undefined (reading '/srv/secret')`);
    };
    const answer = await service.fetch('v1/reconstructions', { headers: { 'x-request-id': 'my-request.1' } });
    service.queue.list = list;
    expect(answer.status).toBe(500);
    const problem = await readJson(answer);
    expect(problem).toMatchObject({ code: 'FW_INTERNAL', requestId: 'my-request.1', params: { what: 'unexpected error' } });
    expect(JSON.stringify(problem)).not.toMatch(/srv|TypeError|undefined/);
    const line = service.logLines.map((l) => JSON.parse(l)).find((l) => l.level === 'error' && l.requestId === 'my-request.1');
    expect(line.err.stack).toContain('TypeError');
  });

  it('a request id is taken where it may stand in a log, else made', async () => {
    for (const [given, taken] of [
      ['abc-DEF_1.2', true],
      ['a'.repeat(64), true],
      ['a'.repeat(65), false],
      ['a b', false],
      ['"}{', false],
    ] as const) {
      const id = (
        await service
          .fetch('livez', { headers: { 'x-request-id': given } })
          .then(() => service.fetch('v1/account', { headers: { 'x-request-id': given } }))
      ).headers.get('x-request-id')!;
      expect(id === given, given).toBe(taken);
      expect(id).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
    }
  });

  it('the trace context goes into the job and comes back', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const answer = await service.fetch('v1/reconstructions/traced', {
      method: 'PUT',
      body: photoForm(fakeJpeg()),
      headers: { traceparent, prefer: 'respond-async', 'x-request-id': 'rq1' },
    });
    expect(answer.headers.get('traceparent')?.slice(0, 36)).toBe(traceparent.slice(0, 36));
    expect(await service.queue.get('local', 'traced')).toMatchObject({ requestId: 'rq1' });
    expect((await service.queue.get('local', 'traced'))!.traceparent?.slice(0, 36)).toBe(traceparent.slice(0, 36));
    for (const bad of ['00-0-0-01', 'x'.repeat(300), `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`]) {
      expect((await service.fetch('v1/account', { headers: { traceparent: bad } })).headers.get('traceparent')).not.toBe(bad);
    }
  });

  it('log lines tell of requests without addresses, queries, names and keys', async () => {
    const marker = 'qmarker';
    service.logLines.length = 0;
    await service.fetch(`v1/reconstructions/a/files/${marker}?signature=${marker}&tenant=x&expires=1`, {
      headers: { authorization: `Bearer fw_${marker}` },
    });
    await service.fetch(`v1/reconstructions?model=${marker}`, { method: 'POST', body: photoForm(fakeJpeg(), { [marker]: '1' }) });
    const lines = service.logLines.map((l) => JSON.parse(l)).filter((l) => l.msg === 'request');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({
      route: '/v1/reconstructions/:id/files/:name',
      method: 'GET',
      status: 403,
      code: 'FW_LINK_INVALID',
      requestId: expect.any(String),
    });
    expect(service.logLines.join()).not.toContain(marker);
  });
});

describe('a service without keys and the browser', () => {
  let service: TestService;
  afterEach(async () => await service?.close());
  const ask = (host: string, headers: Record<string, string> = {}, path = '/v1/account', method = 'GET') =>
    rawRequest(
      service.port,
      `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n${Object.entries(headers)
        .map(([n, v]) => `${n}: ${v}\r\n`)
        .join('')}\r\n`,
    );

  it('answers only names of this machine: a DNS name that points here is somebody else (rebinding)', async () => {
    service = await startTestService({ work: null });
    for (const host of ['localhost', 'localhost:8080', '127.0.0.1', `127.0.0.1:${service.port}`, '[::1]:8080', 'LOCALHOST'])
      expect((await ask(host)).status, host).toBe(200);
    for (const host of [
      'evil.example',
      'evil.example:80',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'localhost@evil.example',
      '',
    ]) {
      const answer = await ask(host);
      expect(answer.status, host).toBe(403);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'FW_ORIGIN_REFUSED', params: { header: 'Host' } });
    }
    // Probes come by address.
    expect((await ask('10.1.2.3:8080', {}, '/readyz')).status).toBe(200);
  });

  it('takes nothing from pages of somebody else (CSRF)', async () => {
    service = await startTestService({ work: null });
    const own = `localhost:${service.port}`;
    expect((await ask(own, { origin: `http://${own}` })).status).toBe(200);
    for (const origin of ['https://evil.example', 'null', 'http://localhost:9', 'file://', `http://${own}.evil.example`]) {
      for (const [path, method] of [
        ['/v1/account', 'GET'],
        ['/v1/reconstructions', 'POST'],
        ['/v1/reconstructions/a', 'DELETE'],
        ['/v1/reconstructions/a/cancel', 'POST'],
      ] as const) {
        const answer = await ask(own, { origin, 'content-length': '0' }, path, method);
        expect([answer.status, JSON.parse(answer.body).code], `${method} ${origin}`).toEqual([403, 'FW_ORIGIN_REFUSED']);
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      }
    }
  });

  it('takes more where the operator says so', async () => {
    service = await startTestService({
      work: null,
      config: { corsOrigins: ['https://app.example'], publicUrl: 'https://faces.example/x' },
    });
    const origin = 'https://app.example';
    const answer = await ask('faces.example', { origin });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, origin]);
    expect(answer.headers.vary).toContain('origin');
    const preflight = await ask('faces.example', { origin, 'access-control-request-method': 'PUT' }, '/v1/reconstructions/a', 'OPTIONS');
    expect([preflight.status, preflight.headers['access-control-allow-methods']]).toEqual([204, 'GET, HEAD, POST, PUT, DELETE']);
    expect((await ask('faces.example', { origin: 'https://faces.example' })).status).toBe(200);
    expect((await ask('faces.example', { origin: 'https://other.example' })).status).toBe(403);
  });

  it('does not start on an address that others reach', async () => {
    await expect(startTestService({ config: { host: '0.0.0.0' } })).rejects.toMatchObject({ code: 'FW_CONFIG_INVALID' });
    service = await startTestService({ config: { host: '0.0.0.0' }, tenants: ['acme'] });
    // With keys the names do not matter: a page has no key.
    expect((await ask('faces.example', { authorization: `Bearer ${service.keys.acme}` })).status).toBe(200);
    expect((await ask('faces.example', { origin: 'https://evil.example' })).status).toBe(401);
  });
});

describe('documentation and page', () => {
  let service: TestService;
  let studioDir: string;
  beforeAll(async () => {
    studioDir = await mkdtemp(join(tmpdir(), 'facewright-studio-'));
    await mkdir(join(studioDir, 'assets'));
    await writeFile(join(studioDir, 'index.html'), '<!doctype html><script type="module" src="./assets/main-AbCd1234.js"></script>');
    await writeFile(join(studioDir, 'assets', 'main-AbCd1234.js'), `export const x = 1;\n${'// comment\n'.repeat(500)}`);
    await writeFile(join(studioDir, 'assets', 'main-AbCd1234.js.br'), 'brotli');
    await writeFile(join(studioDir, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
    await writeFile(join(studioDir, 'notes.secret'), 'not for the web');
    service = await startTestService({ work: null, config: { basePath: '/face/wright', trustProxy: true }, deps: { studioDir } });
  });
  afterAll(async () => {
    await service.close();
    await rm(studioDir, { recursive: true });
  });

  it('everything works below the prefix, and links lead there', async () => {
    const answer = await service.fetch('face/wright/v1/reconstructions', {
      method: 'POST',
      body: photoForm(fakeJpeg()),
      headers: { prefer: 'respond-async' },
    });
    expect(answer.status).toBe(202);
    const { id, links } = await readJson(answer);
    expect(answer.headers.get('location')).toBe(`/face/wright/v1/reconstructions/${id}`);
    expect((await service.fetch(`face/wright/${links.self}`)).status).toBe(200);
    expect((await service.fetch(links.self)).status).toBe(404);
    expect((await service.fetch('readyz')).status).toBe(200);
    expect((await service.fetch('face/wright/readyz')).status).toBe(200);
    const behind = await service.fetch('face/wright/v1/nothing', { headers: { 'x-forwarded-prefix': '/outer' } });
    expect((await readJson(behind)).type).toBe('/outer/face/wright/docs#FW_NOT_FOUND');
    expect((await readJson(await service.fetch('face/wright/nothing', { headers: { 'x-forwarded-prefix': '//evil.example' } }))).type).toBe(
      '/face/wright/docs#FW_NOT_FOUND',
    );
  });

  it('the page: strict policy, fresh index, assets for ever, compressed as the browser can', async () => {
    const index = await service.fetch('face/wright/');
    expect(index.status).toBe(200);
    expect(index.headers.get('cache-control')).toBe('no-cache');
    const policy = index.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toMatch(/unsafe|http|\*/);
    const script = await service.fetch('face/wright/assets/main-AbCd1234.js', { headers: { 'accept-encoding': 'gzip' } });
    expect([script.headers.get('cache-control'), script.headers.get('content-type')]).toEqual([
      'public, max-age=31536000, immutable',
      'text/javascript; charset=utf-8',
    ]);
    const raw = (encoding: string) =>
      rawRequest(
        service.port,
        `GET /face/wright/assets/main-AbCd1234.js HTTP/1.1\r\nhost: localhost\r\naccept-encoding: ${encoding}\r\nconnection: close\r\n\r\n`,
      );
    expect(await raw('gzip, br')).toMatchObject({ headers: { 'content-encoding': 'br', vary: 'accept-encoding' }, body: 'brotli' });
    expect((await raw('br;q=0, identity')).headers['content-encoding']).toBeUndefined();
    const etag = index.headers.get('etag')!;
    expect((await service.fetch('face/wright/', { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await service.fetch('face/wright/favicon.svg')).status).toBe(200);
    const beside = await service.fetch('face/wright', { redirect: 'manual' });
    expect([beside.status, beside.headers.get('location')]).toEqual([308, 'wright/']);
  });

  it('the page stays whole while another is built in its place', async () => {
    const path = join(studioDir, 'assets', 'main-AbCd1234.js');
    const before = await (await service.fetch('face/wright/assets/main-AbCd1234.js')).text();
    await rename(path, `${path}.old`);
    try {
      const answer = await service.fetch('face/wright/assets/main-AbCd1234.js');
      expect([answer.status, await answer.text()]).toEqual([200, before]);
    } finally {
      await rename(`${path}.old`, path);
    }
  });

  it('nothing else of the folder is served', async () => {
    for (const path of [
      'notes.secret',
      'index.html',
      'assets/main-AbCd1234.js.br',
      'assets/',
      '..%2findex.html',
      'assets/..%2f..%2fkeys.json',
    ]) {
      expect((await service.fetch(`face/wright/${path}`)).status, path).toBe(404);
    }
  });

  it('the documentation needs no key, no script and no third party', async () => {
    const docs = await service.fetch('face/wright/docs');
    const html = await docs.text();
    expect(docs.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(html).not.toMatch(/<script|style=|onclick|src=/);
    expect([...html.matchAll(/href="([^"#]+)"/g)].map((m) => m[1]).sort()).toEqual(['docs.css', 'openapi.json']);
    const ids = new Set([...html.matchAll(/ id="([^"]+)"/g)].map((m) => m[1]));
    for (const [, target] of html.matchAll(/href="#([^"]+)"/g)) expect(ids.has(target), target).toBe(true);
    const document = await readJson(await service.fetch('face/wright/openapi.json'));
    expect([document.openapi, document.servers]).toEqual(['3.1.0', [{ url: '/face/wright' }]]);
  });
});

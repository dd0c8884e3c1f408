import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EVENT_SCHEMAS } from '@facewright/protocol/api';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { revokeKey } from '../tenants/manage-keys.ts';
import { openRaw } from './raw-request.test-support.ts';
import { fakeJpeg, photoForm, RESULT_BYTES, readJson, startTestService, succeed, type TestService } from './test-service.test-support.ts';

const put = (service: TestService, id: string, prefer = 'wait=30') =>
  service.fetch(`v1/reconstructions/${id}`, { method: 'PUT', body: photoForm(fakeJpeg()), headers: { prefer } });

describe('files', () => {
  let service: TestService;
  let url: string;
  let etag: string;
  beforeAll(async () => {
    service = await startTestService();
    const view = await readJson(await put(service, 'a'));
    url = view.result.files[0].url;
    etag = `"${view.result.files[0].sha256}"`;
  });
  afterAll(async () => await service.close());
  const get = (headers: Record<string, string> = {}, path = url, method = 'GET') => service.fetch(path, { headers, method });
  const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

  it('come whole, with what a browser needs to keep them and not to be fooled by them', async () => {
    const answer = await get();
    expect(answer.status).toBe(200);
    expect(await bytesOf(answer)).toEqual(RESULT_BYTES);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'model/gltf-binary',
      'content-length': '1000',
      etag,
      'accept-ranges': 'bytes',
      'content-disposition': 'inline; filename="face.glb"',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
    });
    expect(answer.headers.get('cache-control')).toMatch(/^private, max-age=\d+$/);
    expect((await get({}, `${url}&download=1`)).headers.get('content-disposition')).toBe('attachment; filename="face.glb"');
  });

  // RFC 9110, 14.1.2 and 14.2.
  it.each([
    ['bytes=0-0', 206, 'bytes 0-0/1000', [0, 1]],
    ['bytes=0-999', 206, 'bytes 0-999/1000', [0, 1000]],
    ['bytes=990-', 206, 'bytes 990-999/1000', [990, 1000]],
    ['bytes=990-5000', 206, 'bytes 990-999/1000', [990, 1000]],
    ['bytes=-3', 206, 'bytes 997-999/1000', [997, 1000]],
    ['bytes=-5000', 206, 'bytes 0-999/1000', [0, 1000]],
    ['Bytes=5-6', 206, 'bytes 5-6/1000', [5, 7]],
    ['bytes=1000-', 416, 'bytes */1000', null],
    ['bytes=-0', 416, 'bytes */1000', null],
    ['bytes=99999999999999-', 416, 'bytes */1000', null],
    ['bytes=6-5', 200, null, [0, 1000]],
    ['bytes=-', 200, null, [0, 1000]],
    ['bytes=a-b', 200, null, [0, 1000]],
    ['bytes=0-1,5-6', 200, null, [0, 1000]],
    ['items=0-1', 200, null, [0, 1000]],
    ['bytes=0x1-2', 200, null, [0, 1000]],
  ] as const)('Range: %s', async (range, status, contentRange, slice) => {
    const answer = await get({ range });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-range')).toBe(contentRange);
    if (slice !== null) expect(await bytesOf(answer)).toEqual(RESULT_BYTES.subarray(...slice));
    else expect(await readJson(answer)).toMatchObject({ code: 'FW_RANGE_INVALID', params: { totalBytes: 1000 } });
  });

  it('If-None-Match: what the caller has is not sent again', async () => {
    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const answer = await get({ 'if-none-match': tag });
      expect(answer.status, tag).toBe(304);
      expect(answer.headers.get('etag')).toBe(etag);
      expect((await answer.arrayBuffer()).byteLength).toBe(0);
    }
    for (const tag of ['"x"', etag.slice(0, -2)]) expect((await get({ 'if-none-match': tag })).status, tag).toBe(200);
    expect((await get({ 'if-none-match': etag, range: 'bytes=0-1' })).status).toBe(304);
  });

  it('If-Range: a part only of the same file', async () => {
    expect((await get({ 'if-range': etag, range: 'bytes=0-1' })).status).toBe(206);
    for (const tag of ['"x"', `W/${etag}`, new Date().toUTCString()])
      expect((await get({ 'if-range': tag, range: 'bytes=0-1' })).status, tag).toBe(200);
  });

  it('HEAD tells the same without the bytes', async () => {
    const answer = await get({ range: 'bytes=0-1' }, url, 'HEAD');
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({ 'content-length': '1000', etag });
    expect((await answer.arrayBuffer()).byteLength).toBe(0);
    expect((await get({}, 'v1/reconstructions/a/files/none', 'HEAD')).status).toBe(404);
  });

  it('a link ends with the last key of its tenant', async () => {
    const keyed = await startTestService({ tenants: ['acme'] });
    try {
      const init = { method: 'POST', body: photoForm(fakeJpeg()), key: keyed.keys.acme! };
      const view = await readJson(await keyed.fetch('v1/reconstructions', init));
      const link = view.result.files[0].url;
      expect((await keyed.fetch(link)).status).toBe(200);
      await revokeKey(join(keyed.dir, 'keys.json'), keyed.keys.acme!);
      await expect.poll(async () => (await keyed.fetch(link)).status, { timeout: 10_000 }).toBe(403);
    } finally {
      await keyed.close();
    }
  });

  it('a link that was changed anywhere opens nothing, whether there is such a file or not', async () => {
    const [path = '', query = ''] = url.split('?');
    const parameters = new URLSearchParams(query);
    const changed = [
      ...[...parameters.keys()].map((name) => {
        const copy = new URLSearchParams(parameters);
        copy.set(name, `${copy.get(name)}0`);
        return `${path}?${copy}`;
      }),
      `${path.replace('/a/', '/b/')}?${query}`,
      `${path.replace('face.glb', 'photo')}?${query}`,
      `${path.replace('face', 'f%61ce')}?${query}`,
      `${path}?signature=`,
      `${path}?signature=a&signature=b`,
    ];
    const answers = await Promise.all(changed.map((link) => get({}, link)));
    for (const answer of answers) expect(answer.status, answer.url).toBe(403);
    const bodies = await Promise.all(answers.map(readJson));
    expect(new Set(bodies.map(({ requestId: _, ...rest }) => JSON.stringify(rest))).size).toBe(1);
  });

  it('a name that leads elsewhere is no file', async () => {
    for (const name of ['..%2f..%2fkeys.json', '%2e%2e', 'face.glb%00', 'FACE.GLB', 'photo', '', 'constructor']) {
      expect((await get({}, `v1/reconstructions/a/files/${name}`)).status, name).toBe(404);
    }
  });
});

describe('events', () => {
  let service: TestService;
  afterEach(async () => await service?.close());

  interface Event {
    readonly event: keyof typeof EVENT_SCHEMAS;
    readonly data: unknown;
  }
  const parse = (text: string): Event[] =>
    text
      .split('\n\n')
      .filter((block) => block.startsWith('event:'))
      .map((block) => {
        const [, event = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
        return { event: event as Event['event'], data: JSON.parse(data) };
      });
  const check = (events: readonly Event[]) => {
    for (const { event, data } of events) EVENT_SCHEMAS[event].parse(data);
    expect(events[0]?.event).toBe('snapshot');
  };

  it('tell everything from waiting to the end, then the stream ends', async () => {
    let go!: () => void;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    service = await startTestService({
      work: async (lease, s) => {
        await gate;
        return await succeed(lease, s);
      },
    });
    await put(service, 'a', 'respond-async');
    const answer = await service.fetch('v1/reconstructions/a/events', { headers: { 'last-event-id': '7' } });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(answer.headers.get('cache-control')).toContain('no-cache');
    setTimeout(go, 100);
    const events = parse(await answer.text());
    check(events);
    const names = events.map((e) => e.event);
    expect(names.at(-1)).toBe('end');
    expect(names).toContain('progress');
    expect(names.filter((n) => n === 'landmarks')).toHaveLength(1);
    expect(names.filter((n) => n === 'end')).toHaveLength(1);
    expect(events.at(-1)!.data).toMatchObject({ id: 'a', state: 'succeeded', result: { files: [{ name: 'face.glb' }] } });
  });

  it('of a finished job: snapshot and end', async () => {
    service = await startTestService();
    await put(service, 'a');
    const events = parse(await (await service.fetch('v1/reconstructions/a/events')).text());
    check(events);
    expect(events.map((e) => e.event)).toEqual(['snapshot', 'landmarks', 'end']);
  });

  it('tell the place in the queue as it moves, and a cancellation as the end', async () => {
    service = await startTestService({ work: null });
    for (const id of ['a', 'b', 'c']) await put(service, id, 'respond-async');
    const answer = await service.fetch('v1/reconstructions/c/events');
    void (async () => {
      await sleep(100);
      await service.fetch('v1/reconstructions/a/cancel', { method: 'POST' });
      await sleep(1500);
      await service.fetch('v1/reconstructions/c/cancel', { method: 'POST' });
    })();
    const events = parse(await answer.text());
    check(events);
    const places = events.filter((e) => e.event === 'queued').map((e) => (e.data as { position: number }).position);
    expect(places).toEqual([2, 1]);
    expect(events.at(-1)).toMatchObject({ event: 'end', data: { state: 'canceled' } });
  });

  it('a reader that goes away leaves nothing behind', async () => {
    service = await startTestService({ work: null });
    await put(service, 'a', 'respond-async');
    let watching = 0;
    const { watch } = service.queue;
    service.queue.watch = async (...args) => {
      const unwatch = await watch.apply(service.queue, args);
      watching++;
      return () => {
        watching--;
        unwatch();
      };
    };
    for (let i = 0; i < 5; i++) {
      const connection = await openRaw(service.port);
      connection.socket.write('GET /v1/reconstructions/a/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await connection.until((text) => text.includes('event: snapshot'));
      expect(watching).toBe(1);
      connection.socket.destroy();
      while (watching > 0) await sleep(5);
    }
  });

  it('many at the same time are no reason for a warning', async () => {
    service = await startTestService({ work: null });
    await put(service, 'a', 'respond-async');
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.name);
    process.on('warning', onWarning);
    // Node warns of the eleventh listener.
    const streams = await Promise.all(Array.from({ length: 12 }, () => service.fetch('v1/reconstructions/a/events')));
    await service.close();
    await Promise.all(streams.map((answer) => answer.text()));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  it('end when the service closes', async () => {
    service = await startTestService({ work: null });
    await put(service, 'a', 'respond-async');
    const text = (await service.fetch('v1/reconstructions/a/events')).text();
    const began = performance.now();
    await service.close();
    check(parse(await text));
    // Far below the 72 s for which an idle connection is kept.
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('HEAD answers at once, an unknown job with 404', async () => {
    service = await startTestService({ work: null });
    await put(service, 'a', 'respond-async');
    expect((await service.fetch('v1/reconstructions/a/events', { method: 'HEAD' })).status).toBe(200);
    expect((await service.fetch('v1/reconstructions/b/events')).status).toBe(404);
  });
});

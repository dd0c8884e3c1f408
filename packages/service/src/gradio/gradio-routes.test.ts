import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { API_STAGES } from '@facewright/protocol/api';
import { Client, handle_file } from '@gradio/client';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { startTestService, type TestService, type TestServiceOptions } from '../http/test-service.test-support.ts';
import { GLB_BYTES, PNG_BYTES, photoBytes, workFor } from './gradio-work.test-support.ts';

let service: TestService;
afterEach(async () => await service?.close());
const start = async (options: TestServiceOptions = {}): Promise<TestService> => {
  service = await startTestService({ work: workFor(300), ...options });
  return service;
};

type FileData = { path: string; url: string; orig_name: string; size: number; mime_type: string; meta: { _type: string } };
type Status = { type: string; stage?: string; message?: string; progress_data?: { index: number; length: number; desc: string }[] };
// biome-ignore lint/suspicious/noExplicitAny: events of the client are what is tested
type Submission = AsyncIterable<any> & { cancel: () => Promise<void>; event_id: () => string };
/** Before its call was answered the client has nothing to cancel. */
const called = (submission: Submission) => expect.poll(() => submission.event_id()).not.toBe('');

const connect = (path = '', options: object = {}): Promise<Client> =>
  Client.connect(`${service.url}${path}`, { events: ['data', 'status'], ...options });

/** Runs a call to its end and returns what came. */
async function collect(submission: Submission): Promise<{ readonly data: FileData[] | null; readonly statuses: Status[] }> {
  let data: FileData[] | null = null;
  const statuses: Status[] = [];
  for await (const event of submission) {
    if (event.type === 'data') data = event.data as FileData[];
    else if (event.type === 'status') {
      statuses.push(event as Status);
      if (event.stage === 'error') break;
    }
  }
  return { data, statuses };
}

describe('the official npm client', () => {
  it('gets a model and a texture for a photo', async () => {
    await start({ work: workFor(900) });
    const client = await connect();
    const { data, statuses } = await collect(client.submit('/predict', [handle_file(new Blob([photoBytes(true) as never]))]));
    expect(data).toHaveLength(2);
    const [mesh, uv] = data!;
    expect(mesh).toMatchObject({
      orig_name: 'face.glb',
      size: GLB_BYTES.length,
      mime_type: 'model/gltf-binary',
      meta: { _type: 'gradio.FileData' },
    });
    expect(uv).toMatchObject({ orig_name: 'albedo.png', mime_type: 'image/png' });
    // The address alone is enough: users fetch it without a key.
    expect(Buffer.from(await (await fetch(mesh.url)).arrayBuffer())).toEqual(GLB_BYTES);
    expect(Buffer.from(await (await fetch(uv.url)).arrayBuffer())).toEqual(PNG_BYTES);
    const stages = statuses.flatMap((s) => s.progress_data?.map((p) => p.desc) ?? []);
    // How many are seen is a matter of speed.
    expect(stages.length).toBeGreaterThan(0);
    expect(API_STAGES).toEqual(expect.arrayContaining(stages));
    expect(statuses.map((s) => s.stage)).toContain('complete');
    // Nothing is kept but the result: neither uploads nor photos, and the session goes when its stream ends.
    await expect
      .poll(() => service.storedKeys().then((keys) => keys.filter((key) => !/\/(face.glb|albedo.png|report.json)$/.test(key))))
      .toEqual([]);
  });

  it('takes keyword arguments, files of its machine, and several calls at once', async () => {
    await start();
    const dir = await mkdtemp(join(tmpdir(), 'facewright-gradio-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    await writeFile(join(dir, 'me.jpg'), photoBytes(true));
    const client = await connect();
    const results = await Promise.all([
      client.predict('/predict', { photo: handle_file(join(dir, 'me.jpg')) }),
      client.predict('/predict', [handle_file(photoBytes(true, 5000) as never)]),
      client.predict(0, [handle_file(new Blob([photoBytes(true, 6000) as never]))]),
    ]);
    for (const { data } of results) expect((data as FileData[]).map((file) => file.orig_name)).toEqual(['face.glb', 'albedo.png']);
    expect(service.logLines.join('')).not.toContain('me.jpg');
  });

  it('shows our words where a photo is refused', async () => {
    await start({ config: { maxPhotoBytes: 100_000 } });
    const client = await connect();
    const errorOf = async (input: unknown): Promise<string> => {
      const { statuses } = await collect(client.submit('/predict', [input]));
      return statuses.at(-1)?.message ?? '';
    };
    expect(await errorOf(handle_file(new Blob([photoBytes(false) as never])))).toContain('No face found');
    expect(await errorOf(handle_file(new Blob(['just some text that is called me.jpg'])))).toMatch(/image|photo/i);
    expect(await errorOf(null)).toContain('No photo arrived');
    expect(await errorOf(handle_file('https://example.com/me.jpg'))).toContain('not fetched from addresses');
    expect(await errorOf({ path: '/etc/passwd', meta: { _type: 'gradio.FileData' } })).toContain('Upload the photo again');
    expect(await errorOf({ path: 'u/g000000000000000000000000/photo', meta: { _type: 'gradio.FileData' } })).toContain(
      'Upload the photo again',
    );
    // Too large by itself: this client does not look at the limit and calls with an empty object.
    expect(await errorOf({})).toContain('at most 0');
  });

  it('cancels a waiting call and leaves the running one alone', async () => {
    await start({ work: workFor(3000), config: { tenantMaxProcessing: 1 } });
    const client = await connect();
    const first = client.submit('/predict', [handle_file(new Blob([photoBytes(true) as never]))]);
    const firstDone = collect(first);
    await expect.poll(() => service.queue.counts().then((c) => c.processing)).toBe(1);
    const second = client.submit('/predict', [handle_file(new Blob([photoBytes(true, 4000) as never]))]) as Submission;
    const secondDone = collect(second);
    await expect.poll(() => service.queue.counts().then((c) => c.queued)).toBe(1);
    await called(second);
    await second.cancel();
    const { statuses } = await secondDone;
    expect(statuses.at(-1)).toMatchObject({ stage: 'error', message: 'Cancelled' });
    expect((await firstDone).data).toHaveLength(2);
    expect((await service.queue.counts()).queued).toBe(0);
  });

  it('cancels a running call', async () => {
    await start({ work: workFor(30_000) });
    const client = await connect();
    const submission = client.submit('/predict', [handle_file(new Blob([photoBytes(true) as never]))]) as Submission;
    const done = collect(submission);
    await expect.poll(() => service.queue.counts().then((c) => c.processing)).toBe(1);
    await called(submission);
    await submission.cancel();
    expect((await done).statuses.at(-1)).toMatchObject({ stage: 'error', message: 'Cancelled' });
    expect((await service.queue.counts()).processing).toBe(0);
  });

  it('works behind a path prefix, with links that lead back through it', async () => {
    await start({ config: { basePath: '/faces' } });
    const client = await connect('/faces/');
    const { data } = await client.predict('/predict', [handle_file(new Blob([photoBytes(true) as never]))]);
    const [mesh] = data as FileData[];
    expect(mesh.url.startsWith(`${service.url}/faces/gradio_api/file=r/`)).toBe(true);
    expect((await fetch(mesh.url)).status).toBe(200);
  });

  it('sends its key as token or as header, and is told when it has none', async () => {
    await start({ tenants: ['ann'] });
    await expect(connect()).rejects.toThrow(/API key/);
    for (const options of [{ token: service.keys.ann }, { headers: { Authorization: `Bearer ${service.keys.ann}` } }]) {
      const client = await connect('', options);
      const { data } = await client.predict('/predict', [handle_file(new Blob([photoBytes(true) as never]))]);
      expect((await fetch((data as FileData[])[0].url)).status).toBe(200);
    }
    // The client sends no key with this: the id is enough.
    const client = await connect('', { token: service.keys.ann });
    const submission = client.submit('/predict', [handle_file(new Blob([photoBytes(true, 3000, 60) as never]))]) as Submission;
    const done = collect(submission);
    await expect.poll(() => service.queue.counts().then((c) => c.queued + c.processing)).toBe(1);
    await called(submission);
    await submission.cancel();
    expect((await done).statuses.at(-1)).toMatchObject({ message: 'Cancelled' });
  });

  it('says that the service is busy when the queue is full', async () => {
    await start({ work: null, config: { maxQueued: 1 } });
    const client = await connect();
    const first = client.submit('/predict', [handle_file(new Blob([photoBytes(true) as never]))]) as Submission;
    const firstDone = collect(first);
    await expect.poll(() => service.queue.counts().then((c) => c.queued)).toBe(1);
    const { statuses } = await collect(client.submit('/predict', [handle_file(new Blob([photoBytes(true) as never]))]));
    expect(statuses.at(-1)).toMatchObject({ stage: 'error', message: expect.stringMatching(/busy/i) });
    await called(first);
    await first.cancel();
    await firstDone;
  });
});

describe('curl, as Gradio documents it', () => {
  const upload = async (photo: Buffer, options: { key?: string; prefix?: string } = {}): Promise<string> => {
    const form = new FormData();
    form.append('files', new Blob([photo as never]), 'me.jpg');
    const answer = await request(`${options.prefix ?? '/gradio_api'}/upload`, { method: 'POST', body: form }, options.key);
    expect(answer.status).toBe(200);
    return ((await answer.json()) as string[])[0];
  };
  const request = (path: string, init: RequestInit = {}, key?: string): Promise<Response> =>
    fetch(`${service.url}${path}`, {
      ...init,
      headers: { ...init.headers, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
    });
  const postJson = async (path: string, body: unknown, key?: string): Promise<Response> =>
    request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }, key);
  const call = async (path: string, body: unknown, key?: string): Promise<string> => {
    const answer = await postJson(path, body, key);
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { event_id: string }).event_id;
  };

  it('calls and listens, at both addresses and in both forms', async () => {
    await start();
    for (const prefix of ['/gradio_api', '']) {
      const path = await upload(photoBytes(true, prefix.length + 3000), { prefix });
      const event = await call(`${prefix}/call/predict`, { data: [{ path }] });
      const text = await (await request(`${prefix}/call/predict/${event}`)).text();
      expect(text).toMatch(/^event: complete\ndata: \[\{"path":"r\//);
      // Once more is answered once more.
      expect(await (await request(`${prefix}/call/predict/${event}`)).text()).toBe(text);
    }
    const path = await upload(photoBytes(false));
    const event = await call('/gradio_api/call/v2/predict', { photo: { path } });
    expect(await (await request(`/gradio_api/call/predict/${event}`)).text()).toMatch(/^event: error\ndata: \{"error":"No face found/);
    expect(await (await request('/gradio_api/call/predict/nonsense')).text()).toBe('event: error\ndata: "404: Not Found"\n\n');
    expect(service.logLines.join('')).not.toContain('me.jpg');
  });

  it('tells a session everything, in data lines alone', async () => {
    await start();
    const path = await upload(photoBytes(true));
    const event = await call('/queue/join', { data: [{ path, meta: { _type: 'gradio.FileData' } }], fn_index: 0, session_hash: 'abc' });
    const text = await (await request('/queue/data?session_hash=abc')).text();
    expect(text.split('\n').every((line) => line === '' || line.startsWith('data: {'))).toBe(true);
    const messages = text
      .split('\n\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line.slice(6)) as { msg: string; event_id: string | null });
    expect(messages.at(-1)).toEqual({ msg: 'close_stream', event_id: null });
    expect(messages.slice(0, -1).every((m) => m.event_id === event)).toBe(true);
    expect(messages.map((m) => m.msg)).toEqual(expect.arrayContaining(['process_starts', 'progress', 'process_completed']));
    expect(JSON.parse((await (await request('/queue/data?session_hash=other')).text()).slice(6))).toMatchObject({
      msg: 'unexpected_error',
      session_not_found: true,
    });
  });

  it('is told of files that are too large, while it sends them', async () => {
    await start({ config: { maxPhotoBytes: 50_000 } });
    const form = new FormData();
    form.append('files', new Blob([photoBytes(true, 400_000) as never]), 'me.jpg');
    const answer = await request('/gradio_api/upload', { method: 'POST', body: form });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ detail: expect.stringContaining('50000 bytes') });
    expect(await service.storedKeys()).toEqual([]);
  });

  it('counts against the quota while it arrives, without a length too', async () => {
    await start({ tenants: ['ann'], limits: { ann: { storageBytes: 2 ** 21 } } });
    const head = '--b\r\nContent-Disposition: form-data; name="files"; filename="me.jpg"\r\n\r\n';
    const whole = Buffer.concat([Buffer.from(head), photoBytes(true, 4_000_000), Buffer.from('\r\n--b--\r\n')]);
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(whole);
        controller.close();
      },
    });
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    const answer = await request('/gradio_api/upload', { method: 'POST', body, headers, duplex: 'half' } as RequestInit, service.keys.ann);
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ detail: expect.stringContaining('storage is used up') });
    expect(await service.storedKeys()).toEqual([]);
  });

  it('is answered with an error, never a crash, whatever it sends', async () => {
    await start();
    for (const body of ['{', '[]', 'null', '"x"', '{"data":{}}', '{"data":[],"session_hash":"../x"}', '{"data":[[]],"session_hash":"s"}']) {
      for (const path of ['/queue/join', '/call/predict', '/call/v2/predict', '/cancel', '/reset']) {
        const answer = await request(`/gradio_api${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
        expect(answer.status).toBeLessThan(500);
      }
    }
    const noForm = await request('/gradio_api/upload', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' });
    expect(noForm.status).toBe(415);
    const noFile = await request('/gradio_api/upload', { method: 'POST', body: new URLSearchParams({ a: 'b' }) });
    expect(noFile.status).toBe(415);
    for (const path of [
      'file=../../keys.json',
      'file=/etc/passwd',
      'file=r/x/../../y',
      'file=',
      'file=u/g000000000000000000000000/photo',
    ]) {
      expect((await request(`/gradio_api/${path}`)).status).toBe(404);
    }
    expect(service.logLines.filter((line) => line.includes('unexpected error'))).toEqual([]);
  });

  it('gives a tenant nothing of another', async () => {
    await start({ tenants: ['ann', 'bob'] });
    const { ann, bob } = service.keys;
    const path = await upload(photoBytes(true), { key: ann });
    // Bob cannot use her upload,
    const stolen = await call('/gradio_api/call/predict', { data: [{ path }] }, bob);
    expect(await (await request(`/gradio_api/call/predict/${stolen}`, {}, bob)).text()).toContain('This upload is not here');
    const event = await call('/gradio_api/queue/join', { data: [{ path }], session_hash: 'same' }, ann);
    // listen to her session,
    expect(await (await request('/gradio_api/queue/data?session_hash=same', {}, bob)).text()).toContain('session_not_found');
    // or to her event,
    expect(await (await request(`/gradio_api/call/predict/${event}`, {}, bob)).text()).toContain('404: Not Found');
    const text = await (await request('/gradio_api/queue/data?session_hash=same', {}, ann)).text();
    const file = /"path":"(r\/[^"]+)"/.exec(text)![1];
    const url = /"url":"([^"]+)"/.exec(text)![1];
    // or read her files, with his key, without any, or with a link of which he changed a letter.
    expect((await request(`/gradio_api/file=${file}`, {}, ann)).status).toBe(200);
    expect((await request(`/gradio_api/file=${file}`, {}, bob)).status).toBe(404);
    expect((await request(`/gradio_api/file=${file}`)).status).toBe(401);
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(url.replace('tenant=ann', 'tenant=bob'))).status).toBe(403);
    expect((await fetch(url.replace('face.glb', 'report.json'))).status).toBe(403);
    // Canceling something that is not there says nothing either.
    const forged = event.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    for (const id of [forged, 'x.y', 5, null])
      expect(await (await postJson('/gradio_api/cancel', { event_id: id })).json()).toEqual({ success: true });
  });

  it('may meet another instance with every request', async () => {
    await start();
    const other = await startTestService({ work: null, deps: { queue: service.queue, storage: service.storage } });
    onTestFinished(() => other.close());
    const join = async (at: TestService, path: string): Promise<string> => {
      const body = JSON.stringify({ data: [{ path }], session_hash: 'two' });
      const answer = await fetch(`${at.url}/gradio_api/queue/join`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      return ((await answer.json()) as { event_id: string }).event_id;
    };
    await join(other, await upload(photoBytes(true)));
    const stream = request('/gradio_api/queue/data?session_hash=two').then((answer) => answer.text());
    await sleep(100);
    const second = await join(other, await upload(photoBytes(true, 4000)));
    expect(await (await request(`/gradio_api/call/predict/${second}`)).text()).toMatch(/^event: complete/);
    // The stream may have ended after the first by then; a client opens it again.
    const rest = (await stream).includes(second) ? '' : await (await request('/gradio_api/queue/data?session_hash=two')).text();
    expect(`${await stream}${rest}`.match(/process_completed/g)).toHaveLength(2);
  });

  it('keeps heartbeats open and answers the documents that clients read', async () => {
    await start();
    const gone = new AbortController();
    const answer = await request('/gradio_api/heartbeat/abc', { signal: gone.signal });
    expect(new TextDecoder().decode((await answer.body!.getReader().read()).value)).toBe('data: ALIVE\n\n');
    gone.abort();
    expect(await (await request('/config')).json()).toMatchObject({ protocol: 'sse_v3', api_prefix: '/gradio_api' });
    expect(await (await request('/config')).json()).not.toHaveProperty('root');
    expect(await (await request('/gradio_api/info')).json()).toMatchObject({ named_endpoints: { '/predict': {} }, unnamed_endpoints: {} });
  });

  it('takes from the rate what keeps something: refusals, and known calls in new sessions', async () => {
    await start({ tenants: ['ann'], limits: { ann: { ratePerMinute: 6 } } });
    const { ann } = service.keys;
    const path = await upload(photoBytes(true), { key: ann });
    const body = { data: [{ path }], session_hash: 's' };
    const event = await call('/gradio_api/queue/join', body, ann);
    // The same call again costs nothing and keeps nothing.
    expect(await call('/gradio_api/call/predict', body, ann)).toBe(event);
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const more =
        i % 2 === 0 ? ['/gradio_api/call/predict', { data: [] }] : ['/gradio_api/queue/join', { ...body, session_hash: `s${i}` }];
      statuses.push((await postJson(more[0] as string, more[1], ann)).status);
    }
    expect(statuses.slice(-6)).toEqual([429, 429, 429, 429, 429, 429]);
    const kept = (await service.storedKeys()).filter((key) => /\/refusal$|\/gs-/.test(key));
    expect(kept.length).toBeLessThanOrEqual(6);
    expect((await postJson('/gradio_api/call/predict', body, ann)).status).toBe(200);
  });

  it('finds nothing where the operator switched it off', async () => {
    await start({ config: { gradio: false } });
    expect((await request('/config')).status).toBe(404);
    expect((await request('/gradio_api/info')).status).toBe(404);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { FacewrightError } from '@facewright/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  fakeJpeg,
  photoForm,
  RESULT_BYTES,
  readJson,
  refuse,
  startTestService,
  succeed,
  type TestService,
  TINY_GIF,
} from './test-service.test-support.ts';

type Body = NonNullable<RequestInit['body']>;
let service: TestService;
afterEach(async () => await service?.close());

const post = (body: Body, init: { headers?: Record<string, string>; path?: string; key?: string } = {}) =>
  service.fetch(init.path ?? 'v1/reconstructions', {
    method: 'POST',
    body,
    headers: init.headers ?? {},
    ...(init.key === undefined ? {} : { key: init.key }),
  });
const put = (id: string, body: Body, headers: Record<string, string> = {}) =>
  service.fetch(`v1/reconstructions/${id}`, { method: 'PUT', body, headers });
const jpeg = (photo: Buffer) => new Blob([photo as never], { type: 'image/jpeg' });

describe('POST', () => {
  it('a form: 201 with the result, whose link works without anything else', async () => {
    service = await startTestService();
    const answer = await post(photoForm(fakeJpeg(), { textureSize: '512' }), { headers: { prefer: 'wait=20' } });
    const view = await readJson(answer);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`/v1/reconstructions/${view.id}`);
    expect(answer.headers.get('preference-applied')).toBe('wait=20');
    expect(view).toMatchObject({ state: 'succeeded', options: { textureSize: 512 }, photo: { bytes: 2000, kept: false } });
    const file = await service.fetch(view.result.files[0].url);
    expect(Buffer.from(await file.arrayBuffer())).toEqual(RESULT_BYTES);
    expect((await readJson(await service.fetch(view.links.self))).id).toBe(view.id);
  });

  it('fields may come before the photo or after it', async () => {
    service = await startTestService();
    const form = new FormData();
    form.append('textureSize', '2048');
    form.append('photo', jpeg(fakeJpeg()), 'x.jpg');
    form.append('face', 'largest');
    expect((await readJson(await post(form))).options).toMatchObject({ textureSize: 2048, face: 'largest' });
  });

  it('the image itself, with or without its type, with options in the query; also a tiny one and one without a length', async () => {
    service = await startTestService();
    const path = 'v1/reconstructions?textureSize=512&formats=glb,obj';
    for (const type of ['image/gif', 'image/jpeg', 'application/octet-stream']) {
      const answer = await post(TINY_GIF as never, { path, headers: { 'content-type': type } });
      expect(await readJson(answer)).toMatchObject({
        options: { textureSize: 512, formats: ['glb', 'obj'] },
        photo: { bytes: TINY_GIF.length },
      });
      expect(answer.status).toBe(201);
    }
    const chunks = new ReadableStream({
      start(c) {
        for (let i = 0; i < 20; i++) c.enqueue(fakeJpeg(50_000, i));
        c.close();
      },
    });
    const answer = await service.fetch(path, { method: 'POST', body: chunks, duplex: 'half', headers: { 'content-type': 'image/jpeg' } });
    expect(await readJson(answer)).toMatchObject({ photo: { bytes: 1_000_000 } });
  });

  it('respond-async: 202 at once with its place; later it is done', async () => {
    service = await startTestService({ work: null });
    const answer = await post(photoForm(fakeJpeg()), { headers: { prefer: 'respond-async' } });
    const view = await readJson(answer);
    expect(answer.status).toBe(202);
    expect(answer.headers.get('preference-applied')).toBe('respond-async');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(view).toMatchObject({ state: 'queued', queue: { position: 0, etaS: 0.25 } });
    expect(answer.headers.get('location')).toBe(`/v1/reconstructions/${view.id}`);
  });

  it('202 where it takes longer than the wait', async () => {
    service = await startTestService({ work: null });
    const began = performance.now();
    const answer = await post(photoForm(fakeJpeg()), { headers: { prefer: 'wait=1' } });
    expect(answer.status).toBe(202);
    // A timer may fire a millisecond early.
    expect(performance.now() - began).toBeGreaterThan(990);
  });

  it('a job that fails is answered with the status of its error and its id', async () => {
    service = await startTestService({ work: refuse });
    const answer = await post(photoForm(fakeJpeg()));
    const problem = await readJson(answer);
    expect(answer.status).toBe(422);
    expect(problem).toMatchObject({ code: 'FW_FACE_NOT_FOUND', params: { candidates: 0 } });
    const view = await readJson(await service.fetch(`v1/reconstructions/${problem.reconstruction}`));
    expect(view).toMatchObject({ state: 'failed', error: { code: 'FW_FACE_NOT_FOUND', hint: expect.any(String) } });
  });

  it('an error of a worker that names its files is told without them', async () => {
    service = await startTestService({
      work: async () => {
        throw new FacewrightError('FW_OUTPUT_NOT_WRITABLE', { path: '/srv/data/out', reason: 'EACCES' });
      },
    });
    const answer = await post(photoForm(fakeJpeg()));
    const problem = await readJson(answer);
    expect(answer.status).toBe(500);
    expect(JSON.stringify(problem)).not.toContain('srv');
    expect(JSON.stringify(await readJson(await service.fetch(`v1/reconstructions/${problem.reconstruction}`)))).not.toContain('srv');
  });

  it('canceled while somebody waits: 409', async () => {
    service = await startTestService({ work: null });
    const waiting = put('mine', jpeg(fakeJpeg()));
    while ((await service.queue.get('local', 'mine')) === null) await sleep(10);
    expect((await service.fetch('v1/reconstructions/mine/cancel', { method: 'POST' })).status).toBe(200);
    const answer = await waiting;
    expect(await readJson(answer)).toMatchObject({ code: 'FW_CANCELED', reconstruction: 'mine' });
    expect(answer.status).toBe(409);
    expect(await service.storedKeys()).toEqual([]);
  });

  it('a photo of exactly the limit is taken', async () => {
    service = await startTestService({ config: { maxPhotoBytes: 1_000_000 } });
    expect((await post(photoForm(fakeJpeg(1_000_000)))).status).toBe(201);
  });

  it('a compressed body, a query twice, an unknown query are refused', async () => {
    service = await startTestService({ work: null });
    const headers = { 'content-type': 'image/jpeg' };
    expect(await readJson(await post(fakeJpeg() as never, { headers: { ...headers, 'content-encoding': 'gzip' } }))).toMatchObject({
      code: 'FW_MEDIA_UNSUPPORTED',
    });
    for (const query of ['face=1&face=2', 'wait=3', '__proto__=1']) {
      const answer = await post(fakeJpeg() as never, { headers, path: `v1/reconstructions?${query}` });
      expect(await readJson(answer), query).toMatchObject({ code: 'FW_REQUEST_INVALID' });
    }
  });
});

describe('refused, and nothing is kept of it', () => {
  let common: TestService;
  beforeAll(async () => {
    common = await startTestService({ config: { maxPhotoBytes: 1_000_000 }, work: null });
  });
  afterAll(async () => await common.close());

  it.each([
    ['not an image', () => photoForm(Buffer.from('%PDF-1.7 not a photo')), 415, 'FW_PHOTO_NOT_IMAGE'],
    ['an empty photo', () => photoForm(Buffer.alloc(0)), 422, 'FW_PHOTO_EMPTY'],
    ['a photo over the limit', () => photoForm(fakeJpeg(1_200_000)), 413, 'FW_BODY_TOO_LARGE'],
    ['a photo one byte over the limit', () => photoForm(fakeJpeg(1_000_001)), 413, 'FW_BODY_TOO_LARGE'],
    ['no photo', () => photoFormWithout(), 400, 'FW_REQUEST_INVALID'],
    ['an unknown option', () => photoForm(fakeJpeg(), { colour: 'red' }), 400, 'FW_REQUEST_INVALID'],
    ['a wrong option', () => photoForm(fakeJpeg(), { textureSize: '100' }), 400, 'FW_REQUEST_INVALID'],
    ['an unknown model', () => photoForm(fakeJpeg(), { model: 'body' }), 400, 'FW_MODEL_UNKNOWN'],
    ['a webhook where none are sent', () => photoForm(fakeJpeg(), { webhook: 'https://example.org' }), 422, 'FW_WEBHOOK_REFUSED'],
    ['text instead of a form', () => 'photo=me.jpg', 415, 'FW_MEDIA_UNSUPPORTED'],
    ['a form of fields', () => new URLSearchParams({ photo: 'me.jpg' }), 415, 'FW_MEDIA_UNSUPPORTED'],
    ['JSON', () => new Blob(['{"photo":"x"}'], { type: 'application/json' }), 415, 'FW_MEDIA_UNSUPPORTED'],
    ['two photos', () => twoPhotos(), 400, 'FW_REQUEST_INVALID'],
    ['a field twice', () => twice(), 400, 'FW_REQUEST_INVALID'],
  ])('%s', async (_name, body, status, code) => {
    const answer = await common.fetch('v1/reconstructions', { method: 'POST', body: body() as Body });
    expect(await readJson(answer)).toMatchObject({ code });
    expect(answer.status).toBe(status);
    expect(await common.storedKeys()).toEqual([]);
    expect((await readJson(await common.fetch('v1/reconstructions'))).reconstructions).toEqual([]);
    expect((await common.queue.counts()).queued).toBe(0);
  });
});

describe('the same again', () => {
  it('PUT: same photo and options is the same job, others are a conflict, also after the end', async () => {
    service = await startTestService();
    const first = await put('me-1', jpeg(fakeJpeg()));
    expect(first.status).toBe(201);
    const again = await put('me-1', photoForm(fakeJpeg()));
    expect(again.status).toBe(200);
    expect((await readJson(again)).createdAt).toBe((await readJson(first)).createdAt);
    const files = await service.storedKeys();
    for (const other of [jpeg(fakeJpeg(2000, 2)), photoForm(fakeJpeg(), { textureSize: '512' })]) {
      const answer = await put('me-1', other);
      expect(answer.status).toBe(409);
      expect(await readJson(answer)).toMatchObject({ code: 'FW_ID_CONFLICT', params: { id: 'me-1' } });
    }
    expect(await service.storedKeys()).toEqual(files);
  });

  it('PUT: a second one while the first waits does not touch its photo', async () => {
    service = await startTestService({ work: null });
    expect((await put('a', jpeg(fakeJpeg()), { prefer: 'respond-async' })).status).toBe(202);
    const job = (await service.queue.get('local', 'a'))!;
    expect((await put('a', jpeg(fakeJpeg(3000, 7)), { prefer: 'respond-async' })).status).toBe(409);
    expect((await put('a', jpeg(fakeJpeg()), { prefer: 'respond-async' })).status).toBe(202);
    expect(await service.storedKeys()).toEqual([job.photo.key]);
    expect((await service.storage.stat(job.photo.key))!.bytes).toBe(2000);
  });

  it('PUT: of fifty equal requests at once one makes the job, and one photo is kept', async () => {
    let started = 0;
    service = await startTestService({
      work: async (lease, s) => {
        started++;
        await sleep(300);
        return await succeed(lease, s);
      },
    });
    const answers = await Promise.all(Array.from({ length: 50 }, () => put('fifty', jpeg(fakeJpeg()))));
    const statuses = answers.map((a) => a.status).sort();
    expect(statuses).toEqual([...Array(49).fill(200), 201]);
    const views = await Promise.all(answers.map(readJson));
    expect(new Set(views.map((v) => v.createdAt)).size).toBe(1);
    expect(started).toBe(1);
    expect((await service.storedKeys()).length).toBe(1);
  });

  it('PUT: of different photos at once one gets the id, the others a conflict', async () => {
    service = await startTestService();
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => put('race', jpeg(fakeJpeg(2000, i)))));
    expect(answers.map((a) => a.status).sort()).toEqual([201, ...Array(11).fill(409)]);
    expect((await service.storedKeys()).length).toBe(1);
  });

  it('PUT: a repeated request whose job failed gets the same problem', async () => {
    service = await startTestService({ work: refuse });
    for (let i = 0; i < 2; i++)
      expect(await readJson(await put('x', jpeg(fakeJpeg())))).toMatchObject({ code: 'FW_FACE_NOT_FOUND', reconstruction: 'x' });
  });

  it('Idempotency-Key: the same key and photo is the same job, quoted or not; another photo is a conflict', async () => {
    service = await startTestService();
    const send = (photo: Buffer, key: string) => post(photoForm(photo), { headers: { 'idempotency-key': key } });
    const first = await readJson(await send(fakeJpeg(), 'order/1842'));
    const again = await send(fakeJpeg(), '"order/1842"');
    expect(again.status).toBe(200);
    expect((await readJson(again)).id).toBe(first.id);
    expect((await send(fakeJpeg(2000, 2), 'order/1842')).status).toBe(409);
    expect((await readJson(await send(fakeJpeg(), 'order/1843'))).id).not.toBe(first.id);
    for (const key of ['', ' ', 'a b', 'x'.repeat(256)]) expect((await send(fakeJpeg(), key)).status, key).toBe(400);
  });

  it('a repeated request is answered although there is no room for a new one', async () => {
    service = await startTestService({ work: null, config: { maxQueued: 1 } });
    const prefer = { prefer: 'respond-async' };
    expect((await put('a', jpeg(fakeJpeg()), prefer)).status).toBe(202);
    expect((await put('b', jpeg(fakeJpeg()), prefer)).status).toBe(429);
    expect((await put('a', jpeg(fakeJpeg()), prefer)).status).toBe(202);
  });

  it('an id that could not be a path is refused', async () => {
    service = await startTestService({ work: null });
    for (const id of ['-a', 'a.b', 'a%2Fb', 'a'.repeat(65), 'ä', 'a%00']) {
      const answer = await put(id, jpeg(fakeJpeg()));
      expect(answer.status, id).toBe(400);
    }
    expect((await put('a'.repeat(300), jpeg(fakeJpeg()))).status).toBe(404);
  });
});

describe('reading, listing, canceling, deleting', () => {
  it('lists newest first in pages', async () => {
    service = await startTestService();
    for (let i = 0; i < 5; i++) await put(`j${i}`, jpeg(fakeJpeg(2000, i)));
    const pages: string[][] = [];
    let after = '';
    do {
      const page = await readJson(await service.fetch(`v1/reconstructions?limit=2${after}`));
      pages.push(page.reconstructions.map((r: { id: string }) => r.id));
      after = page.next === undefined ? '' : `&after=${page.next}`;
    } while (after !== '' && pages.length < 10);
    expect(pages.flat()).toEqual(['j4', 'j3', 'j2', 'j1', 'j0']);
    for (const query of ['limit=0', 'limit=101', 'limit=x', 'after=x', 'after=a.b', 'page=2']) {
      expect((await service.fetch(`v1/reconstructions?${query}`)).status, query).toBe(400);
    }
  });

  it('canceling a waiting job ends it and deletes its photo; twice is no error; a finished one cannot be', async () => {
    service = await startTestService({ work: null });
    await put('a', jpeg(fakeJpeg()), { prefer: 'respond-async' });
    for (let i = 0; i < 2; i++) {
      const answer = await service.fetch('v1/reconstructions/a/cancel', { method: 'POST' });
      expect(answer.status).toBe(200);
      expect((await readJson(answer)).state).toBe('canceled');
    }
    expect(await service.storedKeys()).toEqual([]);
    await service.close();
    service = await startTestService();
    await put('b', jpeg(fakeJpeg()));
    const answer = await service.fetch('v1/reconstructions/b/cancel', { method: 'POST' });
    expect(await readJson(answer)).toMatchObject({ code: 'FW_STATE_CONFLICT', params: { state: 'succeeded' } });
  });

  it('deleting forgets job and files', async () => {
    service = await startTestService();
    const view = await readJson(await put('a', jpeg(fakeJpeg())));
    const gone = await service.fetch('v1/reconstructions/a', { method: 'DELETE' });
    expect(gone.status).toBe(204);
    expect(await service.storedKeys()).toEqual([]);
    for (const path of ['v1/reconstructions/a', 'v1/reconstructions/a/events', view.result.files[0].url]) {
      expect((await service.fetch(path)).status, path).toBe(404);
    }
    expect((await service.fetch('v1/reconstructions/a', { method: 'DELETE' })).status).toBe(404);
    // The id is free again.
    expect((await put('a', jpeg(fakeJpeg(2000, 9)))).status).toBe(201);
  });

  it.each(['watch', 'get', 'position'] as const)(
    'the queue is lost in %s after the photo was accepted: 202 with the job, not "send it again"',
    async (method) => {
      service = await startTestService({ work: null });
      const { queue } = service;
      const { submit } = queue;
      let submitted = 0;
      queue.submit = async (...args) => {
        const accepted = await submit.apply(queue, args);
        submitted++;
        const lost = () => Promise.reject(new FacewrightError('FW_QUEUE_UNAVAILABLE', { reason: 'ECONNRESET' }));
        Object.assign(queue, { [method]: lost });
        return accepted;
      };
      const headers = { prefer: method === 'position' ? 'respond-async' : 'wait=20' };
      const answer = await post(photoForm(fakeJpeg()), { headers });
      const view = await readJson(answer);
      expect(answer.status).toBe(202);
      expect(answer.headers.get('location')).toBe(`/v1/reconstructions/${view.id}`);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(view).toMatchObject({ state: 'queued', photo: { bytes: 2000 } });
      expect(submitted).toBe(1);
      expect(service.logLines.some((line) => line.includes('the queue was lost') && line.includes(view.id))).toBe(true);
    },
  );

  it('the account tells limits and use', async () => {
    service = await startTestService({ tenants: ['acme'], limits: { acme: { ratePerMinute: 99, maxPending: 7 } } });
    const key = service.keys.acme!;
    await post(photoForm(fakeJpeg()), { key });
    expect(await readJson(await service.fetch('v1/account', { key }))).toMatchObject({
      tenant: 'acme',
      singleUser: false,
      limits: { ratePerMinute: 99, queued: 7 },
      usage: { queued: 0, processing: 0, storageBytes: RESULT_BYTES.length },
    });
  });
});

function photoFormWithout(): FormData {
  const form = new FormData();
  form.append('textureSize', '512');
  return form;
}

function twoPhotos(): FormData {
  const form = photoForm(fakeJpeg());
  form.append('photo', jpeg(fakeJpeg(2000, 2)), 'two.jpg');
  return form;
}

function twice(): FormData {
  const form = photoForm(fakeJpeg(), { face: '1' });
  form.append('face', '2');
  return form;
}

import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { BATCH_EVENT_SCHEMAS, batchListSchema, batchSchema } from '@facewright/protocol/api';
import { afterEach, describe, expect, it } from 'vitest';
import { fromBufferPromise } from 'yauzl';
import { ZipFile } from 'yazl';
import {
  fakeJpeg,
  RESULT_BYTES,
  readJson,
  refuse,
  startTestService,
  succeed,
  type TestService,
  type TestServiceOptions,
} from '../http/test-service.test-support.ts';

let service: TestService;
const start = async (options: TestServiceOptions = {}): Promise<void> => {
  service = await startTestService(options);
};
afterEach(async () => await service?.close());

type Named = readonly (readonly [name: string, data: Uint8Array])[];
const photos = (count: number): Named => Array.from({ length: count }, (_, i) => [`p${i}.jpg`, fakeJpeg(1500 + i, i + 1)]);

function form(files: Named, fields: Record<string, string> = {}): FormData {
  const data = new FormData();
  for (const [name, photo] of files) data.append('photo', new Blob([photo as Uint8Array<ArrayBuffer>]), name);
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

async function zip(files: Named): Promise<Buffer> {
  const archive = new ZipFile();
  for (const [name, data] of files) archive.addBuffer(Buffer.from(data), name);
  archive.end();
  return await buffer(archive.outputStream);
}

const post = (
  body: FormData | Uint8Array,
  init: { key?: string; headers?: Record<string, string>; path?: string } = {},
): Promise<Response> =>
  service.fetch(init.path ?? 'v1/batches', {
    method: 'POST',
    body: body as never,
    ...(init.key === undefined ? {} : { key: init.key }),
    headers: { ...(body instanceof FormData ? {} : { 'content-type': 'application/zip' }), ...init.headers },
  });

// biome-ignore lint/suspicious/noExplicitAny: what comes is what is tested
async function waitForEnd(id: string, key?: string): Promise<any> {
  for (let i = 0; i < 400; i++) {
    const answer = await service.fetch(`v1/batches/${id}`, key === undefined ? {} : { key });
    const view = await readJson(answer);
    batchSchema.parse(view);
    if (view.state !== 'processing') return view;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the batch did not end');
}

async function readZip(data: Buffer): Promise<Map<string, Buffer>> {
  const archive = await fromBufferPromise(data, { lazyEntries: true });
  const files = new Map<string, Buffer>();
  for await (const entry of archive.eachEntry()) files.set(entry.fileName, await buffer(await archive.openReadStreamPromise(entry)));
  return files;
}

const storedKeys = async (): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of service.storage.list('')) keys.push(key);
  return keys.sort();
};

/** Bytes of archives on their way. */
async function spooled(): Promise<number> {
  const dir = service.storage.scratchDir;
  const sizes = (await readdir(dir)).map(async (name) => (await stat(join(dir, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

describe('batches', () => {
  it('take the photos of a form, tell of each, and give one zip of everything', async () => {
    await start();
    const answer = await post(form([...photos(3), ['notes.txt', Buffer.from('not a photo at all')]], { textureSize: '512' }));
    const accepted = await readJson(answer);
    expect(answer.status, JSON.stringify(accepted)).toBe(202);
    expect(answer.headers.get('location')).toBe(`/v1/batches/${accepted.id}`);
    batchSchema.parse(accepted);
    expect(accepted.counts.total).toBe(4);

    const done = await waitForEnd(accepted.id);
    expect(done).toMatchObject({ state: 'done', counts: { total: 4, queued: 0, processing: 0, succeeded: 3, failed: 1, canceled: 0 } });
    expect(done.photos.map((photo: { name: string }) => photo.name)).toEqual(['p0.jpg', 'p1.jpg', 'p2.jpg', 'notes.txt']);
    expect(done.photos[3]).toMatchObject({ state: 'failed', error: { code: 'FW_PHOTO_NOT_IMAGE' } });
    expect(done.photos[3].reconstruction).toBeUndefined();
    const single = await readJson(await service.fetch(`v1/reconstructions/${done.photos[0].reconstruction}`));
    expect(single).toMatchObject({ state: 'succeeded', batch: accepted.id, options: { textureSize: 512 } });

    const download = await service.fetch(done.archive.url);
    expect(download.status).toBe(200);
    expect(download.headers.get('content-disposition')).toContain(`facewright-${accepted.id}.zip`);
    const files = await readZip(Buffer.from(await download.arrayBuffer()));
    expect([...files.keys()]).toEqual(['report.json', 'report.csv', 'p0/face.glb', 'p1/face.glb', 'p2/face.glb']);
    expect(files.get('p1/face.glb')).toEqual(RESULT_BYTES);
    const report = JSON.parse(String(files.get('report.json')));
    expect(report.photos[3]).toMatchObject({ name: 'notes.txt', folder: null, state: 'failed', code: 'FW_PHOTO_NOT_IMAGE' });
    expect(String(files.get('report.csv'))).toContain('p0.jpg,p0,succeeded');
    // Photos are gone, and what waited too.
    expect((await storedKeys()).filter((key) => /\/in-|_batches\/open/.test(key))).toEqual([]);
  });

  it('take a zip, as a body and as a file of the form', async () => {
    await start();
    const archive = await zip([
      ['team/a.jpg', fakeJpeg(2000, 1)],
      ['__MACOSX/team/._a.jpg', Buffer.from('x')],
      ['.DS_Store', Buffer.from('x')],
      ['b.JPG', fakeJpeg(3000, 2)],
    ]);
    for (const body of [archive, await inForm(archive)]) {
      const answer = await post(body, { path: body instanceof FormData ? 'v1/batches' : 'v1/batches?textureSize=512' });
      const accepted = await readJson(answer);
      expect(answer.status, JSON.stringify(accepted)).toBe(202);
      const done = await waitForEnd(accepted.id);
      expect(done.photos.map((photo: { name: string; state: string }) => [photo.name, photo.state])).toEqual([
        ['a.jpg', 'succeeded'],
        ['b.JPG', 'succeeded'],
      ]);
    }
    expect(await readdir(service.storage.scratchDir)).toEqual([]);
  });

  it('larger than the queue are fed in as there is room, and leave room for others', async () => {
    let most = 0;
    await start({
      config: { maxQueued: 6, tenantMaxPending: 4, batchMaxPhotos: 50 },
      work: async (lease, running) => {
        const counts = await running.queue.counts();
        most = Math.max(most, counts.queued + counts.processing);
        return await succeed(lease, running);
      },
    });
    const accepted = await readJson(await post(form(photos(25))));
    const done = await waitForEnd(accepted.id);
    expect(done.counts).toMatchObject({ total: 25, succeeded: 25 });
    expect(most).toBeLessThanOrEqual(3);
  });

  it('tell of photos that fail, each with its own code', async () => {
    await start({ work: async (lease, running) => (lease.job.photo.bytes % 2 === 0 ? await succeed(lease, running) : await refuse()) });
    const done = await waitForEnd((await readJson(await post(form(photos(4))))).id);
    expect(done.photos.map((photo: { state: string; error?: { code: string } }) => photo.error?.code ?? photo.state)).toEqual([
      'succeeded',
      'FW_FACE_NOT_FOUND',
      'succeeded',
      'FW_FACE_NOT_FOUND',
    ]);
    const files = await readZip(Buffer.from(await (await service.fetch(done.archive.url)).arrayBuffer()));
    expect([...files.keys()]).toEqual(['report.json', 'report.csv', 'p0/face.glb', 'p2/face.glb']);
  });

  it('are the same batch for the same key and photos, and a conflict for others', async () => {
    await start();
    const headers = { 'idempotency-key': 'order-7' };
    const first = await readJson(await post(form(photos(2)), { headers }));
    await waitForEnd(first.id);
    const before = await storedKeys();
    const again = await post(form(photos(2)), { headers });
    expect([again.status, (await readJson(again)).id]).toEqual([200, first.id]);
    const other = await post(form(photos(3)), { headers });
    expect([other.status, (await readJson(other)).code]).toEqual([409, 'FW_ID_CONFLICT']);
    const otherOptions = await post(form(photos(2), { textureSize: '512' }), { headers });
    expect(otherOptions.status).toBe(409);
    expect(await storedKeys()).toEqual(before);
  });

  it('under one key at two processes: what was accepted stays whatever becomes of the other upload', async () => {
    await start();
    const other = await startTestService({ work: null, deps: { queue: service.queue, storage: service.storage } });
    try {
      for (const [key, tail, wanted] of [
        ['fails', null, null],
        ['same', fakeJpeg(1500, 1), 200],
        ['differs', fakeJpeg(1600, 1), 409],
      ] as const) {
        let body!: ReadableStreamDefaultController<Uint8Array>;
        const slow = new ReadableStream<Uint8Array>({
          start(controller) {
            body = controller;
          },
        });
        const abort = new AbortController();
        const sending = fetch(`${other.url}/v1/batches`, {
          method: 'POST',
          headers: { 'content-type': 'multipart/form-data; boundary=b', 'idempotency-key': key },
          body: slow as never,
          duplex: 'half',
          signal: abort.signal,
        } as RequestInit);
        body.enqueue(Buffer.from('--b\r\nContent-Disposition: form-data; name="photo"; filename="p0.jpg"\r\n\r\n'));
        body.enqueue(Buffer.concat([tail ?? fakeJpeg(1500, 1), Buffer.from('\r\n')]));
        await expect.poll(async () => (await storedKeys()).some((stored) => stored.startsWith('_batches/known/'))).toBe(true);
        const answer = await post(form(photos(1)), { headers: { 'idempotency-key': key } });
        const { id } = await readJson(answer);
        expect(answer.status).toBe(202);
        if (wanted === null) {
          abort.abort();
          await expect(sending).rejects.toThrow();
        } else {
          body.enqueue(Buffer.from('--b--\r\n'));
          body.close();
          expect((await sending).status, key).toBe(wanted);
        }
        expect((await waitForEnd(id)).counts).toMatchObject({ total: 1, succeeded: 1 });
        await expect.poll(async () => (await storedKeys()).filter((stored) => stored.includes('/in-'))).toEqual([]);
        expect(await storedKeys()).toContain(`_batches/known/local/${id}`);
        expect((await service.fetch(`v1/batches/${id}`)).status).toBe(200);
        await service.fetch(`v1/batches/${id}`, { method: 'DELETE' });
      }
    } finally {
      await other.close();
    }
  });

  it('can be canceled: nothing more starts, what is done stays', async () => {
    await start({ work: null, config: { tenantMaxPending: 4 } });
    const { id } = await readJson(await post(form(photos(10))));
    await expect.poll(async () => (await service.queue.counts()).queued).toBe(2);
    const lease = (await service.queue.take('test', AbortSignal.timeout(1_000)))!;
    await service.queue.complete(lease, { files: await succeed(lease, service), warnings: [] } as never);
    const canceled = await service.fetch(`v1/batches/${id}/cancel`, { method: 'POST' });
    expect(canceled.status).toBe(200);
    await expect
      .poll(async () => (await readJson(await service.fetch(`v1/batches/${id}`))).counts)
      .toEqual({ total: 10, queued: 0, processing: 0, succeeded: 1, failed: 0, canceled: 9 });
    const view = await readJson(await service.fetch(`v1/batches/${id}`));
    expect(view.state).toBe('canceled');
    await expect
      .poll(async () => (await storedKeys()).filter((key) => /photo$|\/in-|open/.test(key) && !key.includes(lease.job.id)))
      .toEqual([]);
    expect((await service.queue.counts()).queued).toBe(0);
    const files = await readZip(Buffer.from(await (await service.fetch(view.archive.url)).arrayBuffer()));
    expect([...files.keys()]).toEqual(['report.json', 'report.csv', 'p0/face.glb']);
  });

  it('are gone when they are deleted, in whatever state', async () => {
    await start({ work: null, config: { tenantMaxPending: 4 } });
    const { id } = await readJson(await post(form(photos(10))));
    await expect.poll(async () => (await service.queue.counts()).queued).toBe(2);
    expect((await service.fetch(`v1/batches/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await service.fetch(`v1/batches/${id}`)).status).toBe(404);
    await expect.poll(storedKeys).toEqual([]);
    expect((await service.queue.counts()).queued).toBe(0);
  });

  it('refuse what is too much or makes no sense, and keep nothing of it', async () => {
    await start({ config: { batchMaxPhotos: 5, batchMaxBytes: 20_000, maxPhotoBytes: 5_000 } });
    const cases: [FormData | Uint8Array, number, string][] = [
      [form(photos(6)), 413, 'FW_BATCH_TOO_MANY'],
      [form([0, 1, 2, 3, 4].map((i) => [`${i}.jpg`, fakeJpeg(4_500, i)] as const)), 413, 'FW_BODY_TOO_LARGE'],
      [form([]), 400, 'FW_REQUEST_INVALID'],
      [form(photos(1), { texturesize: '512' }), 400, 'FW_REQUEST_INVALID'],
      [form(photos(1), { model: 'cat' }), 400, 'FW_MODEL_UNKNOWN'],
      [Buffer.from('PK no zip'), 422, 'FW_ARCHIVE_INVALID'],
      [
        await zip([
          ['a.jpg', fakeJpeg()],
          ['in.zip', Buffer.from('x')],
        ]),
        422,
        'FW_ARCHIVE_INVALID',
      ],
      [
        await zip([
          ['a.jpg', fakeJpeg()],
          ['b.jpg', await zip([['c.jpg', fakeJpeg()]])],
        ]),
        422,
        'FW_ARCHIVE_INVALID',
      ],
      [await zip(photos(6)), 413, 'FW_BATCH_TOO_MANY'],
      [await zip([0, 1, 2, 3, 4].map((i) => [`${i}.jpg`, fakeJpeg(4_500, i)] as const)), 413, 'FW_BODY_TOO_LARGE'],
      [await zip([['.hidden', Buffer.from('x')]]), 400, 'FW_REQUEST_INVALID'],
    ];
    for (const [body, status, code] of cases) {
      const answer = await post(body);
      const problem = await readJson(answer);
      expect([answer.status, problem.code], JSON.stringify(problem)).toEqual([status, code]);
      expect(await storedKeys(), code).toEqual([]);
    }
    const tooLarge = await readJson(
      await post(
        form([
          ['big.jpg', fakeJpeg(6_000)],
          ['small.jpg', fakeJpeg(2_000)],
        ]),
      ),
    );
    expect(await waitForEnd(tooLarge.id)).toMatchObject({
      photos: [
        { name: 'big.jpg', error: { code: 'FW_PHOTO_TOO_MANY_BYTES', params: { bytes: 6_000, maxBytes: 5_000 } } },
        { state: 'succeeded' },
      ],
    });
    const json = await service.fetch('v1/batches', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    expect(json.status).toBe(415);
  });

  it('of a caller who goes away in the middle leave nothing', async () => {
    await start();
    const abort = new AbortController();
    const endless = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from('--b\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'));
        controller.enqueue(fakeJpeg(50_000));
      },
    });
    const sending = service.fetch('v1/batches', {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body: endless as never,
      duplex: 'half',
      signal: abort.signal,
    });
    await expect.poll(storedKeys).toEqual([expect.stringContaining('_batches/known/')]);
    abort.abort();
    await expect(sending).rejects.toThrow();
    await expect.poll(storedKeys).toEqual([]);
    expect((await readdir(join(service.dir, 'objects', 'tmp'))).length).toBe(0);
  });

  it('are fed to their end after a restart', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'fw-batches-'));
    try {
      await start({ dir, work: null, config: { tenantMaxPending: 4 } });
      const { id } = await readJson(await post(form(photos(6))));
      await expect.poll(async () => (await service.queue.counts()).queued).toBe(2);
      await service.close();
      await start({ dir, config: { tenantMaxPending: 4 }, deps: { batchPauses: { roomMs: 10, retryMs: 50, markMs: 50, staleMs: 200 } } });
      const done = await waitForEnd(id);
      expect(done.counts).toMatchObject({ total: 6, succeeded: 6 });
    } finally {
      await service.close();
      await rm(dir, { recursive: true, force: true });
    }
  });

  it('of another tenant cannot be seen, changed or fetched, nor is it told that they exist', async () => {
    await start({ tenants: ['alice', 'mallory'] });
    const { alice, mallory } = service.keys as { alice: string; mallory: string };
    const headers = { 'idempotency-key': 'same-key' };
    const own = await readJson(await post(form(photos(2)), { key: alice, headers }));
    const done = await waitForEnd(own.id, alice);
    for (const id of [own.id, 'b000000000000000000000000', '..%2f..', 'x'.repeat(80)]) {
      for (const [method, path] of [
        ['GET', ''],
        ['DELETE', ''],
        ['POST', '/cancel'],
        ['GET', '/archive'],
        ['HEAD', '/archive'],
      ] as const) {
        const answer = await service.fetch(`v1/batches/${id}${path}`, { method, key: mallory });
        expect(answer.status, `${method} ${path}`).toBe(404);
        if (method === 'HEAD') continue;
        const { requestId, ...problem } = await readJson(answer);
        expect(problem).toEqual(
          (({ requestId: _, ...rest }) => rest)(await readJson(await service.fetch(`v1/batches/nothing${path}`, { method, key: mallory }))),
        );
      }
    }
    // The same Idempotency-Key of another tenant is another batch.
    const other = await post(form(photos(1)), { key: mallory, headers });
    expect(other.status).toBe(202);
    expect((await readJson(other)).id).not.toBe(own.id);
    // A signed link opens what it was made for and nothing else.
    const link: string = done.archive.url;
    expect((await service.fetch(link)).status).toBe(200);
    for (const forged of [
      link.replace('tenant=alice', 'tenant=mallory'),
      link.replace(/expires=\d/, 'expires=9'),
      link.replace(own.id, 'b000000000000000000000000'),
      `v1/batches/${own.id}${link.slice(link.indexOf('?'))}`,
    ]) {
      const answer = await service.fetch(forged);
      expect([401, 403], forged).toContain(answer.status);
    }
    expect((await waitForEnd(own.id, alice)).counts.succeeded).toBe(2);
  });

  it('give an archive that breaks off, not a smaller one, where a file has gone', async () => {
    await start();
    const { id } = await readJson(await post(form(photos(3))));
    const done = await waitForEnd(id);
    for await (const { key } of service.storage.list('local/jobs')) if (key.includes(`${id}-2/`)) await service.storage.delete(key);
    const answer = await fetch(`${service.url}/${done.archive.url}`);
    await expect(answer.arrayBuffer()).rejects.toThrow();
  });

  it('count against the storage of their tenant', async () => {
    await start({ tenants: ['alice'], limits: { alice: { storageBytes: 2 ** 20 } } });
    const big = Array.from({ length: 3 }, (_, i) => [`${i}.jpg`, Buffer.concat([fakeJpeg(10, i), randomBytes(500_000)])] as const);
    const answer = await post(form(big), { key: service.keys.alice! });
    expect([answer.status, (await readJson(answer)).code]).toEqual([403, 'FW_STORAGE_QUOTA']);
    expect(await storedKeys()).toEqual([]);
  });

  it('count while they arrive, also where they do not say how long they are, and only four of a tenant arrive at once', async () => {
    await start({ tenants: ['alice'], limits: { alice: { storageBytes: 4 * 2 ** 20 } } });
    const gone = new AbortController();
    const open = (): { readonly answer: Promise<Response>; readonly send: (bytes: number) => void } => {
      let body!: ReadableStreamDefaultController<Uint8Array>;
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          body = controller;
        },
      });
      const answer = service.fetch('v1/batches', {
        method: 'POST',
        headers: { 'content-type': 'application/zip' },
        body: stream as never,
        duplex: 'half',
        key: service.keys.alice!,
        signal: gone.signal,
      });
      answer.catch(() => {});
      return { answer, send: (bytes) => body.enqueue(randomBytes(bytes)) };
    };
    const four = Array.from({ length: 4 }, open);
    // Each by itself would be within the quota.
    for (const [i, { send }] of four.entries()) send(i < 3 ? 1_200_000 : 999);
    await expect.poll(() => spooled(), { timeout: 5_000 }).toBe(3_600_999);
    const fifth = await post(form(photos(1)), { key: service.keys.alice! });
    expect([fifth.status, (await readJson(fifth)).code, fifth.headers.get('retry-after')]).toEqual([429, 'FW_RATE_LIMITED', '5']);
    four[3]!.send(1_200_000);
    const refused = await four[3]!.answer;
    expect([refused.status, (await readJson(refused)).code]).toEqual([403, 'FW_STORAGE_QUOTA']);
    const next = await post(form(photos(1)), { key: service.keys.alice! });
    expect(next.status).toBe(202);
    gone.abort();
  });
});

async function inForm(archive: Buffer): Promise<FormData> {
  const data = new FormData();
  data.append('archive', new Blob([archive as Uint8Array<ArrayBuffer>]), 'photos.zip');
  return data;
}

describe('the list of batches', () => {
  it('has those of the tenant, newest first, in pages, and no others', async () => {
    await start({ tenants: ['acme', 'beta'] });
    const key = service.keys.acme!;
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.unshift((await readJson(await post(form(photos(i + 1)), { key }))).id);
      // Marks of files have milliseconds.
      await sleep(5);
    }
    await post(form(photos(1)), { key: service.keys.beta! });
    const seen: unknown[] = [];
    let path = 'v1/batches?limit=2';
    for (let pages = 1; ; pages++) {
      const page = batchListSchema.parse(await readJson(await service.fetch(path, { key })));
      seen.push(...page.batches.map(({ id, total }) => [id, total]));
      if (page.next === undefined) {
        expect(pages).toBe(3);
        break;
      }
      path = `v1/batches?limit=2&after=${page.next}`;
    }
    expect(seen).toEqual(ids.map((id, i) => [id, 5 - i]));
    // A cursor is of one tenant and one list.
    const { next } = await readJson(await service.fetch('v1/batches?limit=1', { key }));
    expect((await service.fetch(`v1/batches?after=${next}`, { key: service.keys.beta! })).status).toBe(400);
    expect((await service.fetch(`v1/reconstructions?after=${next}`, { key })).status).toBe(400);
    const other = await readJson(await service.fetch('v1/reconstructions?limit=1', { key }));
    expect((await service.fetch(`v1/batches?after=${other.next}`, { key })).status).toBe(400);
    expect((await service.fetch('v1/batches?limit=0', { key })).status).toBe(400);
    await service.fetch(`v1/batches/${ids[0]}`, { method: 'DELETE', key });
    const left = await readJson(await service.fetch('v1/batches', { key }));
    expect(left.batches.map(({ id }: { id: string }) => id)).toEqual(ids.slice(1));
  });
});

describe('the events of a batch', () => {
  const eventsOf = async (answer: Response) =>
    (await answer.text())
      .split('\n\n')
      .flatMap((block) => (block.startsWith('event: ') ? [block.split('\n')] : []))
      .map(([event = '', data = '']) => ({ event: event.slice(7), data: JSON.parse(data.slice(6)) }));

  it('tell every photo that changes and end with the batch', async () => {
    let release!: () => void;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    await start({ work: async (lease, test) => gate.then(() => succeed(lease, test)) });
    const files: Named = [...photos(3), ['text.txt', Buffer.from('no photo')]];
    const { id, links } = await readJson(await post(form(files)));
    const answer = await service.fetch(links.events);
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    release();
    const events = await eventsOf(answer);
    for (const { event, data } of events) BATCH_EVENT_SCHEMAS[event as 'end'].parse(data);
    expect(events.map(({ event }) => event)).toEqual(['snapshot', ...events.slice(1, -1).map(() => 'progress'), 'end']);
    expect(events[0]!.data).toMatchObject({ id, state: 'processing' });
    expect(events.at(-1)!.data).toMatchObject({ state: 'done', counts: { total: 4, succeeded: 3, failed: 1 } });
    const ended = events.flatMap(({ event, data }) => (event === 'progress' ? data.photos : []));
    const succeeded = ended.filter(({ state }: { state: string }) => state === 'succeeded').map(({ name }: { name: string }) => name);
    // Each once.
    expect(succeeded.sort()).toEqual(['p0.jpg', 'p1.jpg', 'p2.jpg']);
    // Of one that is done: both at once.
    expect((await eventsOf(await service.fetch(links.events))).map(({ event }) => event)).toEqual(['snapshot', 'end']);
    expect((await service.fetch(links.events, { method: 'HEAD' })).status).toBe(200);
  });

  it('end without one where the batch is deleted, and are of its tenant only', async () => {
    await start({ work: null, tenants: ['acme', 'beta'] });
    const key = service.keys.acme!;
    const { id, links } = await readJson(await post(form(photos(1)), { key }));
    expect((await service.fetch(links.events, { key: service.keys.beta! })).status).toBe(404);
    const answer = await service.fetch(links.events, { key });
    await service.fetch(`v1/batches/${id}`, { method: 'DELETE', key });
    expect((await eventsOf(answer)).some(({ event }) => event === 'end')).toBe(false);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signLink } from './links.ts';
import { fakeJpeg, photoForm, readJson, startTestService, succeed, type TestService } from './test-service.test-support.ts';

/**
 * The victim has a finished job `done`, a running one `busy`, a waiting one and a batch; the attacker tries their ids on every route,
 * beside ids that nobody has. Status, headers and body must not tell which is which.
 */
let service: TestService;
let victim: { key: string; file: string; cursor: string; batch: string; archive: string; idempotent: string };
let attacker: string;

beforeAll(async () => {
  service = await startTestService({
    tenants: ['victim', 'attacker'],
    limits: { victim: { maxProcessing: 1 } },
    work: async (lease, s) => {
      if (lease.job.id === 'busy') while ((await s.queue.get('victim', 'busy'))?.state === 'processing') await sleep(20);
      return await succeed(lease, s);
    },
  });
  const key = service.keys.victim!;
  attacker = service.keys.attacker!;
  const put = async (id: string, prefer: string) =>
    await readJson(
      await service.fetch(`v1/reconstructions/${id}`, { method: 'PUT', body: photoForm(fakeJpeg()), headers: { prefer }, key }),
    );
  const done = await put('done', 'wait=30');
  const idempotent = await readJson(
    await service.fetch('v1/reconstructions', {
      method: 'POST',
      body: photoForm(fakeJpeg()),
      headers: { 'idempotency-key': 'order-1' },
      key,
    }),
  );
  const form = new FormData();
  for (const name of ['a.jpg', 'b.jpg']) form.append('photo', new Blob([fakeJpeg() as never], { type: 'image/jpeg' }), name);
  let batch = await readJson(await service.fetch('v1/batches', { method: 'POST', body: form, key }));
  while (batch.state !== 'done') {
    await sleep(20);
    batch = await readJson(await service.fetch(`v1/batches/${batch.id}`, { key }));
  }
  await put('busy', 'respond-async');
  await put('waiting', 'respond-async');
  const { next } = await readJson(await service.fetch('v1/reconstructions?limit=1', { key }));
  victim = {
    key,
    file: done.result.files[0].url,
    cursor: next,
    batch: batch.id,
    archive: batch.archive?.url ?? '',
    idempotent: idempotent.id,
  };
}, 60_000);
afterAll(async () => {
  await service.queue.cancel('victim', 'busy');
  await service.close();
});

/** An answer as far as it may not differ, with the id taken out. */
async function shape(answer: Response, id: string): Promise<unknown> {
  const { date: _d, 'x-request-id': _r, connection: _c, 'keep-alive': _k, ratelimit: _l, ...headers } = Object.fromEntries(answer.headers);
  const text = await answer.text();
  return JSON.parse(JSON.stringify({ status: answer.status, headers, body: text.replace(/"requestId":"[^"]*"/, '') }).replaceAll(id, 'ID'));
}

const ROUTES: readonly (readonly [method: string, path: (id: string) => string])[] = [
  ['GET', (id) => `v1/reconstructions/${id}`],
  ['HEAD', (id) => `v1/reconstructions/${id}`],
  ['DELETE', (id) => `v1/reconstructions/${id}`],
  ['PATCH', (id) => `v1/reconstructions/${id}`],
  ['OPTIONS', (id) => `v1/reconstructions/${id}`],
  ['POST', (id) => `v1/reconstructions/${id}/cancel`],
  ['GET', (id) => `v1/reconstructions/${id}/events`],
  ['HEAD', (id) => `v1/reconstructions/${id}/events`],
  ['GET', (id) => `v1/reconstructions/${id}/files/face.glb`],
  ['HEAD', (id) => `v1/reconstructions/${id}/files/face.glb`],
  ['GET', (id) => `v1/reconstructions/${id}/files/photo`],
  ['GET', (id) => `v1/reconstructions/${id}/files/face.glb?download=1`],
  ['GET', (id) => `v1/reconstructions/${id}/files/face.glb?tenant=victim&expires=99999999999&signature=AAAA`],
  ['GET', (id) => `v1/reconstructions/${id}/files/face.glb?tenant=attacker&expires=99999999999&signature=AAAA`],
  ['GET', (id) => `v1/reconstructions/${id}?x=1`],
  ['GET', (id) => `v1/batches/${id}`],
  ['HEAD', (id) => `v1/batches/${id}`],
  ['DELETE', (id) => `v1/batches/${id}`],
  ['GET', (id) => `v1/batches/${id}/events`],
  ['HEAD', (id) => `v1/batches/${id}/events`],
  ['POST', (id) => `v1/batches/${id}/cancel`],
  ['GET', (id) => `v1/batches/${id}/archive`],
  ['GET', (id) => `v1/batches/${id}/archive?tenant=victim&expires=99999999999&signature=AAAA`],
];

describe('another tenant', () => {
  it.each(ROUTES)('%s %s: an id of somebody else is like one of nobody', async (method, path) => {
    for (const id of ['done', 'busy', 'waiting', victim.idempotent, victim.batch, `${victim.batch}-1`]) {
      const nobodys = id.replace(/.$/, '_');
      for (const key of [attacker, undefined]) {
        const ask = async (wanted: string) =>
          await shape(await service.fetch(path(wanted), { method, ...(key === undefined ? {} : { key }) }), wanted);
        const foreign = await ask(id);
        expect(foreign).toEqual(await ask(nobodys));
        expect((foreign as { status: number }).status).toBeGreaterThanOrEqual(method === 'OPTIONS' ? 204 : 400);
      }
    }
  });

  it('has harmed nothing of it', async () => {
    const states = await Promise.all(['done', 'busy', 'waiting'].map((id) => service.queue.get('victim', id)));
    expect(states.map((job) => job?.state)).toEqual(['succeeded', 'processing', 'queued']);
    expect((await service.fetch(victim.file)).status).toBe(200);
    expect((await service.fetch(`v1/batches/${victim.batch}`, { key: victim.key })).status).toBe(200);
  });

  it('may use the same ids and Idempotency-Keys for itself: another job, and no conflict', async () => {
    for (const id of ['done', 'waiting', victim.idempotent]) {
      const answer = await service.fetch(`v1/reconstructions/${id}`, { method: 'PUT', body: photoForm(fakeJpeg(2000, 5)), key: attacker });
      expect(answer.status, id).toBe(201);
      expect((await readJson(answer)).photo.sha256).not.toBe((await service.queue.get('victim', id))!.photo.sha256);
    }
    // The same photo under the same key: not the victim's job.
    const answer = await service.fetch('v1/reconstructions', {
      method: 'POST',
      body: photoForm(fakeJpeg()),
      headers: { 'idempotency-key': 'order-1' },
      key: attacker,
    });
    expect(answer.status).toBe(201);
    expect((await readJson(answer)).id).not.toBe(victim.idempotent);
    expect((await service.queue.get('victim', 'waiting'))?.state).toBe('queued');
    // Deleting its own leaves those of the victim, with their files.
    for (const id of ['done', 'waiting', victim.idempotent])
      expect((await service.fetch(`v1/reconstructions/${id}`, { method: 'DELETE', key: attacker })).status).toBe(204);
    expect((await service.fetch(victim.file)).status).toBe(200);
    expect((await service.queue.get('victim', 'waiting'))?.state).toBe('queued');
  });

  it('sees only its own in lists and account, whatever cursor it sends', async () => {
    expect(
      (await readJson(await service.fetch('v1/reconstructions?limit=100', { key: attacker }))).reconstructions.map(
        (r: { id: string }) => r.id,
      ),
    ).not.toContain('busy');
    const foreign = await shape(await service.fetch(`v1/reconstructions?after=${victim.cursor}`, { key: attacker }), victim.cursor);
    const garbage = await shape(await service.fetch('v1/reconstructions?after=abc.def', { key: attacker }), 'abc.def');
    expect(foreign).toEqual(garbage);
    const account = await readJson(await service.fetch('v1/account', { key: attacker }));
    expect(account).toMatchObject({ tenant: 'attacker', usage: { queued: 0, processing: 0 } });
  });

  it('cannot bend a link of its own or of the victim to another file', async () => {
    const mine = await readJson(
      await service.fetch('v1/reconstructions/mine', { method: 'PUT', body: photoForm(fakeJpeg()), key: attacker }),
    );
    const own = mine.result.files[0].url as string;
    expect((await service.fetch(own)).status).toBe(200);
    const query = own.split('?')[1]!;
    const bent = [
      own.replace('/mine/', '/done/'),
      own.replace('tenant=attacker', 'tenant=victim'),
      own.replace('/mine/', '/done/').replace('tenant=attacker', 'tenant=victim'),
      `${victim.file.split('?')[0]}?${query}`,
      `v1/batches/${victim.batch}/archive?${query}`,
      victim.file.replace(/expires=\d+/, 'expires=99999999999'),
      victim.file.replace('/done/', '/waiting/'),
      // Somebody else's key does not help either.
      signLink('t'.repeat(40), { tenant: 'victim', path: 'v1/reconstructions/done/files/face.glb', expiresAtS: 99_999_999_999 }),
    ];
    for (const link of bent) {
      for (const key of [attacker, undefined]) {
        expect((await service.fetch(link, key === undefined ? {} : { key })).status, link).toBe(403);
      }
    }
  });

  it('a link opens its file and nothing else, not even for the tenant of the link', async () => {
    const query = victim.file.split('?')[1]!;
    for (const path of ['v1/account', 'v1/reconstructions', 'v1/reconstructions/done', 'v1/reconstructions/done/events']) {
      expect((await service.fetch(`${path}?${query}`)).status, path).toBe(401);
    }
  });

  it('who sends no key or a wrong one learns nothing but that', async () => {
    const wrong = [
      '',
      'Bearer',
      'Bearer x',
      `Bearer ${attacker}x`,
      `Basic ${Buffer.from(attacker).toString('base64')}`,
      `Bearer ${attacker} ${attacker}`,
      attacker,
    ];
    const shapes = new Set<string>();
    for (const authorization of wrong) {
      for (const id of ['done', 'nobodys']) {
        const answer = await service.fetch(`v1/reconstructions/${id}`, { headers: { authorization } });
        expect([answer.status, answer.headers.get('www-authenticate')], authorization).toEqual([401, 'Bearer realm="facewright"']);
        expect(['FW_AUTH_INVALID', 'FW_AUTH_REQUIRED']).toContain((await readJson(answer.clone())).code);
        if (authorization !== '') shapes.add(JSON.stringify(await shape(answer, id)));
      }
    }
    expect(shapes.size).toBe(1);
  });

  it('learns nothing by the Gradio routes either: uploads, calls, sessions, files, cancellation', async () => {
    const { key } = victim;
    const post = async (path: string, body: unknown, as?: string) =>
      await service.fetch(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
        ...(as === undefined ? {} : { key: as }),
      });
    const form = new FormData();
    form.append('files', new Blob([fakeJpeg() as never]), 'me.jpg');
    const [upload] = await readJson(await service.fetch('gradio_api/upload', { method: 'POST', body: form, key }));
    const nobodysUpload = upload.replace(/[0-9a-f](?=\/photo)/, (c: string) => (c === '0' ? '1' : '0'));
    const call = (path: string) => ({ data: [{ path, meta: { _type: 'gradio.FileData' } }] });

    // Somebody else's upload cannot be worked on: what the call tells is the same as for one that never was.
    const told: string[] = [];
    for (const path of [upload, nobodysUpload]) {
      const answer = await post('gradio_api/call/predict', call(path), attacker);
      const { event_id: event } = await readJson(answer);
      const stream = await service.fetch(`gradio_api/call/predict/${event}`, { key: attacker });
      told.push(`${answer.status} ${stream.status} ${await stream.text()}`);
    }
    expect(told[0]).toBe(told[1]);
    expect(told[0]).toContain('event: error');

    // Sessions and events are of their tenant.
    const { event_id: event } = await readJson(await post('gradio_api/queue/join', { ...call(upload), session_hash: 'session1' }, key));
    const streams: string[] = [];
    for (const path of [`gradio_api/call/predict/${event}`, 'gradio_api/call/predict/abc.def', `gradio_api/call/v2/predict/${event}`]) {
      const answer = await service.fetch(path, { key: attacker });
      streams.push(`${answer.status} ${await answer.text()}`);
    }
    expect(new Set(streams).size).toBe(1);
    const sessions: string[] = [];
    for (const session of ['session1', 'nobodys']) {
      const answer = await service.fetch(`gradio_api/queue/data?session_hash=${session}`, { key: attacker });
      sessions.push(`${answer.status} ${await answer.text()}`);
    }
    expect(sessions[0]).toBe(sessions[1]);

    // Files by path, with the attacker's key and with bent links.
    for (const id of ['done', 'nobodys']) {
      const answer = await service.fetch(`gradio_api/file=r/${id}/face.glb`, { key: attacker });
      expect(answer.status, id).toBe(404);
      expect((await service.fetch(`gradio_api/file=r/${id}/face.glb?${victim.file.split('?')[1]}`)).status, id).toBe(403);
      expect((await service.fetch(`gradio_api/file=r/${id}/face.glb`)).status, id).toBe(401);
    }

    // An event id that is made up cancels nothing.
    const made = `${Buffer.from(JSON.stringify(['victim', 'busy'])).toString('base64url')}.${'A'.repeat(22)}`;
    expect(await readJson(await post('gradio_api/cancel', { event_id: made, session_hash: 'session1' }))).toEqual({ success: true });
    expect((await service.queue.get('victim', 'busy'))?.state).toBe('processing');
  });
});

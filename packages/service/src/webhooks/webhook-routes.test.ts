import { afterEach, describe, expect, it } from 'vitest';
import { fakeJpeg, photoForm, readJson, startTestService, type TestService } from '../http/test-service.test-support.ts';
import { checkWebhookUrl } from './check-webhook-url.ts';

let service: TestService;
afterEach(async () => await service?.close());

const SECRET = 'a secret of the service, long enough';

describe('webhooks of requests', () => {
  it('each tenant has a secret of its own, and nobody without a key', async () => {
    service = await startTestService({ tenants: ['alice', 'mallory'], deps: { webhookSecret: SECRET } });
    const read = async (key?: string): Promise<Response> => await service.fetch('v1/webhook-secret', key === undefined ? {} : { key });
    const { secret: ofAlice } = await readJson(await read(service.keys.alice));
    const { secret: ofMallory } = await readJson(await read(service.keys.mallory));
    expect(ofAlice).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(ofMallory).not.toBe(ofAlice);
    expect((await read(service.keys.alice)).headers.get('cache-control')).toBe('no-store');
    expect((await read()).status).toBe(401);
    expect(service.logLines.join()).not.toContain(ofAlice.slice('whsec_'.length));
  });

  it('to private addresses refuse the request, of one photo as of many, and nothing is kept', async () => {
    service = await startTestService({
      deps: { webhookSecret: SECRET, checkWebhookUrl: (url) => checkWebhookUrl(url, { allowPrivate: false }) },
    });
    for (const path of ['v1/reconstructions', 'v1/batches']) {
      for (const webhook of ['http://example.com/', 'https://169.254.169.254/latest', 'https://[::1]:9090/metrics']) {
        const answer = await service.fetch(path, { method: 'POST', body: photoForm(fakeJpeg(), { webhook }) });
        expect([answer.status, (await readJson(answer)).code], webhook).toEqual([422, 'FW_WEBHOOK_REFUSED']);
      }
    }
    const kept: string[] = [];
    for await (const { key } of service.storage.list('')) kept.push(key);
    expect(kept).toEqual([]);
  });

  it('are kept with the jobs of a batch', async () => {
    service = await startTestService({ deps: { webhookSecret: SECRET, checkWebhookUrl: async () => {} }, work: null });
    const webhook = 'https://example.com/hook';
    const batch = await readJson(await service.fetch('v1/batches', { method: 'POST', body: photoForm(fakeJpeg(), { webhook }) }));
    await expect.poll(async () => (await service.queue.get('local', `${batch.id}-1`))?.webhookUrl).toBe(webhook);
  });
});

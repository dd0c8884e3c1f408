import { describe, expect, it } from 'vitest';
import { checkWebhookUrl } from './check-webhook-url.ts';

const resolving = (...addresses: string[]) => ({ allowPrivate: false, resolveName: async () => addresses });

describe('addresses of webhooks', () => {
  it.each(['https://example.com/hook', 'https://example.com:8443/hook?x=1', 'https://example.com', 'https://8.8.8.8/hook'])(
    '%s is accepted',
    async (url) => {
      await checkWebhookUrl(url, resolving('93.184.215.14', '2606:4700:4700::1111'));
    },
  );

  it.each([
    ['http://example.com/hook', 'it is not https'],
    ['ftp://example.com/hook', 'it is no http(s) address'],
    ['file:///etc/passwd', 'it is no http(s) address'],
    ['no address', 'it is no http(s) address'],
    ['https://user:secret@example.com/', 'it holds a user name or password'],
    ['https://example.com:25/', 'its port belongs to another protocol'],
    ['https://example.com:6/', 'its port belongs to another protocol'],
    // Every way in which a URL writes addresses comes down to the same.
    ['https://127.0.0.1/', 'it does not lead to a public address'],
    ['https://127.1/', 'it does not lead to a public address'],
    ['https://0x7f.1/', 'it does not lead to a public address'],
    ['https://2130706433/', 'it does not lead to a public address'],
    ['https://0177.0.0.1/', 'it does not lead to a public address'],
    ['https://１２７.0.0.1/', 'it does not lead to a public address'],
    ['https://169.254.169.254/latest/meta-data/', 'it does not lead to a public address'],
    ['https://[::1]/', 'it does not lead to a public address'],
    ['https://[::ffff:10.0.0.1]/', 'it does not lead to a public address'],
  ])('%s is refused', async (url, reason) => {
    await expect(checkWebhookUrl(url, resolving('93.184.215.14'))).rejects.toMatchObject({
      code: 'FW_WEBHOOK_REFUSED',
      params: { reason },
    });
  });

  it('a name is refused when one of its addresses is private, and in the same words when there is none', async () => {
    const told = async (rules: Parameters<typeof checkWebhookUrl>[1]) =>
      await checkWebhookUrl('https://inside.example/', rules).then(
        () => null,
        (e: Error) => e.message,
      );
    const mixed = await told(resolving('93.184.215.14', '10.0.0.1'));
    expect(mixed).not.toBeNull();
    expect(await told(resolving('10.0.0.1'))).toBe(mixed);
    expect(await told(resolving())).toBe(mixed);
    expect(
      await told({
        allowPrivate: false,
        resolveName: async () => {
          throw new Error('ENOTFOUND');
        },
      }),
    ).toBe(mixed);
  });

  it('localhost does not pass the real resolver', async () => {
    await expect(checkWebhookUrl('https://localhost/', { allowPrivate: false })).rejects.toMatchObject({ code: 'FW_WEBHOOK_REFUSED' });
    await checkWebhookUrl('http://localhost:1234/', { allowPrivate: true });
  });
});

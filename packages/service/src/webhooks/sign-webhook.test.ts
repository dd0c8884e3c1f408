import { describe, expect, it } from 'vitest';
import { deriveWebhookSecret, signWebhook } from './sign-webhook.ts';

describe('signatures of webhooks', () => {
  it('are those of the specification', () => {
    // Test vector of the reference implementations of Standard Webhooks.
    const headers = signWebhook(
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      1614265330,
      '{"test": 2432232314}',
    );
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('differ by tenant and service', () => {
    const secrets = [
      deriveWebhookSecret('a'.repeat(32), 'alice'),
      deriveWebhookSecret('a'.repeat(32), 'bob'),
      deriveWebhookSecret('b'.repeat(32), 'alice'),
    ];
    expect(new Set(secrets).size).toBe(3);
    for (const secret of secrets) expect(Buffer.from(secret.replace('whsec_', ''), 'base64')).toHaveLength(32);
  });
});

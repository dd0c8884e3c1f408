import { createHmac } from 'node:crypto';

/**
 * Secret of a tenant's webhooks, as Standard Webhooks writes it (`whsec_` and base64). Derived, so that it needs no keeping; every
 * tenant has its own: with one for all, each could sign what another's receiver believes.
 */
export function deriveWebhookSecret(serviceSecret: string, tenant: string): string {
  const key = createHmac('sha256', serviceSecret)
    .update(JSON.stringify(['facewright-webhook', tenant]))
    .digest('base64');
  return `whsec_${key}`;
}

/** Headers of Standard Webhooks 1.0: HMAC-SHA-256 over id, time and body. */
export function signWebhook(secret: string, id: string, timestampS: number, body: string): Readonly<Record<string, string>> {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestampS}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(timestampS), 'webhook-signature': `v1,${signature}` };
}

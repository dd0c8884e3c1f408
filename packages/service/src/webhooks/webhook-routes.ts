import { FacewrightError } from '@facewright/protocol';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AppContext } from '../http/app-context.ts';
import { parseWith } from '../http/error-from-request.ts';
import type { Operation } from '../http/openapi/operation.ts';
import { withHead } from '../http/openapi/operations.ts';
import { readQuery } from '../http/read-photo-upload.ts';
import { deriveWebhookSecret } from './sign-webhook.ts';

/** GET /v1/webhook-secret: what the asker's own webhooks are signed with. */
export function webhookRoutes(app: FastifyInstance, { webhookSecret }: AppContext): void {
  app.get('/v1/webhook-secret', async (request, reply) => {
    parseWith(z.strictObject({}), readQuery(request), 'query');
    if (webhookSecret === undefined) throw new FacewrightError('FW_NOT_FOUND', { what: 'secret' });
    reply.header('cache-control', 'no-store');
    return { secret: deriveWebhookSecret(webhookSecret, request.tenant.name) };
  });
}

const SECRET_EXAMPLE = 'whsec_8uG1VxzSmd1bpYkK3cZr2K5WmXy0oWZs5xHqv3Jm1Ck=';

export const WEBHOOK_OPERATIONS: readonly Operation[] = withHead({
  method: 'get',
  path: '/v1/webhook-secret',
  id: 'getWebhookSecret',
  tag: 'Account',
  summary: 'Secret that your webhooks are signed with',
  description: 'Standard Webhooks: HMAC-SHA-256 over id, time and body. Every tenant has its own.',
  access: 'key',
  responses: {
    200: {
      description: 'The secret',
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['secret'],
            additionalProperties: false,
            properties: { secret: { type: 'string', description: 'whsec_ and base64' } },
          },
          example: { secret: SECRET_EXAMPLE },
        },
      },
    },
  },
  errors: ['FW_NOT_FOUND'],
});

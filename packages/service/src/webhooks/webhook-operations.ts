import type { Operation } from '../http/openapi/operation.ts';
import { withHead } from '../http/openapi/operations.ts';

const SECRET_EXAMPLE = 'whsec_8uG1VxzSmd1bpYkK3cZr2K5WmXy0oWZs5xHqv3Jm1Ck=';

/** Every route of webhooks. */
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

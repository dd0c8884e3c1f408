import { FacewrightError } from '@facewright/protocol';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AppContext } from '../http/app-context.ts';
import { parseWith } from '../http/error-from-request.ts';
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

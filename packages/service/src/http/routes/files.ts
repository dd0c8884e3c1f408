import { FacewrightError } from '@facewright/protocol';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AppContext } from '../app-context.ts';
import { parseWith } from '../error-from-request.ts';
import { readQuery } from '../read-photo-upload.ts';
import { sendObject } from '../send-object.ts';
import { readJob } from './parse-id.ts';

const fileQuerySchema = z.strictObject({
  download: z.enum(['0', '1']).default('0'),
  tenant: z.string().optional(),
  expires: z.string().optional(),
  signature: z.string().optional(),
});

/** GET and HEAD of result files, by key or signed link. */
export function fileRoutes(app: FastifyInstance, context: AppContext): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/v1/reconstructions/:id/files/:name',
    exposeHeadRoute: false,
    config: { access: 'link' },
    handler: async (request, reply) => {
      const { download } = parseWith(fileQuerySchema, readQuery(request), 'query');
      const job = await readJob(request, context);
      const { name } = request.params as { name: string };
      const file = job.outcome?.files.find((candidate) => candidate.name === name);
      if (file === undefined) throw new FacewrightError('FW_NOT_FOUND', { what: 'file' });
      const leftS = Math.floor(((job.expiresAt ?? 0) - Date.now()) / 1000);
      const maxAgeS = Math.max(0, Math.min(leftS, context.config.linkTtlS));
      return await sendObject(request, reply, context.storage, file, { download: download === '1', maxAgeS });
    },
  });
}

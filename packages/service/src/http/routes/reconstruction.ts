import type { ReconstructionList } from '@facewright/protocol';
import { FacewrightError } from '@facewright/protocol';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isFinished } from '../../jobs/job.ts';
import type { AppContext } from '../app-context.ts';
import { parseWith } from '../error-from-request.ts';
import { formatCursor, parseCursor } from '../list-cursor.ts';
import { readQuery } from '../read-photo-upload.ts';
import { viewReconstruction } from '../view-reconstruction.ts';
import { noReconstruction, readId, readJob } from './parse-id.ts';

const listQuerySchema = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a number from 1 to 100')
    .transform(Number)
    .pipe(z.int().min(1).max(100))
    .default(20),
  after: z.string().max(1000).optional(),
});
const noQuerySchema = z.strictObject({});

/** List, read, cancel and delete. */
export function reconstructionRoutes(app: FastifyInstance, context: AppContext): void {
  const { queue, storage, config, linkSecret } = context;

  app.get('/v1/reconstructions', async (request): Promise<ReconstructionList> => {
    const { limit, after } = parseWith(listQuerySchema, readQuery(request), 'query');
    const tenant = request.tenant.name;
    const page = await queue.list(tenant, { limit, ...(after === undefined ? {} : { after: parseCursor(linkSecret, tenant, after) }) });
    const view = { linkSecret, linkTtlS: config.linkTtlS, serviceTime: context.serviceTime(), now: Date.now() };
    return {
      reconstructions: page.jobs.map((job) => viewReconstruction(job, view)),
      ...(page.next === null ? {} : { next: formatCursor(linkSecret, tenant, page.next) }),
    };
  });

  app.get('/v1/reconstructions/:id', async (request) => {
    parseWith(noQuerySchema, readQuery(request), 'query');
    return await context.viewJob(await readJob(request, context));
  });

  app.post('/v1/reconstructions/:id/cancel', async (request) => {
    parseWith(noQuerySchema, readQuery(request), 'query');
    const job = await queue.cancel(request.tenant.name, readId(request));
    if (job === null) throw noReconstruction();
    // Canceling twice is no error; canceling what has its result already is.
    if (isFinished(job.state) && job.state !== 'canceled')
      throw new FacewrightError('FW_STATE_CONFLICT', { state: job.state, wanted: 'canceling' });
    await storage.delete(job.photo.key);
    return await context.viewJob(job);
  });

  app.delete('/v1/reconstructions/:id', async (request, reply) => {
    parseWith(noQuerySchema, readQuery(request), 'query');
    const job = await queue.remove(request.tenant.name, readId(request));
    if (job === null) throw noReconstruction();
    // Only what this job has: the same id may be in use again by now.
    await Promise.all([job.photo.key, ...(job.outcome?.files.map((file) => file.key) ?? [])].map((key) => storage.delete(key)));
    return reply.code(204).send();
  });
}

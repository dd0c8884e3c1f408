import { PassThrough } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isFinished, type Job } from '../../jobs/job.ts';
import type { AppContext } from '../app-context.ts';
import { parseWith } from '../error-from-request.ts';
import { readQuery } from '../read-photo-upload.ts';
import { viewPosition } from '../view-reconstruction.ts';
import { readJob } from './parse-id.ts';

/** Proxies close what is silent for a minute, some for half of it. */
const KEEP_ALIVE_MS = 15_000;
/** How often a waiting job's place is looked up. */
const POSITION_MS = 1000;
/** A reader that is this far behind gets no more progress until it has caught up; landmarks and the end it gets. */
const MAX_BEHIND_BYTES = 64 * 1024;

/** GET …/events: server-sent events until the job ends. */
export function eventRoutes(app: FastifyInstance, context: AppContext): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/v1/reconstructions/:id/events',
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      parseWith(z.strictObject({}), readQuery(request), 'query');
      const job = await readJob(request, context);
      if (request.method === 'GET') context.streams.take(job.tenant, reply.raw);
      reply
        .header('content-type', 'text/event-stream')
        .header('cache-control', 'no-cache, no-transform')
        // nginx would keep it back until its buffer is full.
        .header('x-accel-buffering', 'no');
      return request.method === 'HEAD' ? reply.send() : await follow(request, reply, job, context);
    },
  });
}

async function follow(request: FastifyRequest, reply: FastifyReply, first: Job, context: AppContext): Promise<FastifyReply> {
  const { queue } = context;
  const { tenant, id } = first;
  const out = new PassThrough();
  const send = (event: string, data: unknown) => out.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  let latest = first;
  let over = false;
  const sent = { stage: '', landmarks: false, position: -1 };

  const onChange = (job: Job) => {
    if (over) return;
    latest = job;
    if (job.landmarks !== null && !sent.landmarks) {
      sent.landmarks = true;
      send('landmarks', job.landmarks);
    }
    const stage = JSON.stringify(job.progress);
    if (job.progress !== null && stage !== sent.stage && !isFinished(job.state) && out.readableLength < MAX_BEHIND_BYTES) {
      sent.stage = stage;
      send('progress', job.progress);
    }
    if (isFinished(job.state)) end(job);
  };
  const end = (job: Job | null) => {
    if (over) return;
    over = true;
    stop();
    if (job === null) out.end();
    else void context.viewJob(job).then((view) => (send('end', view), out.end()), fail);
  };
  const fail = (err: unknown) => {
    context.log.warn({ err, requestId: request.id, jobId: id }, 'events ended early');
    over = true;
    stop();
    out.end();
  };
  const tellPosition = async () => {
    if (over || latest.state !== 'queued') return;
    const position = await queue.position(tenant, id);
    if (over || position === null || position === sent.position) return;
    sent.position = position;
    send('queued', viewPosition(position, context.serviceTime()));
  };
  const keepAlive = async () => {
    out.write(': still here\n\n');
    // A removed job tells nobody.
    if ((await queue.get(tenant, id)) === null) end(null);
  };

  let unwatch: (() => void) | undefined;
  const positions = setInterval(() => void tellPosition().catch(fail), POSITION_MS);
  const alive = setInterval(() => void keepAlive().catch(fail), KEEP_ALIVE_MS);
  const stop = () => {
    clearInterval(positions);
    clearInterval(alive);
    context.closing.removeEventListener('abort', onClosing);
    unwatch?.();
  };
  const onClosing = () => end(null);
  context.closing.addEventListener('abort', onClosing, { once: true });
  reply.raw.once('close', () => {
    over = true;
    stop();
    out.destroy();
  });

  try {
    // Held back until the snapshot is out: it comes first.
    const early: Job[] = [];
    let tell = (job: Job): void => void early.push(job);
    unwatch = await queue.watch(tenant, id, (job) => tell(job));
    if (over) unwatch();
    latest = (await queue.get(tenant, id)) ?? first;
    out.write('retry: 2000\n\n');
    send('snapshot', await context.viewJob(latest));
    tell = onChange;
    onChange(latest);
    for (const job of early) onChange(job);
    if (context.closing.aborted) end(null);
    await tellPosition();
  } catch (error) {
    over = true;
    stop();
    throw error;
  }
  return reply.send(out);
}

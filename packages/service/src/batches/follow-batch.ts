import { PassThrough } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type { BatchView } from '@facewright/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppContext } from '../http/app-context.ts';

/** Proxies close what is silent for a minute, some for half of it. */
const KEEP_ALIVE_MS = 15_000;
/** How often the batch is looked at. */
const LOOK_MS = 500;
/** At most this share of the time goes into looking: every photo is asked for, and a batch may have hundreds. */
const LOOK_SHARE = 0.1;
/** A reader that is this far behind gets no more progress until it has caught up; the end it gets. */
const MAX_BEHIND_BYTES = 256 * 1024;

/**
 * Sends what happens to a batch as server-sent events: `snapshot` (the batch), `progress` (counts, and the photos that changed) and,
 * when nothing of it waits or runs any more, `end` (the batch). Without `end` where it is deleted or the service closes.
 *
 * @param look - the batch as it is now; null where it is gone
 */
export async function followBatch(
  request: FastifyRequest,
  reply: FastifyReply,
  context: AppContext,
  look: () => Promise<BatchView | null>,
): Promise<FastifyReply> {
  const out = new PassThrough();
  const send = (event: string, data: unknown) => out.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  let told = await look();
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const alive = setInterval(() => out.write(': still here\n\n'), KEEP_ALIVE_MS);
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    clearInterval(alive);
    context.closing.removeEventListener('abort', end);
    out.end();
  };
  const turn = async (): Promise<void> => {
    const begin = performance.now();
    const now = await look();
    if (isOver) return;
    if (now === null || told === null) return end();
    const behind = out.readableLength >= MAX_BEHIND_BYTES;
    const photos = now.photos.filter((photo, i) => !isDeepStrictEqual(photo, told!.photos[i]));
    if (photos.length > 0 && !behind) {
      send('progress', { counts: now.counts, photos });
      told = now;
    }
    if (now.archive !== undefined) {
      send('end', now);
      return end();
    }
    timer = setTimeout(next, Math.max(LOOK_MS, (performance.now() - begin) * (1 / LOOK_SHARE - 1)));
  };
  const next = (): void =>
    void turn().catch((error: unknown) => {
      context.log.warn({ error, requestId: request.id }, 'events of a batch ended early');
      end();
    });

  context.closing.addEventListener('abort', end, { once: true });
  reply.raw.once('close', () => {
    end();
    out.destroy();
  });
  out.write('retry: 2000\n\n');
  if (told !== null) send('snapshot', told);
  if (context.closing.aborted) end();
  else next();
  return reply.send(out);
}

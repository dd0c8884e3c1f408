import type { IncomingMessage } from 'node:http';
import type { Multipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { invalidRequest } from './error-from-request.ts';

/** What a form may have, for the parser. */
export type PartLimits = NonNullable<NonNullable<Parameters<FastifyRequest['parts']>[0]>['limits']>;

/** The parser is done with a body at once; what it has not told by then it never will (it stops at some malformed forms). */
const STUCK_MS = 1000;

/**
 * Parts of a form as they arrive. A file must be read to its end before the next part is asked for.
 *
 * @throws FW_REQUEST_INVALID for a malformed form, the reason of `signal`, what the parser throws (see `errorFromFramework`)
 */
export async function* readParts(request: FastifyRequest, limits: PartLimits, signal: AbortSignal): AsyncGenerator<Multipart, void> {
  const parts = request.parts({ limits });
  for (;;) {
    const next = await raceEnd(parts.next(), request.raw, signal).catch((error: unknown) => {
      throw isCoded(error) || signal.aborted ? error : invalidRequest('body', 'is not valid multipart/form-data', error);
    });
    if (next.done) return;
    yield next.value;
  }
}

/** Ours, or one of the framework's plugin. What the parser under it throws has no code. */
function isCoded(error: unknown): boolean {
  return /^(FW|FST)_/.test(String((error as { code?: unknown } | null)?.code ?? ''));
}

/** What is first: the promise, the signal, or the silence after the last byte. */
async function raceEnd<T>(promise: Promise<T>, raw: IncomingMessage, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop: (() => void) | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const onEnd = (): void => {
        timer = setTimeout(() => reject(invalidRequest('body', 'is not valid multipart/form-data')), STUCK_MS);
      };
      const onAbort = (): void => reject(signal.reason as Error);
      stop = () => {
        clearTimeout(timer);
        raw.removeListener('end', onEnd);
        signal.removeEventListener('abort', onAbort);
      };
      if (raw.readableEnded) onEnd();
      else raw.once('end', onEnd);
      signal.addEventListener('abort', onAbort, { once: true });
      promise.then(resolve, reject);
    });
  } finally {
    stop?.();
  }
}

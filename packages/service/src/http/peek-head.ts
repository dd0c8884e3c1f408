import type { Readable } from 'node:stream';

/**
 * The first bytes of a stream, at most `length` (less than a stream buffers), fewer where it ends before. They stay in it: whoever
 * reads it next gets all of it.
 *
 * @throws what the stream failed with, or the reason of `signal`
 */
export async function peekHead(stream: Readable, length: number, signal: AbortSignal): Promise<Buffer> {
  signal.throwIfAborted();
  let stop: (() => void) | undefined;
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      const look = (): void => {
        // All of `length`, or what is left where the stream has ended; null while more may come.
        const head = stream.read(length) as Buffer | null;
        if (head !== null) {
          // In the same turn: the stream does not tell its end while there is something in it.
          stream.unshift(head);
          resolve(head);
        } else if (stream.readableEnded) resolve(Buffer.alloc(0));
        else if (stream.destroyed) reject(stream.errored ?? new Error('the stream was closed before its end'));
      };
      const onAbort = (): void => reject(signal.reason as Error);
      // One listener for all of it: a new one is told at once of what is there already, and would be told again and again.
      stream.on('readable', look).on('end', look).on('close', look).on('error', reject);
      signal.addEventListener('abort', onAbort, { once: true });
      stop = () => {
        stream.off('readable', look).off('end', look).off('close', look).off('error', reject);
        signal.removeEventListener('abort', onAbort);
      };
      look();
    });
  } finally {
    stop?.();
  }
}

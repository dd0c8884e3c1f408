import { once } from 'node:events';
import type { Readable } from 'node:stream';

/**
 * The first bytes of a stream, at most `length` (less than a stream buffers), fewer where it ends before. They stay in it: whoever
 * reads it next gets all of it.
 *
 * @throws what the stream failed with, or the reason of `signal`
 */
export async function peekHead(stream: Readable, length: number, signal: AbortSignal): Promise<Buffer> {
  for (;;) {
    signal.throwIfAborted();
    // All of `length`, or what is left where the stream has ended; null while more may come.
    const head = stream.read(length) as Buffer | null;
    if (head !== null) {
      // In the same turn: the stream does not tell its end while there is something in it.
      stream.unshift(head);
      return head;
    }
    if (stream.readableEnded) return Buffer.alloc(0);
    if (stream.destroyed) throw stream.errored ?? new Error('the stream was closed before its end');
    await nextEvent(stream, signal);
  }
}

/** More to read, the end, or the close that follows a failure. */
async function nextEvent(stream: Readable, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const either = { signal: AbortSignal.any([signal, done.signal]) };
  try {
    await Promise.race([once(stream, 'readable', either), once(stream, 'end', either), once(stream, 'close', either)]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    done.abort();
  }
}

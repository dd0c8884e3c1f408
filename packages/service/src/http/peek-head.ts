import { once } from 'node:events';
import type { Readable } from 'node:stream';

/**
 * The first bytes of a stream, at most `length`, fewer where it ends before. They are put back: whoever reads the stream next gets all
 * of it.
 *
 * @throws what the stream failed with, or the reason of `signal`
 */
export async function peekHead(stream: Readable, length: number, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let got = 0;
  while (got < length) {
    signal.throwIfAborted();
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null) {
      chunks.push(chunk);
      got += chunk.length;
    } else if (stream.readableEnded) {
      break;
    } else {
      if (stream.destroyed) throw stream.errored ?? new Error('the stream was closed before its end');
      await nextEvent(stream, signal);
    }
  }
  const head = Buffer.concat(chunks);
  if (head.length > 0 && !stream.readableEnded) stream.unshift(head);
  return head.subarray(0, length);
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

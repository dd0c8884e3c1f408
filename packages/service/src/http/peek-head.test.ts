import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { peekHead } from './peek-head.ts';

const never = new AbortController().signal;

describe('peekHead', () => {
  it('sees the first bytes and takes none away, however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 64 }),
        async (chunks, length) => {
          const whole = Buffer.concat(chunks);
          const stream = Readable.from(
            chunks.map((chunk) => Buffer.from(chunk)),
            { objectMode: false },
          );
          expect(await peekHead(stream, length, never)).toEqual(whole.subarray(0, length));
          // Once more: looking changes nothing, also not the end.
          await new Promise((resolve) => setImmediate(resolve));
          if (whole.length > 0) expect(await peekHead(stream, length, never)).toEqual(whole.subarray(0, length));
          expect(whole.length === 0 ? whole : await buffer(stream.pipe(new PassThrough()))).toEqual(whole);
        },
      ),
    );
  });

  it('fails with what the stream fails with, and with the reason of the signal', async () => {
    const broken = new PassThrough();
    setImmediate(() => broken.destroy(new Error('cable cut')));
    await expect(peekHead(broken, 10, never)).rejects.toThrow('cable cut');
    const stop = new AbortController();
    const slow = new PassThrough();
    setImmediate(() => stop.abort(new Error('too slow')));
    await expect(peekHead(slow, 10, stop.signal)).rejects.toThrow('too slow');
    expect(slow.listenerCount('readable') + slow.listenerCount('end')).toBe(0);
  });
});

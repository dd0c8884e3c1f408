import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { readParts } from './read-parts.ts';

/** A request whose body has arrived and whose parser says nothing more, as it does at some malformed forms. */
function stuckRequest(): FastifyRequest {
  const raw = Readable.from([Buffer.from('--b')]);
  return { raw: raw.resume(), parts: () => ({ next: () => new Promise(() => {}) }) } as unknown as FastifyRequest;
}

describe('parts of a form', () => {
  it('a parser that never ends is not waited for', async () => {
    const parts = readParts(stuckRequest(), {}, new AbortController().signal);
    await expect(parts.next()).rejects.toMatchObject({ code: 'FW_REQUEST_INVALID' });
  });

  it('the signal ends the wait with its reason', async () => {
    const stop = new AbortController();
    const parts = readParts(stuckRequest(), {}, stop.signal);
    setTimeout(() => stop.abort(new Error('too slow')), 10);
    await expect(parts.next()).rejects.toThrow('too slow');
  });
});

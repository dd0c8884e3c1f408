import { FacewrightError } from '@facewright/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ByteRange, ObjectStorage } from '../storage/object-storage.ts';

/** A file as it goes out. */
export interface OutgoingFile {
  readonly key: string;
  /** What it is saved as. */
  readonly name: string;
  readonly bytes: number;
  readonly contentType: string;
  /** Lower-case hex: its ETag. */
  readonly sha256: string;
}

export interface SendObjectOptions {
  /** Save it rather than show it. */
  readonly download: boolean;
  /** Seconds that a browser may use it without asking. Never shared caches: a face is private. */
  readonly maxAgeS: number;
}

/**
 * Answers GET and HEAD with an object of the storage: whole, in part (Range with If-Range), or not at all (If-None-Match), as RFC 9110
 * has it. Several ranges at once are answered with the whole.
 *
 * @throws FW_NOT_FOUND where the storage does not have it, FW_RANGE_INVALID
 */
export async function sendObject(
  request: FastifyRequest,
  reply: FastifyReply,
  storage: ObjectStorage,
  file: OutgoingFile,
  { download, maxAgeS }: SendObjectOptions,
): Promise<FastifyReply> {
  const etag = `"${file.sha256}"`;
  reply
    .header('etag', etag)
    .header('cache-control', `private, max-age=${maxAgeS}`)
    .header('vary', 'authorization')
    .header('accept-ranges', 'bytes')
    .header('x-content-type-options', 'nosniff')
    // Opened as a page of its own, a file may do nothing: its origin is that of the service.
    .header('content-security-policy', "default-src 'none'; sandbox")
    .header('content-disposition', `${download ? 'attachment' : 'inline'}; filename="${file.name.replace(/[^A-Za-z0-9._-]/g, '_')}"`);
  if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send();

  const range = readRange(request, etag, file.bytes);
  if (range === 'outside') {
    reply.header('content-range', `bytes */${file.bytes}`);
    throw new FacewrightError('FW_RANGE_INVALID', { totalBytes: file.bytes });
  }
  reply.header('content-type', file.contentType);
  if (range === null) reply.code(200).header('content-length', String(file.bytes));
  else {
    reply
      .code(206)
      .header('content-length', String(range.end - range.start + 1))
      .header('content-range', `bytes ${range.start}-${range.end}/${file.bytes}`);
  }
  if (request.method === 'HEAD') return reply.send();
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const found = await storage.get(file.key, { ...(range === null ? {} : { range }), signal: gone.signal });
  if (found === null) throw new FacewrightError('FW_NOT_FOUND', { what: 'file' });
  return reply.send(found.stream);
}

/** Weak comparison (RFC 9110, 13.1.2). */
function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}

/** One range of bytes (RFC 9110, 14.1.2); null for the whole: nothing asked, not understood, or the file has changed. */
function readRange(request: FastifyRequest, etag: string, bytes: number): ByteRange | 'outside' | null {
  const { range } = request.headers;
  if (range === undefined || request.method !== 'GET') return null;
  const condition = request.headers['if-range'];
  // Strong comparison; dates are not sent, so none can match.
  if (condition !== undefined && condition !== etag) return null;
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(range.trim());
  if (match === null) return null;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return null;
  if (first === '') {
    const length = Math.min(Number(last), bytes);
    return length === 0 ? 'outside' : { start: bytes - length, end: bytes - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return null;
  if (start >= bytes) return 'outside';
  return { start, end: last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1) };
}

import type { Readable } from 'node:stream';
import { FacewrightError } from '@facewright/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OpenedPhoto } from './create-photo-acceptor.ts';
import { invalidRequest } from './error-from-request.ts';
import { giveContinue } from './expect-continue.ts';
import { parseJobOptions } from './parse-job-options.ts';
import { readParts } from './read-parts.ts';

const EXPECTED = 'multipart/form-data with a file "photo", or the image itself (image/… or application/octet-stream)';
/** Options are short words. */
const MAX_FIELD_BYTES = 4096;
const MAX_FIELDS = 24;

export interface ReadUploadOptions {
  readonly models: readonly string[];
  readonly maxPhotoBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Opens the photo in the body of a request: a form's file `photo` with options as its other fields, or the body itself with options
 * in the query. Nothing is read before it is asked for.
 *
 * @throws FW_MEDIA_UNSUPPORTED, FW_REQUEST_INVALID, FW_MODEL_UNKNOWN
 */
export async function readPhotoUpload(request: FastifyRequest, reply: FastifyReply, options: ReadUploadOptions): Promise<OpenedPhoto> {
  const query = readQuery(request);
  const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new FacewrightError('FW_MEDIA_UNSUPPORTED', { found: 'compressed (Content-Encoding)', expected: EXPECTED });
  }
  if (type === 'multipart/form-data') return readForm(request, reply, query, options);
  if (type.startsWith('image/') || type === 'application/octet-stream') {
    const fields = parseJobOptions(query, options.models);
    giveContinue(request.raw, reply.raw);
    return { stream: request.raw, settle: async () => fields };
  }
  throw new FacewrightError('FW_MEDIA_UNSUPPORTED', {
    found: type === '' ? 'without a content type' : type.slice(0, 60),
    expected: EXPECTED,
  });
}

async function readForm(
  request: FastifyRequest,
  reply: FastifyReply,
  query: Readonly<Record<string, string>>,
  { models, maxPhotoBytes, signal }: ReadUploadOptions,
): Promise<OpenedPhoto> {
  giveContinue(request.raw, reply.raw);
  const parts = readParts(
    request,
    {
      // One more than allowed: our own counter refuses it, the parser would only cut it.
      fileSize: maxPhotoBytes + 1,
      files: 2,
      fields: MAX_FIELDS,
      parts: MAX_FIELDS + 2,
      fieldSize: MAX_FIELD_BYTES,
      fieldNameSize: 100,
      headerPairs: 20,
    },
    signal,
  );
  const fields = new Map(Object.entries(query));
  const next = async () => {
    const { value, done } = await parts.next();
    return done ? null : value;
  };
  const addField = (part: { fieldname: string; value: unknown; valueTruncated: boolean }) => {
    const { fieldname, value } = part;
    if (fieldname === 'photo') throw invalidRequest('photo', 'must be a file of the form, with a file name');
    if (fields.has(fieldname)) throw invalidRequest(fieldname, 'is given twice');
    if (typeof value !== 'string' || part.valueTruncated)
      throw invalidRequest(fieldname, `is not text of at most ${MAX_FIELD_BYTES} bytes`);
    fields.set(fieldname, value);
  };
  for (;;) {
    const part = await next();
    if (part === null) throw invalidRequest('photo', 'is missing');
    if (part.type === 'field') {
      addField(part);
      continue;
    }
    if (part.fieldname !== 'photo') throw invalidRequest(part.fieldname, 'is not known as a file');
    return {
      stream: part.file as Readable,
      async settle() {
        for (let rest = await next(); rest !== null; rest = await next()) {
          if (rest.type === 'file') throw invalidRequest(rest.fieldname, 'only one file is taken here');
          addField(rest);
        }
        return parseJobOptions(Object.fromEntries(fields), models);
      },
    };
  }
}

/** Parameters of the address, each at most once. @throws FW_REQUEST_INVALID */
export function readQuery(request: FastifyRequest): Record<string, string> {
  const entries = Object.entries(request.query as Record<string, unknown>).map(([name, value]) => {
    if (typeof value !== 'string') throw invalidRequest(name, 'is given twice');
    return [name, value] as const;
  });
  // Defined, not assigned: a parameter may be called __proto__.
  return Object.fromEntries(entries);
}

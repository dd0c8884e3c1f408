import { FacewrightError, isFacewrightError } from '@facewright/protocol';
import type { z } from 'zod';

/** Longest piece of a caller's own text that an answer repeats. */
const MAX_ECHO = 60;

/** What was wrong with a request. A part of a form may come without a name, whatever its type says. */
export function invalidRequest(field: string | undefined, problem: string, cause?: unknown): FacewrightError<'FW_REQUEST_INVALID'> {
  return new FacewrightError(
    'FW_REQUEST_INVALID',
    { problems: [{ field: shorten(field ?? 'a part without a name'), problem: shorten(problem, 200) }] },
    { cause },
  );
}

/** The problems that a schema found. */
export function errorFromIssues(issues: readonly z.core.$ZodIssue[], where: string): FacewrightError<'FW_REQUEST_INVALID'> {
  const problems = issues.slice(0, 20).flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.slice(0, 20).map((key) => ({ field: shorten(key), problem: 'is not known' }));
    }
    return [{ field: shorten(issue.path.join('.') || where), problem: shorten(issue.message, 200) }];
  });
  return new FacewrightError('FW_REQUEST_INVALID', { problems });
}

/** Parses with a schema. @throws FW_REQUEST_INVALID */
export function parseWith<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw errorFromIssues(parsed.error.issues, where);
  return parsed.data;
}

/**
 * An error of the table for whatever the web framework and its parsers throw; ours pass unchanged. Unknown ones stay as they are and
 * become FW_INTERNAL.
 */
export function errorFromFramework(error: unknown, limits: { readonly maxBytes: number }): unknown {
  if (isFacewrightError(error)) return error;
  const { code, statusCode } = (error ?? {}) as { code?: string; statusCode?: number };
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_INVALID_MULTIPART_CONTENT_TYPE':
      return new FacewrightError(
        'FW_MEDIA_UNSUPPORTED',
        { found: 'of another type', expected: 'what /openapi.json says' },
        { cause: error },
      );
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
    case 'FST_REQ_FILE_TOO_LARGE':
      return new FacewrightError('FW_BODY_TOO_LARGE', { maxBytes: limits.maxBytes }, { cause: error });
    case 'FST_PARTS_LIMIT':
    case 'FST_FILES_LIMIT':
    case 'FST_FIELDS_LIMIT':
      return invalidRequest('body', 'has too many parts', error);
    case 'FST_PROTO_VIOLATION':
      return invalidRequest('body', 'has a field whose name is not allowed', error);
    case 'FST_MP_PREMATURE_CLOSE':
      return invalidRequest('body', 'ends too early', error);
    case 'FST_ERR_BAD_URL':
      return invalidRequest('address', 'is not a valid path', error);
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new FacewrightError('FW_NOT_FOUND', { what: 'address' }, { cause: error });
    default:
  }
  // What the multipart parser destroys a file with, where the form ends in it.
  if (error instanceof Error && BROKEN_PART.test(error.message)) return invalidRequest('body', 'is not valid multipart/form-data', error);
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return invalidRequest('body', 'cannot be read', error);
  return error;
}

const BROKEN_PART = /terminated early|Unexpected end of multipart/;

function shorten(text: string, max = MAX_ECHO): string {
  // Control characters could confuse a terminal that shows the message.
  const printable = text.replace(/[\p{Cc}\p{Cs}]/gu, '?');
  return printable.length > max ? `${printable.slice(0, max)}…` : printable;
}

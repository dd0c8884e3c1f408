import { ERRORS, type ErrorCode, type ErrorParams, FacewrightError, isFacewrightError, type Problem } from '@facewright/protocol';

/** An error as the outside may see it: of the table, without paths or names of this machine. */
export interface PublicError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly params: unknown;
}

/** Codes whose parameters speak of the machine that the service runs on; callers learn only that something went wrong there. */
const INTERNAL_CODES: ReadonlySet<string> = new Set<ErrorCode>([
  'FW_PHOTO_UNREADABLE',
  'FW_MODEL_CORRUPT',
  'FW_MODEL_VERSION',
  'FW_NETWORK_CORRUPT',
  'FW_PROVIDER_UNAVAILABLE',
  'FW_OUTPUT_NOT_WRITABLE',
  'FW_CONFIG_INVALID',
  'FW_LISTEN_FAILED',
]);

/** An absolute path: a slash (or a drive, or two backslashes) and at least two names, or a file URL. */
const PATH_PATTERN = /file:\/\/[^\s'"),;]*|(?:\b[A-Za-z]:[\\/]|\\\\|(?<![A-Za-z0-9./:])\/)[^\s/\\'"),;]+[\\/][^\s'"),;]*/g;

/** What callers may know of an error that was caught, stored with a job, or came from a worker. */
export function publicError(error: unknown): PublicError {
  if (isKnown(error) && !INTERNAL_CODES.has(error.code)) {
    // A full disk of a worker is the full storage of the service.
    if (error.code === 'FW_OUTPUT_DISK_FULL') return tabled('FW_STORAGE_FULL', {});
    return tabled(error.code, scrub(error.params ?? {}) as never);
  }
  return tabled('FW_INTERNAL', { what: 'unexpected error' });
}

/** The problem of RFC 9457 that an error is answered with. */
export function formatProblem(
  error: PublicError,
  context: { readonly requestId: string; readonly docsUrl: string; readonly reconstruction?: string },
): Problem {
  const { http } = ERRORS[error.code];
  const retryAfterS = retryAfterOf(error);
  return {
    type: `${context.docsUrl}#${error.code}`,
    title: TITLES[http] ?? 'Error',
    status: http,
    detail: error.message,
    code: error.code,
    hint: error.hint,
    requestId: context.requestId,
    params: error.params,
    ...(retryAfterS === null ? {} : { retryAfterS }),
    ...(context.reconstruction === undefined ? {} : { reconstruction: context.reconstruction }),
  };
}

/** Seconds after which a refused request may be sent again; null where that does not help. */
export function retryAfterOf({ code, params }: PublicError): number | null {
  const own = (params as { retryAfterS?: unknown } | null)?.retryAfterS;
  if (typeof own === 'number') return Math.min(MAX_RETRY_AFTER_S, Math.max(1, Math.ceil(own)));
  const { http } = ERRORS[code];
  if (http === 503) return code === 'FW_STARTING' ? 2 : 5;
  return http === 507 ? 60 : null;
}

/** Longest wait that is asked for: what the queue looks like in ten minutes nobody knows. */
export const MAX_RETRY_AFTER_S = 600;

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  507: 'Insufficient Storage',
};

function isKnown(error: unknown): error is { code: ErrorCode; params?: unknown } {
  if (isFacewrightError(error)) return true;
  // Plain form, as jobs keep it.
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}

function tabled<C extends ErrorCode>(code: C, params: ErrorParams<C>): PublicError {
  try {
    const { message, hint } = new FacewrightError(code, params);
    return { code, message, hint, params };
  } catch {
    // Parameters of another version that the message cannot be made of.
    return { code, message: ERRORS[code].hint, hint: ERRORS[code].hint, params: {} };
  }
}

function scrub(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(PATH_PATTERN, '…').slice(0, 500);
  if (Array.isArray(value)) return value.slice(0, 100).map(scrub);
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, scrub(v)]));
  return value;
}

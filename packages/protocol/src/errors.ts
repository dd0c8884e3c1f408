/**
 * @module The one table of everything Facewright refuses or fails at on purpose.
 *
 * `code` is the contract; `message` is for people; `hint` says what the caller can do. docs/errors.md is generated from
 * this table (`npm run docs`) and a test compares both ways.
 */

/** What a queue may do with the job: try again later, or give up at once. */
export type Retry = 'never' | 'backoff';

export interface ErrorSpec<P> {
  /** Status the HTTP API answers with. */
  readonly http: number;
  /** Exit status of the command line (numbers of sysexits.h). */
  readonly exit: number;
  readonly retry: Retry;
  readonly message: (params: P) => string;
  /** One sentence: what the caller can do. */
  readonly hint: string;
}

const spec = <P>(s: ErrorSpec<P>): ErrorSpec<P> => s;

/** A face that was found, as an error or a result offers it for choice. Pixels of the upright photo, y down. */
export interface FaceChoice {
  /** Counted from 1, largest face first: what `--face N` takes. */
  readonly index: number;
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly score: number;
}

/** Longest part of a wrong value that a message repeats, characters: an option is short; a whole photo passed by mistake must not get into a log. */
const MAX_VALUE_TEXT = 60;

const describeValue = (value: unknown): string => {
  const type = typeof value;
  if (value === null || type === 'undefined' || type === 'boolean') return String(value);
  if (type === 'number' || type === 'bigint') return `${String(value)} of type ${type}`;
  if (type !== 'string') return `a value of type ${type}`;
  const text = value as string;
  return `${JSON.stringify(text.length > MAX_VALUE_TEXT ? `${text.slice(0, MAX_VALUE_TEXT)}…` : text)} of type string`;
};

const listChoices = (faces: readonly FaceChoice[]): string =>
  faces.map((f) => `${f.index}: ${Math.round(f.box.width)} px wide at (${Math.round(f.box.x)}, ${Math.round(f.box.y)})`).join('; ');

export const ERRORS = {
  FW_ARG_INVALID: spec<{ name: string; expected: string; actual: unknown }>({
    http: 400,
    exit: 64,
    retry: 'never',
    message: (p) => `Expected ${p.expected} for ${p.name} but received ${describeValue(p.actual)}`,
    hint: 'Correct the option; --help lists what is allowed.',
  }),

  FW_PHOTO_UNREADABLE: spec<{ path: string; reason: string }>({
    http: 400,
    exit: 66,
    retry: 'never',
    message: (p) => `Cannot read ${p.path}: ${p.reason}`,
    hint: 'Check that the path exists, is a file and may be read.',
  }),
  FW_PHOTO_EMPTY: spec<Record<never, never>>({
    http: 422,
    exit: 65,
    retry: 'never',
    message: () => 'The photo has no bytes',
    hint: 'Send the file again; the upload or copy was probably cut off.',
  }),
  FW_PHOTO_NOT_IMAGE: spec<{ found: string }>({
    http: 415,
    exit: 65,
    retry: 'never',
    message: (p) => `This is not an image Facewright can read (found: ${p.found})`,
    hint: 'Use JPEG, PNG, WebP, AVIF, TIFF or GIF; the content decides, not the file name.',
  }),
  FW_PHOTO_TRUNCATED: spec<{ reason: string }>({
    http: 422,
    exit: 65,
    retry: 'never',
    message: (p) => `The photo is damaged or ends too early (${p.reason})`,
    hint: 'Copy or upload the file again, or save it anew with another program.',
  }),
  FW_PHOTO_TOO_SMALL: spec<{ width: number; height: number; minPx: number }>({
    http: 422,
    exit: 65,
    retry: 'never',
    message: (p) => `The photo is ${p.width} x ${p.height} pixels; at least ${p.minPx} on each side are needed`,
    hint: 'Use a larger photo; a face should be at least 200 pixels wide for a good texture.',
  }),
  FW_PHOTO_TOO_MANY_BYTES: spec<{ bytes: number; maxBytes: number }>({
    http: 413,
    exit: 65,
    retry: 'never',
    message: (p) => `The photo has ${p.bytes} bytes; the limit is ${p.maxBytes}`,
    hint: 'Save it smaller, or raise the limit (--max-bytes).',
  }),
  FW_PHOTO_TOO_MANY_PIXELS: spec<{ width: number; height: number; maxPixels: number }>({
    http: 413,
    exit: 65,
    retry: 'never',
    message: (p) => `The photo declares ${p.width} x ${p.height} pixels; the limit is ${p.maxPixels} in all`,
    hint: 'Reduce its size, or raise the limit (--max-pixels).',
  }),
  FW_PHOTO_DECODE_TIMEOUT: spec<{ limitMs: number }>({
    http: 422,
    exit: 65,
    retry: 'never',
    message: (p) => `The photo did not decode within ${p.limitMs} ms`,
    hint: 'Save it anew as JPEG or PNG, or raise the limit (--max-decode-ms).',
  }),

  FW_FACE_NOT_FOUND: spec<{ candidates: number; bestScore: number; minScore: number }>({
    http: 422,
    exit: 65,
    retry: 'never',
    message: (p) =>
      `No face found (${p.candidates} weak candidate${p.candidates === 1 ? '' : 's'}, best score ${p.bestScore.toFixed(2)}, needed ${p.minScore})`,
    hint: 'Use a photo that shows one face from the front, in even light, at least a tenth of the picture wide.',
  }),
  FW_FACE_TOO_SMALL: spec<{ widthPx: number; minPx: number }>({
    http: 422,
    exit: 65,
    retry: 'never',
    message: (p) => `The face is ${Math.round(p.widthPx)} pixels wide; at least ${p.minPx} are needed`,
    hint: 'Use the original photo instead of a thumbnail, or a closer shot.',
  }),
  FW_FACE_CUT: spec<{ visibleRatio: number; minRatio: number }>({
    http: 422,
    exit: 65,
    retry: 'never',
    message: (p) => `The border of the photo cuts the face (${Math.round(100 * p.visibleRatio)} % of it is inside)`,
    hint: 'Use a photo with the whole face and some room around it.',
  }),
  FW_FACE_PROFILE: spec<{ yawDeg: number; maxDeg: number }>({
    http: 422,
    exit: 65,
    retry: 'never',
    message: (p) => `The face is turned ${Math.ceil(Math.abs(p.yawDeg))} degrees to the side; at most ${p.maxDeg} can be reconstructed`,
    hint: 'Use a photo in which both eyes can be seen.',
  }),
  FW_FACE_SEVERAL: spec<{ faces: readonly FaceChoice[] }>({
    http: 422,
    exit: 65,
    retry: 'never',
    message: (p) => `The photo shows ${p.faces.length} faces of similar size (${listChoices(p.faces)})`,
    hint: 'Choose one: --face largest, --face N (counted from the largest), or --face all.',
  }),
  FW_FACE_INDEX: spec<{ index: number; count: number }>({
    http: 422,
    exit: 65,
    retry: 'never',
    message: (p) => `Face ${p.index} was asked for but the photo shows ${p.count}`,
    hint: 'Run `facewright inspect` to see the faces with their numbers.',
  }),
  FW_FACE_NOT_HUMAN: spec<{ reason: string }>({
    http: 422,
    exit: 65,
    retry: 'never',
    message: (p) => `What was found does not look like a human face that can be measured (${p.reason})`,
    hint: 'Use a photo of one uncovered human face, upright, in even light.',
  }),

  FW_FIT_FAILED: spec<{ reason: string }>({
    http: 422,
    exit: 65,
    retry: 'never',
    message: (p) => `The face model could not be fitted to this photo (${p.reason})`,
    hint: 'Use a sharper photo from the front; `facewright inspect` shows what was measured.',
  }),

  FW_MODEL_UNKNOWN: spec<{ model: string; known: readonly string[] }>({
    http: 400,
    exit: 64,
    retry: 'never',
    message: (p) => `There is no face model "${p.model}" (known: ${p.known.join(', ')})`,
    hint: 'Choose one that `facewright models list` names.',
  }),
  FW_MODEL_CORRUPT: spec<{ path: string; reason: string }>({
    http: 503,
    exit: 69,
    retry: 'never',
    message: (p) => `The model file ${p.path} is damaged (${p.reason})`,
    hint: 'Install Facewright again; `facewright models verify` checks every file.',
  }),
  FW_MODEL_VERSION: spec<{ path: string; found: number; expected: number }>({
    http: 503,
    exit: 69,
    retry: 'never',
    message: (p) => `The model file ${p.path} has format version ${p.found}; this program reads ${p.expected}`,
    hint: 'Install the program and its model package in the same version.',
  }),
  FW_NETWORK_CORRUPT: spec<{ name: string; reason: string }>({
    http: 503,
    exit: 69,
    retry: 'never',
    message: (p) => `The network "${p.name}" is missing or not the expected one (${p.reason})`,
    hint: 'Install the dependencies again (npm ci); the exact version of @mediapipe/face_mesh is needed.',
  }),
  FW_PROVIDER_UNAVAILABLE: spec<{ provider: string; available: readonly string[]; reason: string }>({
    http: 503,
    exit: 69,
    retry: 'never',
    message: (p) => `The execution provider "${p.provider}" does not run here (${p.reason}; available: ${p.available.join(', ')})`,
    hint: 'Use --provider cpu, or --provider auto to take the best one that runs.',
  }),

  FW_OUTPUT_NOT_WRITABLE: spec<{ path: string; reason: string }>({
    http: 500,
    exit: 73,
    retry: 'never',
    message: (p) => `Cannot write ${p.path}: ${p.reason}`,
    hint: 'Choose another folder with -o, or change its permissions.',
  }),
  FW_OUTPUT_DISK_FULL: spec<{ path: string }>({
    http: 507,
    exit: 74,
    retry: 'backoff',
    message: (p) => `The disk is full: ${p.path} was not written`,
    hint: 'Free some space and run again; finished photos are not done twice.',
  }),

  FW_BATCH_FAILED: spec<{ failed: number; total: number }>({
    http: 422,
    exit: 1,
    retry: 'never',
    message: (p) => `${p.failed} of ${p.total} photos could not be reconstructed`,
    hint: 'The table above names each with its code; finished ones are kept and not redone.',
  }),
  FW_CANCELED: spec<{ stage: string }>({
    http: 409,
    exit: 130,
    retry: 'never',
    message: (p) => `Canceled during ${p.stage}`,
    hint: 'Nothing was written. Run again to start over.',
  }),
  FW_REQUEST_INVALID: spec<{ problems: readonly { readonly field: string; readonly problem: string }[] }>({
    http: 400,
    exit: 64,
    retry: 'never',
    message: (p) => `The request is not as the API expects it (${p.problems.map((i) => `${i.field}: ${i.problem}`).join('; ')})`,
    hint: 'Correct the named fields; /openapi.json describes every request.',
  }),
  FW_REQUEST_TIMEOUT: spec<{ limitMs: number }>({
    http: 408,
    exit: 75,
    retry: 'backoff',
    message: (p) => `The request did not arrive completely within ${p.limitMs} ms`,
    hint: 'Send it again over a faster connection, or send a smaller photo.',
  }),
  FW_AUTH_REQUIRED: spec<Record<never, never>>({
    http: 401,
    exit: 77,
    retry: 'never',
    message: () => 'This service wants an API key',
    hint: 'Send it as "Authorization: Bearer <key>"; the operator creates keys with `facewright keys create`.',
  }),
  FW_AUTH_INVALID: spec<Record<never, never>>({
    http: 401,
    exit: 77,
    retry: 'never',
    message: () => 'The API key is not known or was revoked',
    hint: 'Check that the whole key was copied, or ask the operator for a new one.',
  }),
  FW_ORIGIN_REFUSED: spec<{ header: 'Host' | 'Origin' }>({
    http: 403,
    exit: 77,
    retry: 'never',
    message: (p) => `This service does not answer requests with this ${p.header}: they may come from a web page of somebody else`,
    hint: 'Use the address that the service was started with (localhost); the operator may allow more (corsOrigins, publicUrl) or create keys.',
  }),
  FW_NOT_FOUND: spec<{ what: string }>({
    http: 404,
    exit: 66,
    retry: 'never',
    message: (p) => `There is no such ${p.what}`,
    hint: 'Check the id; results are deleted when they expire.',
  }),
  FW_METHOD_NOT_ALLOWED: spec<{ method: string; allowed: readonly string[] }>({
    http: 405,
    exit: 64,
    retry: 'never',
    message: (p) => `${p.method} is not possible here (allowed: ${p.allowed.join(', ')})`,
    hint: 'Use one of those; /openapi.json lists every route with its methods.',
  }),
  FW_ID_CONFLICT: spec<{ id: string }>({
    http: 409,
    exit: 65,
    retry: 'never',
    message: (p) => `The id ${p.id} was used before for another photo or other options`,
    hint: 'Use a new id (or Idempotency-Key) for a new photo.',
  }),
  FW_STATE_CONFLICT: spec<{ state: string; wanted: string }>({
    http: 409,
    exit: 65,
    retry: 'never',
    message: (p) => `This is ${p.state}; ${p.wanted} is not possible any more`,
    hint: 'Read its state again.',
  }),
  FW_BODY_TOO_LARGE: spec<{ maxBytes: number }>({
    http: 413,
    exit: 65,
    retry: 'never',
    message: (p) => `The request has more than ${p.maxBytes} bytes`,
    hint: 'Send smaller or fewer photos.',
  }),
  FW_BATCH_TOO_MANY: spec<{ count: number; max: number }>({
    http: 413,
    exit: 65,
    retry: 'never',
    message: (p) => `The batch has ${p.count} photos or more; at most ${p.max} are taken at once`,
    hint: 'Divide it into several batches.',
  }),
  FW_ARCHIVE_INVALID: spec<{ reason: string }>({
    http: 422,
    exit: 65,
    retry: 'never',
    message: (p) => `The zip archive is not accepted (${p.reason})`,
    hint: 'Pack the photos anew into a plain zip without encryption, links or nested archives.',
  }),
  FW_MEDIA_UNSUPPORTED: spec<{ found: string; expected: string }>({
    http: 415,
    exit: 65,
    retry: 'never',
    message: (p) => `The request body is ${p.found}; expected ${p.expected}`,
    hint: 'Send multipart/form-data with a file "photo", or the image itself with its content type.',
  }),
  FW_RANGE_INVALID: spec<{ totalBytes: number }>({
    http: 416,
    exit: 64,
    retry: 'never',
    message: (p) => `The asked-for range lies outside the file (${p.totalBytes} bytes)`,
    hint: 'Ask for a range inside the file, or for the whole file.',
  }),
  FW_RATE_LIMITED: spec<{ retryAfterS: number }>({
    http: 429,
    exit: 75,
    retry: 'backoff',
    message: (p) => `Too many requests with this key; try again in ${p.retryAfterS} s`,
    hint: 'Wait as long as Retry-After says.',
  }),
  FW_QUEUE_FULL: spec<{ queued: number; retryAfterS: number }>({
    http: 429,
    exit: 75,
    retry: 'backoff',
    message: (p) => `The queue is full (${p.queued} photos wait); try again in ${p.retryAfterS} s`,
    hint: 'Wait as long as Retry-After says; nothing was kept of this request.',
  }),
  FW_TENANT_QUEUE_FULL: spec<{ queued: number; max: number; retryAfterS: number }>({
    http: 429,
    exit: 75,
    retry: 'backoff',
    message: (p) => `${p.queued} of your photos wait or run already (limit ${p.max}); try again in ${p.retryAfterS} s`,
    hint: 'Wait as long as Retry-After says, or ask the operator for a higher limit.',
  }),
  FW_STORAGE_QUOTA: spec<{ usedBytes: number; maxBytes: number }>({
    http: 403,
    exit: 73,
    retry: 'never',
    message: (p) => `Your storage is used up (${p.usedBytes} of ${p.maxBytes} bytes)`,
    hint: 'Delete results that you no longer need, or wait until they expire.',
  }),
  FW_STORAGE_FULL: spec<Record<never, never>>({
    http: 507,
    exit: 74,
    retry: 'backoff',
    message: () => 'The storage of the service is full; nothing was kept of this request',
    hint: 'Try again later; the operator must free space.',
  }),
  FW_STORAGE_UNAVAILABLE: spec<{ reason: string }>({
    http: 503,
    exit: 75,
    retry: 'backoff',
    message: (p) => `The storage does not answer (${p.reason})`,
    hint: 'Try again later; the operator finds the cause in the log by the request id.',
  }),
  FW_QUEUE_UNAVAILABLE: spec<{ reason: string }>({
    http: 503,
    exit: 75,
    retry: 'backoff',
    message: (p) => `The job queue does not answer (${p.reason})`,
    hint: 'Try again later; the operator finds the cause in the log by the request id.',
  }),
  FW_STARTING: spec<Record<never, never>>({
    http: 503,
    exit: 75,
    retry: 'backoff',
    message: () => 'The service is starting and not ready yet',
    hint: 'Try again in a few seconds.',
  }),
  FW_DRAINING: spec<Record<never, never>>({
    http: 503,
    exit: 75,
    retry: 'backoff',
    message: () => 'This instance is shutting down and takes no new work',
    hint: 'Send the request again; another instance or the next one takes it.',
  }),
  FW_LINK_INVALID: spec<Record<never, never>>({
    http: 403,
    exit: 77,
    retry: 'never',
    message: () => 'This link is not valid, or no longer',
    hint: 'Read the reconstruction again with your key: it has fresh links.',
  }),
  FW_JOB_DEADLINE: spec<{ limitMs: number }>({
    http: 504,
    exit: 75,
    retry: 'never',
    message: (p) => `The reconstruction was not done within its ${p.limitMs} ms`,
    hint: 'Send the photo again when the service is less busy, or with a longer deadline.',
  }),
  FW_WORKER_LOST: spec<{ attempts: number }>({
    http: 500,
    exit: 70,
    retry: 'never',
    message: (p) => `The worker process ended while it worked on this photo (${p.attempts} attempt${p.attempts === 1 ? '' : 's'})`,
    hint: 'Save the photo anew with another program and send it again; report it if that fails too.',
  }),
  FW_WEBHOOK_REFUSED: spec<{ reason: string }>({
    http: 422,
    exit: 64,
    retry: 'never',
    message: (p) => `This webhook address is not accepted (${p.reason})`,
    hint: 'Use a public https address; the operator may allow private ones.',
  }),
  FW_CONFIG_INVALID: spec<{ problems: readonly { readonly field: string; readonly problem: string }[] }>({
    http: 500,
    exit: 78,
    retry: 'never',
    message: (p) => `The configuration is not valid (${p.problems.map((i) => `${i.field}: ${i.problem}`).join('; ')})`,
    hint: 'Correct the named settings; `facewright config` prints every one, its value and where it comes from.',
  }),
  FW_LISTEN_FAILED: spec<{ address: string; reason: string }>({
    http: 500,
    exit: 69,
    retry: 'backoff',
    message: (p) => `Cannot listen on ${p.address}: ${p.reason}`,
    hint: 'Choose another port with --port (or PORT), or end the program that holds it.',
  }),

  FW_INTERNAL: spec<{ what: string }>({
    http: 500,
    exit: 70,
    retry: 'backoff',
    message: (p) => `Something that should not happen did: ${p.what}`,
    hint: 'Run again with --debug and report the stack together with `facewright doctor`.',
  }),
} as const;

export type ErrorCode = keyof typeof ERRORS;
export type ErrorParams<C extends ErrorCode> = (typeof ERRORS)[C] extends ErrorSpec<infer P> ? P : never;

/** An error of the table. Match on `code`, not on `instanceof` (there may be two copies of this module). */
export class FacewrightError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'FacewrightError';
  readonly code: C;
  readonly params: ErrorParams<C>;

  constructor(code: C, params: ErrorParams<C>, options?: ErrorOptions) {
    super((ERRORS[code].message as (p: ErrorParams<C>) => string)(params), options);
    this.code = code;
    this.params = params;
  }

  get hint(): string {
    return ERRORS[this.code].hint;
  }
  get httpStatus(): number {
    return ERRORS[this.code].http;
  }
  get exitStatus(): number {
    return ERRORS[this.code].exit;
  }
}

/** Narrows by `code`, so that it also holds for an error of a second copy of this module. */
export function isFacewrightError<C extends ErrorCode = ErrorCode>(e: unknown, code?: C): e is FacewrightError<C> {
  return e instanceof Error && 'code' in e && typeof e.code === 'string' && e.code in ERRORS && (code === undefined || e.code === code);
}

/** Plain-object form for worker messages and job records: structured clone drops own properties of Error. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly params?: unknown;
}

/**
 * Plain-object form of any thrown value. What is not of the table becomes FW_INTERNAL and its text does not leave the
 * process (it may name paths).
 */
export function wireFromError(e: unknown): WireError {
  if (isFacewrightError(e)) return { code: e.code, message: e.message, params: e.params };
  return { code: 'FW_INTERNAL', message: ERRORS.FW_INTERNAL.message({ what: 'unexpected error' }), params: { what: 'unexpected error' } };
}

/** The error that {@link wireFromError} described, with its code, on the other side of a worker border. */
export function errorFromWire(w: WireError): FacewrightError {
  return new FacewrightError(w.code, (w.params ?? {}) as ErrorParams<ErrorCode>);
}

import type {
  AccountView,
  BatchEvent,
  BatchList,
  BatchView,
  HealthView,
  JobOptionsInput,
  ReconstructionEvent,
  ReconstructionList,
  ReconstructionView,
  ResultFile,
} from '@facewright/protocol';
import { buildBatchBody, buildPhotoBody, type PhotoBody, type RequestBody } from './build-body.ts';
import { type FollowOptions, followEvents } from './follow-events.ts';
import { readAnswer, readProblem } from './read-answer.ts';
import { resolveBase, resolveLink } from './resolve-link.ts';
import { type SendOptions, sendRequest, startFetch, type UploadProgress } from './send-request.ts';
import { ServiceError } from './service-error.ts';

export interface ClientOptions {
  /** Address of the service, with the path prefix if it has one. In browsers it may be relative to the page (`./`). */
  readonly baseUrl: string;
  /** API key; none where the service runs for a single user. A function is asked anew for every request. */
  readonly apiKey?: string | (() => string | null | undefined);
  /** @default globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

export interface UploadOptions extends RequestOptions {
  readonly options?: JobOptionsInput;
  /** Address that is called when the work has ended. */
  readonly webhook?: string;
  /** In browsers; Node's fetch does not tell. */
  readonly onUploadProgress?: (progress: UploadProgress) => void;
}

export interface CreateOptions extends UploadOptions {
  /** Seconds to wait for the result; 0 answers at once. @default what the service has set */
  readonly wait?: number;
  /** A second request with the same key and photo gets the same reconstruction. */
  readonly idempotencyKey?: string;
  /** Of a photo given as bytes or stream, e.g. image/jpeg. A Blob brings its own. */
  readonly contentType?: string;
}

export interface BatchPhoto {
  /** By this name the batch tells of the photo. */
  readonly name: string;
  readonly photo: Blob | Uint8Array;
}

export interface CreateBatchOptions extends UploadOptions {
  readonly idempotencyKey?: string;
}

export interface EventOptions extends RequestOptions {
  readonly onConnection?: FollowOptions['onConnection'];
}

export interface WaitOptions extends EventOptions {
  readonly onEvent?: (event: ReconstructionEvent) => void;
}

/**
 * The API as functions. Every call throws ServiceError (the service said no), ConnectionError (no answer came), or the reason of
 * its `signal`.
 */
export interface Client {
  /** Sends a photo. Returns when the service answers: with the result, or before it where that takes longer than `wait`. */
  create(photo: PhotoBody, options?: CreateOptions): Promise<ReconstructionView>;
  /** Sends a photo under an id of the caller's choice: the same id and photo again is the same reconstruction. */
  put(id: string, photo: PhotoBody, options?: Omit<CreateOptions, 'idempotencyKey'>): Promise<ReconstructionView>;
  get(id: string, options?: RequestOptions): Promise<ReconstructionView>;
  /** Newest first. `after` is `next` of the page before. */
  list(options?: RequestOptions & { readonly limit?: number; readonly after?: string }): Promise<ReconstructionList>;
  cancel(id: string, options?: RequestOptions): Promise<ReconstructionView>;
  /** Forgets a reconstruction and its files, in whatever state it is. */
  delete(id: string, options?: RequestOptions): Promise<void>;
  /** What happens to a reconstruction until it ends; connects again by itself when the connection is lost. */
  events(id: string, options?: EventOptions): AsyncGenerator<ReconstructionEvent, void>;
  /** The reconstruction after its end, however it ended. */
  waitFor(id: string, options?: WaitOptions): Promise<ReconstructionView>;
  /** Starts a download. The body must be read or canceled. */
  download(file: ResultFile | string, options?: RequestOptions): Promise<Response>;
  /** Absolute address of a link that the service gave. */
  resolve(link: string): string;
  account(options?: RequestOptions): Promise<AccountView>;
  /** Health of the instance that answers; also when it is not ready. */
  health(options?: RequestOptions): Promise<HealthView>;
  readonly batches: {
    /** Sends many photos, or one zip of them. Returns as soon as they are accepted. */
    create(photos: readonly BatchPhoto[] | Blob, options?: CreateBatchOptions): Promise<BatchView>;
    get(id: string, options?: RequestOptions): Promise<BatchView>;
    /** Newest first. `after` is `next` of the page before. */
    list(options?: RequestOptions & { readonly limit?: number; readonly after?: string }): Promise<BatchList>;
    /** What happens to the photos of a batch until none waits or runs any more; connects again by itself when the connection is lost. */
    events(id: string, options?: EventOptions): AsyncGenerator<BatchEvent, void>;
    cancel(id: string, options?: RequestOptions): Promise<BatchView>;
    delete(id: string, options?: RequestOptions): Promise<void>;
  };
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: RequestBody;
  readonly signal?: AbortSignal | undefined;
  readonly onUploadProgress?: ((progress: UploadProgress) => void) | undefined;
}

/**
 * A client of one service.
 *
 * @throws TypeError where `baseUrl` is not an address (outside a page it must be absolute)
 */
export function createClient({ baseUrl, apiKey, fetch = (...args) => globalThis.fetch(...args) }: ClientOptions): Client {
  const base = resolveBase(baseUrl);

  const prepare = (call: Call): SendOptions => {
    const url = new URL(`./${call.path}`, base);
    for (const [name, value] of Object.entries(call.query ?? {})) if (value !== undefined) url.searchParams.set(name, value);
    const key = typeof apiKey === 'function' ? apiKey() : apiKey;
    const headers: Record<string, string> = { accept: 'application/json' };
    if (key) headers.authorization = `Bearer ${key}`;
    for (const [name, value] of Object.entries(call.headers ?? {})) if (value !== undefined) headers[name] = value;
    const { method, body, signal, onUploadProgress } = call;
    return { fetch, method, url: url.href, headers, body, signal, onUploadProgress };
  };
  const request = async <T>(call: Call): Promise<T> => readAnswer(await sendRequest(prepare(call))) as T;

  const upload = (method: 'POST' | 'PUT', path: string, photo: PhotoBody, options: CreateOptions): Promise<ReconstructionView> =>
    request({
      method,
      path,
      query: { ...formatJobOptions(options.options), webhook: options.webhook },
      headers: { prefer: formatWait(options.wait), 'idempotency-key': options.idempotencyKey },
      body: buildPhotoBody(photo, options.contentType),
      signal: options.signal,
      onUploadProgress: options.onUploadProgress,
    });
  const follow = <E extends ReconstructionEvent | BatchEvent>(path: string, { signal, onConnection }: EventOptions) =>
    followEvents<E>({
      signal,
      onConnection,
      async open(lastEventId, connection) {
        const headers = { accept: 'text/event-stream', 'last-event-id': lastEventId === '' ? undefined : lastEventId };
        const call = prepare({ method: 'GET', path: `${path}/events`, headers, signal: connection });
        return readStream(await startFetch(call));
      },
    });
  const events = (id: string, options: EventOptions = {}) => follow<ReconstructionEvent>(pathOf(id), options);

  return {
    create: (photo, options = {}) => upload('POST', 'v1/reconstructions', photo, options),
    put: (id, photo, options = {}) => upload('PUT', pathOf(id), photo, options),
    get: (id, { signal } = {}) => request({ method: 'GET', path: pathOf(id), signal }),
    list: ({ signal, limit, after } = {}) =>
      request({ method: 'GET', path: 'v1/reconstructions', query: { limit: limit?.toString(), after }, signal }),
    cancel: (id, { signal } = {}) => request({ method: 'POST', path: `${pathOf(id)}/cancel`, signal }),
    delete: (id, { signal } = {}) => request({ method: 'DELETE', path: pathOf(id), signal }),
    events,
    async waitFor(id, { onEvent, ...options } = {}) {
      let last: ReconstructionView | undefined;
      for await (const event of events(id, options)) {
        onEvent?.(event);
        if (event.event === 'end') last = event.data;
      }
      // followEvents returns only after an `end`.
      return last!;
    },
    async download(file, { signal } = {}) {
      const url = resolveLink(base, typeof file === 'string' ? file : file.url);
      // No key: the link is signed, and must not carry the key to wherever it leads.
      const response = await startFetch({ fetch, method: 'GET', url, headers: {}, signal });
      if (!response.ok) throw await problemOf(response);
      return response;
    },
    resolve: (link) => resolveLink(base, link),
    account: ({ signal } = {}) => request({ method: 'GET', path: 'v1/account', signal }),
    async health({ signal } = {}) {
      const answer = await sendRequest(prepare({ method: 'GET', path: 'health', signal }));
      // An instance that is not ready says so with 503 and the same body.
      return readAnswer(answer.status === 503 && isHealth(answer.text) ? { ...answer, status: 200 } : answer) as HealthView;
    },
    batches: {
      create: (photos, options = {}) =>
        request({
          method: 'POST',
          path: 'v1/batches',
          query: { ...formatJobOptions(options.options), webhook: options.webhook },
          headers: { 'idempotency-key': options.idempotencyKey },
          body: buildBatchBody(photos),
          signal: options.signal,
          onUploadProgress: options.onUploadProgress,
        }),
      get: (id, { signal } = {}) => request({ method: 'GET', path: batchPathOf(id), signal }),
      list: ({ signal, limit, after } = {}) =>
        request({ method: 'GET', path: 'v1/batches', query: { limit: limit?.toString(), after }, signal }),
      events: (id, options = {}) => follow<BatchEvent>(batchPathOf(id), options),
      cancel: (id, { signal } = {}) => request({ method: 'POST', path: `${batchPathOf(id)}/cancel`, signal }),
      delete: (id, { signal } = {}) => request({ method: 'DELETE', path: batchPathOf(id), signal }),
    },
  };
}

function pathOf(id: string): string {
  return `v1/reconstructions/${encodeURIComponent(id)}`;
}

function batchPathOf(id: string): string {
  return `v1/batches/${encodeURIComponent(id)}`;
}

/** Options as the query has them: everything as text, formats separated by commas. */
function formatJobOptions(options: JobOptionsInput = {}): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value?.toString()]),
  );
}

/** Preferences of RFC 7240, section 4. */
function formatWait(wait: number | undefined): string | undefined {
  if (wait === undefined) return undefined;
  return wait > 0 ? `wait=${Math.round(wait)}` : 'respond-async';
}

async function readStream(response: Response): Promise<ReadableStream<Uint8Array>> {
  if (!response.ok) throw await problemOf(response);
  if (response.body === null) throw new ServiceError(response.status, { title: 'The answer has no events' });
  return response.body as ReadableStream<Uint8Array>;
}

async function problemOf(response: Response): Promise<ServiceError> {
  const text = await response.text().catch(() => '');
  return readProblem({ status: response.status, text, header: (name) => response.headers.get(name) });
}

function isHealth(text: string): boolean {
  return /"checks"\s*:/.test(text);
}

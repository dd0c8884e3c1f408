import type { RequestBody } from './build-body.ts';
import { ConnectionError } from './connection-error.ts';
import type { Answer } from './read-answer.ts';

/** How much of a request has left. `totalBytes` is null where it is not known. */
export interface UploadProgress {
  readonly sentBytes: number;
  readonly totalBytes: number | null;
}

export interface SendOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: RequestBody | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onUploadProgress?: ((progress: UploadProgress) => void) | undefined;
}

/**
 * Sends a request and reads the whole answer as text.
 *
 * @throws ConnectionError where no answer came; the reason of `signal` where it aborted
 */
export async function sendRequest(options: SendOptions): Promise<Answer> {
  const { body, onUploadProgress, signal } = options;
  signal?.throwIfAborted();
  // fetch tells nothing of how far an upload is; in browsers XMLHttpRequest does.
  const xhr = (globalThis as { XMLHttpRequest?: new () => UploadRequest }).XMLHttpRequest;
  if (onUploadProgress !== undefined && body?.content instanceof FormData && xhr !== undefined) {
    return sendByXhr(new xhr(), options, body.content, onUploadProgress);
  }
  const response = await startFetch(options);
  try {
    const text = await response.text();
    return { status: response.status, text, header: (name) => response.headers.get(name) };
  } catch (e) {
    signal?.throwIfAborted();
    throw new ConnectionError(describe(options), { cause: e });
  }
}

/**
 * Sends a request and returns as soon as the answer begins.
 *
 * @throws as {@link sendRequest}
 */
export async function startFetch(options: SendOptions): Promise<Response> {
  const { fetch, method, url, headers, body, signal } = options;
  try {
    return await fetch(url, {
      method,
      headers: { ...headers, ...body?.headers },
      cache: 'no-store',
      credentials: 'same-origin',
      ...(signal === undefined ? {} : { signal }),
      // A stream is sent while it is read, which has to be said (fetch standard, RequestDuplex).
      ...(body === undefined ? {} : { body: body.content, ...(body.content instanceof FormData ? {} : { duplex: 'half' }) }),
    } as RequestInit);
  } catch (e) {
    signal?.throwIfAborted();
    throw new ConnectionError(describe(options), { cause: e });
  }
}

/** The part of XMLHttpRequest that is used: this package is compiled without the types of browsers. */
interface UploadRequest {
  readonly status: number;
  readonly responseText: string;
  readonly upload: { onprogress: ((event: { loaded: number; total: number; lengthComputable: boolean }) => void) | null };
  onload: (() => void) | null;
  onerror: (() => void) | null;
  onabort: (() => void) | null;
  ontimeout: (() => void) | null;
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  getResponseHeader(name: string): string | null;
  send(body: FormData): void;
  abort(): void;
}

function sendByXhr(
  xhr: UploadRequest,
  options: SendOptions,
  form: FormData,
  onUploadProgress: (progress: UploadProgress) => void,
): Promise<Answer> {
  const { signal } = options;
  return new Promise<Answer>((resolve, reject) => {
    const abort = () => xhr.abort();
    const settle = (act: () => void) => () => {
      signal?.removeEventListener('abort', abort);
      act();
    };
    const fail = settle(() => reject(signal?.aborted ? signal.reason : new ConnectionError(describe(options))));
    xhr.upload.onprogress = (e) => onUploadProgress({ sentBytes: e.loaded, totalBytes: e.lengthComputable ? e.total : null });
    xhr.onload = settle(() => resolve({ status: xhr.status, text: xhr.responseText, header: (name) => xhr.getResponseHeader(name) }));
    xhr.onerror = fail;
    xhr.onabort = fail;
    xhr.ontimeout = fail;
    xhr.open(options.method, options.url);
    for (const [name, value] of Object.entries(options.headers)) xhr.setRequestHeader(name, value);
    signal?.addEventListener('abort', abort, { once: true });
    xhr.send(form);
  });
}

function describe({ method, url }: SendOptions): string {
  return `${method} ${new URL(url).pathname}`;
}

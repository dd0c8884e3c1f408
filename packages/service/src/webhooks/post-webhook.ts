import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { parseWebhookUrl } from './check-webhook-url.ts';
import { type HostRules, resolveWebhookHost } from './resolve-webhook-host.ts';

export interface PostWebhookOptions {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For everything: name, connection, request, answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface WebhookAnswer {
  readonly status: number;
  /** What Retry-After says in seconds, where it says a number. */
  readonly retryAfterS: number | null;
}

/** Nobody reads an answer's body; a short one is received so that its sender sees no broken connection. */
const MAX_ANSWER_BYTES = 16 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Sends one webhook. The name is resolved once and the connection goes to the address that was checked, so that a name server which
 * answers differently the second time gains nothing. Redirects are answers like others; nothing is kept between requests.
 *
 * @throws FW_WEBHOOK_REFUSED; errors of the connection as Node has them; AbortError and TimeoutError
 */
export async function postWebhook(text: string, rules: HostRules, options: PostWebhookOptions): Promise<WebhookAnswer> {
  const url = parseWebhookUrl(text, rules);
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]);
  const { address, family } = await unlessAborted(resolveWebhookHost(url.hostname, rules), signal);
  signal.throwIfAborted();
  const body = Buffer.from(options.body);
  return await new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = send(url, {
      method: 'POST',
      agent: false,
      signal,
      maxHeaderSize: MAX_HEADER_BYTES,
      lookup: (_hostname, wanted, done) => (wanted.all === true ? done(null, [{ address, family }]) : done(null, address, family)),
      headers: { ...options.headers, 'content-type': 'application/json', 'content-length': body.byteLength, connection: 'close' },
    });
    // Node calls every abort the same; the reason says whether it was the time.
    request.on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error));
    request.on('response', (response) => {
      const retryAfter = Number(response.headers['retry-after'] ?? Number.NaN);
      const answer = {
        status: response.statusCode ?? 0,
        retryAfterS: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : null,
      };
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength;
        if (bytes > MAX_ANSWER_BYTES) response.destroy();
      });
      // What the status says holds, however the rest ends.
      response.on('error', () => {});
      response.once('close', () => (signal.aborted ? reject(signal.reason as Error) : resolve(answer)));
    });
    request.end(body);
  });
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort!);
    promise.catch(() => {});
  }
}

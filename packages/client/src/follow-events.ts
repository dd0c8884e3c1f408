import { parseEventStream } from './parse-event-stream.ts';
import { ServiceError } from './service-error.ts';

/** First pause before connecting again, and the longest; doubled each time. */
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 10_000;
/** The service sends a comment at least every 15 s: three missed ones are a dead connection that no error has told of yet. */
const SILENCE_MS = 45_000;

/** An event of a stream that ends with `end`. */
interface FollowedEvent {
  readonly event: string;
  readonly data: unknown;
}

export interface FollowOptions {
  /** Opens the stream; a status of failure throws ServiceError. `signal` also ends the reading. */
  readonly open: (lastEventId: string, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
  readonly signal?: AbortSignal | undefined;
  /** Called when the connection stands (again), and when it is lost with the time until the next attempt. */
  readonly onConnection?:
    | ((state: { readonly connected: true } | { readonly connected: false; readonly retryInMs: number }) => void)
    | undefined;
  /** Longest silence; for tests. */
  readonly silenceMs?: number;
  /** First pause; for tests. */
  readonly firstPauseMs?: number;
}

/**
 * The events of a reconstruction or a batch until it ends, over as many connections as that takes. Every connection begins with a `snapshot`,
 * so nothing that matters is missed between two.
 *
 * @throws ServiceError where trying again does not help (no such reconstruction, no right to it); the reason of `signal`
 */
export async function* followEvents<E extends FollowedEvent>(options: FollowOptions): AsyncGenerator<E, void> {
  const { signal, onConnection, silenceMs = SILENCE_MS, firstPauseMs = FIRST_PAUSE_MS } = options;
  let lastEventId = '';
  let askedPauseMs: number | null = null;
  for (let attempt = 0; ; ) {
    signal?.throwIfAborted();
    // One controller per connection: it ends by the caller's will or by silence.
    const connection = new AbortController();
    const onAbort = () => connection.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => connection.abort(new Error('silence')), silenceMs);
    };
    let failure: unknown;
    try {
      watch();
      const stream = await options.open(lastEventId, connection.signal);
      onConnection?.({ connected: true });
      for await (const { event, data, id, retryMs } of parseEventStream(stream, watch)) {
        attempt = 0;
        lastEventId = id;
        askedPauseMs = retryMs ?? askedPauseMs;
        const parsed = { event, data: JSON.parse(data) as unknown } as E;
        yield parsed;
        if (parsed.event === 'end') return;
      }
    } catch (e) {
      if (signal?.aborted) throw signal.reason;
      if (e instanceof ServiceError && !isPassing(e)) throw e;
      failure = e;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      connection.abort();
    }
    const backOffMs = Math.min(MAX_PAUSE_MS, firstPauseMs * 2 ** attempt++) * (0.75 + 0.5 * Math.random());
    const saidMs = failure instanceof ServiceError && failure.retryAfterS !== null ? 1000 * failure.retryAfterS : (askedPauseMs ?? 0);
    const retryInMs = Math.max(backOffMs, saidMs);
    onConnection?.({ connected: false, retryInMs });
    await pause(retryInMs, signal);
  }
}

/** Waits, or throws the reason of `signal` as soon as it aborts. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function isPassing(e: ServiceError): boolean {
  return e.status === 408 || e.status === 429 || e.status >= 500;
}

import { randomBytes } from 'node:crypto';

/** What a span says of the work. Never a file name, key or address. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** A piece of work that has begun. */
export interface Span {
  /** W3C trace context that work below this span is given; null where there is no trace. */
  readonly traceparent: string | null;
  /** The first call counts. `error` is a code of the error table. */
  end(options?: { readonly endMs?: number; readonly attributes?: SpanAttributes; readonly error?: string }): void;
}

export interface SpanOptions {
  /** W3C `traceparent` that this belongs to; null or one that cannot be read begins a trace. */
  readonly parent: string | null;
  /** Unix ms. @default now */
  readonly startMs?: number;
  readonly kind?: 'server' | 'consumer' | 'internal';
  readonly attributes?: SpanAttributes;
}

/** Traces of one process. */
export interface Tracing {
  begin(name: string, options: SpanOptions): Span;
  /** Sends what is left, for a bounded time. */
  close(): Promise<void>;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The parts of a `traceparent` header (W3C Trace Context §3.2), or null where it is not valid: then a new trace begins. */
export function parseTraceparent(header: string | null | undefined): { traceId: string; spanId: string; sampled: boolean } | null {
  const match = TRACEPARENT.exec(header ?? '');
  if (match === null) return null;
  const [, version, traceId, spanId, flags, rest] = match;
  // Version 00 has nothing after the flags; ff is forbidden; ids of zeros mean "none".
  if (version === 'ff' || (version === '00' && rest !== undefined) || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Without a collector: the caller's trace context is handed on as it came, and nothing is kept. */
export function createNoTracing(): Tracing {
  return {
    begin: (_name, { parent }) => ({ traceparent: parseTraceparent(parent) === null ? null : parent, end() {} }),
    close: async () => {},
  };
}

/** Spans that wait to be sent; more are dropped, because a collector that is down must not fill the memory. */
const MAX_WAITING = 2048;
const BATCH = 512;
const EXPORT_INTERVAL_MS = 2000;
/** A collector that does not answer within this time loses the batch. */
const EXPORT_TIMEOUT_MS = 5000;
/** Numbers of OTLP's SpanKind. */
const KINDS = { internal: 1, server: 2, consumer: 5 } as const;

interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly object[];
  readonly status: object;
}

/**
 * Sends spans to an OpenTelemetry collector: OTLP over HTTP with JSON bodies (OTLP 1.x), in batches, from memory that is bounded.
 * A trace that its caller did not sample is handed on and not recorded. See docs/decisions/traces.md for why this is no library.
 *
 * @param endpoint - base address of the collector; `/v1/traces` is added unless it is there
 * @param onDrop - told how many spans were lost, and why
 */
export function createOtlpTracing(
  endpoint: string,
  resource: SpanAttributes,
  onDrop: (spans: number, reason: string) => void = () => {},
): Tracing {
  const address = /\/v1\/traces\/?$/.test(endpoint) ? endpoint : `${endpoint.replace(/\/$/, '')}/v1/traces`;
  let waiting: WireSpan[] = [];
  let sending: Promise<void> | undefined;
  let dropped = 0;

  const send = async (): Promise<void> => {
    while (waiting.length > 0) {
      const spans = waiting.slice(0, BATCH);
      waiting = waiting.slice(BATCH);
      try {
        const answer = await fetch(address, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            resourceSpans: [
              { resource: { attributes: encodeAttributes(resource) }, scopeSpans: [{ scope: { name: 'facewright' }, spans }] },
            ],
          }),
          signal: AbortSignal.timeout(EXPORT_TIMEOUT_MS),
          redirect: 'error',
        });
        await answer.body?.cancel();
        if (!answer.ok) onDrop(spans.length, `the collector answered ${answer.status}`);
      } catch (error) {
        onDrop(spans.length, error instanceof Error ? error.message : 'unknown');
      }
    }
    if (dropped > 0) onDrop(dropped, 'more spans than are kept');
    dropped = 0;
  };
  const flush = (): Promise<void> => {
    sending ??= send().finally(() => {
      sending = undefined;
    });
    return sending;
  };
  const timer = setInterval(() => void flush(), EXPORT_INTERVAL_MS);
  timer.unref();

  return {
    begin(name, { parent, startMs = Date.now(), kind = 'internal', attributes = {} }) {
      const context = parseTraceparent(parent);
      if (context !== null && !context.sampled) return { traceparent: parent, end() {} };
      const traceId = context?.traceId ?? randomBytes(16).toString('hex');
      const spanId = randomBytes(8).toString('hex');
      let hasEnded = false;
      return {
        traceparent: `00-${traceId}-${spanId}-01`,
        end({ endMs = Date.now(), attributes: more = {}, error } = {}) {
          if (hasEnded) return;
          hasEnded = true;
          if (waiting.length >= MAX_WAITING) {
            dropped++;
            return;
          }
          waiting.push({
            traceId,
            spanId,
            ...(context === null ? {} : { parentSpanId: context.spanId }),
            name,
            kind: KINDS[kind],
            startTimeUnixNano: encodeTime(startMs),
            endTimeUnixNano: encodeTime(Math.max(startMs, endMs)),
            attributes: encodeAttributes({ ...attributes, ...more, ...(error === undefined ? {} : { 'error.type': error }) }),
            status: error === undefined ? {} : { code: 2, message: error },
          });
          if (waiting.length >= BATCH) void flush();
        },
      };
    },
    async close() {
      clearInterval(timer);
      await flush();
      await flush();
    },
  };
}

/** Unix ms (with a fraction) → whole nanoseconds as text, because JSON numbers do not hold them. */
function encodeTime(ms: number): string {
  const whole = Math.floor(ms);
  return String(BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6)));
}

function encodeAttributes(attributes: SpanAttributes): object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value:
      typeof value === 'string'
        ? { stringValue: value }
        : typeof value === 'boolean'
          ? { boolValue: value }
          : Number.isInteger(value)
            ? { intValue: String(value) }
            : { doubleValue: value },
  }));
}

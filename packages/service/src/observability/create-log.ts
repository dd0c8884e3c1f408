import { pino } from 'pino';

/** What the service writes: JSON lines with `time`, `level`, `msg` and fields such as requestId, jobId, tenant. A pino logger is one. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: Readonly<Record<string, unknown>>): Log;
}

/** Where lines go: a stream, or what a test collects. */
export interface LogSink {
  write(line: string): unknown;
}

/**
 * Creates the log of a process: JSON lines, levels by name, times as ISO 8601.
 *
 * Nothing that a caller sent is written but ids: no headers, no query strings (links are signed there), no file names, no bytes. As a
 * second fence, fields of those names are taken out wherever they get in by accident.
 *
 * @param sink - default: stdout, written at once, so that the last line before a crash is there
 */
export function createLog(level: 'debug' | 'info' | 'warn' | 'error' | 'silent', role: string, sink?: LogSink): Log {
  const options = {
    level,
    base: { role, pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError, error: describeError },
    redact: { paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`]), censor: '[removed]' },
  };
  return (sink === undefined ? pino(options) : pino(options, sink)) as unknown as Log;
}

/** Names under which something private could get into a line. */
const SECRET_FIELDS = ['authorization', 'cookie', 'headers', 'apiKey', 'secret', 'fileName', 'filename', 'photo', 'body', 'url', 'query'];

/** An error as a line has it: the stack names our own files, which the operator may see and callers never do. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}

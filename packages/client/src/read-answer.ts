import type { Problem } from '@facewright/protocol';
import { ServiceError } from './service-error.ts';

/** What both ways to send (fetch, XMLHttpRequest) make of an answer. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  header(name: string): string | null;
}

/**
 * The JSON of an answer; undefined where it has no content.
 *
 * @throws ServiceError where the status is not one of success, or a success is not JSON (a proxy's log-in page, say)
 */
export function readAnswer(answer: Answer): unknown {
  if (answer.status < 200 || answer.status >= 300) throw readProblem(answer);
  if (answer.status === 204 || answer.text === '') return undefined;
  try {
    return JSON.parse(answer.text);
  } catch {
    throw new ServiceError(answer.status, { title: 'The answer is not that of a Facewright service' });
  }
}

/** The error that an answer with a status of failure describes, be it ours or a proxy's. */
export function readProblem(answer: Answer): ServiceError {
  let problem: Partial<Problem> = {};
  if (/\bjson\b/.test(answer.header('content-type') ?? '')) {
    try {
      const value: unknown = JSON.parse(answer.text);
      if (typeof value === 'object' && value !== null) problem = value as Partial<Problem>;
    } catch {
      // Cut off on the way: the status has to do.
    }
  }
  const requestId = problem.requestId ?? answer.header('x-request-id');
  return new ServiceError(
    answer.status,
    { ...problem, ...(requestId === null ? {} : { requestId }) },
    parseRetryAfter(answer.header('retry-after')),
  );
}

/** Seconds of a Retry-After header (RFC 9110, section 10.2.3: a number or a date), at least 1; null where there is none. */
export function parseRetryAfter(value: string | null, nowMs: number = Date.now()): number | null {
  if (value === null || value.trim() === '') return null;
  const seconds = /^\s*\d+\s*$/.test(value) ? Number(value) : (Date.parse(value) - nowMs) / 1000;
  return Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : null;
}

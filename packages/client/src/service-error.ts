import { ERRORS, type ErrorCode, type Problem } from '@facewright/protocol';

/**
 * The service answered, and the answer is no. `code` is one of the error table, or `HTTP_<status>` where something in front
 * of the service answered instead of it (a proxy's 502, say).
 */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ErrorCode | `HTTP_${number}`;
  readonly status: number;
  /** One sentence: what the caller can do. Empty where the table has none. */
  readonly hint: string;
  /** By this the operator finds the request in the log; empty where the answer had none. */
  readonly requestId: string;
  /** Seconds after which it is worth trying again; null where the service does not say. */
  readonly retryAfterS: number | null;
  /** What the message was made of. */
  readonly params: unknown;
  /** Id of the reconstruction that failed, where one did. */
  readonly reconstruction: string | null;

  constructor(status: number, problem: Partial<Problem>, retryAfterS: number | null = null) {
    const { code } = problem;
    super(problem.detail ?? problem.title ?? `The answer has status ${status}`);
    this.code = code !== undefined && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : `HTTP_${status}`;
    this.status = status;
    this.hint = problem.hint ?? '';
    this.requestId = problem.requestId ?? '';
    this.retryAfterS = problem.retryAfterS ?? retryAfterS;
    this.params = problem.params;
    this.reconstruction = problem.reconstruction ?? null;
  }
}

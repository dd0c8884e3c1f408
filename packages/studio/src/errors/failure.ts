import { ConnectionError, ServiceError } from '@facewright/client';
import type { ErrorCode } from '@facewright/protocol';

/** Why a file was not even sent. */
export type LocalProblem =
  | { readonly code: 'notImage' | 'heic' | 'empty' | 'unreadable' }
  | { readonly code: 'tooLarge'; readonly bytes: number; readonly maxBytes: number }
  | { readonly code: 'tooMany'; readonly max: number };

/** Anything that went wrong, as plain data, so that it can be told in either language. */
export type Failure =
  | {
      readonly kind: 'service';
      readonly code: ErrorCode;
      readonly status: number;
      /** In English, from the service. */
      readonly message: string;
      readonly params: unknown;
      readonly requestId: string;
      readonly retryAfterS: number | null;
    }
  | { readonly kind: 'proxy'; readonly status: number; readonly retryAfterS: number | null }
  | { readonly kind: 'connection' }
  | { readonly kind: 'local'; readonly problem: LocalProblem }
  | { readonly kind: 'unexpected'; readonly message: string };

/** What a thrown value means to the reader. */
export function failureFrom(error: unknown): Failure {
  if (error instanceof ConnectionError) return { kind: 'connection' };
  if (error instanceof ServiceError) {
    const { code, status, message, params, requestId, retryAfterS } = error;
    if (isTableCode(code)) return { kind: 'service', code, status, message, params, requestId, retryAfterS };
    return { kind: 'proxy', status, retryAfterS };
  }
  return { kind: 'unexpected', message: error instanceof Error ? error.message : String(error) };
}

function isTableCode(code: ErrorCode | `HTTP_${number}`): code is ErrorCode {
  return code.startsWith('FW_');
}

/** A job that failed carries its error without a request of its own. */
export function failureFromJob(error: { readonly code: string; readonly message: string; readonly params?: unknown }): Failure {
  const code = error.code as ErrorCode;
  return { kind: 'service', code, status: 0, message: error.message, params: error.params, requestId: '', retryAfterS: null };
}

/** Seconds after which sending again may work by itself: the service is busy, starting or limits the rate; null where it will not. */
export function retryDelayS(failure: Failure): number | null {
  if (failure.kind === 'proxy')
    return failure.status === 502 || failure.status === 503 || failure.status === 504 ? (failure.retryAfterS ?? 5) : null;
  if (failure.kind !== 'service') return null;
  if (failure.status === 429) return failure.retryAfterS ?? 10;
  return failure.status === 503 ? (failure.retryAfterS ?? 5) : null;
}

/** Whether sending the same again can have another outcome: not where the photo or the request itself is the reason. */
export function mayHelpAgain(failure: Failure): boolean {
  if (failure.kind === 'proxy') return failure.status !== 413;
  if (failure.kind !== 'service') return failure.kind !== 'local';
  const { status } = failure;
  return status === 401 || status === 403 || status === 408 || status === 429 || status >= 500;
}

export function isKeyProblem(failure: Failure): boolean {
  return failure.kind === 'service' && failure.status === 401;
}

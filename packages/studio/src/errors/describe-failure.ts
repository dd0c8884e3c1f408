import type { ErrorCode } from '@facewright/protocol';
import { formatBytes } from '../i18n/format.ts';
import type { Texts } from '../i18n/language.ts';
import type { Failure, LocalProblem } from './failure.ts';

export interface FailureText {
  readonly title: string;
  readonly hint: string;
  /** What happened exactly, with numbers; null where the title says it all. */
  readonly detail: string | null;
  readonly code: string | null;
  readonly requestId: string | null;
}

/** A failure in the reader's language. */
export function describeFailure(failure: Failure, { t, errors, language }: Texts): FailureText {
  switch (failure.kind) {
    case 'connection':
      return { title: t.problem.connection, hint: t.problem.connectionHint, detail: null, code: null, requestId: null };
    case 'proxy':
      return {
        title: failure.status === 413 ? t.problem.proxyTooLarge : t.problem.proxy(failure.status),
        hint: failure.status === 413 ? t.problem.proxyTooLargeHint : t.problem.proxyHint,
        detail: null,
        code: `HTTP ${failure.status}`,
        requestId: null,
      };
    case 'unexpected':
      return { title: t.problem.unexpected, hint: t.problem.unexpectedHint, detail: failure.message, code: null, requestId: null };
    case 'local':
      return { ...describeLocal(failure.problem, t.local), detail: null, code: null, requestId: null };
    case 'service': {
      const { code, requestId } = failure;
      const text = Object.hasOwn(errors, code) ? errors[code] : errors.FW_INTERNAL;
      const fill = text.message as (params: unknown) => string;
      // The service's own sentence is in English; in Chinese it is made anew from what it was made of.
      const detail = language === 'en' ? failure.message : (fillMessage(fill, failure.params) ?? failure.message);
      return { title: text.title, hint: text.hint, detail: detail === text.title ? null : detail, code, requestId: requestId || null };
    }
  }
}

/** The hint of a code, for lists that have no room for more. */
export function describeCode(code: string, { errors }: Texts): { readonly title: string; readonly hint: string } {
  return Object.hasOwn(errors, code) ? errors[code as ErrorCode] : errors.FW_INTERNAL;
}

/**
 * A message with its numbers; null where the parameters are not those that it is made of (an older service, say).
 */
export function fillMessage(fill: (params: unknown) => string, params: unknown): string | null {
  try {
    const text = fill(params ?? {});
    return /undefined|NaN|\[object/.test(text) ? null : text;
  } catch {
    return null;
  }
}

function describeLocal(problem: LocalProblem, local: Texts['t']['local']): { title: string; hint: string } {
  switch (problem.code) {
    case 'tooLarge':
      return { title: local.tooLarge.title, hint: local.tooLarge.hint(formatBytes(problem.bytes), formatBytes(problem.maxBytes)) };
    case 'tooMany':
      return { title: local.tooMany.title, hint: local.tooMany.hint(problem.max) };
    default:
      return local[problem.code];
  }
}

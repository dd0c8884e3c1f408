import type { ErrorCode, ErrorParams, WarningCode, WarningParams } from '@facewright/protocol';

/** What a reader of the page sees of an error: a headline, what happened exactly, and what to do. */
export interface ErrorText<P> {
  readonly title: string;
  /** With the numbers of the case. In English this is the table's own message. */
  readonly message: (params: P) => string;
  readonly hint: string;
}

/** Every code of the error table; a new code is a compile error until it is translated. */
export type ErrorTexts = { readonly [C in ErrorCode]: ErrorText<ErrorParams<C>> };

export interface WarningText<P> {
  readonly message: (params: P) => string;
  readonly hint: string;
}

export type WarningTexts = { readonly [C in WarningCode]: WarningText<WarningParams<C>> };

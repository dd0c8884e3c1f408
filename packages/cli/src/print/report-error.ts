import { FacewrightError, isFacewrightError, type WireError, wireFromError } from '@facewright/protocol';
import type { CommandIo } from '../command-io.ts';
import { createPaint } from './paint.ts';
import { showText } from './show-path.ts';

/** Any thrown value as an error of the table; what is not of it becomes FW_INTERNAL with the original as cause. */
export function errorOfTable(thrown: unknown): FacewrightError {
  if (isFacewrightError(thrown)) return thrown;
  const what = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new FacewrightError('FW_INTERNAL', { what }, { cause: thrown });
}

/**
 * Writes an error as two lines on stderr: what, and what to do. The stack and its causes follow only with `--debug`.
 *
 * @param about - what it was about, e.g. the photo as the user named it
 */
export function reportError(
  io: Pick<CommandIo, 'stderr' | 'env'>,
  error: FacewrightError,
  options: { readonly about?: string; readonly debug?: boolean } = {},
): void {
  const paint = createPaint(io.stderr, io.env);
  const about = options.about === undefined ? '' : `${options.about}: `;
  io.stderr.write(`${paint.red('facewright:')} ${showText(`${about}${error.message}`)} ${paint.dim(`[${error.code}]`)}\n`);
  io.stderr.write(`  ${error.hint}\n`);
  if (options.debug === true) io.stderr.write(`${formatStack(error)}\n`);
}

/** Exit status of a command that ends with this error. */
export function exitStatusOf(error: FacewrightError, io: Pick<CommandIo, 'cancelStatus'>): number {
  return isFacewrightError(error, 'FW_CANCELED') ? (io.cancelStatus?.() ?? error.exitStatus) : error.exitStatus;
}

/** The `error` object of `--json`. */
export function jsonFromError(
  error: FacewrightError,
  io: Pick<CommandIo, 'cancelStatus'>,
): WireError & { readonly hint: string; readonly exitStatus: number } {
  return { ...wireFromError(error), hint: error.hint, exitStatus: exitStatusOf(error, io) };
}

/** Stack of an error and of its causes, nearest first. */
export function formatStack(error: unknown): string {
  const lines: string[] = [];
  for (let e: unknown = error; e !== undefined; e = e instanceof Error ? e.cause : undefined) {
    const text = e instanceof Error ? (e.stack ?? e.message) : String(e);
    lines.push(lines.length === 0 ? text : `caused by: ${text}`);
    if (lines.length > 8) break;
  }
  return lines.join('\n');
}

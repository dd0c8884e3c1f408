import { ERRORS, type ErrorCode, type FacewrightError } from '@facewright/protocol';
import { formatTable } from '../print/format-table.ts';
import { jsonFromError } from '../print/report-error.ts';
import { showPath, showText } from '../print/show-path.ts';
import type { MadePhoto } from './make-photo.ts';
import type { PhotoOutcome } from './run-batch.ts';

/** The line of `--json` for one photo. docs/command-line.md describes it. */
export function jsonFromOutcome({ photo, ms, made, error }: PhotoOutcome): Record<string, unknown> {
  const head = { type: 'photo', photo, ok: error === undefined };
  if (error !== undefined) return { ...head, ms: roundMs(ms), error: jsonFromError(error) };
  const { state, target, files, faces, refused, provider } = made!;
  return { ...head, state, output: target, ms: roundMs(ms), provider, faces, refused, files };
}

/** One photo in one line: `out/a  412 ms  1 warning`, or the code of the error. */
export function formatOutcome({ ms, made, error }: PhotoOutcome, cwd: string): string {
  if (error !== undefined) return error.code;
  const { state, target, refused } = made!;
  const warnings = warningCodes(made!);
  const notes = [
    state === 'skipped' ? 'finished before' : formatMs(ms),
    ...(warnings.length > 0 ? [warnings.join(' ')] : []),
    ...(refused.length > 0 ? [`${countOf(refused.length, 'face')} refused`] : []),
  ];
  return `${showPath(target, cwd)}  ${notes.join('  ')}`;
}

/** The table at the end of a batch. */
export function formatOutcomes(outcomes: readonly PhotoOutcome[], cwd: string): string {
  const rows = outcomes.map(({ photo, ms, made, error }) => {
    if (error !== undefined) return [showPath(photo, cwd), error.code, ms === 0 ? '' : formatMs(ms), ''];
    const notes = [...warningCodes(made!), ...(made!.refused.length > 0 ? [`${countOf(made!.refused.length, 'face')} refused`] : [])];
    return [
      showPath(photo, cwd),
      showPath(made!.target, cwd),
      made!.state === 'skipped' ? 'finished before' : formatMs(ms),
      notes.join(' '),
    ];
  });
  return formatTable(['photo', 'result', 'time', 'warnings'], rows, ['left', 'left', 'right', 'left']);
}

/** Codes of the warnings of all faces, each once. */
export function warningCodes(made: MadePhoto): string[] {
  return [...new Set(made.faces.flatMap((face) => face.warnings.map((w) => w.code)))];
}

/** Two lines for each face that `--face all` could not make. */
export function formatRefused(made: MadePhoto, about: string): string {
  return made.refused
    .map(({ face, code, message }) => `facewright: ${showText(`${about}: face ${face}: ${message}`)} [${code}]\n  ${hintOf(code)}\n`)
    .join('');
}

export function formatMs(ms: number): string {
  return ms >= 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** `1 face`, `2 faces`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** True where the message of an error names the file itself, so that the name in front of it would be a stutter. */
export function isAboutPath(error: FacewrightError): boolean {
  return 'path' in error.params;
}

function hintOf(code: string): string {
  return code in ERRORS ? ERRORS[code as ErrorCode].hint : ERRORS.FW_INTERNAL.hint;
}

function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}

import { ERRORS, type ErrorCode, type FacewrightError, WARNINGS, type WarningCode } from '@facewright/protocol';
import type { CommandIo } from '../command-io.ts';
import { formatTable } from '../print/format-table.ts';
import { jsonFromError } from '../print/report-error.ts';
import { showPath, showText } from '../print/show-path.ts';
import type { MadePhoto } from './make-photo.ts';
import type { PhotoOutcome } from './run-batch.ts';

/**
 * Warnings about photos that nothing is wrong with. Nearly every photo from the web has lost its focal length: named beside each, this would
 * drown what needs a look. With what is said of several photos at once.
 */
const REMARKS: Readonly<Partial<Record<WarningCode, string>>> = {
  CAMERA_FOCAL_ASSUMED: 'no focal length in the photo, one was assumed',
};

/** Whether a warning is a remark only: said once below the table of a batch. */
export const isRemark = (code: WarningCode): boolean => code in REMARKS;

/** The line of `--json` for one photo. docs/command-line.md describes it. */
export function jsonFromOutcome({ photo, ms, made, error }: PhotoOutcome, io: Pick<CommandIo, 'cancelStatus'>): Record<string, unknown> {
  const head = { type: 'photo', photo, ok: error === undefined };
  if (error !== undefined) return { ...head, ms: roundMs(ms), error: jsonFromError(error, io) };
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
    if (error !== undefined) return [cellOf(photo, cwd), error.code, ms === 0 ? '' : formatMs(ms), ''];
    const notes = [...warningCodes(made!), ...(made!.refused.length > 0 ? [`${countOf(made!.refused.length, 'face')} refused`] : [])];
    return [cellOf(photo, cwd), cellOf(made!.target, cwd), made!.state === 'skipped' ? 'finished before' : formatMs(ms), notes.join(' ')];
  });
  return formatTable(['photo', 'result', 'time', 'warnings'], rows, ['left', 'left', 'right', 'left']);
}

/** Characters that a path may take in the table; longer ones lose their middle. The lines above and the JSON have them whole. */
const MAX_CELL = 60;

/** A path as it stands in the table. */
function cellOf(path: string, cwd: string): string {
  const shown = showPath(path, cwd);
  const characters = [...shown];
  if (characters.length <= MAX_CELL) return shown;
  const kept = Math.floor((MAX_CELL - 1) / 2);
  return `${characters.slice(0, kept).join('')}…${characters.slice(-kept).join('')}`;
}

/** One line for each remark that came with any of the photos: how many photos, and what could be done. Empty where there is none. */
export function formatRemarks(outcomes: readonly PhotoOutcome[]): string {
  return Object.entries(REMARKS)
    .map(([code, text]) => {
      const count = outcomes.filter(({ made }) => made?.faces.some((face) => face.warnings.some((w) => w.code === code)) === true).length;
      return count === 0 ? '' : `note: ${countOf(count, 'photo')}: ${text} [${code}]\n  ${WARNINGS[code as WarningCode].hint}\n`;
    })
    .join('');
}

/** Codes of the warnings of all faces, each once, without remarks. */
function warningCodes(made: MadePhoto): string[] {
  return [...new Set(made.faces.flatMap((face) => face.warnings.map((w) => w.code)))].filter((code) => !isRemark(code));
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

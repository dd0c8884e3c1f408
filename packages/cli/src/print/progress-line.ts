import type { TextSink } from '../command-io.ts';
import { countColumns } from './format-table.ts';

/** One line at the bottom of a terminal that is drawn over again; does nothing where there is no terminal. */
export interface ProgressLine {
  show(text: string): void;
  /** Takes the line away, so that other text can be written; the next `show` draws it again. */
  clear(): void;
}

export function createProgressLine(sink: TextSink, isOn: boolean): ProgressLine {
  if (!isOn || sink.isTTY !== true) return { show: () => {}, clear: () => {} };
  let isShown = false;
  return {
    show(text) {
      isShown = true;
      sink.write(`\r\u001b[2K${cutToColumns(text, (sink.columns ?? 80) - 1)}`);
    },
    clear() {
      if (!isShown) return;
      isShown = false;
      sink.write('\r\u001b[2K');
    },
  };
}

/** `[######......] 3/10  1 failed  ETA 0:12`, as wide as fits. */
export function formatBar(options: {
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  /** Null while nothing is known. */
  readonly etaMs: number | null;
  readonly columns: number;
  readonly note?: string;
}): string {
  const { done, total, failed, etaMs, columns, note } = options;
  const tail = ` ${done}/${total}${failed > 0 ? `  ${failed} failed` : ''}  ETA ${etaMs === null ? '-:--' : formatClock(etaMs)}${note === undefined || note === '' ? '' : `  ${note}`}`;
  const width = Math.max(5, Math.min(30, columns - 1 - 2 - Math.min(tail.length, 40)));
  const filled = total === 0 ? width : Math.round((width * done) / total);
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}]${tail}`;
}

/** `0:07`, `12:03`, `1:02:03`. Rounded up: better early than late. */
export function formatClock(ms: number): string {
  const s = Math.ceil(ms / 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

/** So many of the last photos tell how quick it goes: enough to even out large and small ones, few enough to follow a change. */
const ETA_WINDOW = 20;

/**
 * Time left, from the times at which photos were finished. The first ones of each worker carry its start (the networks load, the code is
 * not compiled yet), so they count only while there are no others. Photos that were skipped cost nothing and must not be in here.
 *
 * @param finishedAtMs - ascending
 * @param atOnce - how many photos are made at once
 * @returns milliseconds, or null before anything is finished
 */
export function estimateEtaMs(options: {
  readonly startMs: number;
  readonly finishedAtMs: readonly number[];
  readonly atOnce: number;
  readonly left: number;
}): number | null {
  const { startMs, finishedAtMs, atOnce, left } = options;
  if (left === 0) return 0;
  const count = finishedAtMs.length;
  if (count === 0) return null;
  const counted = count > atOnce ? Math.min(count - atOnce, ETA_WINDOW) : count;
  const sinceMs = counted === count ? startMs : finishedAtMs[count - counted - 1]!;
  return ((finishedAtMs[count - 1]! - sinceMs) / counted) * left;
}

function cutToColumns(text: string, columns: number): string {
  if (countColumns(text) <= columns) return text;
  let cut = '';
  let used = 0;
  for (const character of text) {
    used += countColumns(character);
    if (used > columns - 1) break;
    cut += character;
  }
  return `${cut}\u2026`;
}

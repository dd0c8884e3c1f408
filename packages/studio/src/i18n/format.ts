import type { Messages } from './messages.en.ts';

/** Bytes as people read them: 1.2 MB. Powers of 1024 under the usual names. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KB', 'MB', 'GB', 'TB'];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A span of time in its largest unit, never 0: 40 seconds, 3 minutes, 23 hours. */
export function formatSpan(seconds: number, { units }: Messages): string {
  if (seconds < 90) return units.seconds(Math.max(1, Math.round(seconds)));
  if (seconds < 90 * 60) return units.minutes(Math.round(seconds / 60));
  if (seconds < 48 * 3600) return units.hours(Math.round(seconds / 3600));
  return units.days(Math.round(seconds / 86_400));
}

/** Milliseconds of work: 48 ms, 1.3 s. */
export function formatMs(ms: number): string {
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function formatPercent(ratio: number, digits = 0): string {
  return `${(100 * ratio).toFixed(digits)} %`;
}

/** Day and time in the reader's own zone. */
export function formatTime(iso: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso));
}

/** Signed degrees with a true minus. */
export function formatDegrees(degrees: number): string {
  const text = Math.abs(degrees).toFixed(1);
  return `${degrees < 0 && Number(text) !== 0 ? '−' : ''}${text}°`;
}

/** A number with the separators of the language: 26,534. */
export function formatCount(value: number, locale: string): string {
  return new Intl.NumberFormat(locale).format(value);
}

import { type CommandIo, hasColor, type TextSink } from '../command-io.ts';

export interface Paint {
  red(text: string): string;
  yellow(text: string): string;
  green(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

/** Colours for one stream, or none at all where they do not belong. */
export function createPaint(sink: TextSink, env: CommandIo['env']): Paint {
  const on = hasColor(sink, env);
  const sgr = (open: number, close: number) => (text: string) => (on ? `\u001b[${open}m${text}\u001b[${close}m` : text);
  return { red: sgr(31, 39), yellow: sgr(33, 39), green: sgr(32, 39), dim: sgr(2, 22), bold: sgr(1, 22) };
}

import type { FirstWorker } from '@facewright/service/start-first-worker';

/** Where text goes: a stream of the process, or what a test captures. */
export interface TextSink {
  write(text: string): unknown;
  /** True on a terminal: progress and colours only there. */
  readonly isTTY?: boolean | undefined;
  /** Width of the terminal in characters. */
  readonly columns?: number | undefined;
}

/** Everything of the outside that a command touches besides files; passed in, so that tests run commands in their own process. */
export interface CommandIo {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths start from. */
  readonly cwd: string;
  /** Aborted by Ctrl-C. */
  readonly signal?: AbortSignal;
  /** Exit status of a command that was stopped: 128 and the number of the signal. @default 130, as after Ctrl-C */
  readonly cancelStatus?: () => number;
  /** Told how many milliseconds the command may take to end after the first signal, where that is longer than usual. */
  readonly onGrace?: (graceMs: number) => void;
  /** A worker process that is loading already, for the service. */
  readonly firstWorker?: FirstWorker | undefined;
}

/** True where colours may be used: a terminal, and NO_COLOR (https://no-color.org) not set, and not a "dumb" one. */
export function hasColor(sink: TextSink, env: CommandIo['env']): boolean {
  return sink.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

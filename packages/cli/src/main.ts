import { constants } from 'node:os';
import { FacewrightError } from '@facewright/protocol';
import type { FirstWorker } from '@facewright/service/start-first-worker';
import type { CommandIo } from './command-io.ts';
import { removeTemporaryPaths } from './output/temporary-paths.ts';
import { errorOfTable, reportError } from './print/report-error.ts';
import { run } from './run.ts';

/**
 * Runs the command line as the whole of this process: signals, output that breaks off, bugs, exit status.
 *
 * @param argv - arguments without the program's name
 * @param firstWorker - a worker process that is loading already, where the command will want one
 */
export async function main(argv: readonly string[], firstWorker?: FirstWorker): Promise<void> {
  // Time to stop by itself after the first signal: a stage takes at most a second or two; a service says how long it takes.
  let graceMs = 5000;

  const abort = new AbortController();
  let interrupts = 0;
  let cancelStatus = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interrupts++;
      // As shells count: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP. The first signal is the reason.
      if (interrupts === 1) cancelStatus = 128 + constants.signals[signal];
      abort.abort();
      // Asked a second time: leave at once.
      if (interrupts > 1) leaveAtOnce();
      else setTimeout(leaveAtOnce, graceMs).unref();
    });
  }

  process.on('exit', removeTemporaryPaths);

  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // `facewright ... | head`: the reader has what it wanted. Work that runs is finished, only the text goes nowhere.
      if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') return;
      throw error.code === 'ENOSPC' ? new FacewrightError('FW_OUTPUT_DISK_FULL', { path: 'the output' }, { cause: error }) : error;
    });
  }

  const io: CommandIo = {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: findCwd(),
    firstWorker,
    signal: abort.signal,
    cancelStatus: () => cancelStatus,
    onGrace: (ms) => {
      graceMs = ms;
    },
  };

  // What got past every `catch` is a bug, here or in a library; even then two lines and a status that tells, not a stack.
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (thrown: unknown) => {
      const error = errorOfTable(thrown);
      reportError(io, error, { debug: argv.includes('--debug') });
      process.exit(error.exitStatus);
    });
  }

  process.exitCode = await run(argv, io);
  // Settings were wrong: nobody took it.
  firstWorker?.end();
}

/** `process.exit` waits for threads; one that hangs in a system call is why this is needed, so the system ends the process. */
function leaveAtOnce(): void {
  removeTemporaryPaths();
  process.kill(process.pid, 'SIGKILL');
}

/** The folder one stands in. One that has been removed has no path, and nothing can be read or written by its name. */
function findCwd(): string {
  try {
    return process.cwd();
  } catch (error) {
    const gone = new FacewrightError(
      'FW_PHOTO_UNREADABLE',
      { path: '.', reason: 'the folder you are in has been removed' },
      { cause: error },
    );
    reportError({ stderr: process.stderr, env: process.env }, gone);
    process.exit(gone.exitStatus);
  }
}

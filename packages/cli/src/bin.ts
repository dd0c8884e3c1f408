#!/usr/bin/env node
import type { CommandIo } from './command-io.ts';
import { removeTemporaryPaths } from './output/temporary-paths.ts';
import { errorOfTable, reportError } from './print/report-error.ts';
import { run } from './run.ts';

const abort = new AbortController();
let interrupts = 0;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupts++;
    abort.abort();
    // Asked a second time: leave at once. 128 + 2 says Ctrl-C to the shell.
    if (interrupts > 1) process.exit(130);
  });
}
process.on('exit', removeTemporaryPaths);

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `facewright ... | head`: the reader has what it wanted. Work that runs is finished, only the text goes nowhere.
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
  });
}

const argv = process.argv.slice(2);
const io: CommandIo = { stdout: process.stdout, stderr: process.stderr, env: process.env, cwd: process.cwd(), signal: abort.signal };

// What got past every `catch` is a bug, here or in a library; even then two lines and a status that tells, not a stack.
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (thrown: unknown) => {
    const error = errorOfTable(thrown);
    reportError(io, error, { debug: argv.includes('--debug') });
    process.exit(error.exitStatus);
  });
}

process.exitCode = await run(argv, io);

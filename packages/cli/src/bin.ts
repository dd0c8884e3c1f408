#!/usr/bin/env node
import { removeTemporaryPaths } from './output/temporary-paths.ts';
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

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  signal: abort.signal,
});

/**
 * @module A process of its own that makes photos for a batch (`facewright make` starts as many as `--concurrency` says).
 *
 * A process and not a thread, because a crash in native code (decoder, network runtime) must cost one photo, not the batch.
 */

import { FacewrightError, wireFromError } from '@facewright/protocol';
import { removeTemporaryPaths } from '../output/temporary-paths.ts';
import { errorOfTable, formatStack } from '../print/report-error.ts';
import { createLocalMaker } from './create-local-maker.ts';
import type { PhotoMaker } from './photo-maker.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

let maker: PhotoMaker | undefined;
let running: AbortController | undefined;

// Ctrl-C, a terminal that closes and a signal to the whole group reach every process; the parent decides and sends `cancel`. Were
// this process to end by itself, what it is writing would be left behind. Without a parent there is `disconnect`.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('exit', removeTemporaryPaths);
// The parent is gone: stop, leave nothing half done.
process.on('disconnect', () => {
  running?.abort();
  if (running === undefined) process.exit(0);
});

process.on('message', (message: ToWorker) => {
  void handle(message);
});

async function handle(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'start':
      maker = createLocalMaker(message.options, () => import('@facewright/engine'));
      break;
    case 'make': {
      running = new AbortController();
      try {
        if (maker === undefined) throw new FacewrightError('FW_INTERNAL', { what: 'the worker was not started' });
        send({ type: 'made', made: await maker.make(message.job, { signal: running.signal }) });
      } catch (error) {
        // FW_INTERNAL keeps its text here: both processes belong to the same person.
        send({ type: 'failed', error: wireFromError(errorOfTable(error)), stack: formatStack(error) });
      }
      running = undefined;
      if (!process.connected) process.exit(0);
      break;
    }
    case 'cancel':
      running?.abort();
      break;
    case 'close':
      await maker?.close();
      process.disconnect();
      break;
  }
}

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

import { type ChildProcess, fork } from 'node:child_process';
import { errorFromWire, FacewrightError } from '@facewright/protocol';
import type { MakeJob, MakeOptions } from './make-options.ts';
import type { MadePhoto } from './make-photo.ts';
import type { PhotoMaker } from './photo-maker.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** How long a worker may take to stop after Ctrl-C before it is killed. Milliseconds; the engine answers within 50 between stages. */
const CANCEL_GRACE_MS = 5000;

/** How long a worker may take to close its engine at the end. Milliseconds. */
const CLOSE_GRACE_MS = 2000;

/** As much of what a worker wrote on stderr is kept for the error of a crash. Characters. */
const KEPT_STDERR = 2000;

/** Default program of a worker: make-worker beside this file, in the form that this file has (source or build). */
const WORKER_URL = new URL(import.meta.url.endsWith('.ts') ? './make-worker.ts' : './make-worker.js', import.meta.url);

/**
 * Makes photos in a process of its own, which is started by the first photo. Dies it in the middle of a photo, that photo fails
 * with FW_INTERNAL and the next one gets a new process.
 *
 * @param replace - for tests: another program, less patience
 */
export function createProcessMaker(
  options: MakeOptions,
  { workerUrl = WORKER_URL, cancelGraceMs = CANCEL_GRACE_MS }: { readonly workerUrl?: URL; readonly cancelGraceMs?: number } = {},
): PhotoMaker {
  let child: ChildProcess | undefined;
  let stderr = '';

  const start = (): ChildProcess => {
    if (child !== undefined) return child;
    // glibc keeps freed memory apart for every thread; two such stores are enough, and 30 MB less of a process.
    const env = { ...process.env, MALLOC_ARENA_MAX: process.env.MALLOC_ARENA_MAX ?? '2' };
    const started = fork(workerUrl, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], cwd: options.cwd, env });
    stderr = '';
    started.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-KEPT_STDERR);
    });
    // A process that could not be started or reached gives `error` and perhaps never `exit`; for the next photo there is a new one.
    // This listener stays: without one, an error while nothing runs would end the command.
    let isUsable = true;
    const forget = (): void => {
      isUsable = false;
      if (child === started) child = undefined;
    };
    started.once('exit', forget).on('error', () => {
      // Killed once only: a kill that fails gives `error` again.
      const isToKill = isUsable && started.pid !== undefined;
      forget();
      if (isToKill) started.kill('SIGKILL');
    });
    tell(started, { type: 'start', options });
    child = started;
    return started;
  };

  return {
    make(job: MakeJob, { signal }) {
      return new Promise<MadePhoto>((resolve, reject) => {
        if (signal?.aborted) {
          reject(new FacewrightError('FW_CANCELED', { stage: 'decode' }));
          return;
        }
        const worker = start();
        let killTimer: NodeJS.Timeout | undefined;
        const finish = (settle: () => void): void => {
          clearTimeout(killTimer);
          worker.off('message', onMessage).off('exit', onExit).off('error', onError);
          signal?.removeEventListener('abort', onAbort);
          settle();
        };
        const onMessage = (message: FromWorker): void => {
          if (message.type === 'made') {
            finish(() => resolve(message.made));
          } else {
            const error = errorFromWire(message.error);
            error.stack = message.stack;
            finish(() => reject(error));
          }
        };
        const onExit = (code: number | null, by: NodeJS.Signals | null): void => {
          const what = `the worker process ended in the middle of this photo (${by ?? `exit status ${code}`})`;
          const error =
            signal?.aborted === true
              ? new FacewrightError('FW_CANCELED', { stage: 'export' })
              : new FacewrightError('FW_INTERNAL', { what }, { cause: new Error(stderr.trim()) });
          finish(() => reject(error));
        };
        const onError = (error: Error): void => {
          const what = `a worker process could not be started or reached (${error.message})`;
          finish(() => reject(new FacewrightError('FW_INTERNAL', { what }, { cause: error })));
        };
        const onAbort = (): void => {
          tell(worker, { type: 'cancel' });
          killTimer = setTimeout(() => worker.kill('SIGKILL'), cancelGraceMs);
        };
        worker.on('message', onMessage).on('exit', onExit).on('error', onError);
        signal?.addEventListener('abort', onAbort);
        tell(worker, { type: 'make', job });
      });
    },
    async close() {
      const worker = child;
      if (worker === undefined) return;
      await new Promise<void>((resolve) => {
        const killTimer = setTimeout(() => worker.kill('SIGKILL'), CLOSE_GRACE_MS);
        const finish = (): void => {
          clearTimeout(killTimer);
          resolve();
        };
        worker.once('exit', finish).once('error', finish);
        tell(worker, { type: 'close' });
      });
    },
  };
}

function tell(worker: ChildProcess, message: ToWorker): void {
  // A worker that just died reports through its `exit` event, one that never came to life through `error`; that one has no channel.
  if (worker.connected) worker.send(message, () => {});
}

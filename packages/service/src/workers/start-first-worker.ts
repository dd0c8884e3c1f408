import type { ChildProcess } from 'node:child_process';
import { type ForkOptions, forkWorker } from './fork-worker.ts';

/** A worker process that was started before there was a pool to belong to. */
export interface FirstWorker {
  /** Hands it over, once; null where it could not be started or has ended already. */
  take(): ChildProcess | null;
  /** Ends it where nobody took it. */
  end(): void;
}

/**
 * Starts the first worker process of a service. Loading the engine takes longer than all that the service itself does until it
 * listens, so the program calls this before it loads anything else; the settings follow when they are known.
 *
 * Never throws: whoever finds no process starts one and hears why it cannot be.
 */
export function startFirstWorker(options?: ForkOptions): FirstWorker {
  let child: ChildProcess | null = null;
  const forget = (): void => {
    child = null;
  };
  try {
    child = forkWorker(options);
    child.once('error', forget).once('exit', forget);
  } catch {}
  return {
    take() {
      const taken = child;
      taken?.off('error', forget).off('exit', forget);
      forget();
      return taken;
    },
    end: () => child?.kill('SIGKILL'),
  };
}

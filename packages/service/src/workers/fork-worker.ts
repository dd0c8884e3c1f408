import { type ChildProcess, fork } from 'node:child_process';

/** Program of a worker, in the form that this file has (source or build). */
const WORKER_URL = new URL(import.meta.url.endsWith('.ts') ? './process/worker.ts' : './process/worker.js', import.meta.url);

export interface ForkOptions {
  /** For tests: another program, other arguments of Node. */
  readonly workerUrl?: URL | undefined;
  readonly execArgv?: readonly string[] | undefined;
}

/**
 * Starts one worker process. It loads the engine at once, and waits with the rest for its settings (`start`).
 *
 * Imports nothing but Node's own, so that the program can call it before it has loaded anything else.
 *
 * @throws what the system refuses with, e.g. ENOMEM; other refusals come as the event `error`
 */
export function forkWorker({ workerUrl = WORKER_URL, execArgv }: ForkOptions = {}): ChildProcess {
  return fork(workerUrl, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [...(execArgv ?? process.execArgv.filter((arg) => !arg.startsWith('--inspect')))],
    env: workerEnvironment(process.env),
  });
}

/**
 * Environment of a worker: everything but what may be a secret. Decoders read bytes of strangers; a hole in one must not find the keys
 * of a store.
 */
function workerEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isSecret = (name: string): boolean => /^(FACEWRIGHT_|AWS_|REDIS)|SECRET|TOKEN|PASSWORD|CREDENTIAL|API_?KEY/i.test(name);
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !isSecret(name))),
    // Must be there before onnxruntime is loaded; newer versions report home otherwise.
    ORT_DISABLE_TELEMETRY: '1',
    // glibc keeps freed memory apart for every thread; decoders have many. Two such stores are enough, and 30 MB less of a worker.
    MALLOC_ARENA_MAX: env.MALLOC_ARENA_MAX ?? '2',
  };
}

import type { ChildProcess } from 'node:child_process';
import { setPriority } from 'node:os';
import { errorFromWire, FacewrightError } from '@facewright/protocol';
import type { Log } from '../observability/create-log.ts';
import { forkWorker } from './fork-worker.ts';
import type { FirstWorker } from './start-first-worker.ts';
import type { FromWorker, ToWorker, WorkerSettings } from './worker-messages.ts';
import type { RunOptions, WorkerPool, WorkerResult } from './worker-pool.ts';

/** Why a worker process was replaced. */
export type RestartReason = 'crash' | 'timeout' | 'cancel' | 'memory' | 'start';

export interface WorkerPoolOptions {
  readonly size: number;
  readonly settings: WorkerSettings;
  /** Milliseconds of work on one photo, after which the process is killed. */
  readonly taskTimeoutMs: number;
  /** A process that holds more after a task is replaced. */
  readonly memoryBytes: number;
  readonly log: Log;
  readonly onRestart?: (reason: RestartReason) => void;
  /** Seconds until a process was warm. */
  readonly onLoaded?: (durationS: number) => void;
  /** A process that the program has started already: the pool's first. */
  readonly firstWorker?: FirstWorker | undefined;
  /** For tests: another program, other arguments of Node, less patience. */
  readonly replace?: {
    readonly workerUrl?: URL;
    readonly execArgv?: readonly string[];
    readonly cancelGraceMs?: number;
    readonly startTimeoutMs?: number;
    readonly backoffMs?: number;
  };
}

/** A worker looks at its signal between stages, which take well under a second for sizes that are usual. */
const CANCEL_GRACE_MS = 2000;
/** Loading takes a second; on a machine that does twenty other things with a cold disk a hundred times that (measured). */
const START_TIMEOUT_MS = 180_000;
/** First pause before a process that died at its start is started again; doubled each time. */
const BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 30_000;
/** A process that lived at least this long did not die at its start. */
const SETTLED_MS = 5000;
/** So often every process may die at its start before {@link WorkerPool.started} gives up. */
const MAX_FIRST_STARTS = 3;
/** Idle processes end at once when told to; native threads may hang. */
const CLOSE_GRACE_MS = 1000;
/** As much of what a process wrote on stderr is kept for the log. Characters. */
const KEPT_STDERR = 4000;
/** Below that of the service's own process, so that requests are answered while all cores are busy with faces. */
const NICENESS = 5;

interface Running {
  readonly number: number;
  readonly options: RunOptions;
  readonly resolve: (result: WorkerResult) => void;
  readonly reject: (error: Error) => void;
  readonly fields: object;
  timeout: NodeJS.Timeout;
  cancelTimer: NodeJS.Timeout | undefined;
  onAbort: () => void;
  onKill: () => void;
  stage: string;
}

interface Slot {
  child: ChildProcess | null;
  state: 'starting' | 'idle' | 'busy';
  running: Running | null;
  /** Why the process is being ended by us; null: it is not. */
  ending: RestartReason | 'close' | null;
  startedAt: number;
  /** Deaths at the start, one after the other. */
  failures: number;
  restartTimer: NodeJS.Timeout | undefined;
  startTimer: NodeJS.Timeout | undefined;
  rssBytes: number | null;
  stderr: string;
}

/**
 * Starts worker processes and keeps `size` of them alive.
 *
 * Whatever happens to a process (crash, kill, endless loop, memory), it is replaced and only its own task notices: that one is rejected
 * with FW_WORKER_LOST. Processes that die at their start are started again after a pause that doubles.
 */
export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const { size, settings, log, replace = {} } = options;
  const { workerUrl, cancelGraceMs = CANCEL_GRACE_MS, startTimeoutMs = START_TIMEOUT_MS, backoffMs = BACKOFF_MS } = replace;
  const slots: Slot[] = [];
  const waiting: { readonly start: (slot: Slot) => void; readonly reject: (error: Error) => void }[] = [];
  let lastNumber = 0;
  let restarts = 0;
  let isClosing = false;
  let hasStarted = false;
  let startError: FacewrightError | undefined;
  let settleStarted!: { resolve: () => void; reject: (error: Error) => void };
  const started = new Promise<void>((resolve, reject) => {
    settleStarted = { resolve, reject };
  });
  started.catch(() => {}); // whoever calls started() hears it

  let hasBegunOthers = false;
  const beginOthers = (): void => {
    if (hasBegunOthers || isClosing) return;
    hasBegunOthers = true;
    for (const slot of slots.slice(1)) begin(slot);
  };
  const begin = (slot: Slot): void => {
    slot.state = 'starting';
    slot.ending = null;
    slot.rssBytes = null;
    slot.stderr = '';
    slot.startedAt = Date.now();
    let child: ChildProcess;
    try {
      child = (slot === slots[0] ? options.firstWorker?.take() : null) ?? forkWorker({ workerUrl, execArgv: replace.execArgv });
    } catch (error) {
      // Some refusals of the system come as the event `error`, others (ENOMEM) are thrown.
      log.warn({ error }, 'A worker process could not be started or reached');
      slot.stderr = String(error);
      onExit(slot, null, null, null);
      return;
    }
    slot.child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      slot.stderr = (slot.stderr + text).slice(-KEPT_STDERR);
    });
    child.on('message', (message: FromWorker) => onMessage(slot, child, message));
    child.on('error', (error) => {
      log.warn({ error, pid: child.pid }, 'A worker process could not be started or reached');
      // Without a process there is no `exit`.
      if (child.pid === undefined) onExit(slot, child, null, null);
      else child.kill('SIGKILL');
    });
    child.once('exit', (code, signal) => onExit(slot, child, code, signal));
    slot.startTimer = setTimeout(() => end(slot, 'start'), startTimeoutMs);
    tell(child, { type: 'start', settings });
  };

  const onMessage = (slot: Slot, child: ChildProcess, message: FromWorker): void => {
    if (slot.child !== child) return;
    if (message.type === 'ready') {
      clearTimeout(slot.startTimer);
      // Not before: somebody waits for the start.
      if (child.pid !== undefined) lowerPriority(child.pid);
      slot.state = 'idle';
      hasStarted = true;
      options.onLoaded?.(message.loadMs / 1000);
      log.info({ workerPid: child.pid, loadMs: Math.round(message.loadMs) }, 'Worker ready');
      settleStarted.resolve();
      beginOthers();
      serve(slot);
      return;
    }
    if (message.type === 'unable') {
      startError = errorFromWire(message.error);
      log.error({ workerPid: child.pid, code: message.error.code, stack: message.stack }, 'A worker cannot start here');
      return;
    }
    const { running } = slot;
    if (running === null || running.number !== message.number) return;
    switch (message.type) {
      case 'progress':
        running.stage = message.progress.stage;
        if (!running.options.signal.aborted) running.options.onProgress(message.progress);
        break;
      case 'landmarks':
        if (!running.options.signal.aborted) running.options.onLandmarks(message.landmarks);
        break;
      case 'done':
        finish(slot, message.rssBytes);
        if (running.options.signal.aborted) running.reject(new FacewrightError('FW_CANCELED', { stage: 'export' }));
        else running.resolve(message.result);
        break;
      case 'failed': {
        finish(slot, message.rssBytes);
        if (message.error.code === 'FW_INTERNAL') log.error({ ...running.fields, stack: message.stack }, 'A photo met a bug');
        const error = errorFromWire(message.error);
        error.stack = message.stack;
        running.reject(error);
        break;
      }
    }
  };

  /** The task is over; the process may take the next one, or is replaced. */
  const finish = (slot: Slot, rssBytes: number): void => {
    release(slot);
    slot.rssBytes = rssBytes;
    // A process that worked is sound.
    slot.failures = 0;
    if (slot.ending !== null) return;
    if (isClosing) {
      close(slot);
    } else if (rssBytes > options.memoryBytes) {
      log.warn({ workerPid: slot.child?.pid, rssBytes, limitBytes: options.memoryBytes }, 'A worker holds too much memory');
      slot.state = 'starting';
      slot.ending = 'memory';
      end(slot, 'memory');
    } else {
      slot.state = 'idle';
      serve(slot);
    }
  };

  const release = (slot: Slot): void => {
    const { running } = slot;
    if (running === null) return;
    clearTimeout(running.timeout);
    clearTimeout(running.cancelTimer);
    running.options.signal.removeEventListener('abort', running.onAbort);
    running.options.killSignal?.removeEventListener('abort', running.onKill);
    slot.running = null;
  };

  const onExit = (slot: Slot, child: ChildProcess | null, code: number | null, signal: NodeJS.Signals | null): void => {
    if (slot.child !== child) return;
    clearTimeout(slot.startTimer);
    slot.child = null;
    slot.rssBytes = null;
    const { running, ending } = slot;
    release(slot);
    const wasStarting = slot.state === 'starting' && ending !== 'memory';
    slot.state = 'starting';
    if (running !== null) {
      const isCanceled = running.options.signal.aborted;
      if (!isCanceled || ending === 'timeout')
        log.error(
          {
            ...running.fields,
            workerPid: child?.pid,
            exitStatus: code,
            signal,
            reason: ending ?? 'crash',
            stage: running.stage,
            stderr: slot.stderr,
          },
          'A worker process ended while it worked on a photo',
        );
      running.reject(
        isCanceled
          ? new FacewrightError('FW_CANCELED', { stage: running.stage })
          : new FacewrightError('FW_WORKER_LOST', { attempts: 1 }, { cause: new Error(slot.stderr.trim() || `${signal ?? code}`) }),
      );
    } else if (ending === null && !isClosing) {
      log.error({ workerPid: child?.pid, exitStatus: code, signal, stderr: slot.stderr }, 'A worker process ended');
    }
    if (isClosing) return;
    beginOthers();
    const reason: RestartReason = ending === null || ending === 'close' ? (wasStarting ? 'start' : 'crash') : ending;
    restarts++;
    options.onRestart?.(reason);
    const diedAtStart = wasStarting || (running === null && ending === null && Date.now() - slot.startedAt < SETTLED_MS);
    slot.failures = diedAtStart ? slot.failures + 1 : 0;
    if (!hasStarted && slots.every((s) => s.failures >= (startError === undefined ? MAX_FIRST_STARTS : 1))) {
      settleStarted.reject(
        startError ??
          new FacewrightError('FW_INTERNAL', { what: 'worker processes end while they start' }, { cause: new Error(slot.stderr) }),
      );
    }
    const pauseMs = slot.failures === 0 ? 0 : Math.min(MAX_BACKOFF_MS, backoffMs * 2 ** (slot.failures - 1));
    slot.restartTimer = setTimeout(() => begin(slot), pauseMs);
  };

  const end = (slot: Slot, reason: RestartReason): void => {
    slot.ending = reason;
    slot.child?.kill('SIGKILL');
  };

  const close = (slot: Slot): void => {
    const { child } = slot;
    if (child === null || slot.ending === 'close') return;
    slot.ending = 'close';
    tell(child, { type: 'close' });
    const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_GRACE_MS);
    child.once('exit', () => clearTimeout(timer));
  };

  const serve = (slot: Slot): void => waiting.shift()?.start(slot);

  for (let i = 0; i < size; i++) {
    const slot: Slot = {
      child: null,
      state: 'starting',
      running: null,
      ending: null,
      startedAt: 0,
      failures: 0,
      restartTimer: undefined,
      startTimer: undefined,
      rssBytes: null,
      stderr: '',
    };
    slots.push(slot);
  }
  // The first one alone, so that it is warm as soon as it can be; then all others at once, whatever became of it.
  begin(slots[0]);

  return {
    size,
    started: () => started,
    isReady: () => !isClosing && slots.some((slot) => slot.state !== 'starting'),
    run: (task, runOptions) =>
      new Promise<WorkerResult>((resolve, reject) => {
        const { signal } = runOptions;
        const canceled = (stage: string): FacewrightError => new FacewrightError('FW_CANCELED', { stage });
        if (signal.aborted || isClosing) {
          reject(canceled('decode'));
          return;
        }
        const start = (slot: Slot): void => {
          signal.removeEventListener('abort', onAbortWaiting);
          const child = slot.child!;
          const number = ++lastNumber;
          const fields = { requestId: task.requestId, jobId: task.jobId, tenant: task.tenant };
          slot.state = 'busy';
          const running: Running = {
            number,
            options: runOptions,
            resolve,
            reject,
            fields,
            stage: 'decode',
            timeout: setTimeout(() => end(slot, 'timeout'), options.taskTimeoutMs),
            cancelTimer: undefined,
            onAbort() {
              tell(child, { type: 'cancel', number });
              running.cancelTimer = setTimeout(() => end(slot, 'cancel'), cancelGraceMs);
            },
            onKill: () => end(slot, 'cancel'),
          };
          slot.running = running;
          signal.addEventListener('abort', running.onAbort, { once: true });
          runOptions.killSignal?.addEventListener('abort', running.onKill, { once: true });
          tell(child, { type: 'run', number, task });
        };
        const entry = { start, reject };
        const onAbortWaiting = (): void => {
          const at = waiting.indexOf(entry);
          if (at < 0) return;
          waiting.splice(at, 1);
          reject(canceled('decode'));
        };
        const idle = slots.find((slot) => slot.state === 'idle');
        if (idle !== undefined) {
          start(idle);
          return;
        }
        waiting.push(entry);
        signal.addEventListener('abort', onAbortWaiting, { once: true });
      }),
    stats: () => ({
      size,
      busy: slots.filter((slot) => slot.state === 'busy').length,
      restarts,
      workers: slots.flatMap(({ child, state, rssBytes }) => (child?.pid === undefined ? [] : [{ pid: child.pid, state, rssBytes }])),
    }),
    async close(graceMs) {
      if (!isClosing) {
        isClosing = true;
        for (const { reject } of waiting.splice(0)) reject(new FacewrightError('FW_CANCELED', { stage: 'decode' }));
        settleStarted.reject(new FacewrightError('FW_CANCELED', { stage: 'start' }));
      }
      const gone = slots.map((slot) => {
        clearTimeout(slot.restartTimer);
        clearTimeout(slot.startTimer);
        const { child } = slot;
        if (child === null) return Promise.resolve();
        const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
        // One that still loads cannot listen.
        if (slot.state === 'starting') child.kill('SIGKILL');
        else if (slot.state === 'idle') close(slot);
        return exit;
      });
      const timer = setTimeout(() => {
        for (const slot of slots) slot.child?.kill('SIGKILL');
      }, graceMs);
      await Promise.all(gone);
      clearTimeout(timer);
    },
  };
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, NICENESS);
  } catch {
    // Not allowed here, or gone already: it works all the same.
  }
}

function tell(child: ChildProcess, message: ToWorker): void {
  // A process that just died reports by its `exit`.
  if (child.connected) child.send(message, () => {});
}

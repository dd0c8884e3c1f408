import { ERRORS, FacewrightError } from '@facewright/protocol';
import { type ReadConfigInput, readConfig } from './config/read-config.ts';
import { createLog } from './observability/create-log.ts';
import type { ServiceRole } from './start-service.ts';
import { openWorkerPool } from './workers/open-worker-pool.ts';
import type { FirstWorker } from './workers/start-first-worker.ts';

export interface ServiceProcessInput extends ReadConfigInput {
  readonly role: ServiceRole;
  /** Aborted by the first SIGTERM or SIGINT: drain and end. */
  readonly signal: AbortSignal;
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean | undefined };
  /** Told how long draining may take, before the process listens. */
  readonly onGrace?: (graceMs: number) => void;
  /** A worker process that the program has started already. */
  readonly firstWorker?: FirstWorker | undefined;
}

const LEFTOVER_MS = 200;
/** After the time to drain, before the program kills itself. */
const KILL_MS = 1000;
/** Exit status of a bug (sysexits.h EX_SOFTWARE). */
const EXIT_BUG = 70;

/**
 * Runs the service as the whole of this process, until `signal`: JSON lines on stdout, or on a terminal the address and warnings only.
 *
 * @returns exit status: 0, or that of FW_QUEUE_UNAVAILABLE where running work could neither be finished nor handed back in time
 * @throws FW_CONFIG_INVALID and what {@link startService} throws
 */
export async function runServiceProcess(input: ServiceProcessInput): Promise<number> {
  const { role, signal, stdout } = input;
  const { config, settings, unknownVariables } = readConfig(input);
  const isTerminal = stdout.isTTY === true;
  const sourceOf = (name: string) => settings.find((setting) => setting.name === name)?.source;
  const isQuiet = isTerminal && sourceOf('logLevel') === 'default';
  const log = createLog(isQuiet ? 'warn' : config.logLevel, role, isTerminal ? stdout : undefined);
  for (const name of unknownVariables) log.warn({ variable: name }, 'This variable is no setting; `facewright config` prints them all');
  // A promise that nobody waits for or a callback that throws: the state is unknown, so the process ends and is started anew.
  const onBug = (error: unknown): void => {
    log.error({ error }, 'A bug ends this process');
    process.exit(EXIT_BUG);
  };
  process.prependListener('uncaughtException', onBug);
  process.prependListener('unhandledRejection', onBug);
  const workers = role === 'api' ? null : openWorkerPool(config, log, input.firstWorker);
  // Everything else is loaded only now that the workers load, too.
  const { maxDrainMs, startService } = await import('./start-service.ts');
  input.onGrace?.(maxDrainMs(config) + KILL_MS);
  const service = await startService({ role, config, log, isAdminOptional: sourceOf('adminPort') === 'default', workers });
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    await Promise.race([service.ready(), aborted]);
  } catch (error) {
    await service.drain();
    throw error instanceof FacewrightError && error.code !== 'FW_CANCELED'
      ? error
      : new FacewrightError('FW_INTERNAL', { what: 'no worker could be started' }, { cause: error });
  }
  if (!signal.aborted) {
    log.info({}, 'Ready');
    if (isTerminal) {
      const address = service.url?.replace('//127.0.0.1:', '//localhost:');
      stdout.write(
        address === undefined ? 'Facewright works on jobs of the queue.\n' : `Facewright is ready: ${address}${config.basePath}\n`,
      );
      stdout.write(`  Results are kept in ${config.dataDir} for ${formatDuration(config.resultTtlS)}; photos are not. Ctrl-C ends it.\n`);
    }
  }
  await aborted;
  const status = (await service.drain()) ? 0 : ERRORS.FW_QUEUE_UNAVAILABLE.exit;
  // Whatever a library forgot to close must not keep the process.
  setTimeout(() => process.exit(status), LEFTOVER_MS).unref();
  return status;
}

function formatDuration(seconds: number): string {
  const [size, unit] = seconds >= 7200 ? [3600, 'hours'] : seconds >= 120 ? [60, 'minutes'] : [1, 'seconds'];
  return `${Math.round(seconds / size)} ${unit}`;
}

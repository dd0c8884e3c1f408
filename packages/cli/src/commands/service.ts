import type { CommandContext } from '../command-context.ts';

/** Values of the flags that were given, by name of the setting; `config` is the path of the file. */
export type ServiceFlags = Readonly<Record<string, unknown>>;

/** `facewright serve`, `api`, `worker`: runs until a signal. Returns the exit status. */
export async function runService(role: 'serve' | 'api' | 'worker', flags: ServiceFlags, { io }: CommandContext): Promise<number> {
  const { runServiceProcess } = await import('@facewright/service');
  return runServiceProcess({
    role,
    flags,
    env: io.env,
    cwd: io.cwd,
    signal: io.signal ?? new AbortController().signal,
    stdout: io.stdout,
    firstWorker: io.firstWorker,
    ...(io.onGrace === undefined ? {} : { onGrace: io.onGrace }),
  });
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** The built program, as users run it. */
const BIN = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));
/** Loading a worker takes half a second; on a machine that does other things many times that. */
const START_TIMEOUT_MS = 300_000;

export interface Program {
  readonly pid: number;
  /** JSON lines of stdout so far. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** Everything on stderr so far. */
  stderr(): string;
  /** Resolves with the first line that matches, past or to come; rejects when the process ends before. */
  line(message: string): Promise<Readonly<Record<string, unknown>>>;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Starts `facewright …` as a process of its own. */
export function startProgram(args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const child: ChildProcess = spawn(process.execPath, [BIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...withoutSettings(process.env), FACEWRIGHT_ADMIN_PORT: '0', ...env },
  });
  const lines: Record<string, unknown>[] = [];
  const waiters = new Set<() => void>();
  let rest = '';
  let stderr = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop()!;
    for (const part of parts) if (part.startsWith('{')) lines.push(JSON.parse(part));
    for (const waiter of waiters) waiter();
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exited = once(child, 'exit').then(([code, signal]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null }));
  return {
    pid: child.pid!,
    lines,
    stderr: () => stderr,
    exited,
    line: (message) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`no line "${message}": ${stderr} ${JSON.stringify(lines.slice(-5))}`)),
          START_TIMEOUT_MS,
        );
        const look = (): void => {
          const found = lines.find((line) => line.msg === message);
          if (found === undefined) return;
          clearTimeout(timer);
          waiters.delete(look);
          resolve(found);
        };
        waiters.add(look);
        look();
        void exited.then(({ code, signal }) => {
          clearTimeout(timer);
          look();
          reject(new Error(`the program ended (${code ?? signal}) before "${message}": ${stderr} ${JSON.stringify(lines.slice(-5))}`));
        });
      }),
    async end(signal) {
      child.kill(signal);
      return exited;
    },
  };
}

/** A port of loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

function withoutSettings(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('FACEWRIGHT_') || name === 'FACEWRIGHT_CACHE_DIR');
  return Object.fromEntries(kept.filter(([name]) => name !== 'PORT')) as Record<string, string>;
}

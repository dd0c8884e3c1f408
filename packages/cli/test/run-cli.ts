import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CommandContext } from '../src/command-context.ts';
import { createLocalMaker } from '../src/make/create-local-maker.ts';
import { run } from '../src/run.ts';
import { createFakeEngine, type FakeEngineModule } from './fake-engine.ts';

export interface CliResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly engine: FakeEngineModule;
}

/** Runs the command line in this process with a fake engine, and catches what it writes. */
export async function runCli(
  argv: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: Record<string, string>;
    readonly isTTY?: boolean;
    readonly signal?: AbortSignal;
    readonly engine?: FakeEngineModule;
    readonly replace?: Partial<CommandContext>;
  } = {},
): Promise<CliResult> {
  const engine = options.engine ?? createFakeEngine();
  const written = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      written[name] += text;
    },
    isTTY: options.isTTY ?? false,
    columns: 100,
  });
  const engineModule = async (): Promise<FakeEngineModule> => engine;
  const status = await run(
    argv,
    {
      stdout: sink('stdout'),
      stderr: sink('stderr'),
      env: options.env ?? {},
      cwd: options.cwd ?? tmpdir(),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
    { engineModule, createBatchMaker: async (makeOptions) => createLocalMaker(makeOptions, engineModule), ...options.replace },
  );
  return { status, ...written, engine };
}

/** A folder for one test, with files in it (name → text); removed afterwards. */
export function createFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'facewright-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Every file and empty folder below `folder`, sorted; folders end with a slash. Hidden ones too: a test sees what was left behind. */
export function listFiles(folder: string): string[] {
  const found: string[] = [];
  const walk = (inside: string): void => {
    const names = readdirSync(join(folder, inside));
    if (names.length === 0 && inside !== '') found.push(`${inside}/`);
    for (const name of names) {
      const path = inside === '' ? name : `${inside}/${name}`;
      if (statSync(join(folder, path)).isDirectory()) walk(path);
      else found.push(path);
    }
  };
  walk('');
  return found.sort();
}

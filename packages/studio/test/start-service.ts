import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface RunningService {
  /** With a slash at its end. */
  readonly url: string;
  /** A key of its one tenant. */
  readonly key: string;
  stop(): Promise<void>;
}

const program = fileURLToPath(new URL('../../cli/dist/bin.js', import.meta.url));

/** The real program on a free port, with one worker, one tenant and a folder of its own. */
export async function startService(settings: Readonly<Record<string, string>> = {}): Promise<RunningService> {
  const dataDir = await mkdtemp(join(tmpdir(), 'facewright-studio-'));
  const env = {
    ...process.env,
    FACEWRIGHT_DATA_DIR: dataDir,
    FACEWRIGHT_PORT: '0',
    FACEWRIGHT_ADMIN_PORT: '0',
    FACEWRIGHT_WORKERS: '1',
    FACEWRIGHT_DRAIN_GRACE_S: '1',
    ...settings,
  };
  const { stdout } = await promisify(execFile)(process.execPath, [program, 'keys', 'create', 'reader', '--json'], { env });
  const { key } = JSON.parse(stdout) as { key: string };
  const child = spawn(process.execPath, [program, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  let output = '';
  const address = await new Promise<string>((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      output += chunk.toString();
      const found = /"address":"([^"]+)"/.exec(output);
      if (found !== null) resolve(found[1]!);
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.on('exit', () => reject(new Error(`The service ended:\n${output}`)));
  });
  // Ready means that the first photo does not wait for the networks.
  for (let ready = false; !ready; ) {
    if (child.exitCode !== null) throw new Error(`The service ended:\n${output}`);
    ready = (await fetch(`${address}/readyz`).catch(() => null))?.ok ?? false;
    if (!ready) await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url: `${address}/`,
    key,
    async stop() {
      child.kill('SIGTERM');
      await exited;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A running S3-compatible server with nothing in it. */
export interface S3Server {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly stop: () => Promise<void>;
}

const PROGRAM = 'versitygw';
const START_TIMEOUT_MS = 15_000;
const CREDENTIALS = { accessKeyId: 'test-access', secretAccessKey: 'test-secret-of-no-value' };

/** Why tests with a real S3 server cannot run here, or null. How to get it: docs/decisions/s3-test-server.md. */
export const s3ServerMissing = (): string | null =>
  findProgram() === null ? `no ${PROGRAM} on PATH or in ~/go/bin (go install github.com/versity/versitygw/cmd/versitygw@v1.8.0)` : null;

function findProgram(): string | null {
  const dirs = [
    ...(process.env.PATH ?? '').split(delimiter),
    process.env.GOBIN ?? '',
    join(process.env.GOPATH ?? join(homedir(), 'go'), 'bin'),
  ];
  for (const dir of dirs) {
    if (dir === '') continue;
    const path = join(dir, PROGRAM);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next place.
    }
  }
  return null;
}

/** Starts a server on a free port of the loopback interface with its data in a temporary folder. */
export async function startS3Server(): Promise<S3Server> {
  const program = findProgram();
  if (program === null) throw new Error(`${PROGRAM} is missing`);
  const dir = await mkdtemp(join(tmpdir(), 'fw-s3-'));
  const port = await freePort();
  const child: ChildProcess = spawn(program, ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', dir], {
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH ?? '',
      HOME: dir,
      ROOT_ACCESS_KEY: CREDENTIALS.accessKeyId,
      ROOT_SECRET_KEY: CREDENTIALS.secretAccessKey,
    },
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const endpoint = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(endpoint))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${PROGRAM} did not start (exit code ${child.exitCode})`);
    }
    await delay(50);
  }
  return {
    endpoint,
    credentials: CREDENTIALS,
    kill: (signal) => void child.kill(signal),
    async stop() {
      child.kill('SIGCONT');
      child.kill('SIGKILL');
      await exited;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const answers = (endpoint: string): Promise<boolean> =>
  fetch(endpoint).then(
    (response) => (response.body?.cancel(), true),
    () => false,
  );

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

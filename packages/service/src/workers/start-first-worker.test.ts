import { describe, expect, it, onTestFinished } from 'vitest';
import { startFirstWorker } from './start-first-worker.ts';

const FAKE = { workerUrl: new URL('../../test/fake-worker.mjs', import.meta.url), execArgv: [] };

/** True while the process is there; ended ones are gone from the table as soon as Node has heard of their end. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('startFirstWorker', () => {
  it('hands its process over once, and leaves it alone then', async () => {
    const first = startFirstWorker(FAKE);
    const child = first.take()!;
    onTestFinished(() => void child.kill('SIGKILL'));
    expect(isAlive(child.pid!)).toBe(true);
    expect(first.take()).toBeNull();
    first.end();
    child.send({ type: 'close' });
    const [status, signal] = await new Promise<[number | null, string | null]>((resolve) => child.once('exit', (...args) => resolve(args)));
    // Ended by what it was told, not by a signal.
    expect({ status, signal }).toEqual({ status: 0, signal: null });
  });

  it('ends a process that nobody took', async () => {
    const first = startFirstWorker(FAKE);
    first.end();
    await expect.poll(() => first.take(), { timeout: 20_000 }).toBeNull();
  });
});

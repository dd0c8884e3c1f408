import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { JournalLock } from './journal-lock.ts';

describe('JournalLock', () => {
  const STALE_MS = 300;
  const makePath = async (): Promise<string> => {
    const dir = await mkdtemp(join(tmpdir(), 'facewright-lock-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    return join(dir, 'lock');
  };
  const foreign = JSON.stringify({ id: 'foreign', host: 'another-machine', pid: 1, started: null });

  /** Of a process that is no more: numbers end at 2^22. */
  const dead = JSON.stringify({ id: 'dead', host: hostname(), pid: 2 ** 22 + 1, started: null });

  it('is taken from a machine that does not touch it any more', async () => {
    const path = await makePath();
    await writeFile(path, foreign);
    const lock = await JournalLock.take(path, STALE_MS);
    lock.check();
    expect(await readFile(path, 'utf8')).not.toBe(foreign);
    lock.release();
    expect(await readdir(join(path, '..'))).toEqual([]);
  });

  it('is not taken from a machine that touches it', async () => {
    const path = await makePath();
    await writeFile(path, foreign);
    const touching = setInterval(() => void utimes(path, new Date(), new Date()), 50);
    onTestFinished(() => clearInterval(touching));
    await expect(JournalLock.take(path, STALE_MS)).rejects.toMatchObject({ code: 'FW_QUEUE_UNAVAILABLE' });
    expect(await readFile(path, 'utf8')).toBe(foreign);
  });

  it('goes to one of many who want it at once', async () => {
    // Many times: what went wrong once in a thousand was two who removed the same old lock.
    for (let round = 0; round < 200; round++) {
      const path = await makePath();
      await writeFile(path, round === 0 ? '{"id":"old"' : dead);
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => JournalLock.take(path, STALE_MS)));
      const taken = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
      expect(taken).toHaveLength(1);
      taken[0].release();
      expect(await readdir(join(path, '..'))).toEqual([]);
    }
  });

  it('is taken after others died while they took it', async () => {
    const path = await makePath();
    await writeFile(path, dead);
    for (const turn of [0, 1]) await writeFile(`${path}.evict-dead-${turn}`, dead);
    const lock = await JournalLock.take(path, STALE_MS);
    lock.release();
    expect(await readdir(join(path, '..'))).toEqual([]);
  });
});

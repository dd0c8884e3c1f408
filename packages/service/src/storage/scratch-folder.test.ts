import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createS3Storage } from './s3-storage.ts';
import { createScratchFolder } from './scratch-folder.ts';

const HOUR_S = 3_600;
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'fw-scratch-'));
});
afterEach(async () => await rm(root, { recursive: true, force: true }));

/** A folder with a photo's copy in it, `ageS` old. */
async function leave(name: string, ageS: number): Promise<void> {
  const then = Date.now() / 1000 - ageS;
  await mkdir(join(root, name), { recursive: true });
  await writeFile(join(root, name, 'copy-1'), 'a face');
  await utimes(join(root, name, 'copy-1'), then, then);
  await utimes(join(root, name), then, then);
}

describe('the scratch folder', () => {
  it('loses at once what processes of this host left that are dead, and keeps what others may need', async () => {
    const first = await createScratchFolder({ root });
    await first.close();
    const own = basename(first.dir);
    const [, host, pid, start] = own.split('-');
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    await leave(`of-${host}-${dead}-77`, 0);
    // The number of this process, once another's.
    if (start !== '0') await leave(`of-${host}-${pid}-${Number(start) - 1}`, 0);
    await leave('of-0123456789ab-1-77', 0);
    await leave('of-ba9876543210-1-77', 3 * HOUR_S);
    await leave('copies-of-an-older-version', 3 * HOUR_S);
    await leave(own, 0);
    const second = await createScratchFolder({ root });
    await second.close();
    expect((await readdir(root)).sort()).toEqual(['of-0123456789ab-1-77', own].sort());
    expect(second.dir).toBe(first.dir);
    expect(await readdir(second.dir)).toEqual(['copy-1']);
  });

  it('is looked through again while the process lives', async () => {
    const scratch = await createScratchFolder({ root, sweepEveryMs: 20 });
    try {
      await leave('of-ba9876543210-1-77', 3 * HOUR_S);
      await leave(basename(scratch.dir), 3 * HOUR_S);
      await expect.poll(async () => [await readdir(root), await readdir(scratch.dir)]).toEqual([[basename(scratch.dir)], []]);
    } finally {
      await scratch.close();
    }
  });

  it('is what storage in a bucket works in', async () => {
    await leave('put-old', 3 * HOUR_S);
    const storage = await createS3Storage({ bucket: 'b', endpoint: 'http://127.0.0.1:9', region: 'r', pathStyle: true, scratchDir: root });
    await storage.close();
    expect(await readdir(root)).toEqual([basename(storage.scratchDir)]);
    expect(basename(storage.scratchDir)).toMatch(/^of-/);
  });
});

import { mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheEntry } from './cache-entry.ts';
import { defaultCacheDir } from './default-cache-dir.ts';

describe('cacheEntry', () => {
  let dir: string;
  let made: number;
  const content = Uint8Array.from({ length: 5000 }, (_, i) => i);
  const make = () => {
    made++;
    return Promise.resolve(content);
  };
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'facewright-'));
    made = 0;
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('makes once and reads afterwards, from a folder that it creates', async () => {
    const deep = join(dir, 'a', 'b');
    expect(await cacheEntry(deep, 'n', make)).toMatchObject({ state: 'made', writeError: null });
    const again = await cacheEntry(deep, 'n', make);
    expect(again.state).toBe('hit');
    expect(Buffer.from(again.bytes).equals(content)).toBe(true);
    expect(made).toBe(1);
  });

  it.each([
    ['one byte changed', async (p: string) => writeFile(p, (await readFile(p)).fill(7, 100, 101))],
    ['cut off', (p: string) => truncate(p, 4000)],
    ['empty', (p: string) => truncate(p, 0)],
  ])('makes an entry anew that was damaged: %s', async (_, damage) => {
    await cacheEntry(dir, 'n', make);
    await damage(join(dir, 'n'));
    const mended = await cacheEntry(dir, 'n', make);
    expect(mended.state).toBe('made');
    expect(Buffer.from(mended.bytes).equals(content)).toBe(true);
    expect((await cacheEntry(dir, 'n', make)).state).toBe('hit');
  });

  it('keeps what was improved, and falls back to what was made', async () => {
    const improve = async (bytes: Uint8Array, scratchPath: string) => {
      await writeFile(
        scratchPath,
        bytes.map((b) => 255 - b),
      );
      return readFile(scratchPath);
    };
    const first = await cacheEntry(dir, 'n', make, improve);
    expect([first.isImproved, first.bytes[3]]).toEqual([true, 252]);
    expect((await cacheEntry(dir, 'n', make, improve)).bytes[3]).toBe(252);
    const failed = await cacheEntry(dir, 'm', make, () => Promise.reject(new Error('no')));
    expect([failed.isImproved, failed.state, failed.bytes[3]]).toEqual([false, 'off', 3]);
    expect((await cacheEntry(null, 'n', make, improve)).isImproved).toBe(false);
    expect(await readdir(dir)).toEqual(['n']);
  });

  it('makes the time of an entry that is used new, once a day', async () => {
    await cacheEntry(dir, 'n', make);
    const ageAfterUse = async (hours: number) => {
      const then = Date.now() / 1000 - hours * 3600;
      await utimes(join(dir, 'n'), then, then);
      expect((await cacheEntry(dir, 'n', make)).state).toBe('hit');
      return (Date.now() - (await stat(join(dir, 'n'))).mtimeMs) / 3600_000;
    };
    // Hours; half an hour for a slow machine and coarse file times.
    expect(await ageAfterUse(20)).toBeGreaterThan(19.5);
    expect(await ageAfterUse(30)).toBeLessThan(0.5);
  });

  it('gives every one of many concurrent starts the whole content and leaves one file', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => cacheEntry(dir, 'n', make)));
    for (const one of all) expect(Buffer.from(one.bytes).equals(content)).toBe(true);
    expect(await readdir(dir)).toEqual(['n']);
  });

  it('works without a folder that cannot be written, and says why', async () => {
    const file = join(dir, 'file');
    await writeFile(file, '');
    // A file where the folder should be: refused to every user, root included.
    expect(await cacheEntry(file, 'n', make)).toMatchObject({ state: 'off', writeError: expect.stringMatching(/EEXIST|ENOTDIR/) });
    expect(await cacheEntry(null, 'n', make)).toMatchObject({ state: 'off', writeError: null });
  });
});

describe('defaultCacheDir', () => {
  it.each([
    [{ FACEWRIGHT_CACHE_DIR: '/c', XDG_CACHE_HOME: '/x', HOME: '/h' }, 'linux', '/c'],
    [{ XDG_CACHE_HOME: '/x', HOME: '/h' }, 'linux', '/x/facewright'],
    [{ XDG_CACHE_HOME: 'relative', HOME: '/h' }, 'linux', '/h/.cache/facewright'],
    [{ HOME: '/h' }, 'darwin', '/h/Library/Caches/facewright'],
    [{ LOCALAPPDATA: '/l', HOME: '/h' }, 'win32', '/l/facewright/Cache'],
  ] as const)('%j on %s is %s', (env, platform, expected) => {
    expect(defaultCacheDir(env, platform)).toBe(expected);
  });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPhoto } from './read-photo.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'facewright-read-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('readPhoto', () => {
  it('reads a file whole', async () => {
    writeFileSync(join(folder, 'a.jpg'), 'abc');
    expect((await readPhoto(join(folder, 'a.jpg'))).toString()).toBe('abc');
  });

  it('does not wait for the other end of a pipe', async (ctx) => {
    if (process.platform === 'win32') ctx.skip('there are no named pipes in folders here');
    execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
    await expect(readPhoto(join(folder, 'pipe.jpg'))).rejects.toMatchObject({
      code: 'FW_PHOTO_UNREADABLE',
      params: { reason: 'it is not a file' },
    });
  });

  it('tells a folder, a missing file and one that is too long without reading it', async () => {
    await expect(readPhoto(folder)).rejects.toMatchObject({ code: 'FW_PHOTO_UNREADABLE', params: { reason: 'it is a folder' } });
    await expect(readPhoto(join(folder, 'b.jpg'))).rejects.toMatchObject({ params: { reason: 'there is no such file' } });
    writeFileSync(join(folder, 'long.jpg'), '');
    truncateSync(join(folder, 'long.jpg'), 2 ** 33);
    await expect(readPhoto(join(folder, 'long.jpg'))).rejects.toMatchObject({ code: 'FW_PHOTO_TOO_MANY_BYTES' });
  });
});

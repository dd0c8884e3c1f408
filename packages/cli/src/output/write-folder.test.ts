import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { mountTmpfs } from '../../test/mount-tmpfs.ts';
import { createFolder, listFiles } from '../../test/run-cli.ts';
import { REPORT_NAME } from './finished-result.ts';
import { checkTarget, writeFolder } from './write-folder.ts';

/** Files of a result, with the report that names them. */
function resultOf(files: Readonly<Record<string, string>>): Map<string, Uint8Array> {
  const map = new Map<string, Uint8Array>(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]));
  const list = [...map].map(([name, data]) => ({ name, bytes: data.byteLength, sha256: '' }));
  map.set(REPORT_NAME, Buffer.from(JSON.stringify({ facewright: '0', run: { fingerprint: 'f' }, files: list })));
  return map;
}

const elsewhere = { cwd: '/' };

/** A file system of 1 MB in the test's folder. Skips with the reason where it cannot be made. */
function smallDisk(context: TestContext, folder: string): { readonly remount: (options: string) => void } {
  const disk = mountTmpfs(folder, '1m');
  if (typeof disk === 'string') {
    context.skip(disk);
    throw new Error('not reached');
  }
  onTestFinished(disk.unmount);
  return disk;
}

describe('writeFolder', () => {
  it('writes every file, also into folders inside, and leaves nothing else', async () => {
    const folder = createFolder();
    await writeFolder(join(folder, 'a/b/face'), resultOf({ 'face.glb': 'glb', 'face-1/x.png': 'png' }), elsewhere);
    expect(listFiles(folder)).toEqual(['a/b/face/face-1/x.png', 'a/b/face/face.glb', 'a/b/face/report.json']);
    expect(readFileSync(join(folder, 'a/b/face/face-1/x.png'), 'utf8')).toBe('png');
  });

  it('makes folders with the permissions that the user has set, not private ones', async () => {
    const folder = createFolder();
    mkdirSync(join(folder, 'like'));
    await writeFolder(join(folder, 'face'), resultOf({ 'face.glb': 'glb' }), elsewhere);
    expect(statSync(join(folder, 'face')).mode).toBe(statSync(join(folder, 'like')).mode);
  });

  it('replaces an older result completely', async () => {
    const folder = createFolder();
    await writeFolder(join(folder, 'face'), resultOf({ 'face.glb': 'old', 'face.obj': 'old', 'face-1/a': 'old' }), elsewhere);
    await writeFolder(join(folder, 'face'), resultOf({ 'face.glb': 'new' }), elsewhere);
    expect(listFiles(folder)).toEqual(['face/face.glb', 'face/report.json']);
    expect(readFileSync(join(folder, 'face/face.glb'), 'utf8')).toBe('new');
  });

  it('takes an empty folder', async () => {
    const folder = createFolder();
    mkdirSync(join(folder, 'face'));
    await writeFolder(join(folder, 'face'), resultOf({ 'face.glb': 'new' }), elsewhere);
    expect(listFiles(folder)).toEqual(['face/face.glb', 'face/report.json']);
  });

  it('refuses a folder with files of somebody else and names them; with force it writes beside them', async () => {
    const folder = createFolder({ 'face/diary.txt': 'mine', 'face/sub/x': 'mine' });
    const files = resultOf({ 'face.glb': 'new' });
    await expect(writeFolder(join(folder, 'face'), files, elsewhere)).rejects.toMatchObject({
      code: 'FW_OUTPUT_NOT_WRITABLE',
      message: expect.stringContaining('diary.txt, sub'),
    });
    expect(listFiles(folder)).toEqual(['face/diary.txt', 'face/sub/x']);
    await writeFolder(join(folder, 'face'), files, { ...elsewhere, force: true });
    await writeFolder(join(folder, 'face'), resultOf({ 'face.obj': 'newer' }), { ...elsewhere, force: true });
    expect(listFiles(folder)).toEqual(['face/diary.txt', 'face/face.obj', 'face/report.json', 'face/sub/x']);
  });

  it('counts a file added to a result as somebody else’s', async () => {
    const folder = createFolder();
    await writeFolder(join(folder, 'face'), resultOf({ 'face.glb': 'old' }), elsewhere);
    writeFileSync(join(folder, 'face/scene.blend'), 'mine');
    await expect(checkTarget(join(folder, 'face'), elsewhere)).rejects.toMatchObject({ code: 'FW_OUTPUT_NOT_WRITABLE' });
  });

  it('is not led outside by a report that somebody edited', async () => {
    const folder = createFolder({ 'precious.txt': 'mine', 'face/other.txt': 'x' });
    const report = { facewright: '0', run: { fingerprint: 'f' }, files: [{ name: '../precious.txt', bytes: 4 }] };
    writeFileSync(join(folder, 'face/report.json'), JSON.stringify(report));
    await writeFolder(join(folder, 'face'), resultOf({ 'face.glb': 'new' }), { ...elsewhere, force: true });
    expect(readFileSync(join(folder, 'precious.txt'), 'utf8')).toBe('mine');
  });

  it('does not move the folder that the user stands in, or one above it', async () => {
    const folder = createFolder();
    mkdirSync(join(folder, 'here'));
    const before = statSync(join(folder, 'here')).ino;
    await writeFolder(join(folder, 'here'), resultOf({ 'face.glb': '1', 'face.obj': '1' }), { cwd: join(folder, 'here') });
    await writeFolder(join(folder, 'here'), resultOf({ 'face.glb': '2' }), { cwd: join(folder, 'here') });
    expect(statSync(join(folder, 'here')).ino).toBe(before);
    expect(listFiles(folder)).toEqual(['here/face.glb', 'here/report.json']);
  });

  it('keeps a link to a folder a link', async () => {
    const folder = createFolder();
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'face'));
    await writeFolder(join(folder, 'face'), resultOf({ 'face.glb': '1' }), elsewhere);
    expect(listFiles(join(folder, 'real'))).toEqual(['face.glb', 'report.json']);
  });

  it.each([
    ['is a file', 'file', 'not a folder'],
    ['lies below a file', 'file/face', 'not a folder'],
  ])('refuses a target that %s', async (_, target, reason) => {
    const folder = createFolder({ file: 'x' });
    await expect(writeFolder(join(folder, target), resultOf({ a: 'b' }), elsewhere)).rejects.toMatchObject({
      code: 'FW_OUTPUT_NOT_WRITABLE',
      message: expect.stringContaining(reason),
    });
    expect(listFiles(folder)).toEqual(['file']);
  });

  it('leaves the old result and no folder of its own when it is canceled', async () => {
    const folder = createFolder();
    await writeFolder(join(folder, 'face'), resultOf({ 'face.glb': 'old' }), elsewhere);
    const options = { ...elsewhere, signal: AbortSignal.abort() };
    await expect(writeFolder(join(folder, 'face'), resultOf({ 'face.glb': 'new' }), options)).rejects.toMatchObject({
      code: 'FW_CANCELED',
    });
    await expect(writeFolder(join(folder, 'a/b/face'), resultOf({ x: '' }), options)).rejects.toMatchObject({ code: 'FW_CANCELED' });
    expect(listFiles(folder)).toEqual(['face/face.glb', 'face/report.json']);
    expect(readFileSync(join(folder, 'face/face.glb'), 'utf8')).toBe('old');
  });

  it('removes what a killed run left hours ago, but not what another run is writing now', async () => {
    const folder = createFolder({ '.face.facewright-old/x': '', '.face.facewright-new/x': '', '.other.facewright-old/x': '' });
    const hoursAgo = new Date(Date.now() - 2 * 3_600_000);
    for (const name of ['.face.facewright-old', '.other.facewright-old']) utimesSync(join(folder, name), hoursAgo, hoursAgo);
    await writeFolder(join(folder, 'face'), resultOf({ 'face.glb': '' }), elsewhere);
    expect(listFiles(folder)).toEqual(['.face.facewright-new/x', '.other.facewright-old/x', 'face/face.glb', 'face/report.json']);
  });

  it('leaves the old result and nothing else when the disk is full', async (context) => {
    const folder = createFolder();
    smallDisk(context, join(folder, 'disk'));
    const target = join(folder, 'disk/face');
    await writeFolder(target, resultOf({ 'face.glb': 'old' }), elsewhere);
    const tooBig = resultOf({ 'a.png': 'fits', 'face.glb': 'x'.repeat(2e6) });
    await expect(writeFolder(target, tooBig, elsewhere)).rejects.toMatchObject({ code: 'FW_OUTPUT_DISK_FULL', exitStatus: 74 });
    await expect(writeFolder(join(folder, 'disk/new/face'), tooBig, elsewhere)).rejects.toMatchObject({ code: 'FW_OUTPUT_DISK_FULL' });
    expect(listFiles(folder)).toEqual(['disk/face/face.glb', 'disk/face/report.json']);
    expect(readFileSync(join(target, 'face.glb'), 'utf8')).toBe('old');
  });

  it('writes into a mount point, which cannot be renamed', async (context) => {
    const folder = createFolder();
    smallDisk(context, join(folder, 'disk'));
    await writeFolder(join(folder, 'disk'), resultOf({ 'face.glb': '1', 'face.obj': '1' }), elsewhere);
    await writeFolder(join(folder, 'disk'), resultOf({ 'face.glb': '2' }), elsewhere);
    expect(listFiles(folder)).toEqual(['disk/face.glb', 'disk/report.json']);
    const tooBig = resultOf({ 'face.glb': 'x'.repeat(2e6) });
    await expect(writeFolder(join(folder, 'disk'), tooBig, elsewhere)).rejects.toMatchObject({ code: 'FW_OUTPUT_DISK_FULL' });
    expect(readFileSync(join(folder, 'disk/face.glb'), 'utf8')).toBe('2');
    expect(listFiles(folder)).toEqual(['disk/face.glb', 'disk/report.json']);
  });

  it('refuses a read-only file system before any work', async (context) => {
    const folder = createFolder();
    smallDisk(context, join(folder, 'disk')).remount('ro');
    for (const target of ['disk', 'disk/face', 'disk/a/b/face']) {
      await expect(checkTarget(join(folder, target), elsewhere)).rejects.toMatchObject({
        code: 'FW_OUTPUT_NOT_WRITABLE',
        exitStatus: 73,
        message: expect.stringContaining('read-only'),
      });
    }
  });

  it('refuses a folder that the user may not write', async (context) => {
    if (process.getuid?.() === 0) return context.skip('root may write everywhere; the read-only file system stands for it');
    const folder = createFolder();
    mkdirSync(join(folder, 'locked'));
    chmodSync(join(folder, 'locked'), 0o555);
    await expect(checkTarget(join(folder, 'locked/face'), elsewhere)).rejects.toMatchObject({
      code: 'FW_OUTPUT_NOT_WRITABLE',
      message: expect.stringContaining('permission denied'),
    });
  });
});

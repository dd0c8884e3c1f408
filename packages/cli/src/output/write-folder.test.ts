import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import { mountTmpfs } from '../../test/mount-tmpfs.ts';
import { createFolder, listFiles } from '../../test/run-cli.ts';
import { REPORT_NAME } from './finished-result.ts';
import { removeTemporaryPaths } from './temporary-paths.ts';
import { checkTarget, writeFolder } from './write-folder.ts';

// The renames can be made to fail; without that they are the real ones.
vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  return { ...fs, renameSync: vi.fn(fs.renameSync) };
});

/** Lets the renames from number `first` up to before `end` (from 1) fail, after `meanwhile` ran. */
async function failRenames(first: number, end: number, meanwhile: () => void = () => {}): Promise<void> {
  const fs = await vi.importActual<typeof import('node:fs')>('node:fs');
  let count = 0;
  vi.mocked(renameSync).mockImplementation((from, to) => {
    count++;
    if (count < first || count >= end) return fs.renameSync(from, to);
    meanwhile();
    throw Object.assign(new Error('broken'), { code: 'EIO' });
  });
  onTestFinished(() => {
    vi.mocked(renameSync).mockImplementation(fs.renameSync);
  });
}

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
    const written = writeFolder(join(folder, 'face'), resultOf({ 'face.glb': 'new' }), { ...elsewhere, force: true });
    // Such a report counts as somebody else's file.
    await expect(written).rejects.toThrow('report.json: it is there already and Facewright did not make it');
    expect(listFiles(folder)).toEqual(['face/other.txt', 'face/report.json', 'precious.txt']);
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

  it('keeps the old result when its place is taken away but the new one does not get it, even if the process ends just then', async () => {
    const folder = createFolder();
    await writeFolder(join(folder, 'face'), resultOf({ 'face.glb': 'old' }), elsewhere);
    // What the process does when it ends.
    await failRenames(2, 3, removeTemporaryPaths);
    await expect(writeFolder(join(folder, 'face'), resultOf({ 'face.glb': 'new' }), elsewhere)).rejects.toMatchObject({
      code: 'FW_OUTPUT_NOT_WRITABLE',
    });
    expect(listFiles(folder)).toEqual(['face/face.glb', 'face/report.json']);
    expect(readFileSync(join(folder, 'face/face.glb'), 'utf8')).toBe('old');
  });

  it('keeps the old result aside when it cannot even be put back, and puts it back when there is a next time', async () => {
    const folder = createFolder();
    await writeFolder(join(folder, 'face'), resultOf({ 'face.glb': 'old' }), elsewhere);
    const dayAgo = new Date(Date.now() - 24 * 3_600_000);
    utimesSync(join(folder, 'face'), dayAgo, dayAgo);
    await failRenames(2, 4);
    await expect(writeFolder(join(folder, 'face'), resultOf({ 'face.glb': 'new' }), elsewhere)).rejects.toThrow();
    removeTemporaryPaths();
    const [left] = listFiles(folder);
    expect(left).toMatch(/^\.face\.facewright-[0-9a-f]+-old\/face\.glb$/);
    // Its age is counted from now on, not from when it was made.
    expect(Date.now() - statSync(join(folder, left!, '..')).mtimeMs).toBeLessThan(60_000);
    expect(await checkTarget(join(folder, 'face'), elsewhere)).toBe('swap');
    expect(readFileSync(join(folder, 'face/face.glb'), 'utf8')).toBe('old');
    expect(listFiles(folder)).toEqual(['face/face.glb', 'face/report.json']);
  });

  // Three renames take the old files aside, three bring the new ones.
  it.each([1, 2, 3, 4, 5, 6])('keeps the old files in a folder that it may not replace when rename %i of six fails', async (number) => {
    const folder = createFolder({ 'face/diary.txt': 'mine' });
    const force = { ...elsewhere, force: true };
    await writeFolder(join(folder, 'face'), resultOf({ 'face.glb': 'old', 'face-1/x': 'old' }), force);
    const before = listFiles(folder);
    await failRenames(number, number + 1, removeTemporaryPaths);
    const files = resultOf({ 'face.glb': 'new', 'face-2/y': 'new' });
    await expect(writeFolder(join(folder, 'face'), files, force)).rejects.toMatchObject({ code: 'FW_OUTPUT_NOT_WRITABLE' });
    expect(listFiles(folder)).toEqual(before);
    expect(readFileSync(join(folder, 'face/face.glb'), 'utf8')).toBe('old');
  });

  it.each([
    ['a folder', 'face/preview.png/mine.txt', /preview\.png: a folder has this name/],
    ['a file', 'face/preview.png', /preview\.png: it is there already/],
    ['a file for a folder', 'face/face-1', /face-1 in it is a file/],
  ])('with force, touches nothing when %s of somebody else is in the way', async (_, name, message) => {
    const folder = createFolder({ 'face/diary.txt': 'mine' });
    const force = { ...elsewhere, force: true };
    await writeFolder(join(folder, 'face'), resultOf({ 'face.glb': 'old', 'face.obj': 'old' }), force);
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), 'mine');
    const before = listFiles(folder);
    const files = resultOf({ 'face.glb': 'new', 'preview.png': 'new', 'face-1/x': 'new' });
    await expect(writeFolder(join(folder, 'face'), files, force)).rejects.toMatchObject({
      code: 'FW_OUTPUT_NOT_WRITABLE',
      message: expect.stringMatching(message),
    });
    expect(listFiles(folder)).toEqual(before);
    expect(readFileSync(join(folder, 'face/face.glb'), 'utf8')).toBe('old');
    expect(readFileSync(join(folder, name), 'utf8')).toBe('mine');
  });

  it('leaves no empty folders of an older result where it writes beside other files', async () => {
    const folder = createFolder({ 'face/diary.txt': 'mine' });
    const force = { ...elsewhere, force: true };
    await writeFolder(join(folder, 'face'), resultOf({ 'face-1/x': '1', 'face-2/x': '1' }), force);
    await writeFolder(join(folder, 'face'), resultOf({ 'face-1/x': '1' }), force);
    expect(listFiles(folder)).toEqual(['face/diary.txt', 'face/face-1/x', 'face/report.json']);
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

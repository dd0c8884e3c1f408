import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFolder, listFiles } from '../../test/run-cli.ts';
import { REPORT_NAME } from './finished-result.ts';
import { putBackResult } from './put-back-result.ts';
import { writeFolder } from './write-folder.ts';

/** A result with its report, as name → text. */
function resultOf(files: Readonly<Record<string, string>>): Record<string, string> {
  const list = Object.entries(files).map(([name, text]) => ({
    name,
    bytes: text.length,
    sha256: createHash('sha256').update(text).digest('hex'),
  }));
  return { ...files, [REPORT_NAME]: JSON.stringify({ facewright: '0', run: { fingerprint: 'f' }, files: list }) };
}

const inside = (folder: string, files: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));

const readAll = (folder: string): Record<string, string> =>
  Object.fromEntries(listFiles(folder).map((name) => [name, name.endsWith('/') ? '' : readFileSync(join(folder, name), 'utf8')]));

const OLD = resultOf({ 'face.glb': 'old', 'face-1/a.png': 'old' });
const NEW = resultOf({ 'face.glb': 'new', 'albedo.png': 'new', 'face-2/b.png': 'new' });
const HOURS_AGO = new Date(Date.now() - 5 * 3_600_000);

describe('putBackResult', () => {
  it('puts back the result of a run that was killed between its two renames, however old the result is', async () => {
    const folder = createFolder({ ...inside('.face.facewright-abc-old', OLD), ...inside('.face.facewright-abc', NEW) });
    utimesSync(join(folder, '.face.facewright-abc-old'), HOURS_AGO, HOURS_AGO);
    // A run that does not get far enough to make anything new.
    const options = { cwd: '/', signal: AbortSignal.abort() };
    const files = new Map([['face.glb', Buffer.from('newer')]]);
    await expect(writeFolder(join(folder, 'face'), files, options)).rejects.toMatchObject({ code: 'FW_CANCELED' });
    expect(readAll(join(folder, 'face'))).toEqual(OLD);
  });

  it('takes the youngest of several, and none of another target', async () => {
    const older = resultOf({ 'face.glb': 'older' });
    const folder = createFolder({
      ...inside('.face.facewright-abc-old', older),
      ...inside('.face.facewright-def-old', OLD),
      ...inside('.faces.facewright-ghi-old', older),
    });
    utimesSync(join(folder, '.face.facewright-abc-old'), HOURS_AGO, HOURS_AGO);
    await putBackResult(join(folder, 'face'));
    expect(readAll(join(folder, 'face'))).toEqual(OLD);
    await putBackResult(join(folder, 'elsewhere'));
    expect(listFiles(folder).filter((name) => name.startsWith('elsewhere'))).toEqual([]);
  });

  it('leaves a target that is there as it is', async () => {
    const folder = createFolder({ ...inside('.face.facewright-abc-old', OLD), ...inside('face', NEW), 'empty/.keep': '' });
    await putBackResult(join(folder, 'face'));
    expect(readAll(join(folder, 'face'))).toEqual(NEW);
    await putBackResult(join(folder, 'empty'));
    expect(listFiles(join(folder, 'empty'))).toEqual(['.keep']);
  });

  // The order in which `writeFolder` moves files into a folder that it cannot replace.
  const MOVES: readonly (readonly [from: string, name: string, to: string])[] = [
    ['', 'report.json', '.facewright-abc-old'],
    ['', 'face.glb', '.facewright-abc-old'],
    ['', 'face-1/a.png', '.facewright-abc-old'],
    ['.facewright-abc', 'face.glb', ''],
    ['.facewright-abc', 'albedo.png', ''],
    ['.facewright-abc', 'face-2/b.png', ''],
    ['.facewright-abc', 'report.json', ''],
  ];

  it.each(MOVES.map((_, count) => count))('puts the files back after %i of seven renames, beside those of somebody else', async (count) => {
    const folder = createFolder({ ...OLD, ...inside('.facewright-abc', NEW), 'diary.txt': 'mine', 'sub/albedo.png': 'mine' });
    for (const [from, name, to] of MOVES.slice(0, count)) {
      mkdirSync(dirname(join(folder, to, name)), { recursive: true });
      renameSync(join(folder, from, name), join(folder, to, name));
    }
    await putBackResult(folder);
    const found = Object.entries(readAll(folder)).filter(([name]) => !name.startsWith('.facewright-abc/') && !name.endsWith('/'));
    expect(Object.fromEntries(found)).toEqual({ ...OLD, 'diary.txt': 'mine', 'sub/albedo.png': 'mine' });
  });

  it('does not take a file of somebody else for one of its own', async () => {
    const folder = createFolder({ ...inside('.facewright-abc-old', OLD), ...inside('.facewright-abc', NEW) });
    renameSync(join(folder, '.facewright-abc/albedo.png'), join(folder, 'gone.png'));
    writeFileSync(join(folder, 'albedo.png'), 'mine');
    await putBackResult(folder);
    expect(readFileSync(join(folder, 'albedo.png'), 'utf8')).toBe('mine');
  });
});

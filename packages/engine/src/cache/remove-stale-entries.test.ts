import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeStaleEntries } from './remove-stale-entries.ts';

const HOUR = 1;
const DAY = 24;
const CURRENT = 'face-detector-0123456789abcdef-v2-1.27.0-aaaaaaaa.onnx';
const OTHER = 'face-detector-0123456789abcdef-v1-1.27.0-bbbbbbbb.onnx';
const unfinished = (name: string) => `${name}.4242.01234567-89ab-4cde-8f01-23456789abcd.tmp`;

describe('removeStaleEntries', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'facewright-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it.each<[string, string, ageHours: number, isKept: boolean]>([
    ['an unfinished file of a killed start', unfinished(CURRENT), 1.1 * HOUR, false],
    ['an unfinished file of another version', unfinished(OTHER), 1.1 * HOUR, false],
    ['a file that another start is writing', unfinished(CURRENT), 0.9 * HOUR, true],
    ['an entry of another version that nobody uses', OTHER, 31 * DAY, false],
    ['an entry of another version that was used lately', OTHER, 29 * DAY, true],
    ['the entry just made, whatever the clock of the disk', CURRENT, 400 * DAY, true],
    ['the other network', OTHER.replace('detector', 'landmarks'), 400 * DAY, true],
    ['a model that is called alike', 'face-detector-mine.onnx', 400 * DAY, true],
    ['a picture of the same folder', 'face-detector-0123456789abcdef-v1-plain.onnx.png', 400 * DAY, true],
    ['somebody’s temporary file', 'face-detector.tmp', 400 * DAY, true],
  ])('%s', async (_, name, ageHours, isKept) => {
    await writeFile(join(dir, name), '');
    const then = Date.now() / 1000 - ageHours * 3600;
    await utimes(join(dir, name), then, then);
    await removeStaleEntries(dir, 'face-detector', CURRENT);
    expect(await readdir(dir)).toEqual(isKept ? [name] : []);
  });

  it('says nothing of a folder that is not there', async () => {
    await expect(removeStaleEntries(join(dir, 'none'), 'face-detector', CURRENT)).resolves.toBeUndefined();
  });
});

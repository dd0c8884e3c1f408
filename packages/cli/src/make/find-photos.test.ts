import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFolder } from '../../test/run-cli.ts';
import { findPhotos } from './find-photos.ts';

const REPORT = JSON.stringify({ facewright: '0', run: { fingerprint: 'f' }, files: [] });

async function namesOf(args: string[], folder: string): Promise<string[]> {
  const { photos } = await findPhotos(args, folder);
  return photos.map(({ path, error }) =>
    error === undefined ? path.slice(folder.length + 1) : `${error.code} ${error.message.slice(12)}`,
  );
}

describe('findPhotos', () => {
  it('takes a file whatever its ending is: the content decides', async () => {
    const folder = createFolder({ 'photo.heic': 'x', plain: 'x' });
    expect(await namesOf(['photo.heic', 'plain'], folder)).toEqual(['photo.heic', 'plain']);
    expect((await findPhotos(['plain'], folder)).isSingle).toBe(true);
    const { photos } = await findPhotos(['gone'], folder);
    expect(photos).toMatchObject([{ path: join(folder, 'gone'), error: { code: 'FW_PHOTO_UNREADABLE', exitStatus: 66 } }]);
  });

  it('takes the photos of a folder by their endings, sorted, without folders below and hidden files, and counts the rest', async () => {
    const folder = createFolder({ 'd/b.JPG': '', 'd/a.png': '', 'd/c.txt': '', 'd/.x.jpg': '', 'd/sub/z.jpg': '' });
    expect(await namesOf(['d'], folder)).toEqual(['d/a.png', 'd/b.JPG']);
    expect(await findPhotos(['d'], folder)).toMatchObject({ isSingle: false, leftOut: 1 });
  });

  it('expands patterns that the shell did not', async () => {
    const folder = createFolder({ 'd/a.jpg': '', 'd/b.png': '', 'd/c.txt': '', 'd/sub/z.jpg': '' });
    expect(await namesOf(['d/*.jpg'], folder)).toEqual(['d/a.jpg']);
    expect(await namesOf(['d/**/*.{jpg,png}'], folder)).toEqual(['d/a.jpg', 'd/b.png', 'd/sub/z.jpg']);
    expect(await namesOf(['d/[ab].*'], folder)).toEqual(['d/a.jpg', 'd/b.png']);
    expect(await namesOf([join(folder, 'd/?.jpg')], folder)).toEqual(['d/a.jpg']);
  });

  it('takes a name with brackets as a name when there is such a file', async () => {
    const folder = createFolder({ 'me [1].jpg': '', 'me 1.jpg': '' });
    expect(await namesOf(['me [1].jpg'], folder)).toEqual(['me [1].jpg']);
  });

  it('does not take the textures of earlier results for photos', async () => {
    const folder = createFolder({
      'a.png': '',
      'a/albedo.png': '',
      'a/report.json': REPORT,
      'b/face-1/albedo.png': '',
      'b/report.json': REPORT,
      'c/report.json': '{"not": "ours"}',
      'c/c.png': '',
    });
    expect(await namesOf(['**/*.png'], folder)).toEqual(['a.png', 'c/c.png']);
  });

  it('names each photo once, in the order of the arguments', async () => {
    const folder = createFolder({ 'a.jpg': '', 'b.jpg': '' });
    expect(await namesOf(['b.jpg', '.', './b.jpg', 'a.jpg'], folder)).toEqual(['b.jpg', 'a.jpg']);
  });

  it('turns what cannot be read into an entry with its reason', async () => {
    const folder = createFolder({ 'empty/note.txt': '', 'a.jpg': '' });
    symlinkSync('nowhere', join(folder, 'dangling.jpg'));
    execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
    expect(await namesOf(['nope.jpg', 'empty', '*.webp', 'dangling.jpg', 'pipe.jpg', 'a.jpg/x', 'a.jpg'], folder)).toEqual([
      'FW_PHOTO_UNREADABLE nope.jpg: there is no such file',
      'FW_PHOTO_UNREADABLE empty: the folder holds no photos (jpg, jpeg, jpe, jfif, png, webp, avif, tif, tiff, gif)',
      'FW_PHOTO_UNREADABLE *.webp: no photo matches this pattern',
      'FW_PHOTO_UNREADABLE dangling.jpg: there is no such file',
      'FW_PHOTO_UNREADABLE pipe.jpg: it is not a file',
      'FW_PHOTO_UNREADABLE a.jpg/x: a part of the path is a file, not a folder',
      'a.jpg',
    ]);
  });
});

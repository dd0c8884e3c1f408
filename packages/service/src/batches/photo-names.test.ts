import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanPhotoName, createFolderNames } from './photo-names.ts';

describe('names of photos', () => {
  it.each([
    ['me.jpg', 'me.jpg'],
    ['/home/anna/me.jpg', 'me.jpg'],
    ['C:\\Users\\Anna\\me.jpg', 'me.jpg'],
    ['../../etc/passwd', 'passwd'],
    ['e\u0301.jpg', '\u00e9.jpg'],
    ['gpj.exe\u202e.jpg', 'gpj.exe.jpg'],
    ['a\0b\nc.jpg', 'abc.jpg'],
    ['..', 'photo'],
    ['', 'photo'],
    [undefined, 'photo'],
  ])('%j becomes %j', (name, cleaned) => {
    expect(cleanPhotoName(name)).toBe(cleaned);
  });

  it('become folders that differ, whatever they are', () => {
    expect(createFolderNames(['me.jpg', 'ME.png', 'me', 'CON.jpg', 'a:b?.jpg', '...', 'Zoë Müller.jpeg'])).toEqual([
      'me',
      'ME-2',
      'me-3',
      '_CON',
      'a_b_',
      'photo',
      'Zoë Müller',
    ]);
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 30 }), (names) => {
        const folders = createFolderNames(names.map(cleanPhotoName));
        expect(folders).toHaveLength(names.length);
        expect(new Set(folders.map((folder) => folder.toLowerCase())).size).toBe(names.length);
        for (const folder of folders) {
          expect(folder).toMatch(/^[^\\/:*?"<>|\p{Cc}]{1,90}$/u);
          expect(folder).not.toMatch(/^[. ]|[. ]$/);
        }
      }),
    );
  });
});

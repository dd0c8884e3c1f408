import { expect, it } from 'vitest';
import { checkPhoto } from './check-photo.ts';
import { judgePixels } from './judge-light.ts';
import { readImageType } from './read-image-type.ts';

const bytes = (...parts: (string | number)[]) =>
  Uint8Array.from(parts.flatMap((p) => (typeof p === 'number' ? [p] : [...p].map((c) => c.charCodeAt(0)))));
const ftyp = (...brands: string[]) => bytes(0, 0, 0, 28, 'ftyp', brands[0]!, 0, 0, 0, 0, ...brands.slice(1));

it.each([
  ['jpeg', bytes(0xff, 0xd8, 0xff, 0xe1)],
  ['png', bytes(0x89, 'PNG\r\n', 0x1a, '\n')],
  ['gif', bytes('GIF89a')],
  ['webp', bytes('RIFF', 1, 2, 3, 4, 'WEBPVP8 ')],
  ['tiff', bytes('II*', 0)],
  ['tiff', bytes('MM', 0, '*')],
  ['avif', ftyp('avif', 'mif1', 'miaf')],
  ['avif', ftyp('mif1', 'avif')],
  ['heic', ftyp('heic', 'mif1')],
  [null, ftyp('isom', 'mp42')],
  [null, bytes('%PDF-1.7')],
  [null, bytes('<svg xmlns')],
  [null, bytes()],
])('knows %s by its first bytes', (type, head) => {
  expect(readImageType(head)).toBe(type);
});

it('sends what the service takes, and says why not', async () => {
  const jpeg = new Blob([bytes(0xff, 0xd8, 0xff), new Uint8Array(97)], { type: 'text/plain' });
  expect(await checkPhoto(jpeg, 100)).toBe(jpeg);
  expect(await checkPhoto(jpeg, 99)).toEqual({ code: 'tooLarge', bytes: 100, maxBytes: 99 });
  expect(await checkPhoto(new Blob([]))).toEqual({ code: 'empty' });
  expect(await checkPhoto(new Blob(['hello']))).toEqual({ code: 'notImage' });
  // Node has no createImageBitmap, as most browsers cannot read HEIC.
  expect(await checkPhoto(new Blob([ftyp('heic')]))).toEqual({ code: 'heic' });
});

it('judges the light by the middle of the picture', () => {
  const picture = (left: number, right: number, border = 128) => {
    const pixels = new Uint8ClampedArray(4 * 60 * 40).fill(border);
    for (let y = 8; y < 32; y++) for (let x = 20; x < 40; x++) pixels.fill(x < 30 ? left : right, 4 * (y * 60 + x), 4 * (y * 60 + x) + 3);
    return judgePixels(pixels, 60, 40);
  };
  expect([picture(120, 130), picture(30, 35), picture(235, 240), picture(60, 180), picture(180, 60)]).toEqual([
    'good',
    'dark',
    'bright',
    'uneven',
    'uneven',
  ]);
  expect(picture(120, 130, 0)).toBe('good');
});

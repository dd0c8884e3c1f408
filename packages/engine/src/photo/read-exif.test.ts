import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createPlain } from '../../test/photo-fixtures.ts';
import { readExif } from './read-exif.ts';

const plain = () => createPlain(64, 48, { r: 90, g: 90, b: 90 });
const CAMERA = {
  FocalLength: '42/10',
  FocalLengthIn35mmFilm: '26',
  FocalPlaneXResolution: '12345/10',
  FocalPlaneResolutionUnit: '3',
  DigitalZoomRatio: '2/1',
};
const FIELDS = {
  focalLengthMm: 4.2,
  focalLength35Mm: 26,
  focalPlanePxPerMm: 123.45,
  declaredWidth: 64, // libvips writes the real size
  declaredHeight: 48,
  digitalZoom: 2,
};
const NOTHING = {
  focalLengthMm: null,
  focalLength35Mm: null,
  focalPlanePxPerMm: null,
  declaredWidth: null,
  declaredHeight: null,
  digitalZoom: 1,
};

async function createExif(): Promise<Uint8Array> {
  const { exif } = await sharp(await plain().withExif({ IFD2: CAMERA }).jpeg().toBuffer()).metadata();
  return new Uint8Array(exif!);
}

describe('readExif', () => {
  it('reads what libexif wrote', async () => {
    expect(readExif(await createExif())).toEqual(FIELDS);
  });

  it('reads both byte orders', () => {
    for (const little of [true, false]) {
      const view = new DataView(new ArrayBuffer(80));
      view.setUint16(0, little ? 0x4949 : 0x4d4d);
      view.setUint16(2, 42, little);
      view.setUint32(4, 8, little);
      view.setUint16(8, 1, little);
      const entry = (at: number, tag: number, type: number, value: number): void => {
        view.setUint16(at, tag, little);
        view.setUint16(at + 2, type, little);
        view.setUint32(at + 4, 1, little);
        if (type === 3) view.setUint16(at + 8, value, little);
        else view.setUint32(at + 8, value, little);
      };
      entry(10, 0x8769, 4, 30);
      view.setUint16(30, 2, little);
      entry(32, 0x920a, 5, 64);
      entry(44, 0xa405, 3, 35);
      view.setUint32(64, 50, little);
      view.setUint32(68, 2, little);
      expect(readExif(new Uint8Array(view.buffer))).toMatchObject({ focalLengthMm: 25, focalLength35Mm: 35 });
    }
  });

  it('gives nothing for what is not EXIF, and for zero denominators', async () => {
    expect(readExif(new Uint8Array(0))).toEqual(NOTHING);
    expect(readExif(new TextEncoder().encode('Exif\0\0hello hello'))).toEqual(NOTHING);
    const exif = await createExif();
    const bytes = exif.slice();
    // 42/10 mm becomes 42/0 mm.
    const at = bytes.findIndex(
      (_, i) => bytes[i] === 42 && bytes[i + 4] === 10 && bytes[i + 1] + bytes[i + 2] + bytes[i + 3] + bytes[i + 5] === 0,
    );
    bytes[at + 4] = 0;
    expect(readExif(bytes).focalLengthMm).toBeNull();
  });

  it('never throws on damaged blocks and never gives a number that is not positive', async () => {
    const exif = await createExif();
    const damage = fc.record({
      length: fc.nat(exif.length),
      at: fc.array(fc.tuple(fc.nat(exif.length - 1), fc.nat(255)), { maxLength: 8 }),
    });
    fc.assert(
      fc.property(damage, ({ length, at }) => {
        const bytes = exif.slice();
        for (const [i, value] of at) bytes[i] = value;
        for (const value of Object.values(readExif(bytes.subarray(0, length))))
          expect(value === null || (value > 0 && Number.isFinite(value))).toBe(true);
      }),
    );
  });
});

import { readdir, readFile } from 'node:fs/promises';
import { isFacewrightError } from '@facewright/protocol';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  ALL_FORMATS,
  type BadInput,
  concat,
  createAnimation,
  createBadInputs,
  createFlatJpeg,
  createMarkedPicture,
  createPlain,
  encodeAs,
  measureMark,
  pngChunk,
  sharpFromRgb,
} from '../../test/photo-fixtures.ts';
import { requireShared } from '../../test/shared-files.ts';
import { openPhoto } from './open-photo.ts';
import type { Photo, PhotoFormat, PhotoView } from './photo.ts';

const SKIN = { r: 200, g: 80, b: 60 };

async function errorOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (e) {
    if (isFacewrightError(e)) return e.code;
    throw e;
  }
  return 'none';
}

const codesOf = (photo: Photo): string[] => photo.warnings.map((w) => w.code);

/** Colour in the middle of a decoded picture. */
function centreOf({ raster }: PhotoView): number[] {
  const at = 3 * ((raster.height >> 1) * raster.width + (raster.width >> 1));
  return [...raster.rgb.subarray(at, at + 3)];
}

describe('coordinates of what is decoded', () => {
  /** Largest distance of a mark from where the view says it is, raster pixels; marks near the border of the view are left out. */
  function measureWorst(view: PhotoView, marks: readonly (readonly [number, number])[], sigmaPx: number): number {
    let worst = 0;
    let seen = 0;
    for (const [x, y] of marks) {
      const expected = [(x - view.x) / view.scaleX, (y - view.y) / view.scaleY] as const;
      const sigma = sigmaPx / Math.min(view.scaleX, view.scaleY);
      const room = Math.min(...expected, view.raster.width - expected[0], view.raster.height - expected[1]);
      if (room < 4 * sigma) continue;
      const found = measureMark(view.raster, expected, sigma);
      worst = Math.max(worst, Math.hypot(found[0] - expected[0], found[1] - expected[1]));
      seen++;
    }
    expect(seen).toBeGreaterThan(0);
    return worst;
  }

  // Rounding to 8 bits and lossy coding move a centroid by up to 0.02 pixels; a wrong rule for the size of reduced JPEGs by 0.3 to 1.
  const TOLERANCE_PX = 0.06;

  it.each(['jpeg', 'png', 'webp', 'avif', 'tiff'] as const)('are exact for %s at every reduction', async (format) => {
    const picture = createMarkedPicture(1003, 757); // neither divides by 2
    const photo = await openPhoto(await encodeAs(sharpFromRgb(picture), format));
    for (const reduction of [1, 1.3, 2.05, 2.9, 3.01, 4.3, 5.1, 7.9, 9.2, 11]) {
      const view = await photo.decode({ longSidePx: Math.round(1003 / reduction) });
      expect(view.raster.width).toBeGreaterThanOrEqual(Math.round(1003 / reduction));
      expect(measureWorst(view, picture.marks, picture.sigmaPx), `${format} reduced ${reduction}`).toBeLessThan(TOLERANCE_PX);
    }
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'are those of the upright photo for orientation %i, reduced or not, whole or in part',
    async (orientation) => {
      const upright = createMarkedPicture(805, 603);
      const file = await storeTurned(upright, orientation);
      const photo = await openPhoto(file);
      expect(photo).toMatchObject({ width: 805, height: 603, orientation });
      const region = { x: 130.4, y: 85.2, width: 500, height: 400 };
      for (const longSidePx of [805, 500, 260, 120]) {
        const whole = await photo.decode({ longSidePx });
        expect(measureWorst(whole, upright.marks, upright.sigmaPx)).toBeLessThan(TOLERANCE_PX);
        const part = await photo.decode({ region, longSidePx });
        expect(measureWorst(part, upright.marks, upright.sigmaPx)).toBeLessThan(TOLERANCE_PX);
        // The part covers the region, and little more.
        expect(part.x).toBeLessThanOrEqual(region.x);
        expect(part.y).toBeLessThanOrEqual(region.y);
        expect(part.x + part.raster.width * part.scaleX).toBeGreaterThanOrEqual(region.x + region.width);
        expect(part.y + part.raster.height * part.scaleY).toBeGreaterThanOrEqual(region.y + region.height);
        expect(part.raster.width * part.scaleX).toBeLessThan(region.width + 2 + 2 * part.scaleX);
      }
    },
  );

  it.each(['webp', 'png', 'avif', 'tiff'] as const)('follow the orientation that %s carries', async (format) => {
    const upright = createMarkedPicture(400, 300);
    const photo = await openPhoto(await storeTurned(upright, 6, format));
    expect([photo.width, photo.height]).toEqual([400, 300]);
    expect(measureWorst(await photo.decode({}), upright.marks, upright.sigmaPx)).toBeLessThan(TOLERANCE_PX);
  });

  it('give the same pixels for a part as for the whole', async () => {
    const picture = createMarkedPicture(640, 480);
    const photo = await openPhoto(await encodeAs(sharpFromRgb(picture), 'jpeg'));
    const whole = await photo.decode({});
    const part = await photo.decode({ region: { x: 100, y: 50, width: 200, height: 120 } });
    expect(part).toMatchObject({ x: 100, y: 50, scaleX: 1, scaleY: 1, raster: { width: 200, height: 120 } });
    for (let y = 0; y < 120; y++) {
      const at = 3 * ((50 + y) * 640 + 100);
      expect(Buffer.compare(part.raster.rgb.subarray(600 * y, 600 * (y + 1)), whole.raster.rgb.subarray(at, at + 600))).toBe(0);
    }
  });

  it('clip a region to the photo and refuse one outside', async () => {
    const photo = await openPhoto(await encodeAs(createPlain(300, 200, SKIN), 'jpeg'));
    const view = await photo.decode({ region: { x: -50, y: 150, width: 120, height: 120 } });
    expect(view).toMatchObject({ x: 0, y: 150, raster: { width: 70, height: 50 } });
    // The last columns fall outside the grid of a JPEG that is reduced eightfold; the answer still has a pixel.
    const corner = await photo.decode({ region: { x: 299, y: 199, width: 1, height: 1 }, longSidePx: 1 });
    expect(corner.raster.width).toBe(1);
    for (const region of [
      { x: 300, y: 0, width: 10, height: 10 },
      { x: 0, y: 0, width: 0, height: 10 },
      { x: Number.NaN, y: 0, width: 10, height: 10 },
    ]) {
      expect(await errorOf(photo.decode({ region }))).toBe('FW_ARG_INVALID');
    }
    expect(await errorOf(photo.decode({ longSidePx: Number.NaN }))).toBe('FW_ARG_INVALID');
  });

  /** A file whose pixels are turned such that its orientation tag makes them upright again. */
  async function storeTurned(upright: Parameters<typeof sharpFromRgb>[0], orientation: number, format: PhotoFormat = 'jpeg') {
    // libvips turns by the tag; the inverse of 6 is 8 and of 8 is 6, all others undo themselves.
    const inverse = orientation === 6 ? 8 : orientation === 8 ? 6 : orientation;
    const tagged = await sharpFromRgb(upright).withMetadata({ orientation: inverse }).png().toBuffer();
    const stored = await sharp(tagged).autoOrient().png().toBuffer();
    return encodeAs(sharp(stored).withMetadata({ orientation }), format);
  }
});

describe('pixels of every kind of photo', () => {
  it.each(ALL_FORMATS)('%s', async (format) => {
    const photo = await openPhoto(await encodeAs(createPlain(96, 64, SKIN), format));
    expect(photo).toMatchObject({ width: 96, height: 64, format, orientation: 1, isGrey: false, exifFocalPx: null });
    expect(codesOf(photo)).toEqual([]);
    for (const [i, v] of centreOf(await photo.decode({})).entries()) expect(Math.abs(v - Object.values(SKIN)[i])).toBeLessThanOrEqual(2); // lossy
  });

  // Grey of this colour, Rec. 709 luma of linear light as libvips has it.
  const GREY = 119;
  const cmyk = () => createPlain(96, 64, SKIN).toColourspace('cmyk');
  const wide = () => createPlain(96, 64, SKIN).toColourspace('rgb16');
  it.each<[string, () => Promise<Uint8Array>, number[], number]>([
    ['grey JPEG', () => createPlain(96, 64, SKIN).toColourspace('b-w').jpeg().toBuffer(), [GREY, GREY, GREY], 1],
    ['grey PNG', () => createPlain(96, 64, SKIN).toColourspace('b-w').png().toBuffer(), [GREY, GREY, GREY], 1],
    ['16-bit grey PNG', () => createPlain(96, 64, SKIN).toColourspace('grey16').png().toBuffer(), [GREY, GREY, GREY], 1],
    ['16-bit PNG', () => wide().png().toBuffer(), [200, 80, 60], 1],
    ['16-bit TIFF', () => wide().tiff({ compression: 'lzw' }).toBuffer(), [200, 80, 60], 1],
    ['10-bit AVIF', () => wide().avif({ bitdepth: 10, effort: 0 }).toBuffer(), [200, 80, 60], 2],
    ['palette PNG', () => createPlain(96, 64, SKIN).png({ palette: true }).toBuffer(), [200, 80, 60], 1],
    // Adobe-inverted, as libvips and Photoshop write it. Through the built-in CMYK profile and back: inks cannot do all of it.
    ['CMYK JPEG', () => cmyk().jpeg({ quality: 95 }).toBuffer(), [200, 80, 60], 24],
    ['CMYK TIFF', () => cmyk().tiff({ compression: 'lzw' }).toBuffer(), [200, 80, 60], 24],
    ['CMYK JPEG with profile', () => createPlain(96, 64, SKIN).withIccProfile('cmyk').jpeg({ quality: 95 }).toBuffer(), [200, 80, 60], 26],
    ['Display P3 JPEG', () => createPlain(96, 64, SKIN).withIccProfile('p3').jpeg({ quality: 95 }).toBuffer(), [200, 80, 60], 2],
    ['Display P3 WebP', () => createPlain(96, 64, SKIN).withIccProfile('p3').webp({ lossless: true }).toBuffer(), [200, 80, 60], 1],
    ['Display P3 AVIF', () => createPlain(96, 64, SKIN).withIccProfile('p3').avif({ effort: 0, quality: 90 }).toBuffer(), [200, 80, 60], 2],
    ['16-bit Display P3 PNG', () => wide().withIccProfile('p3').png().toBuffer(), [200, 80, 60], 1],
    ['transparent PNG', () => createPlain(96, 64, SKIN, 0).png().toBuffer(), [128, 128, 128], 1],
    ['half transparent PNG', () => createPlain(96, 64, SKIN, 0.5).png().toBuffer(), [164, 104, 94], 1],
    ['transparent WebP', () => createPlain(96, 64, SKIN, 0).webp().toBuffer(), [128, 128, 128], 1],
    ['transparent GIF', () => createPlain(96, 64, SKIN, 0).gif().toBuffer(), [128, 128, 128], 1],
    ['progressive JPEG', () => createPlain(96, 64, SKIN).jpeg({ progressive: true, quality: 95 }).toBuffer(), [200, 80, 60], 2],
    ['interlaced PNG', () => createPlain(96, 64, SKIN).png({ progressive: true }).toBuffer(), [200, 80, 60], 1],
    ['tiled TIFF', () => createPlain(96, 64, SKIN).tiff({ tile: true, compression: 'deflate' }).toBuffer(), [200, 80, 60], 1],
    ['first frame of an animated GIF', () => createAnimation(96, 64, 3), [200, 60, 90], 2],
    ['first frame of an animated WebP', () => createAnimation(96, 64, 3, 'webp'), [200, 60, 90], 6],
  ])('%s', async (name, make, expected, tolerance) => {
    const photo = await openPhoto(new Uint8Array(await make()));
    expect(photo.isGrey).toBe(name.includes('grey'));
    expect(codesOf(photo)).toEqual(name.includes('grey') ? ['PHOTO_GREY'] : name.includes('animated') ? ['PHOTO_ANIMATED'] : []);
    for (const longSidePx of [96, 30]) {
      const colour = centreOf(await photo.decode({ longSidePx }));
      for (const [i, v] of colour.entries()) expect(Math.abs(v - expected[i]), `${colour} for ${expected}`).toBeLessThanOrEqual(tolerance);
    }
  });

  it('a profile that is broken is ignored with a warning', async () => {
    const png = new Uint8Array(await createPlain(96, 64, SKIN).withIccProfile('p3').jpeg({ quality: 95 }).toBuffer());
    const at = new TextDecoder('latin1').decode(png).indexOf('acsp');
    const photo = await openPhoto(png.slice().fill(0, at, at + 4));
    expect(codesOf(photo)).toEqual(['PHOTO_PROFILE_IGNORED']);
    expect((await photo.decode({})).raster.width).toBe(96);
  });

  it('an animated PNG says so', async () => {
    const png = await encodeAs(createPlain(96, 64, SKIN), 'png');
    const control = pngChunk('acTL', new Uint8Array([0, 0, 0, 5, 0, 0, 0, 0]));
    const photo = await openPhoto(concat([png.subarray(0, 33), control, png.subarray(33)]));
    expect(codesOf(photo)).toEqual(['PHOTO_ANIMATED']);
    expect(photo.warnings[0].params).toEqual({ frames: 5 });
  });

  it('an extension of the same format gives no warning, however it is written', async () => {
    const jpeg = await encodeAs(createPlain(96, 64, SKIN), 'jpeg');
    for (const fileName of ['a.jpg', 'B.JPEG', 'x.y.jfif', 'no extension', '/tmp/.hidden/photo', undefined]) {
      expect(codesOf(await openPhoto(jpeg, {}, fileName === undefined ? {} : { fileName }))).toEqual([]);
    }
    expect(codesOf(await openPhoto(jpeg, {}, { fileName: 'a.webp' }))).toEqual(['PHOTO_EXTENSION']);
  });

  it('reads the focal length from EXIF', async () => {
    const jpeg = await createPlain(1200, 800, SKIN)
      .withExif({ IFD2: { FocalLengthIn35mmFilm: '50' } })
      .jpeg()
      .toBuffer();
    const photo = await openPhoto(new Uint8Array(jpeg));
    expect(photo.exifFocalPx).toBeCloseTo((50 / 36) * 1200, 6);
  });

  it('is decoded to the same bytes every time', async () => {
    const photo = await openPhoto(await encodeAs(sharpFromRgb(createMarkedPicture(640, 480)), 'jpeg'));
    const views = await Promise.all([1, 2, 3].map(() => photo.decode({ longSidePx: 200 })));
    for (const view of views) expect(Buffer.compare(view.raster.rgb, views[0].raster.rgb)).toBe(0);
  });
});

describe('bad input', () => {
  let inputs: BadInput[];
  beforeAll(async () => {
    inputs = await createBadInputs();
  });

  it('gives each its code, or its warning, before anything large is decoded', async () => {
    for (const { name, bytes, fileName, error, warning } of inputs) {
      const work = openPhoto(bytes, {}, { fileName }).then(async (photo) => {
        await photo.decode({ longSidePx: 512 });
        expect(codesOf(photo), name).toEqual([warning].filter((c) => c !== undefined));
      });
      expect(await errorOf(work), name).toBe(error ?? 'none');
    }
  });

  it('refuses more bytes, more pixels or shorter sides than the limits say, and limits that are none', async () => {
    const png = await encodeAs(createPlain(100, 80, SKIN), 'png');
    expect(await errorOf(openPhoto(png, { maxBytes: png.length }))).toBe('none');
    expect(await errorOf(openPhoto(png, { maxBytes: png.length - 1 }))).toBe('FW_PHOTO_TOO_MANY_BYTES');
    expect(await errorOf(openPhoto(png, { maxPixels: 8000 }))).toBe('none');
    expect(await errorOf(openPhoto(png, { maxPixels: 7999 }))).toBe('FW_PHOTO_TOO_MANY_PIXELS');
    expect(await errorOf(openPhoto(png, { minSidePx: 80 }))).toBe('none');
    expect(await errorOf(openPhoto(png, { minSidePx: 81 }))).toBe('FW_PHOTO_TOO_SMALL');
    expect(await errorOf(openPhoto(png, { maxPixels: Number.NaN }))).toBe('FW_ARG_INVALID');
    expect(await errorOf(openPhoto('photo.png' as unknown as Uint8Array))).toBe('FW_ARG_INVALID');
  });

  it('allows half as many pixels where the decoder holds all of them until the last pass', async () => {
    const plain = createPlain(100, 80, SKIN);
    for (const [bytes, limit] of [
      [await plain.clone().jpeg({ progressive: true }).toBuffer(), 16_000],
      [await plain.clone().png({ progressive: true }).toBuffer(), 16_000],
      [await plain.clone().jpeg().toBuffer(), 8000],
      [await plain.clone().png().toBuffer(), 8000],
    ] as const) {
      expect(await errorOf(openPhoto(bytes, { maxPixels: limit }))).toBe('none');
      expect(await errorOf(openPhoto(bytes, { maxPixels: limit - 2 }))).toBe('FW_PHOTO_TOO_MANY_PIXELS');
    }
  });

  it('stops a decode that takes too long', async () => {
    const photo = await openPhoto(await createFlatJpeg(8000, 8000), { maxDecodeMs: 1 });
    expect(await errorOf(photo.decode({}))).toBe('FW_PHOTO_DECODE_TIMEOUT');
  });

  it('stops when the caller cancels, before or during the decode', async () => {
    const photo = await openPhoto(await createFlatJpeg(4000, 4000));
    expect(await errorOf(photo.decode({ signal: AbortSignal.abort() }))).toBe('FW_CANCELED');
    const controller = new AbortController();
    const work = errorOf(photo.decode({ signal: controller.signal }));
    setTimeout(() => controller.abort(), 1);
    expect(await work).toBe('FW_CANCELED');
    expect((await photo.decode({ longSidePx: 100 })).raster.width).toBeGreaterThanOrEqual(100);
  });

  it('answers every damaged file with a code of the photo, or with pixels', { timeout: 120_000 }, async () => {
    let state = 7;
    const random = (n: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    for (const format of ALL_FORMATS) {
      const good = await encodeAs(sharpFromRgb(createMarkedPicture(72, 56)), format);
      for (let i = 0; i < 60; i++) {
        const bytes = good.slice(0, i % 3 === 0 ? random(good.length) : good.length);
        // Half of the damage in the header, where it does most.
        for (let k = random(4); k >= 0; k--) bytes[random(i % 2 === 0 ? Math.min(bytes.length, 200) : bytes.length)] = random(256);
        const code = await errorOf(
          openPhoto(bytes, { maxPixels: 1e6, maxDecodeMs: 5000 }).then((photo) => photo.decode({ longSidePx: 50 })),
        );
        expect(code === 'none' || code.startsWith('FW_PHOTO_'), `${format} ${i}: ${code}`).toBe(true);
      }
    }
  });
});

describe('a file that ends too early', () => {
  const cut = (bytes: Uint8Array, ratio: number): Uint8Array => bytes.slice(0, Math.round(ratio * bytes.length));
  const load = async (bytes: Uint8Array): Promise<string> => errorOf(openPhoto(bytes).then((photo) => photo.decode({ longSidePx: 300 })));
  let picture: ReturnType<typeof createMarkedPicture>;
  beforeAll(() => {
    picture = createMarkedPicture(640, 480);
  });

  it.each(ALL_FORMATS)('is refused wherever it is cut: %s', async (format) => {
    const good = await encodeAs(sharpFromRgb(picture), format);
    expect(await load(good)).toBe('none');
    for (const ratio of [0.01, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97])
      expect(await load(cut(good, ratio)), `cut at ${ratio}`).toBe('FW_PHOTO_TRUNCATED');
  });

  it.each([
    ['progressive JPEG', () => sharpFromRgb(picture).jpeg({ progressive: true })],
    ['interlaced PNG', () => sharpFromRgb(picture).png({ progressive: true })],
    ['TIFF with JPEG inside', () => sharpFromRgb(picture).tiff({ compression: 'jpeg' })],
    ['lossy WebP', () => sharpFromRgb(picture).webp()],
  ])('is refused wherever it is cut: %s', async (_name, make) => {
    const good = new Uint8Array(await make().toBuffer());
    expect(await load(good)).toBe('none');
    for (const ratio of [0.02, 0.1, 0.5, 0.9, 0.99]) expect(await load(cut(good, ratio)), `cut at ${ratio}`).toBe('FW_PHOTO_TRUNCATED');
  });

  it('is refused as JPEG also where an end mark, zeros or another half follow', async () => {
    const good = await encodeAs(sharpFromRgb(picture), 'jpeg');
    const half = cut(good, 0.5);
    expect(await load(concat([half, new Uint8Array([0xff, 0xd9])]))).toBe('FW_PHOTO_TRUNCATED');
    expect(await load(concat([half, new Uint8Array(good.length - half.length)]))).toBe('FW_PHOTO_TRUNCATED');
  });

  it('is taken where only the end mark of a JPEG is missing, and where bytes follow it', async () => {
    const good = await encodeAs(sharpFromRgb(picture), 'jpeg');
    expect([...good.subarray(-2)]).toEqual([0xff, 0xd9]);
    const whole = await (await openPhoto(good)).decode({});
    for (const bytes of [good.slice(0, -1), good.slice(0, -2), concat([good, new Uint8Array(5000)])]) {
      expect(Buffer.compare((await (await openPhoto(bytes)).decode({})).raster.rgb, whole.raster.rgb)).toBe(0);
    }
  });

  it('is told from a JPEG that is only odd: stray bytes before a mark, as some cameras write them', async () => {
    const good = await encodeAs(sharpFromRgb(picture), 'jpeg');
    const odd = concat([good.slice(0, -2), new Uint8Array([0, 0, 0, 0]), good.slice(-2)]);
    expect(await load(odd)).toBe('none');
    const oddHeader = good.slice();
    oddHeader[11] = 9; // major version of JFIF, which nobody has heard of
    expect(await load(oddHeader)).toBe('none');
    expect(await load(cut(oddHeader, 0.5))).toBe('FW_PHOTO_TRUNCATED');
  });
});

describe('the shared photos', () => {
  it('all open and decode', async (ctx) => {
    const folder = requireShared(ctx, 'photos');
    for (const name of (await readdir(folder)).filter((n) => /\.(jpe?g|png)$/.test(n))) {
      const photo = await openPhoto(new Uint8Array(await readFile(`${folder}/${name}`)), {}, { fileName: name });
      const { raster } = await photo.decode({ longSidePx: 400 });
      expect(raster.rgb.length, name).toBe(3 * raster.width * raster.height);
      expect(
        codesOf(photo).filter((c) => c !== 'PHOTO_GREY'),
        name,
      ).toEqual([]);
    }
  });
});

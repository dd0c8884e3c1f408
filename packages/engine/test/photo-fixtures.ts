/** @module Pictures for tests, made when they are needed: known marks, every format, every orientation, and every kind of bad input. */
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import type { PhotoFormat } from '../src/photo/photo.ts';

/** A grey picture with bright round marks at known places. */
export interface MarkedPicture {
  readonly width: number;
  readonly height: number;
  /** Shape (height, width, 3). */
  readonly rgb: Uint8Array;
  /** Centres of the marks, image frame, pixels; shape (marks, 2). */
  readonly marks: readonly (readonly [x: number, y: number])[];
  /** Standard deviation of the Gaussian marks, pixels. */
  readonly sigmaPx: number;
}

const BACKGROUND = 30;

/** Sixteen Gaussian marks at places that are not whole pixels, no two of them mirror images of each other. */
export function createMarkedPicture(width: number, height: number): MarkedPicture {
  const sigmaPx = Math.max(5, Math.max(width, height) / 90);
  const marks: [number, number][] = [];
  for (let j = 0; j < 4; j++) {
    for (let i = 0; i < 4; i++) marks.push([width * (0.13 + 0.235 * i) + 0.37 * j + 1.3, height * (0.15 + 0.23 * j) + 0.41 * i + 2.1]);
  }
  const rgb = new Uint8Array(3 * width * height).fill(BACKGROUND);
  const reach = Math.ceil(5 * sigmaPx);
  for (const [cx, cy] of marks) {
    for (let y = Math.max(0, Math.floor(cy) - reach); y < Math.min(height, cy + reach); y++) {
      for (let x = Math.max(0, Math.floor(cx) - reach); x < Math.min(width, cx + reach); x++) {
        const value = BACKGROUND + 200 * Math.exp(-((x + 0.5 - cx) ** 2 + (y + 0.5 - cy) ** 2) / (2 * sigmaPx ** 2));
        const at = 3 * (y * width + x);
        if (value > rgb[at]) rgb.fill(Math.round(value), at, at + 3);
      }
    }
  }
  return { width, height, rgb, marks, sigmaPx };
}

/**
 * Where a mark lies in a decoded picture: centroid around the expected place.
 *
 * @param expected Where the mark should be, raster pixels.
 * @param sigmaPx Size of the mark, raster pixels.
 */
export function measureMark(
  raster: { readonly width: number; readonly height: number; readonly rgb: Uint8Array },
  expected: readonly [x: number, y: number],
  sigmaPx: number,
): readonly [x: number, y: number] {
  const reach = 4 * sigmaPx;
  let sum = 0;
  let sumX = 0;
  let sumY = 0;
  for (let y = Math.max(0, Math.floor(expected[1] - reach)); y < Math.min(raster.height, expected[1] + reach); y++) {
    for (let x = Math.max(0, Math.floor(expected[0] - reach)); x < Math.min(raster.width, expected[0] + reach); x++) {
      if (Math.hypot(x + 0.5 - expected[0], y + 0.5 - expected[1]) > reach) continue;
      const weight = raster.rgb[3 * (y * raster.width + x)] - BACKGROUND;
      sum += weight;
      sumX += weight * (x + 0.5);
      sumY += weight * (y + 0.5);
    }
  }
  return [sumX / sum, sumY / sum];
}

export const ALL_FORMATS: readonly PhotoFormat[] = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'];

/** A picture of one colour. */
export function createPlain(width: number, height: number, color: { r: number; g: number; b: number }, alpha?: number): Sharp {
  const background = alpha === undefined ? color : { ...color, alpha };
  return sharp({ create: { width, height, channels: alpha === undefined ? 3 : 4, background }, limitInputPixels: false });
}

/** Encodes with settings that change the pixels as little as the format allows. */
export async function encodeAs(image: Sharp, format: PhotoFormat): Promise<Uint8Array> {
  // A plain array: slices of a Buffer would share its memory.
  return new Uint8Array(await encodeTo(image, format));
}

function encodeTo(image: Sharp, format: PhotoFormat): Promise<Uint8Array> {
  switch (format) {
    case 'jpeg':
      return image.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
    case 'png':
      return image.png({ compressionLevel: 1 }).toBuffer();
    case 'webp':
      return image.webp({ lossless: true, effort: 0 }).toBuffer();
    case 'avif':
      return image.avif({ quality: 90, effort: 0, chromaSubsampling: '4:4:4' }).toBuffer();
    case 'tiff':
      return image.tiff({ compression: 'deflate' }).toBuffer();
    case 'gif':
      return image.gif({ dither: 0, effort: 1 }).toBuffer();
  }
}

export function sharpFromRgb(picture: { readonly width: number; readonly height: number; readonly rgb: Uint8Array }): Sharp {
  return sharp(picture.rgb, { raw: { width: picture.width, height: picture.height, channels: 3 } });
}

/** A file that must be refused, or taken with a warning. */
export interface BadInput {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly fileName: string;
  /** Code of the error, or null where the file is taken. */
  readonly error: string | null;
  /** Code of the warning where the file is taken. */
  readonly warning?: string;
}

/**
 * One file of every kind of bad input that the photo itself can be.
 *
 * @param good A good photo as JPEG, which the damaged ones are made of. @default a plain picture
 */
export async function createBadInputs(good?: Uint8Array): Promise<BadInput[]> {
  const jpeg = good ?? (await encodeAs(sharpFromRgb(createMarkedPicture(320, 240)), 'jpeg'));
  const skin = { r: 190, g: 150, b: 130 };
  const text = (s: string): Uint8Array => new TextEncoder().encode(s);
  return [
    { name: 'empty', bytes: new Uint8Array(0), fileName: 'a.jpg', error: 'FW_PHOTO_EMPTY' },
    { name: 'cut in half', bytes: jpeg.slice(0, jpeg.length >> 1), fileName: 'a.jpg', error: 'FW_PHOTO_TRUNCATED' },
    { name: 'cut in the header', bytes: jpeg.slice(0, 40), fileName: 'a.jpg', error: 'FW_PHOTO_TRUNCATED' },
    { name: 'text', bytes: text('This is not a photo.\n'.repeat(20)), fileName: 'a.jpg', error: 'FW_PHOTO_NOT_IMAGE' },
    {
      name: 'SVG',
      bytes: text('<svg xmlns="http://www.w3.org/2000/svg" width="500" height="500"/>'),
      fileName: 'a.svg',
      error: 'FW_PHOTO_NOT_IMAGE',
    },
    { name: 'PDF', bytes: text('%PDF-1.7\n%âãÏÓ\n1 0 obj\n'), fileName: 'a.pdf', error: 'FW_PHOTO_NOT_IMAGE' },
    { name: 'HEIC', bytes: createIsoMedia('heic', 'mif1'), fileName: 'a.heic', error: 'FW_PHOTO_NOT_IMAGE' },
    { name: 'video', bytes: createIsoMedia('isom', 'mp42'), fileName: 'a.mp4', error: 'FW_PHOTO_NOT_IMAGE' },
    { name: 'wrong extension', bytes: jpeg, fileName: 'a.png', error: null, warning: 'PHOTO_EXTENSION' },
    { name: 'animated', bytes: await createAnimation(320, 240, 4), fileName: 'a.gif', error: null, warning: 'PHOTO_ANIMATED' },
    { name: 'one pixel', bytes: await createPlain(1, 1, skin).png().toBuffer(), fileName: 'a.png', error: 'FW_PHOTO_TOO_SMALL' },
    { name: '100 megapixels', bytes: await createFlatJpeg(11_600, 8700), fileName: 'a.jpg', error: null },
    { name: 'over 120 megapixels', bytes: patchJpegSize(jpeg, 13_000, 10_000), fileName: 'a.jpg', error: 'FW_PHOTO_TOO_MANY_PIXELS' },
    { name: 'PNG bomb', bytes: createPngBomb(60_000, 60_000), fileName: 'a.png', error: 'FW_PHOTO_TOO_MANY_PIXELS' },
    { name: 'GIF bomb', bytes: createGifBomb(65_535, 65_535), fileName: 'a.gif', error: 'FW_PHOTO_TOO_MANY_PIXELS' },
    { name: 'TIFF bomb', bytes: createTiffBomb(200_000, 200_000), fileName: 'a.tif', error: 'FW_PHOTO_TOO_MANY_PIXELS' },
    { name: 'JPEG bomb', bytes: patchJpegSize(jpeg, 65_500, 65_500), fileName: 'a.jpg', error: 'FW_PHOTO_TOO_MANY_PIXELS' },
  ];
}

/** First box of an ISO base media file with its brands, then some bytes. */
export function createIsoMedia(...brands: readonly string[]): Uint8Array {
  const size = 12 + 4 * brands.length;
  const bytes = new Uint8Array(size + 64);
  new DataView(bytes.buffer).setUint32(0, size);
  const names = ['ftyp', brands[0], '\0\0\0\0', ...brands.slice(1)];
  bytes.set(new TextEncoder().encode(names.join('')), 4);
  return bytes;
}

/** Animated GIF (or WebP) whose frames differ. */
export async function createAnimation(width: number, height: number, frames: number, format: 'gif' | 'webp' = 'gif'): Promise<Uint8Array> {
  const images = await Promise.all(
    Array.from({ length: frames }, (_, i) =>
      createPlain(width, height, { r: 200 - 40 * i, g: 60 + 40 * i, b: 90 })
        .png()
        .toBuffer(),
    ),
  );
  const joined = sharp(images, { join: { animated: true } });
  return format === 'gif' ? joined.gif().toBuffer() : joined.webp().toBuffer();
}

/** A PNG of a few bytes that declares a huge picture, 1 bit per pixel, and holds the beginning of it. */
export function createPngBomb(width: number, height: number): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([1, 0, 0, 0, 0], 8);
  return concat([
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(new Uint8Array(100_000))),
    pngChunk('IEND', new Uint8Array(0)),
  ]);
}

/** One chunk of a PNG with its length and checksum. */
export function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

function createGifBomb(width: number, height: number): Uint8Array {
  const size = [width & 255, width >> 8, height & 255, height >> 8];
  const screen = [...new TextEncoder().encode('GIF89a'), ...size, 0x80, 0, 0, 0, 0, 0, 255, 255, 255];
  // One frame of the whole canvas with an LZW stream of: clear, black, end.
  return new Uint8Array([...screen, 0x2c, 0, 0, 0, 0, ...size, 0, 2, 2, 0x44, 0x01, 0, 0x3b]);
}

function createTiffBomb(width: number, height: number): Uint8Array {
  const entries: [tag: number, type: number, value: number][] = [
    [256, 4, width],
    [257, 4, height],
    [258, 3, 1],
    [259, 3, 32_773],
    [262, 3, 1],
    [273, 4, 200],
    [277, 3, 1],
    [278, 4, height],
    [279, 4, 64],
  ];
  const bytes = new Uint8Array(264);
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 0x2a, 0, 8, 0, 0, 0]);
  view.setUint16(8, entries.length, true);
  for (const [i, [tag, type, value]] of entries.entries()) {
    const at = 10 + 12 * i;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, 1, true);
    view.setUint32(at + 8, value, true);
  }
  return bytes;
}

/** The same JPEG with another size in its frame header. */
export function patchJpegSize(jpeg: Uint8Array, width: number, height: number): Uint8Array {
  const bytes = jpeg.slice();
  const view = new DataView(bytes.buffer);
  for (let at = 2; at + 9 < bytes.length; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (marker >= 0xffc0 && marker <= 0xffc2) {
      view.setUint16(at + 5, height);
      view.setUint16(at + 7, width);
      return bytes;
    }
  }
  throw new Error('No frame header found');
}

/**
 * A JPEG of one colour and any size, made in no time: one row of blocks is encoded, and repeated between restart marks (ITU T.81 §E.1.4).
 */
export async function createFlatJpeg(width: number, height: number, color = { r: 190, g: 150, b: 130 }): Promise<Uint8Array> {
  const blockPx = 16; // with colour at half size
  const strip = new Uint8Array(await createPlain(width, blockPx, color).jpeg({ quality: 60, chromaSubsampling: '4:2:0' }).toBuffer());
  const resized = patchJpegSize(strip, width, height);
  const view = new DataView(resized.buffer);
  let at = 2;
  while (view.getUint16(at) !== 0xffda) at += 2 + view.getUint16(at + 2);
  const scanStart = at + 2 + view.getUint16(at + 2);
  const row = resized.subarray(scanStart, resized.length - 2);
  const blocksPerRow = Math.ceil(width / blockPx);
  const rows = Math.ceil(height / blockPx);
  const parts = [
    resized.subarray(0, at),
    new Uint8Array([0xff, 0xdd, 0, 4, blocksPerRow >> 8, blocksPerRow & 255]),
    resized.subarray(at, scanStart),
  ];
  for (let i = 0; i < rows; i++) parts.push(row, new Uint8Array([0xff, i === rows - 1 ? 0xd9 : 0xd0 + (i % 8)]));
  return concat(parts);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

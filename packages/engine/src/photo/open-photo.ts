import { createWarning, FacewrightError, isFacewrightError, type Warning } from '@facewright/protocol';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { type ColorProfile, convertToSrgb, readColorProfile } from './color-profile.ts';
import { computeExifFocalPx } from './compute-exif-focal-px.ts';
import { DecodeGate } from './decode-gate.ts';
import { isolateJpeg } from './isolate-jpeg.ts';
import { orientRaster, storedFromUpright, uprightFromStored } from './orient-raster.ts';
import type { Photo, PhotoFormat, PhotoLimits, PhotoView, Rect } from './photo.ts';
import { type DecodePlan, planDecode } from './plan-decode.ts';
import { readExif } from './read-exif.ts';
import { sniffImageFormat } from './sniff-image-format.ts';

/** Limits that hold where the caller sets none. */
export const DEFAULT_PHOTO_LIMITS: PhotoLimits = {
  maxBytes: 50 * 2 ** 20,
  maxPixels: 120e6,
  maxDecodeMs: 10_000,
  minSidePx: 40,
};

/**
 * The limit of pixels is this many times stricter for AVIF: its decoder holds the whole picture in several copies (measured:
 * 1.8 GB and 7 s for 100 megapixels, where a JPEG takes next to nothing).
 */
const AVIF_PIXEL_COST = 4;

/**
 * The same for pictures that become visible in passes (progressive JPEG, interlaced PNG): the decoder holds all of it until the last pass has come,
 * 3 bytes a pixel whatever the reduction (measured: 300 MB for 100 megapixels, 170 for 60; a plain JPEG takes 8). Cameras do not write them.
 */
const PASSES_PIXEL_COST = 2;

/** Mid-grey in sRGB: what lies behind a transparent picture. Neutral, so that neither hair nor skin gets a coloured edge. */
const BEHIND_TRANSPARENT = { r: 128, g: 128, b: 128 };

/**
 * Opens a photo: tells its format from its content, reads the header, and refuses what is too large, too small, damaged or
 * not a picture before a pixel is decoded.
 *
 * The bytes are kept, not copied: do not change them while the photo is in use.
 *
 * @param bytes The whole file.
 * @param limits Overrides of {@link DEFAULT_PHOTO_LIMITS}.
 * @param options.fileName Name or path that the photo came with; only to warn where its extension lies.
 * @throws FW_ARG_INVALID, FW_PHOTO_EMPTY, FW_PHOTO_TOO_MANY_BYTES, FW_PHOTO_NOT_IMAGE, FW_PHOTO_TRUNCATED,
 *   FW_PHOTO_TOO_MANY_PIXELS, FW_PHOTO_TOO_SMALL
 */
export async function openPhoto(
  bytes: Uint8Array,
  limits: Partial<PhotoLimits> = {},
  options: { readonly fileName?: string } = {},
): Promise<Photo> {
  const all = checkLimits(limits);
  if (!(bytes instanceof Uint8Array)) {
    throw new FacewrightError('FW_ARG_INVALID', { name: 'photo', expected: 'a Uint8Array', actual: Object.prototype.toString.call(bytes) });
  }
  if (bytes.length === 0) throw new FacewrightError('FW_PHOTO_EMPTY', {});
  if (bytes.length > all.maxBytes) throw new FacewrightError('FW_PHOTO_TOO_MANY_BYTES', { bytes: bytes.length, maxBytes: all.maxBytes });
  const sniffed = sniffImageFormat(bytes);
  if (sniffed.format === null) throw new FacewrightError('FW_PHOTO_NOT_IMAGE', { found: sniffed.found });
  const { format } = sniffed;

  const source = format === 'jpeg' ? isolateJpeg(bytes) : bytes;
  const header = await readHeader(source, format);
  const { width, height } = header;
  const maxPixels = all.maxPixels / (format === 'avif' ? AVIF_PIXEL_COST : header.hasPasses ? PASSES_PIXEL_COST : 1);
  if (width * height > maxPixels) throw new FacewrightError('FW_PHOTO_TOO_MANY_PIXELS', { width, height, maxPixels });
  if (Math.min(width, height) < all.minSidePx) {
    throw new FacewrightError('FW_PHOTO_TOO_SMALL', { width, height, minPx: all.minSidePx });
  }
  return new OpenedPhoto(source, bytes.length, format, header, all, collectWarnings(format, header, options.fileName));
}

class OpenedPhoto implements Photo {
  readonly width: number;
  readonly height: number;
  readonly format: PhotoFormat;
  readonly bytes: number;
  readonly orientation: number;
  readonly exifFocalPx: number | null;
  readonly isGrey: boolean;
  readonly warnings: readonly Warning[];
  readonly #source: Uint8Array;
  readonly #header: Header;
  readonly #limits: PhotoLimits;

  constructor(
    source: Uint8Array,
    fileBytes: number,
    format: PhotoFormat,
    header: Header,
    limits: PhotoLimits,
    warnings: readonly Warning[],
  ) {
    const swaps = header.orientation >= 5;
    this.width = swaps ? header.height : header.width;
    this.height = swaps ? header.width : header.height;
    this.format = format;
    this.bytes = fileBytes;
    this.orientation = header.orientation;
    this.exifFocalPx = header.exifFocalPx;
    this.isGrey = header.isGrey;
    this.warnings = warnings;
    this.#source = source;
    this.#header = header;
    this.#limits = limits;
  }

  async decode(options: { readonly region?: Rect; readonly longSidePx?: number; readonly signal?: AbortSignal }): Promise<PhotoView> {
    const { region = { x: 0, y: 0, width: this.width, height: this.height }, longSidePx, signal } = options;
    if (signal?.aborted) throw new FacewrightError('FW_CANCELED', { stage: 'decode' }, { cause: signal.reason });
    const part = clipRegion(region, this.width, this.height);
    const wanted = longSidePx ?? Math.max(part.width, part.height);
    if (!(wanted >= 1)) {
      throw new FacewrightError('FW_ARG_INVALID', { name: 'longSidePx', expected: 'a number of at least 1', actual: longSidePx });
    }

    const { width, height, orientation, profile } = this.#header;
    const maxReduction = Math.max(1, Math.max(part.width, part.height) / wanted);
    const plan = planDecode(this.format, width, height, maxReduction, part.width * part.height);
    const stored = storedFromUpright(part, orientation, width, height);
    const [left, right] = gridRange(stored.x, stored.width, plan.scaleX, plan.gridWidth);
    const [top, bottom] = gridRange(stored.y, stored.height, plan.scaleY, plan.gridHeight);
    const crop = { left, top, width: right - left, height: bottom - top };

    const pixels = await decodePixels(this.#source, this.format, this.#header, plan, crop, this.#limits.maxDecodeMs, signal);
    if (profile?.kind === 'matrix') convertToSrgb(pixels, profile.conversion);

    const raster = orientRaster({ width: crop.width, height: crop.height, rgb: pixels }, orientation);
    const storedRect = {
      x: crop.left * plan.scaleX,
      y: crop.top * plan.scaleY,
      width: crop.width * plan.scaleX,
      height: crop.height * plan.scaleY,
    };
    const { x, y } = uprightFromStored(storedRect, orientation, width, height);
    const swaps = orientation >= 5;
    return { raster, x, y, scaleX: swaps ? plan.scaleY : plan.scaleX, scaleY: swaps ? plan.scaleX : plan.scaleY };
  }
}

/** Grid pixels, first and one past the last, that cover `length` stored pixels from `start`; at least one. */
function gridRange(start: number, length: number, scale: number, size: number): readonly [first: number, end: number] {
  const first = Math.min(Math.floor(start / scale), size - 1);
  return [first, Math.max(first + 1, Math.min(size, Math.ceil((start + length) / scale)))];
}

function checkLimits(limits: Partial<PhotoLimits>): PhotoLimits {
  const all = { ...DEFAULT_PHOTO_LIMITS };
  for (const name of Object.keys(all) as (keyof PhotoLimits)[]) {
    const value = limits[name];
    if (value === undefined) continue;
    if (!(value > 0)) throw new FacewrightError('FW_ARG_INVALID', { name: `limits.${name}`, expected: 'a positive number', actual: value });
    all[name] = value;
  }
  return all;
}

/** What the header of the file tells, in the frame of the stored (not yet upright) photo. */
interface Header {
  readonly width: number;
  readonly height: number;
  readonly orientation: number;
  readonly frames: number;
  readonly isGrey: boolean;
  readonly hasAlpha: boolean;
  readonly is16Bit: boolean;
  /** Progressive or interlaced. */
  readonly hasPasses: boolean;
  readonly exifFocalPx: number | null;
  readonly profile: ColorProfile | null;
}

async function readHeader(bytes: Uint8Array, format: PhotoFormat): Promise<Header> {
  let metadata: Metadata;
  try {
    // The limit of pixels is ours, with our own error; nothing is decoded here.
    metadata = await sharp(bytes, { limitInputPixels: false, failOn: 'error' }).metadata();
  } catch (e) {
    throw damaged(e);
  }
  if (metadata.format !== (format === 'avif' ? 'heif' : format) || (format === 'avif' && metadata.compression !== 'av1')) {
    throw new FacewrightError('FW_PHOTO_NOT_IMAGE', { found: `${metadata.format ?? 'unknown'} in the shape of ${format}` });
  }
  const { width, height, channels, space, hasAlpha = false } = metadata;
  if (!(width > 0 && height > 0)) throw new FacewrightError('FW_PHOTO_TRUNCATED', { reason: 'the header names no size' });
  const exifBlock = format === 'tiff' ? bytes : metadata.exif;
  const { orientation = 1 } = metadata;
  return {
    width,
    height,
    orientation: orientation >= 1 && orientation <= 8 ? orientation : 1,
    frames: format === 'tiff' ? 1 : Math.max(metadata.pages ?? 1, format === 'png' ? countApngFrames(bytes) : 1),
    isGrey: space === 'b-w' || space === 'grey16',
    hasAlpha,
    is16Bit: metadata.depth !== 'uchar',
    hasPasses: metadata.isProgressive === true,
    exifFocalPx: exifBlock === undefined ? null : computeExifFocalPx(readExif(exifBlock), width, height),
    profile: metadata.icc === undefined ? null : readColorProfile(metadata.icc, channels - (hasAlpha ? 1 : 0)),
  };
}

/** Frames that the acTL chunk of an animated PNG declares (it must come before the first IDAT); 1 for a plain PNG. */
function countApngFrames(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 8; at + 20 <= bytes.length; ) {
    const type = view.getUint32(at + 4);
    if (type === 0x6163544c /* acTL */) return view.getUint32(at + 8);
    if (type === 0x49444154 /* IDAT */) return 1;
    at += 12 + view.getUint32(at);
  }
  return 1;
}

const EXTENSIONS: Readonly<Record<string, PhotoFormat>> = {
  jpg: 'jpeg',
  jpeg: 'jpeg',
  jpe: 'jpeg',
  jfif: 'jpeg',
  png: 'png',
  apng: 'png',
  webp: 'webp',
  avif: 'avif',
  tif: 'tiff',
  tiff: 'tiff',
  gif: 'gif',
};

function collectWarnings(format: PhotoFormat, header: Header, fileName: string | undefined): Warning[] {
  const warnings: Warning[] = [];
  const extension = /\.([a-z0-9]{1,8})$/i.exec(fileName ?? '')?.[1].toLowerCase();
  if (extension !== undefined && EXTENSIONS[extension] !== format) {
    warnings.push(createWarning('PHOTO_EXTENSION', { extension, format: format.toUpperCase() }));
  }
  if (header.frames > 1) warnings.push(createWarning('PHOTO_ANIMATED', { frames: header.frames }));
  if (header.isGrey) warnings.push(createWarning('PHOTO_GREY', {}));
  if (header.profile?.kind === 'broken') warnings.push(createWarning('PHOTO_PROFILE_IGNORED', { reason: header.profile.reason }));
  return warnings;
}

/** The part of the region inside the photo, grown to whole pixels. */
function clipRegion(region: Rect, width: number, height: number): Rect {
  const x0 = Math.max(0, Math.floor(region.x));
  const y0 = Math.max(0, Math.floor(region.y));
  const x1 = Math.min(width, Math.ceil(region.x + region.width));
  const y1 = Math.min(height, Math.ceil(region.y + region.height));
  if (!(x1 > x0 && y1 > y0)) {
    const actual = `${region.width} x ${region.height} at (${region.x}, ${region.y})`;
    throw new FacewrightError('FW_ARG_INVALID', {
      name: 'region',
      expected: `a rectangle that meets the ${width} x ${height} photo`,
      actual,
    });
  }
  return { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
}

interface Crop {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** How much is forgiven; libvips stops at the named kind of trouble. */
type FailOn = 'warning' | 'error';

async function decodePixels(
  bytes: Uint8Array,
  format: PhotoFormat,
  header: Header,
  plan: DecodePlan,
  crop: Crop,
  maxDecodeMs: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const prepare = (source: Uint8Array, failOn: FailOn): Sharp => {
    const { profile } = header;
    let image = sharp(source, { failOn, limitInputPixels: false, ignoreIcc: profile !== null && profile.kind !== 'other' });
    if (header.hasAlpha) image = image.flatten({ background: BEHIND_TRANSPARENT });
    if (plan.isReduced) image = image.resize(plan.gridWidth, plan.gridHeight, { fit: 'fill', kernel: 'cubic' });
    if (crop.width !== plan.gridWidth || crop.height !== plan.gridHeight) image = image.extract(crop);
    // sharp leaves 16-bit pictures with a profile in Display P3 unless a target is named.
    if (header.is16Bit && profile?.kind === 'other') image = image.withIccProfile('srgb');
    return image.timeout({ seconds: Math.ceil(maxDecodeMs / 1000) }).raw({ depth: 'uchar' });
  };
  const work =
    format === 'jpeg' ? decodeJpeg(bytes, prepare) : gate.share(() => prepare(bytes, 'error').toBuffer({ resolveWithObject: true }));
  let decoded: Awaited<typeof work>;
  try {
    decoded = await withDeadline(work, maxDecodeMs, signal);
  } catch (e) {
    if (isFacewrightError(e)) throw e;
    // The library's own clock, in case this thread was too busy to look at ours.
    if (/timeout/.test(messageOf(e))) throw new FacewrightError('FW_PHOTO_DECODE_TIMEOUT', { limitMs: maxDecodeMs }, { cause: e });
    throw damaged(e);
  }
  const { data, info } = decoded;
  const rgb = new Uint8Array(data.buffer, data.byteOffset, data.length);
  if (info.width !== crop.width || info.height !== crop.height || (info.channels !== 3 && info.channels !== 1)) {
    throw new FacewrightError('FW_INTERNAL', { what: `the decoder gave ${info.width} x ${info.height} x ${info.channels}` });
  }
  return info.channels === 3 ? rgb : rgbFromGrey(rgb);
}

/** What libjpeg says where pixels are missing or wrong (jerror.h); its other warnings are about oddities that do no harm. */
const JPEG_DAMAGE = /premature end|bad Huffman|instead of RST/i;

/** One for the process, because the texts of libvips are. */
const gate = new DecodeGate();

/**
 * Decodes a JPEG such that every pixel asked for is really there, without refusing what cameras and programs write in practice.
 *
 * libjpeg fills what is missing with grey and only warns, so the first try stops at any warning. Why it stopped is asked again
 * with nothing else running; warnings that are not about pixels (stray bytes, odd headers) are then forgiven.
 */
async function decodeJpeg(bytes: Uint8Array, prepare: (source: Uint8Array, failOn: FailOn) => Sharp) {
  const strictly = () => prepare(bytes, 'warning').toBuffer({ resolveWithObject: true });
  try {
    return await gate.share(strictly);
  } catch {
    return await gate.runAlone(async () => {
      try {
        return await strictly();
      } catch (e) {
        if (JPEG_DAMAGE.test(messageOf(e)) || /timeout/.test(messageOf(e))) throw e;
      }
      const image = prepare(bytes, 'error');
      let damage: string | undefined;
      image.on('warning', (text: string) => {
        if (JPEG_DAMAGE.test(text)) damage = text;
      });
      const decoded = await image.toBuffer({ resolveWithObject: true });
      if (damage !== undefined) throw new Error(damage);
      return decoded;
    });
  }
}

function rgbFromGrey(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(3 * grey.length);
  for (let i = 0; i < grey.length; i++) rgb.fill(grey[i], 3 * i, 3 * i + 3);
  return rgb;
}

/**
 * The result of `work`, or an error as soon as the time is over or the caller cancels. The library cannot be interrupted from
 * here: what it has begun it ends on its own thread, after its own limit at the latest, and its result is dropped.
 */
async function withDeadline<T>(work: Promise<T>, limitMs: number, signal: AbortSignal | undefined): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const stopped = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new FacewrightError('FW_PHOTO_DECODE_TIMEOUT', { limitMs })), limitMs);
    onAbort = () => reject(new FacewrightError('FW_CANCELED', { stage: 'decode' }, { cause: signal?.reason }));
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  work.catch(() => {}); // where the race is decided already, nobody else listens
  try {
    return await Promise.race([work, stopped]);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
  }
}

function damaged(e: unknown): FacewrightError {
  const text = messageOf(e)
    .replace('Input buffer has corrupt header: ', '')
    .replace(/^\w+: /, '')
    .split('\n')[0]
    .slice(0, 200);
  // The format was told from its first bytes, so what the library cannot make out is the rest of the header.
  const reason = /unsupported image format|^Unknown error/.test(text) ? 'the header or the data behind it is incomplete' : text;
  return new FacewrightError('FW_PHOTO_TRUNCATED', { reason }, { cause: e });
}

function messageOf(e: unknown): string {
  return e instanceof Error ? e.message : String(e);
}

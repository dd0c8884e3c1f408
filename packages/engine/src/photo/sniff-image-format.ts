import type { PhotoFormat } from './photo.ts';

/** What the first bytes of a file say it is: a format that is read here, or the name of what else it seems to be. */
export type SniffedFormat = { readonly format: PhotoFormat } | { readonly format: null; readonly found: string };

/**
 * Tells the file format from the content alone (magic numbers of the formats' specifications; the file name plays no part).
 *
 * Never throws and reads at most the first kilobyte.
 */
export function sniffImageFormat(bytes: Uint8Array): SniffedFormat {
  const head = bytes.subarray(0, 1024);
  const is = (offset: number, ...values: readonly number[]): boolean => values.every((v, i) => head[offset + i] === v);
  const ascii = (offset: number, length: number): string => String.fromCharCode(...head.subarray(offset, offset + length));

  if (is(0, 0xff, 0xd8, 0xff)) return { format: 'jpeg' };
  if (is(0, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return { format: 'png' };
  if (ascii(0, 6) === 'GIF87a' || ascii(0, 6) === 'GIF89a') return { format: 'gif' };
  if (is(0, 0x49, 0x49, 0x2a, 0x00) || is(0, 0x4d, 0x4d, 0x00, 0x2a)) return sniffTiff(head);
  if (is(0, 0x49, 0x49, 0x2b, 0x00) || is(0, 0x4d, 0x4d, 0x00, 0x2b)) return { format: 'tiff' };
  if (ascii(0, 4) === 'RIFF') return sniffRiff(ascii(8, 4));
  if (ascii(4, 4) === 'ftyp') return sniffIsoMedia(head);

  for (const [magic, found] of OTHER_MAGICS) if (ascii(0, magic.length) === magic) return { format: null, found };
  if (is(0, 0x00, 0x00, 0x01, 0x00) || is(0, 0x00, 0x00, 0x02, 0x00)) return { format: null, found: 'an icon (ICO)' };
  if (is(0, 0xff, 0xfb) || is(0, 0xff, 0xf3) || ascii(0, 3) === 'ID3') return { format: null, found: 'audio (MP3)' };
  if (is(0, 0x00, 0x00, 0x01, 0xba) || is(0, 0x00, 0x00, 0x01, 0xb3)) return { format: null, found: 'a video (MPEG)' };
  return { format: null, found: isText(head) ? sniffText(head) : 'unknown binary data' };
}

/** Beginnings of files that people pick by mistake; latin-1. */
const OTHER_MAGICS: readonly (readonly [magic: string, found: string])[] = [
  ['%PDF-', 'a PDF document'],
  ['%!PS', 'a PostScript document'],
  ['BM', 'a BMP picture'],
  ['8BPS', 'a Photoshop document (PSD)'],
  ['\xff\x0a', 'a JPEG XL picture'],
  ['\x00\x00\x00\x0cJXL \r\n\x87\n', 'a JPEG XL picture'],
  ['\x00\x00\x00\x0cjP  \r\n\x87\n', 'a JPEG 2000 picture'],
  ['\xff\x4f\xff\x51', 'a JPEG 2000 picture'],
  ['v/1\x01', 'an OpenEXR picture'],
  ['#?RADIANCE', 'a Radiance HDR picture'],
  ['FUJIFILMCCD-RAW', 'a camera raw file (RAF)'],
  ['IIRO', 'a camera raw file (ORF)'],
  ['IIU\x00', 'a camera raw file (RW2)'],
  ['glTF', 'a 3D model (GLB)'],
  ['PK\x03\x04', 'a ZIP archive or office document'],
  ['\x1f\x8b', 'a gzip archive'],
  ['7z\xbc\xaf', 'a 7-Zip archive'],
  ['Rar!', 'a RAR archive'],
  ['\x1a\x45\xdf\xa3', 'a video (Matroska or WebM)'],
  ['OggS', 'audio or video (Ogg)'],
  ['FLV', 'a video (FLV)'],
  ['fLaC', 'audio (FLAC)'],
  ['\x7fELF', 'a program'],
  ['MZ', 'a program'],
];

/** Camera raw files that are TIFF inside have sensor data, not a picture, in their main image. */
function sniffTiff(head: Uint8Array): SniffedFormat {
  return head[8] === 0x43 && head[9] === 0x52 ? { format: null, found: 'a camera raw file (CR2)' } : { format: 'tiff' };
}

function sniffRiff(kind: string): SniffedFormat {
  if (kind === 'WEBP') return { format: 'webp' };
  if (kind === 'AVI ') return { format: null, found: 'a video (AVI)' };
  if (kind === 'WAVE') return { format: null, found: 'audio (WAV)' };
  return { format: null, found: 'an unknown RIFF file' };
}

/** ISO base media (ISO/IEC 14496-12 §4.3): the brands in `ftyp` tell AVIF, HEIC and video apart. */
function sniffIsoMedia(head: Uint8Array): SniffedFormat {
  const boxEnd = Math.min(head.length, ((head[0] << 24) | (head[1] << 16) | (head[2] << 8) | head[3]) >>> 0);
  const brands: string[] = [];
  for (let at = 8; at + 4 <= boxEnd; at += 4) {
    // After the major brand come four bytes of minor version.
    if (at !== 12) brands.push(String.fromCharCode(...head.subarray(at, at + 4)));
  }
  const major = brands[0] ?? '';
  const has = (...names: readonly string[]): boolean => brands.some((b) => names.includes(b));
  if (has('avif', 'avis')) return { format: 'avif' };
  if (has('heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs') || has('mif1', 'msf1')) {
    return { format: null, found: 'a HEIC picture' };
  }
  if (major === 'crx ') return { format: null, found: 'a camera raw file (CR3)' };
  if (major === 'qt  ') return { format: null, found: 'a video (QuickTime)' };
  if (major.startsWith('M4A')) return { format: null, found: 'audio (M4A)' };
  return { format: null, found: 'a video (MP4)' };
}

/** No control characters but white space; UTF-8, UTF-16 with mark, or latin-1. */
function isText(head: Uint8Array): boolean {
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) return true;
  return head.every((b) => b >= 0x20 || b === 0x09 || b === 0x0a || b === 0x0c || b === 0x0d || b === 0x1b);
}

function sniffText(head: Uint8Array): string {
  const text = new TextDecoder('utf-8')
    .decode(head)
    .replace(/^\uFEFF/, '')
    .trimStart()
    .toLowerCase();
  if (text.startsWith('<svg') || /<!doctype svg|<svg[\s>]/.test(text)) return 'an SVG drawing';
  if (text.startsWith('<!doctype html') || text.startsWith('<html') || text.includes('<head>') || text.includes('<body'))
    return 'a web page (HTML)';
  if (text.startsWith('<?xml')) return 'an XML document';
  if (text.startsWith('{') || text.startsWith('[')) return 'text (JSON?)';
  if (/^data:image\//.test(text)) return 'a data URL; decode its base64 part first';
  return 'text';
}

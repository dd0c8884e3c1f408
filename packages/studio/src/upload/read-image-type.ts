/** Kinds of pictures that are told apart; `heic` is one that the service does not take. */
export type ImageType = 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff' | 'gif' | 'heic';

/** Bytes from the beginning that {@link readImageType} wants. */
export const TYPE_BYTES = 32;

/** What a file is by its first bytes; null where it is no picture that is known. Names and declared types are not believed. */
export function readImageType(head: Uint8Array): ImageType | null {
  const text = String.fromCharCode(...head.subarray(0, TYPE_BYTES));
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'gif';
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return 'webp';
  if (text.startsWith('II*\0') || text.startsWith('MM\0*') || text.startsWith('II+\0') || text.startsWith('MM\0+')) return 'tiff';
  if (text.slice(4, 8) === 'ftyp') {
    // Major brand, then (after a version) the compatible ones: ISO/IEC 14496-12, section 4.3.
    const brands = text.slice(8);
    if (/avi[fs]/.test(brands)) return 'avif';
    if (/hei[cxms]|hev[cxms]|mif1|msf1/.test(brands)) return 'heic';
  }
  return null;
}

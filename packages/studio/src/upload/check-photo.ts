import type { LocalProblem } from '../errors/failure.ts';
import { readImageType, TYPE_BYTES } from './read-image-type.ts';

/** Where the service has not told its limit yet: its default, bytes. */
const DEFAULT_MAX_BYTES = 25 * 2 ** 20;
/** Quality of a photo that is converted here: no loss that a texture would show. */
const CONVERTED_QUALITY = 0.95;

/**
 * Looks at a file before it is sent: is it a picture that the service takes, and not too large? HEIC is made a JPEG where the
 * browser can read it.
 *
 * @returns the photo to send, or why not
 */
export async function checkPhoto(file: Blob, maxBytes: number = DEFAULT_MAX_BYTES): Promise<Blob | LocalProblem> {
  if (file.size === 0) return { code: 'empty' };
  let head: Uint8Array;
  try {
    head = new Uint8Array(await file.slice(0, TYPE_BYTES).arrayBuffer());
  } catch {
    return { code: 'unreadable' };
  }
  const type = readImageType(head);
  if (type === null) return { code: 'notImage' };
  if (type !== 'heic') return file.size > maxBytes ? { code: 'tooLarge', bytes: file.size, maxBytes } : file;
  const converted = await convertToJpeg(file);
  if (converted === null) return { code: 'heic' };
  return converted.size > maxBytes ? { code: 'tooLarge', bytes: converted.size, maxBytes } : converted;
}

async function convertToJpeg(file: Blob): Promise<Blob | null> {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
    bitmap.close();
    return await canvas.convertToBlob({ type: 'image/jpeg', quality: CONVERTED_QUALITY });
  } catch {
    return null;
  }
}

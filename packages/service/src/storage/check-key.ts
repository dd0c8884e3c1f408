import { FacewrightError } from '@facewright/protocol';

/** Longest segment, characters: a file name of the directory storage (255 bytes) holds it together with what is known of the object. */
const MAX_SEGMENT_CHARS = 100;
const MAX_SEGMENTS = 16;
/** S3 allows 1024 bytes, of which an operator's prefix takes its part. */
const MAX_KEY_CHARS = 512;
const SEGMENT = /^[A-Za-z0-9._-]+$/;
/** The ends of what media types look like; the characters of a file name and of a header at once. */
const CONTENT_TYPE = /^[a-z0-9][a-z0-9.+-]*\/[a-z0-9][a-z0-9.+-]*(?:; ?[a-z]+=[A-Za-z0-9._-]+)?$/;
const MAX_CONTENT_TYPE_CHARS = 64;

/**
 * Segments of a storage key (or of a prefix, which looks the same).
 *
 * @throws FW_ARG_INVALID for anything that could mean another place than it says: `..`, empty segments, absolute paths, backslashes,
 *   control and non-ASCII characters, over-long names
 */
export function checkKey(key: string, name = 'key'): readonly string[] {
  const segments = typeof key === 'string' && key.length <= MAX_KEY_CHARS ? key.split('/') : [];
  const good =
    segments.length > 0 &&
    segments.length <= MAX_SEGMENTS &&
    segments.every((s) => s.length <= MAX_SEGMENT_CHARS && SEGMENT.test(s) && s !== '.' && s !== '..');
  if (!good) throw new FacewrightError('FW_ARG_INVALID', { name, expected: 'a storage key', actual: key });
  return segments;
}

/** @throws FW_ARG_INVALID for what is not a plain media type */
export function checkContentType(contentType: string): void {
  if (contentType.length > MAX_CONTENT_TYPE_CHARS || !CONTENT_TYPE.test(contentType)) {
    throw new FacewrightError('FW_ARG_INVALID', { name: 'contentType', expected: 'a media type', actual: contentType });
  }
}

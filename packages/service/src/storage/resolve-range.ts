import { FacewrightError } from '@facewright/protocol';
import type { ByteRange } from './object-storage.ts';

/**
 * The range as it can be served: an end behind the last byte is cut to it.
 *
 * @throws FW_RANGE_INVALID when it begins outside of the object or ends before it begins
 */
export function resolveRange(range: ByteRange | undefined, totalBytes: number): ByteRange | null {
  if (range === undefined) return null;
  const { start, end } = range;
  if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < totalBytes && start <= end)) {
    throw new FacewrightError('FW_RANGE_INVALID', { totalBytes });
  }
  return { start, end: Math.min(end, totalBytes - 1) };
}

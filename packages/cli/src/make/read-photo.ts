import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { FacewrightError, isFacewrightError } from '@facewright/protocol';
import { codeOf, reasonOf } from '../output/map-write-error.ts';

/** Bytes from which on a file is not even read. As the engine's own limit (PhotoLimits.maxBytes). */
const DEFAULT_MAX_BYTES = 50 * 1024 * 1024;

/**
 * Reads a photo file. Its size is looked at first, so that a file of many gigabytes costs nothing.
 *
 * @throws FW_PHOTO_UNREADABLE, FW_PHOTO_TOO_MANY_BYTES
 */
export async function readPhoto(path: string, maxBytes = DEFAULT_MAX_BYTES): Promise<Buffer> {
  let file: FileHandle | undefined;
  try {
    // Opening a pipe that nobody writes to would otherwise wait for ever (Windows knows neither such pipes nor the flag).
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const found = await file.stat();
    if (!found.isFile())
      throw new FacewrightError('FW_PHOTO_UNREADABLE', { path, reason: found.isDirectory() ? 'it is a folder' : 'it is not a file' });
    if (found.size > maxBytes) throw new FacewrightError('FW_PHOTO_TOO_MANY_BYTES', { bytes: found.size, maxBytes });
    return await file.readFile();
  } catch (error) {
    if (isFacewrightError(error)) throw error;
    const reason = codeOf(error) === 'ENOENT' ? 'there is no such file' : reasonOf(error);
    throw new FacewrightError('FW_PHOTO_UNREADABLE', { path, reason }, { cause: error });
  } finally {
    await file?.close();
  }
}

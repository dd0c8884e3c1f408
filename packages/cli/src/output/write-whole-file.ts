import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FacewrightError } from '@facewright/protocol';
import { mapWriteError } from './map-write-error.ts';
import { temporaryName } from './temporary-name.ts';
import { addTemporaryPath, forgetTemporaryPath } from './temporary-paths.ts';

/**
 * Writes one file whole or not at all: into a temporary file beside it, which then takes its name.
 *
 * @throws FW_OUTPUT_NOT_WRITABLE, FW_OUTPUT_DISK_FULL
 */
export async function writeWholeFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), temporaryName(basename(path)) + randomBytes(6).toString('hex'));
  try {
    const found = await stat(path).catch(() => null);
    if (found !== null && !found.isFile())
      throw new FacewrightError('FW_OUTPUT_NOT_WRITABLE', { path, reason: 'it exists and is not a file' });
    await mkdir(dirname(path), { recursive: true });
    addTemporaryPath(temporary);
    await writeFile(temporary, bytes, { flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw mapWriteError(error, path);
  } finally {
    forgetTemporaryPath(temporary);
  }
}

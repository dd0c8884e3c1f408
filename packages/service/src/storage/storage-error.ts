import { FacewrightError, isFacewrightError } from '@facewright/protocol';

/** Codes of a file system that has no room: the disk, a quota (libuv has no name for EDQUOT on Linux: errno -122). */
const isFull = (e: NodeJS.ErrnoException): boolean => e.code === 'ENOSPC' || e.code === 'EDQUOT' || e.errno === -122;

/**
 * What the file system said, as an error of the table. Messages of Node name paths, so only the code gets into the reason.
 * Errors of the table pass unchanged.
 */
export function storageErrorFromFs(e: unknown): FacewrightError {
  if (isFacewrightError(e)) return e;
  const error = e as NodeJS.ErrnoException;
  if (isFull(error)) return new FacewrightError('FW_STORAGE_FULL', {}, { cause: e });
  return new FacewrightError('FW_STORAGE_UNAVAILABLE', { reason: error.code ?? 'unexpected file system error' }, { cause: e });
}

export const hasFsCode = (e: unknown, ...codes: readonly string[]): boolean =>
  codes.includes((e as NodeJS.ErrnoException | undefined)?.code ?? '');

/** Rejects with FW_STORAGE_UNAVAILABLE when `promise` takes longer: a network file system that hangs must not hang its callers. */
export async function withinMs<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new FacewrightError('FW_STORAGE_UNAVAILABLE', { reason: `no answer within ${limitMs} ms` })), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

import { FacewrightError, isFacewrightError } from '@facewright/protocol';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder',
  EEXIST: 'it exists already',
  ENOENT: 'it does not exist',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links',
  ENXIO: 'no such device',
  EBUSY: 'it is in use',
};

/** In words why a file operation failed. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return (code !== undefined && REASONS[code]) || (error instanceof Error ? error.message : String(error));
}

/** What went wrong while `path` was written, as an error of the table. */
export function mapWriteError(error: unknown, path: string): FacewrightError {
  if (isFacewrightError(error)) return error;
  const code = codeOf(error);
  // EDQUOT: the user's share of the disk is used up; for them the disk is full. EFBIG: the file system cannot hold a file of this size.
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return new FacewrightError('FW_OUTPUT_DISK_FULL', { path }, { cause: error });
  return new FacewrightError('FW_OUTPUT_NOT_WRITABLE', { path, reason: reasonOf(error) }, { cause: error });
}

/** `code` of a Node system error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

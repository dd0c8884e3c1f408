import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { FacewrightError } from '@facewright/protocol';
import { readReport } from '../output/finished-result.ts';
import { codeOf, reasonOf } from '../output/map-write-error.ts';

/** One thing to do: a photo, or an argument that led to none. */
export interface FoundPhoto {
  /** Absolute. */
  readonly path: string;
  readonly error?: FacewrightError;
}

export interface FoundPhotos {
  readonly photos: readonly FoundPhoto[];
  /** True when the arguments are one path to one file: then `-o` names the result itself and nothing is skipped. */
  readonly isSingle: boolean;
  /** Files in folders whose name does not end as a photo's. */
  readonly leftOut: number;
}

/** Endings that count as a photo in a folder. A path that is named itself is always tried: its content decides. */
export const PHOTO_EXTENSIONS = ['.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.webp', '.avif', '.tif', '.tiff', '.gif'] as const;

/**
 * The photos that the arguments name: files as they are, the photos of a folder (not of folders below it), patterns.
 * Sorted within each argument, each photo once. What cannot be read becomes an entry with its error, so that a batch goes on.
 *
 * @param args - paths and patterns (`*`, `**`, `?`, `[a-z]`, `{a,b}`), relative to `cwd`
 */
export async function findPhotos(args: readonly string[], cwd: string): Promise<FoundPhotos> {
  const photos = new Map<string, FoundPhoto>();
  let leftOut = 0;
  let isSingle = args.length === 1;
  const add = (path: string, error?: FacewrightError): void => {
    if (!photos.has(path)) photos.set(path, error === undefined ? { path } : { path, error });
  };
  for (const arg of args) {
    const path = resolve(cwd, arg);
    const found = await stat(path).catch((error: unknown) => error);
    if (found instanceof Error) {
      if (codeOf(found) === 'ENOENT' && isPattern(arg)) {
        isSingle = false;
        const matches = await expandPattern(arg, cwd);
        if (matches.length === 0) add(path, unreadable(arg, 'no photo matches this pattern'));
        for (const match of matches) add(match);
      } else {
        const missing = arg === '-' ? 'photos are not read from standard input; name a file' : 'there is no such file';
        add(path, unreadable(arg, codeOf(found) === 'ENOENT' ? missing : reasonOf(found), found));
      }
    } else if ((found as Awaited<ReturnType<typeof stat>>).isDirectory()) {
      isSingle = false;
      try {
        const entries = (await readdir(path, { withFileTypes: true })).filter((e) => !e.name.startsWith('.') && !e.isDirectory());
        const names = entries.map((e) => e.name).filter(hasPhotoExtension);
        leftOut += entries.length - names.length;
        if (names.length === 0) {
          add(path, unreadable(arg, `the folder holds no photos (${PHOTO_EXTENSIONS.map((e) => e.slice(1)).join(', ')})`));
        }
        for (const name of names.sort()) add(join(path, name));
      } catch (error) {
        add(path, unreadable(arg, reasonOf(error), error));
      }
    } else if (!(found as Awaited<ReturnType<typeof stat>>).isFile()) add(path, unreadable(arg, 'it is not a file'));
    else {
      const denied = await access(path, constants.R_OK).then(
        () => null,
        (error: unknown) => error,
      );
      add(path, denied === null ? undefined : unreadable(arg, reasonOf(denied), denied));
    }
  }
  return { photos: [...photos.values()], isSingle, leftOut };
}

function unreadable(path: string, reason: string, cause?: unknown): FacewrightError {
  return new FacewrightError('FW_PHOTO_UNREADABLE', { path, reason }, cause === undefined ? {} : { cause });
}

function hasPhotoExtension(name: string): boolean {
  return (PHOTO_EXTENSIONS as readonly string[]).includes(extname(name).toLowerCase());
}

function isPattern(arg: string): boolean {
  return /[*?[\]{}]/.test(arg);
}

/** Photos that match; textures and previews inside results of this program are not photos. */
async function expandPattern(pattern: string, cwd: string): Promise<string[]> {
  // Loaded only here: most runs name their photos.
  const { glob } = await import('tinyglobby');
  const matches = await glob(pattern, { cwd, absolute: true, onlyFiles: true, expandDirectories: false, caseSensitiveMatch: true });
  const results = new Map<string, Promise<boolean>>();
  const isResult = (folder: string): Promise<boolean> => {
    const known = results.get(folder) ?? readReport(folder).then((report) => report !== null);
    results.set(folder, known);
    return known;
  };
  const photos: string[] = [];
  for (const match of matches.sort()) {
    const path = resolve(match);
    // Result folders are at most two deep (face-1/ of --face all).
    if (hasPhotoExtension(path) && !(await isResult(dirname(path))) && !(await isResult(dirname(dirname(path))))) photos.push(path);
  }
  return photos;
}

/**
 * @module Writes the files of one result into a folder: all of them or none.
 *
 * Two ways, because a folder cannot always be replaced as a whole:
 *  - `swap`: everything is written into a temporary folder beside the target, which then takes the target's name. An
 *    existing result is moved aside first and put back should the second rename fail; between the two renames (some
 *    microseconds) there is no target. POSIX has no exchange of two folders that Node could call.
 *  - `into`: the target is a mount point, the current folder, or holds files that are not ours: everything is written into a
 *    temporary folder inside it, then the old report.json is removed, each file is renamed into place and the new
 *    report.json comes last. A folder without report.json is unfinished and is done again.
 *
 * All bytes are on the disk before the first rename, so a full disk never leaves half a result.
 */

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, readdir, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { FacewrightError } from '@facewright/protocol';
import { listForeignEntries, REPORT_NAME, readReport } from './finished-result.ts';
import { codeOf, mapWriteError, reasonOf } from './map-write-error.ts';
import { addTemporaryPath, forgetTemporaryPath } from './temporary-paths.ts';

export interface WriteFolderOptions {
  /** Also into a folder that holds files of somebody else (they stay). @default false */
  readonly force?: boolean;
  /** Looked at once more before anything becomes visible. */
  readonly signal?: AbortSignal;
  /** Folder that must not be moved because the user stands in it. */
  readonly cwd: string;
}

/** A temporary folder this old was left by a process that was killed. Milliseconds; no single photo takes an hour. */
const STALE_MS = 3_600_000;

/** How many names of foreign files a message lists. */
const NAMED_FOREIGN = 3;

/**
 * Writes `files` (path inside the folder → bytes) as the folder `target`.
 *
 * @throws FW_OUTPUT_NOT_WRITABLE, FW_OUTPUT_DISK_FULL, FW_CANCELED; then nothing of it is left and an old result is untouched
 */
export async function writeFolder(target: string, files: ReadonlyMap<string, Uint8Array>, options: WriteFolderOptions): Promise<void> {
  const mode = await checkTarget(target, options);
  // A link to a folder stays a link.
  const folder = await realpath(target).catch(() => target);
  const made: string[] = [];
  let temporary = '';
  try {
    await makeFolders(mode === 'into' ? folder : dirname(folder), made);
    await removeStale(mode === 'into' ? folder : dirname(folder), temporaryPrefix(folder, mode));
    temporary = join(mode === 'into' ? folder : dirname(folder), temporaryPrefix(folder, mode) + randomBytes(6).toString('hex'));
    addTemporaryPath(temporary);
    await mkdir(temporary);
    for (const [name, bytes] of files) {
      const path = join(temporary, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes, { flag: 'wx' });
    }
    if (options.signal?.aborted) throw new FacewrightError('FW_CANCELED', { stage: 'export' });
    if (mode === 'into') await moveInto(temporary, folder, [...files.keys()]);
    else await swap(temporary, folder);
  } catch (error) {
    if (temporary !== '') await rm(temporary, { recursive: true, force: true }).catch(() => {});
    for (const folderMade of made.reverse()) await rmdir(folderMade).catch(() => {});
    throw mapWriteError(error, target);
  } finally {
    forgetTemporaryPath(temporary);
  }
}

/**
 * Looks whether a result can be written as `target`, without writing: run before the work is done, so that nobody waits for nothing.
 *
 * @returns how it will be written
 * @throws FW_OUTPUT_NOT_WRITABLE
 */
export async function checkTarget(target: string, options: { readonly force?: boolean; readonly cwd: string }): Promise<'swap' | 'into'> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new FacewrightError('FW_OUTPUT_NOT_WRITABLE', { path: target, reason }, { cause });
  };
  const found = await stat(target).catch((error: unknown) => {
    const code = codeOf(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw mapWriteError(error, target);
    return null;
  });
  if (found === null) {
    const ancestor = await findExistingFolder(dirname(resolve(target)));
    const ancestorStat = await stat(ancestor);
    if (!ancestorStat.isDirectory()) refuse(`${ancestor} is a file, not a folder`);
    await access(ancestor, constants.W_OK | constants.X_OK).catch((error: unknown) => refuse(reasonOf(error), error));
    return 'swap';
  }
  if (!found.isDirectory()) refuse('it exists and is not a folder');
  const folder = await realpath(target);
  const parent = dirname(folder);
  const foreign = await listForeignEntries(folder).catch((error: unknown) => refuse(reasonOf(error), error));
  if (foreign.length > 0 && options.force !== true) {
    const names = foreign.slice(0, NAMED_FOREIGN).join(', ') + (foreign.length > NAMED_FOREIGN ? ', ...' : '');
    refuse(`the folder holds files that Facewright did not make (${names}); --force writes beside them`);
  }
  const here = relative(folder, await realpath(options.cwd).catch(() => options.cwd));
  const isBelowOrHere = !(/^\.\.([\\/]|$)/.test(here) || isAbsolute(here));
  const isMount = (await stat(parent)).dev !== found.dev;
  const isParentWritable = await access(parent, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (foreign.length === 0 && !isBelowOrHere && !isMount && isParentWritable) return 'swap';
  await access(folder, constants.W_OK | constants.X_OK).catch((error: unknown) => refuse(reasonOf(error), error));
  return 'into';
}

async function swap(temporary: string, folder: string): Promise<void> {
  const old = `${temporary}-old`;
  addTemporaryPath(old);
  try {
    const hadOne = await rename(folder, old).then(
      () => true,
      (error: unknown) => {
        if (codeOf(error) === 'ENOENT') return false;
        throw error;
      },
    );
    try {
      await rename(temporary, folder);
    } catch (error) {
      if (hadOne) await rename(old, folder);
      throw error;
    }
    if (hadOne) await rm(old, { recursive: true, force: true });
  } finally {
    forgetTemporaryPath(old);
  }
}

async function moveInto(temporary: string, folder: string, names: readonly string[]): Promise<void> {
  const before = (await readReport(folder))?.files ?? [];
  await rm(join(folder, REPORT_NAME), { force: true });
  const wanted = new Set(names);
  for (const file of before) if (!wanted.has(file.name)) await rm(join(folder, file.name), { force: true });
  const last = names.filter((name) => name === REPORT_NAME);
  for (const name of [...names.filter((n) => n !== REPORT_NAME), ...last]) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await rename(join(temporary, name), join(folder, name));
  }
  await rm(temporary, { recursive: true, force: true });
}

function temporaryPrefix(folder: string, mode: 'swap' | 'into'): string {
  return mode === 'into' ? '.facewright-' : `.${basename(folder)}.facewright-`;
}

/** Removes temporary folders of the same target that a killed process left behind. */
async function removeStale(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(parent, name);
    const found = await stat(path).catch(() => null);
    if (found !== null && Date.now() - found.mtimeMs > STALE_MS) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

/** Makes a folder and what is missing above it, and notes which ones, outermost first. */
async function makeFolders(folder: string, made: string[]): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  let path = first;
  made.push(path);
  for (const part of relative(first, folder)
    .split(sep)
    .filter((p) => p !== '')) {
    path = join(path, part);
    made.push(path);
  }
}

async function findExistingFolder(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const exists = await stat(at).then(
      () => true,
      (error: unknown) => {
        const code = codeOf(error);
        if (code !== 'ENOENT' && code !== 'ENOTDIR') throw mapWriteError(error, path);
        return false;
      },
    );
    if (exists || dirname(at) === at) return at;
  }
}

/**
 * @module Writes the files of one result into a folder: all of them or none.
 *
 * Two ways, because a folder cannot always be replaced as a whole:
 *  - `swap`: everything is written into a temporary folder beside the target, which then takes the target's name. An
 *    existing result is moved aside first and put back should the second rename fail; between the two renames (some
 *    microseconds) there is no target. POSIX has no exchange of two folders that Node could call.
 *  - `into`: the target is a mount point, the current folder, or holds files that are not ours: everything is written into a
 *    temporary folder inside it, then the files of the old result are moved aside, its report first, and the new ones are
 *    renamed into place, their report last. A folder without report.json is unfinished.
 *
 * The renames are synchronous: a signal or a stray error is answered before or after them, never between. A process killed from
 * outside between them leaves the old result aside; `putBackResult` puts it back. Every byte was taken by the file system before
 * the first rename, so a full disk never leaves half a result. It is not forced onto the disk (fsync cost 26 ms more for 12 MB on ext4,
 * 90 ms at times; the face itself is made in less): after a power cut a file may be too short, which a batch sees by its size.
 */

import { randomBytes } from 'node:crypto';
import { constants, existsSync, lstatSync, mkdirSync, renameSync, rmdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { access, mkdir, readdir, realpath, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { FacewrightError } from '@facewright/protocol';
import { listForeignEntries, listOwnFiles, REPORT_NAME } from './finished-result.ts';
import { codeOf, mapWriteError, reasonOf } from './map-write-error.ts';
import { OLD_SUFFIX, putBackResult, temporaryPrefix } from './put-back-result.ts';
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
    for (const folderOfFiles of new Set([...files.keys()].map((name) => dirname(name)))) {
      await mkdir(join(temporary, folderOfFiles), { recursive: true });
    }
    const write = (name: string): Promise<void> => writeFile(join(temporary, name), files.get(name)!, { flag: 'wx' });
    const written = await Promise.allSettled([...files.keys()].filter((name) => name !== REPORT_NAME).map(write));
    // None is being written any more when one failed: the folder can be removed.
    for (const result of written) if (result.status === 'rejected') throw result.reason;
    // The report last here, too: where it is, all the others are.
    if (files.has(REPORT_NAME)) await write(REPORT_NAME);
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
 * Looks whether a result can be written as `target`: run before the work is done, so that nobody waits for nothing. Writes nothing,
 * but puts an older result back that a killed run left aside.
 *
 * @returns how it will be written
 * @throws FW_OUTPUT_NOT_WRITABLE
 */
export async function checkTarget(target: string, options: { readonly force?: boolean; readonly cwd: string }): Promise<'swap' | 'into'> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new FacewrightError('FW_OUTPUT_NOT_WRITABLE', { path: target, reason }, { cause });
  };
  await putBackResult(target).catch((error: unknown) => {
    throw mapWriteError(error, target);
  });
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

/**
 * Puts the folder `temporary` in the place of `folder`. The two renames are one step for this process: nothing else of it runs
 * in between, so it cannot end there in an orderly way. Killed from outside there, it leaves no target; `putBackResult` mends that.
 */
async function swap(temporary: string, folder: string): Promise<void> {
  const old = temporary + OLD_SUFFIX;
  const hadOne = moveAside(folder, old);
  try {
    renameSync(temporary, folder);
  } catch (error) {
    if (hadOne) renameSync(old, folder);
    throw error;
  }
  if (hadOne) await removeOld(old);
}

/** @returns whether there was something to move */
function moveAside(folder: string, old: string): boolean {
  try {
    renameSync(folder, old);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
  touch(old);
  return true;
}

/** Sets the folder's time to now: a rename keeps it, and from this time on its age is counted. */
function touch(folder: string): void {
  const now = new Date();
  try {
    utimesSync(folder, now, now);
  } catch {
    // Somebody else's folder. It is younger in truth than it looks, which matters only if this process is killed right now.
  }
}

/** Removes the older result once the new one has its place; only from then on may it be lost. What cannot be removed is no failure. */
async function removeOld(old: string): Promise<void> {
  addTemporaryPath(old);
  await rm(old, { recursive: true, force: true }).catch(() => {});
  forgetTemporaryPath(old);
}

/**
 * Puts the files of `temporary` into `folder`, report.json last. Files of the older result are moved aside and put back should
 * a rename fail; those of somebody else are never touched. As in {@link swap}, nothing else of this process runs in between.
 *
 * @throws FW_OUTPUT_NOT_WRITABLE where something that is not ours stands in the way of a file
 */
async function moveInto(temporary: string, folder: string, names: readonly string[]): Promise<void> {
  const own = await listOwnFiles(folder);
  for (const name of names) checkIsFree(folder, name, own);
  const old = temporary + OLD_SUFFIX;
  const aside: string[] = [];
  const placed: string[] = [];
  const move = (name: string, from: string, to: string): void => {
    mkdirSync(dirname(join(to, name)), { recursive: true });
    renameSync(join(from, name), join(to, name));
  };
  try {
    mkdirSync(old);
    // The report first: from here on the folder is unfinished.
    for (const name of sortReport(own, 'first')) {
      if (!existsSync(join(folder, name))) continue;
      move(name, folder, old);
      aside.push(name);
    }
    for (const name of sortReport(names, 'last')) {
      move(name, temporary, folder);
      placed.push(name);
    }
  } catch (error) {
    for (const name of placed.reverse()) move(name, folder, temporary);
    for (const name of aside.reverse()) move(name, old, folder);
    removeEmptyFolders(folder, names);
    rmSync(old, { recursive: true, force: true });
    throw error;
  }
  removeEmptyFolders(folder, aside);
  await removeOld(old);
  await rm(temporary, { recursive: true, force: true }).catch(() => {});
}

/** Looks whether `name` can be put into `folder` without anything of somebody else getting lost. */
function checkIsFree(folder: string, name: string, own: ReadonlySet<string>): void {
  const refuse = (what: string): never => {
    throw new FacewrightError('FW_OUTPUT_NOT_WRITABLE', { path: join(folder, name), reason: what });
  };
  for (let above = dirname(name); above !== '.'; above = dirname(above)) {
    const found = statSync(join(folder, above), { throwIfNoEntry: false });
    if (found !== undefined && !found.isDirectory() && !own.has(above)) refuse(`${above} in it is a file that Facewright did not make`);
  }
  const found = lstatSync(join(folder, name), { throwIfNoEntry: false });
  if (found?.isDirectory()) refuse('a folder has this name');
  if (found !== undefined && !own.has(name)) refuse('it is there already and Facewright did not make it');
}

function sortReport(names: Iterable<string>, position: 'first' | 'last'): string[] {
  const all = [...names];
  const others = all.filter((name) => name !== REPORT_NAME);
  const report = all.filter((name) => name === REPORT_NAME);
  return position === 'first' ? [...report, ...others] : [...others, ...report];
}

/** Removes the folders that `names` were in, as far as nothing is left in them. */
function removeEmptyFolders(folder: string, names: readonly string[]): void {
  for (const name of names) {
    for (let above = dirname(name); above !== '.'; above = dirname(above)) {
      try {
        rmdirSync(join(folder, above));
      } catch {
        break;
      }
    }
  }
}

/** Removes temporary folders of the same target that a killed process left behind; for an older result, `touch` began the count. */
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

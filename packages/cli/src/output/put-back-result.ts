import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { listOwnFiles, REPORT_NAME, readReport } from './finished-result.ts';
import { temporaryName } from './temporary-name.ts';

/** What the name of an older result that was moved aside ends with; before it stands the name of the temporary folder of the newer one. */
export const OLD_SUFFIX = '-old';

/** How the names of the temporary folders begin that `writeFolder` makes for `folder`: beside it (`swap`) or inside it (`into`). */
export function temporaryPrefix(folder: string, mode: 'swap' | 'into'): string {
  return mode === 'into' ? '.facewright-' : temporaryName(basename(folder));
}

/**
 * Undoes what a run of `writeFolder` left half done that was killed among its last renames: the older result takes its place again.
 * Does nothing in every other case; costs one look at the folder then.
 */
export async function putBackResult(target: string): Promise<void> {
  const folder = resolve(target);
  const found = await stat(folder).catch(() => null);
  if (found === null) await putFolderBack(folder);
  else if (found.isDirectory() && !(await exists(join(folder, REPORT_NAME)))) await putFilesBack(folder);
}

async function putFolderBack(folder: string): Promise<void> {
  const parent = dirname(folder);
  const [latest] = await listLeft(parent, temporaryPrefix(folder, 'swap'), OLD_SUFFIX);
  if (latest !== undefined) await rename(join(parent, latest), folder);
}

async function putFilesBack(folder: string): Promise<void> {
  const [latest] = await listLeft(folder, temporaryPrefix(folder, 'into'), OLD_SUFFIX);
  if (latest === undefined) return;
  const old = join(folder, latest);
  // Files of the newer result that had their place already. Somebody's file of that name would have another checksum.
  const temporary = old.slice(0, -OLD_SUFFIX.length);
  for (const { name, sha256 } of (await readReport(temporary))?.files ?? []) {
    const path = join(folder, name);
    if (!(await exists(join(temporary, name))) && (await hasChecksum(path, sha256))) await rm(path);
  }
  // The report was moved away first and comes back last.
  const names = [...(await listOwnFiles(old))].reverse();
  for (const name of names) {
    if (!(await exists(join(old, name)))) continue;
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await rename(join(old, name), join(folder, name));
  }
  await rm(old, { recursive: true, force: true });
}

/** Folders in `parent` whose names begin and end like this, the youngest first. */
async function listLeft(parent: string, start: string, end: string): Promise<string[]> {
  const left: { readonly name: string; readonly mtimeMs: number }[] = [];
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith(start) || !name.slice(start.length).endsWith(end)) continue;
    const found = await stat(join(parent, name)).catch(() => null);
    if (found?.isDirectory()) left.push({ name, mtimeMs: found.mtimeMs });
  }
  return left.sort((a, b) => b.mtimeMs - a.mtimeMs).map(({ name }) => name);
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function hasChecksum(path: string, sha256: string): Promise<boolean> {
  const bytes = await readFile(path).catch(() => null);
  return bytes !== null && createHash('sha256').update(bytes).digest('hex') === sha256;
}

import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder and the folders above it that are missing; one that is there is fine.
 *
 * `mkdir` with `recursive` never returns where a system answers "no such file" for a folder whose parent is there, as
 * Linux does under /proc (Node 20.20): here the second such answer is the end.
 *
 * @throws the system's error (EACCES, ENOTDIR, ENOENT, EROFS, …)
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException;
    if (code === 'EEXIST') return; // a file in its place is noticed by what is written into it
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path) throw e;
    await makeFolder(parent);
    await mkdir(path).catch((again: NodeJS.ErrnoException) => {
      // Another process may have been quicker.
      if (again.code !== 'EEXIST') throw again;
    });
  }
}

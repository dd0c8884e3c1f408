import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/**
 * Mounts a small file system in memory at `folder`: for a disk that is really full or really read-only.
 *
 * @returns why it cannot be done here, or how to remount and take it away again
 */
export function mountTmpfs(
  folder: string,
  size: string,
): { readonly remount: (options: string) => void; readonly unmount: () => void } | string {
  if (process.platform !== 'linux') return `a tmpfs is mounted on Linux only, this is ${process.platform}`;
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'pipe' });
  } catch {
    return 'this user may not mount a tmpfs';
  }
  return {
    remount: (options) => {
      execFileSync('mount', ['-o', `remount,${options}`, folder]);
    },
    unmount: () => {
      execFileSync('umount', [folder]);
    },
  };
}

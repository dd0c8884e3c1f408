import { rmSync } from 'node:fs';

/**
 * Temporary files and folders that this process has open. The only state that the command line keeps outside of a call:
 * the process must be able to remove them however it ends.
 */
const open = new Set<string>();

export function addTemporaryPath(path: string): void {
  open.add(path);
}

export function forgetTemporaryPath(path: string): void {
  open.delete(path);
}

/** Removes what is left, at once; for the `exit` event, where nothing asynchronous runs any more. */
export function removeTemporaryPaths(): void {
  for (const path of open) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // The process is ending; there is nobody left to tell.
    }
  }
  open.clear();
}

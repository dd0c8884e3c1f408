import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';

const repositoryRoot = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Path of a file under ict-facekit/ of the folder that developers and CI have beside the checkout; skips the running test, with the reason
 * printed at the end of the run, where it is absent.
 */
export function requireIctFile(ctx: Pick<TestContext, 'skip'>, name: string): string {
  const shared = resolve(repositoryRoot, process.env.FACEWRIGHT_SHARED ?? '../shared');
  const path = join(shared, 'ict-facekit', name);
  if (!existsSync(path)) ctx.skip(`needs ict-facekit/${name} of the shared folder: set FACEWRIGHT_SHARED (looked in ${shared})`);
  return path;
}

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';

const repositoryRoot = fileURLToPath(new URL('../../../', import.meta.url));

/** Folder with photos, scans and references that developers and CI have beside the checkout; never part of the project. */
export const sharedRoot: string = resolve(repositoryRoot, process.env.FACEWRIGHT_SHARED ?? '../shared');

/**
 * Path of `name` (for example 'photos/index.csv') in the shared folder; skips the running test, with the reason printed
 * at the end of the run, where the folder or the file is absent.
 *
 * ```ts
 * it('finds every face of the shared photos', async (ctx) => {
 *   const photos = requireShared(ctx, 'photos');
 * ```
 *
 * @param ctx The test's own context: the skip is of that test only.
 */
export function requireShared(ctx: Pick<TestContext, 'skip'>, name: string): string {
  const path = join(sharedRoot, name);
  if (!existsSync(path)) ctx.skip(`needs ${name} of the shared folder: set FACEWRIGHT_SHARED (looked in ${sharedRoot})`);
  return path;
}

import { cacheEntry } from './cache-entry.ts';
import { removeStaleEntries } from './remove-stale-entries.ts';
import { formatTables, parseTables, type TableValue } from './table-file.ts';

/** What tables are recognised by. */
export interface TablesKey {
  /** What they are for, as `texture`. */
  readonly thing: string;
  /** Sixteen digits of a hash of what they are made of. */
  readonly hash: string;
  /** Version of the code that makes them. */
  readonly version: number;
  /** What else they depend on, as a size. */
  readonly kind: string;
}

/**
 * Tables from the cache folder when they are there, else made and left there: reading some megabytes takes a hundredth of the time of making
 * them in a fresh process, where no loop has been compiled yet.
 *
 * @param cacheDir - null: nothing is kept
 * @param make - numbers, words, lists, objects and typed arrays only
 */
export async function loadTables<T extends object>(
  cacheDir: string | null,
  { thing, hash, version, kind }: TablesKey,
  make: () => T,
): Promise<T> {
  if (cacheDir === null) return make();
  const name = `${thing}-${hash}-v${version}-${kind}.tables`;
  let made: T | null = null;
  const entry = await cacheEntry(cacheDir, name, async () => {
    made = make();
    return formatTables(made as TableValue);
  });
  if (entry.state === 'made') await removeStaleEntries(cacheDir, thing, name);
  return made ?? (parseTables(entry.bytes) as T);
}

import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Writing an entry takes seconds: what is older was left by a start that was killed. */
const MAX_UNFINISHED_AGE_MS = 3600_000;

/** An entry that no start has used for so long belongs to a version, or a processor, that is gone. */
const MAX_UNUSED_AGE_MS = 30 * 24 * 3600_000;

/**
 * Removes from the cache folder what nobody needs any more of one thing: unfinished files of killed starts, and entries
 * that were not used for 30 days (`cacheEntry` refreshes the time of one that it reads). Age is the only rule:
 * versions that run side by side keep their entries, and one that comes back later makes its own anew. An entry is read
 * whole when it is opened, so a process that runs does not miss it. Only files named as its entries are touched;
 * what cannot be removed stays.
 *
 * @param thing - what the names of its entries begin with, as `face-detector`
 * @param keep - name of the entry that was just made
 */
export async function removeStaleEntries(cacheDir: string, thing: string, keep: string): Promise<void> {
  const names = await readdir(cacheDir).catch(() => []);
  for (const name of names) {
    if (name === keep || !name.startsWith(thing)) continue;
    const rest = name.slice(thing.length);
    const isUnfinished = UNFINISHED.test(rest);
    if (!isUnfinished && !ENTRY.test(rest)) continue;
    const path = join(cacheDir, name);
    try {
      const ageMs = Date.now() - (await stat(path)).mtimeMs;
      if (ageMs > (isUnfinished ? MAX_UNFINISHED_AGE_MS : MAX_UNUSED_AGE_MS)) await rm(path);
    } catch {
      // Another start was quicker, or may not be disturbed (an open file on Windows).
    }
  }
}

/** What follows the thing's name: 16 digits of its hash, the version of what made it, the kind. See `readNetwork`, `loadTextureTables`. */
const ENTRY = /^-[0-9a-f]{16}-v\d+-[\w.-]+\.(?:onnx|tables)$/;
/** An entry's name, the process, a UUID. */
const UNFINISHED = /^-[0-9a-f]{16}-v\d+-[\w.-]+\.(?:onnx|tables)\.\d+\.[0-9a-f-]{36}\.tmp$/;

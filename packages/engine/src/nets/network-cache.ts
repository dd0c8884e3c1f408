import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface CachedNetwork {
  readonly bytes: Uint8Array;
  /** `hit`: read from disk; `made`: made anew and written; `off`: made anew and not written. */
  readonly state: 'hit' | 'made' | 'off';
  /** Why it could not be written: an error code such as EACCES, or null. */
  readonly writeError: string | null;
}

/**
 * Reads `name` from the cache folder, or makes it and leaves it there for the next start.
 *
 * An entry is the content followed by its sha256, so one that was cut off or changed is noticed and made anew. It is
 * written under a name of its own and then renamed: processes that start at the same time may all write, and each reads
 * a whole entry. A folder that cannot be written or read costs time only.
 *
 * @param cacheDir Null: no cache.
 * @param name Must change whenever the content would.
 */
export async function cacheNetwork(cacheDir: string | null, name: string, make: () => Promise<Uint8Array>): Promise<CachedNetwork> {
  if (cacheDir === null) return { bytes: await make(), state: 'off', writeError: null };
  const path = join(cacheDir, name);
  const known = await readEntry(path);
  if (known) return { bytes: known, state: 'hit', writeError: null };
  const bytes = await make();
  const writeError = await writeEntry(cacheDir, path, bytes);
  return { bytes, state: writeError === null ? 'made' : 'off', writeError };
}

const DIGEST_BYTES = 32;

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

async function readEntry(path: string): Promise<Uint8Array | null> {
  let entry: Buffer;
  try {
    entry = await readFile(path);
  } catch {
    return null; // absent or unreadable: in both cases it is made anew, and writing it tells what is wrong
  }
  if (entry.length <= DIGEST_BYTES) return null;
  const bytes = entry.subarray(0, -DIGEST_BYTES);
  return digestOf(bytes).equals(entry.subarray(-DIGEST_BYTES)) ? bytes : null;
}

async function writeEntry(cacheDir: string, path: string, bytes: Uint8Array): Promise<string | null> {
  const temporary = `${path}.${process.pid}.${randomUUID()}.tmp`;
  try {
    await mkdir(cacheDir, { recursive: true });
    await writeFile(temporary, [bytes, digestOf(bytes)], { flag: 'wx' });
    await rename(temporary, path);
    return null;
  } catch (e) {
    await rm(temporary, { force: true }).catch(() => {});
    return (e as NodeJS.ErrnoException).code ?? 'unknown error';
  }
}

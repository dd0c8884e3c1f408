import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { makeFolder } from './make-folder.ts';

export interface CacheEntry {
  readonly bytes: Uint8Array;
  /** Whether `bytes` went through `improve`. */
  readonly isImproved: boolean;
  /** `hit`: read from disk; `made`: made anew and written; `off`: made anew and not written. */
  readonly state: 'hit' | 'made' | 'off';
  /** Why it could not be written: an error code such as EACCES, or null. */
  readonly writeError: string | null;
}

/**
 * Reads `name` from the cache folder, or makes it and leaves it there, improved, for the next start.
 *
 * An entry is the content followed by its CRC-32, so one that was cut off or damaged is noticed and made anew. (Against
 * somebody who may write to the folder no checksum beside the content would help; this one costs a tenth of a SHA-256.) It
 * is written under a name of its own and then renamed: processes that start at the same time may all write, and each reads
 * a whole entry. A folder that cannot be written or read costs time only. Reading an entry refreshes its time, once a day, so
 * that its age tells how long it was not used (see remove-stale-entries.ts).
 *
 * @param cacheDir Null: no cache.
 * @param name Must change whenever the content would.
 * @param improve Spends time once to save it at each later start; may write to `scratchPath`, which is removed afterwards.
 */
export async function cacheEntry(
  cacheDir: string | null,
  name: string,
  make: () => Promise<Uint8Array>,
  improve: (bytes: Uint8Array, scratchPath: string) => Promise<Uint8Array> = (bytes) => Promise.resolve(bytes),
): Promise<CacheEntry> {
  if (cacheDir === null) return { bytes: await make(), isImproved: false, state: 'off', writeError: null };
  const path = join(cacheDir, name);
  const known = await readEntry(path);
  if (known) return { bytes: known, isImproved: true, state: 'hit', writeError: null };

  const made = await make();
  const temporary = `${path}.${process.pid}.${randomUUID()}.tmp`;
  try {
    await makeFolder(cacheDir);
    // Tells what is wrong with the folder before time is spent on improving.
    await writeFile(temporary, '', { flag: 'wx' });
    const bytes = await improve(made, temporary);
    await writeFile(temporary, [bytes, digestOf(bytes)]);
    await rename(temporary, path);
    return { bytes, isImproved: true, state: 'made', writeError: null };
  } catch (e) {
    await rm(temporary, { force: true }).catch(() => {});
    return { bytes: made, isImproved: false, state: 'off', writeError: (e as NodeJS.ErrnoException).code ?? 'unknown error' };
  }
}

const DIGEST_BYTES = 4;

function digestOf(bytes: Uint8Array): Buffer {
  const digest = Buffer.alloc(DIGEST_BYTES);
  digest.writeUInt32LE(crc32(bytes));
  return digest;
}

async function readEntry(path: string): Promise<Uint8Array | null> {
  let entry: Buffer;
  try {
    entry = await readFile(path);
  } catch {
    return null; // absent or unreadable: in both cases it is made anew, and writing it tells what is wrong
  }
  if (entry.length <= DIGEST_BYTES) return null;
  const bytes = entry.subarray(0, -DIGEST_BYTES);
  if (!digestOf(bytes).equals(entry.subarray(-DIGEST_BYTES))) return null;
  await refreshTime(path);
  return bytes;
}

const REFRESH_AFTER_MS = 24 * 3600_000;

async function refreshTime(path: string): Promise<void> {
  try {
    const now = Date.now();
    if (now - (await stat(path)).mtimeMs > REFRESH_AFTER_MS) await utimes(path, now / 1000, now / 1000);
  } catch {
    // A folder that may only be read: whoever writes it looks after it.
  }
}

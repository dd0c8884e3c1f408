import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { constants, type FileHandle, lstat, mkdir, open, readdir, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { FacewrightError } from '@facewright/protocol';
import { checkContentType, checkKey } from './check-key.ts';
import {
  createVersion,
  folderFromSegment,
  formatObjectFileName,
  type ObjectFileName,
  parseObjectFileName,
  segmentFromFolder,
  timeOfVersion,
} from './object-file-name.ts';
import type { ListedObject, ObjectStorage, StoredObject } from './object-storage.ts';
import { resolveRange } from './resolve-range.ts';
import { spoolToFile } from './spool-to-file.ts';
import { hasFsCode, storageErrorFromFs, withinMs } from './storage-error.ts';
import { UsageIndex } from './usage-index.ts';

export interface FileStorageOptions {
  /** Folder of the storage; made where missing. May lie on a volume that several machines share. */
  readonly dir: string;
  /** The most that one operation of the file system may take, ms. */
  readonly operationTimeoutMs?: number;
  /** Files of unfinished writes that are older belong to a process that died, ms. Longer than any upload and any task may take. */
  readonly leftoverAgeMs?: number;
  /** How old `usedBytes` may be for what other processes did, ms. */
  readonly usageRefreshMs?: number;
  readonly now?: () => number;
}

const DEFAULT_OPERATION_TIMEOUT_MS = 30_000;
const DEFAULT_LEFTOVER_AGE_MS = 2 * 3_600_000;
const DEFAULT_USAGE_REFRESH_MS = 5_000;
const SWEEP_EVERY_MS = 600_000;
/** Readable by the service's user only: faces are biometric data. */
const DIR_MODE = 0o700;
const FILE_MODE = 0o600;
/** Another process may delete a folder that we are about to write into; each round makes it again. */
const MAX_COMMIT_ROUNDS = 20;
/** A version that was read from the folder may be replaced before it is opened. */
const MAX_READ_ROUNDS = 5;
/** Coarser than the steps in which file systems count the times of folders (a timer tick, 10 ms at most; 2 s on FAT, which is no place for this). */
const TIME_GRAIN_MS = 20;
/** A file of this size needs a block of its own on every file system, so that a full disk is noticed. */
const PROBE_BYTES = 4096;
const TRASH = 'trash-';

/** A file of an object: what its name says and where it is. */
interface FoundFile extends ObjectFileName {
  readonly path: string;
}

/**
 * Objects as files below a folder. One file per object whose name tells everything (see `formatObjectFileName`): content and
 * description appear with one rename from a folder of the same file system, after the content was made to last. A second write
 * is a later version beside the first, which is deleted then; readers take the latest.
 *
 * Works for several processes and machines on one shared volume: nothing is locked, nothing is kept in memory but sizes.
 * Layout and reasons: docs/decisions/file-storage.md.
 *
 * @throws FW_STORAGE_FULL, FW_STORAGE_UNAVAILABLE when the folder cannot be made or written
 */
export async function createFileStorage(options: FileStorageOptions): Promise<ObjectStorage> {
  const now = options.now ?? Date.now;
  const timeoutMs = options.operationTimeoutMs ?? DEFAULT_OPERATION_TIMEOUT_MS;
  const leftoverAgeMs = options.leftoverAgeMs ?? DEFAULT_LEFTOVER_AGE_MS;
  const objectsDir = join(options.dir, 'objects');
  const tmpDir = join(options.dir, 'tmp');
  const scratchDir = join(options.dir, 'scratch');
  const locks = new Map<string, Promise<unknown>>();
  /** Writes on their way; closing waits for them. */
  const writes = new Set<Promise<unknown>>();
  const usage = new UsageIndex({ list, refreshMs: options.usageRefreshMs ?? DEFAULT_USAGE_REFRESH_MS, now });

  const bounded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await withinMs(work, timeoutMs);
    } catch (e) {
      throw storageErrorFromFs(e);
    }
  };

  /** One writer per key of this process at a time, so that none leaves a version behind that the other did not see. */
  async function exclusively<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = locks.get(key);
    const mine = (async () => {
      await before?.catch(() => {});
      return await work();
    })();
    locks.set(key, mine);
    try {
      return await mine;
    } finally {
      if (locks.get(key) === mine) locks.delete(key);
    }
  }

  const tracked = <T>(work: Promise<T>): Promise<T> => {
    const settled = work.then(
      () => {},
      () => {},
    );
    writes.add(settled);
    void settled.then(() => writes.delete(settled));
    return work;
  };

  const placeOf = (segments: readonly string[]): { readonly dir: string; readonly segment: string } => ({
    dir: join(objectsDir, ...segments.slice(0, -1).map(folderFromSegment)),
    segment: segments[segments.length - 1] as string,
  });

  /** The latest version of an object. A listing that raced with a replacement may miss both versions, so it is repeated then. */
  async function find(segments: readonly string[]): Promise<FoundFile | null> {
    const { dir, segment } = placeOf(segments);
    for (let round = 0; round < MAX_READ_ROUNDS; round++) {
      const before = await changeTime(dir);
      if (before === null) return null;
      const latest = (await versionsOf(dir, segment)).at(-1);
      if (latest !== undefined) return latest;
      if ((await changeTime(dir)) === before && Math.abs(Date.now() - before) > TIME_GRAIN_MS) return null;
    }
    return null;
  }

  /** Makes `path`, a complete file on the same file system, appear as the object. */
  async function commit(
    key: string,
    segments: readonly string[],
    path: string,
    meta: { readonly contentType: string; readonly sha256: string; readonly bytes: number },
  ): Promise<StoredObject> {
    const { dir, segment } = placeOf(segments);
    return await exclusively(key, async () => {
      for (let round = 1; ; round++) {
        let older: FoundFile[];
        let version: string;
        try {
          older = (await makeDir(dir)) ? [] : await versionsOf(dir, segment);
          version = createVersion(now(), older.at(-1)?.version ?? null, randomVersionEnd());
          await rename(path, join(dir, formatObjectFileName({ ...meta, segment, version })));
        } catch (e) {
          // The folder was deleted in between: it is made again.
          if (!hasFsCode(e, 'ENOENT') || round === MAX_COMMIT_ROUNDS) throw e;
          continue;
        }
        // From here on a folder that is missing was deleted together with the object.
        await syncDir(dir).catch(ignoreMissing);
        for (const file of older) await unlink(file.path).catch(ignoreMissing);
        usage.record(key, meta.bytes);
        return { key, ...meta, modifiedAt: timeOfVersion(version) };
      }
    });
  }

  async function* list(prefix: string): AsyncIterable<ListedObject> {
    const segments = prefix === '' ? [] : checkKey(prefix, 'prefix');
    const folders = [{ key: prefix, dir: join(objectsDir, ...segments.map(folderFromSegment)) }];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const { key, dir } = folder;
      const entries = await bounded(readdir(dir, { withFileTypes: true }).catch(emptyIfMissing));
      const latest = new Map<string, ObjectFileName>();
      for (const entry of entries) {
        if (entry.isDirectory()) {
          folders.push({ key: joinKey(key, segmentFromFolder(entry.name)), dir: join(dir, entry.name) });
          continue;
        }
        const name = entry.isFile() ? parseObjectFileName(entry.name) : null;
        if (name === null) continue;
        const other = latest.get(name.segment);
        if (other === undefined || other.version < name.version) latest.set(name.segment, name);
      }
      for (const name of latest.values()) {
        yield { key: joinKey(key, name.segment), bytes: name.bytes, modifiedAt: timeOfVersion(name.version) };
      }
    }
  }

  /** Opens the latest version; null when there is none. */
  async function openLatest(segments: readonly string[]): Promise<{ readonly file: FoundFile; readonly handle: FileHandle } | null> {
    for (let round = 1; ; round++) {
      const file = await find(segments);
      if (file === null) return null;
      try {
        return { file, handle: await open(file.path, constants.O_RDONLY | constants.O_NOFOLLOW) };
      } catch (e) {
        if (!hasFsCode(e, 'ENOENT') || round === MAX_READ_ROUNDS) throw e;
      }
    }
  }

  /** Deletes what a process that died left behind: unfinished writes by age, emptied folders at once. */
  async function removeLeftovers(): Promise<void> {
    for (const dir of [tmpDir, scratchDir]) {
      for (const name of await readdir(dir).catch(emptyIfMissing)) {
        const path = join(dir, name);
        const age = await stat(path).then(
          (s) => now() - s.mtimeMs,
          () => -1,
        );
        if (name.startsWith(TRASH) || age > leftoverAgeMs) await rm(path, { recursive: true, force: true });
      }
    }
  }

  async function check(): Promise<void> {
    const path = join(tmpDir, `probe-${randomName()}`);
    try {
      await withinMs(probe(path), Math.min(timeoutMs, 5_000));
    } catch (e) {
      throw storageErrorFromFs(e);
    }
  }

  await bounded(
    (async () => {
      for (const dir of [options.dir, objectsDir, tmpDir, scratchDir]) await mkdir(dir, { recursive: true, mode: DIR_MODE });
    })(),
  );
  let sweeping = removeLeftovers().catch(() => {});
  const timer = setInterval(() => {
    sweeping = sweeping.then(removeLeftovers).catch(() => {});
  }, SWEEP_EVERY_MS);
  timer.unref();

  const storage: ObjectStorage = {
    scratchDir,
    list,
    check,
    usedBytes: async (prefix) => {
      checkKey(prefix, 'prefix');
      return await usage.usedBytes(prefix);
    },

    async put(key, source, put) {
      const segments = await checkedOrDestroy(source, () => {
        checkContentType(put.contentType);
        return checkKey(key);
      });
      const path = join(tmpDir, `put-${randomName()}`);
      const spooled = await spoolToFile(source, path, {
        maxBytes: put.maxBytes,
        signal: put.signal,
        writeTimeoutMs: timeoutMs,
        sync: true,
      });
      try {
        return await bounded(commit(key, segments, path, { contentType: put.contentType, ...spooled }));
      } catch (e) {
        await unlink(path).catch(() => {});
        throw e;
      }
    },

    async adopt(key, path, meta) {
      checkContentType(meta.contentType);
      const segments = checkKey(key);
      await bounded(prepareAdoption(path, meta.bytes));
      try {
        return await bounded(commit(key, segments, path, { contentType: meta.contentType, sha256: meta.sha256, bytes: meta.bytes }));
      } catch (e) {
        if (!hasFsCode((e as Error).cause, 'EXDEV')) throw e;
      }
      // The file lies on another file system: a copy takes its place.
      const copy = join(tmpDir, `adopt-${randomName()}`);
      const spooled = await spoolToFile(createReadStream(path), copy, { writeTimeoutMs: timeoutMs, sync: true });
      try {
        const stored = await bounded(commit(key, segments, copy, { contentType: meta.contentType, ...spooled }));
        await unlink(path).catch(ignoreMissing);
        return stored;
      } catch (e) {
        await unlink(copy).catch(() => {});
        throw e;
      }
    },

    async stat(key) {
      const file = await bounded(find(checkKey(key)));
      return file === null ? null : describe(key, file);
    },

    async get(key, get = {}) {
      const opening = openLatest(checkKey(key));
      const found = await bounded(opening).catch((e: unknown) => {
        // It may be opened yet, when nobody waits for it any more.
        opening.then((late) => late?.handle.close()).catch(() => {});
        throw e;
      });
      if (found === null) return null;
      const object = describe(key, found.file);
      try {
        const range = resolveRange(get.range, object.bytes);
        // Node reads from position 0 to the end of an empty file without a range.
        const stream: Readable = found.handle.createReadStream(range === null ? {} : { start: range.start, end: range.end });
        return { object, stream: get.signal === undefined ? stream : addAbortSignal(get.signal, stream) };
      } catch (e) {
        await found.handle.close().catch(() => {});
        throw e;
      }
    },

    async toLocalFile(key, signal) {
      if (signal?.aborted) throw new FacewrightError('FW_CANCELED', { stage: 'storage' });
      const file = await bounded(find(checkKey(key)));
      return file === null ? null : { path: file.path, release: async () => {} };
    },

    async delete(key) {
      const segments = checkKey(key);
      const { dir, segment } = placeOf(segments);
      await bounded(
        exclusively(key, async () => {
          // The latest last: a crash in between must not bring an older one back.
          const files = await versionsOf(dir, segment);
          for (const file of files) await unlink(file.path).catch(ignoreMissing);
          if (files.length > 0) await syncDir(dir).catch(ignoreMissing);
          usage.record(key, null);
          await removeEmptyDirs(dir, objectsDir);
        }),
      );
    },

    async deleteAll(prefix) {
      const segments = checkKey(prefix, 'prefix');
      const dir = join(objectsDir, ...segments.map(folderFromSegment));
      let bytes = 0;
      for await (const object of list(prefix)) bytes += object.bytes;
      // It vanishes as a whole; files are unlinked where nobody looks.
      const trash = join(tmpDir, `${TRASH}${randomName()}`);
      try {
        await bounded(rename(dir, trash));
      } catch (e) {
        if (hasFsCode((e as Error).cause, 'ENOENT')) return 0;
        throw e;
      }
      usage.recordRemoval(prefix);
      await bounded(syncDir(dirname(dir)).catch(ignoreMissing));
      await bounded(rm(trash, { recursive: true, force: true }));
      return bytes;
    },

    async close() {
      clearInterval(timer);
      await sweeping;
      // One that hangs is not waited for longer than for anything else.
      await withinMs(Promise.all(writes), timeoutMs).catch(() => {});
    },
  };
  return {
    ...storage,
    put: (key, source, put) => tracked(storage.put(key, source, put)),
    adopt: (key, path, meta) => tracked(storage.adopt(key, path, meta)),
    delete: (key) => tracked(storage.delete(key)),
    deleteAll: (prefix) => tracked(storage.deleteAll(prefix)),
  };
}

const randomName = (): string => randomBytes(12).toString('hex');
/** Six digits, so that versions of one millisecond differ. */
const randomVersionEnd = (): string => randomBytes(4).readUInt32LE().toString(36).padStart(6, '0').slice(-6);
const joinKey = (prefix: string, segment: string): string => (prefix === '' ? segment : `${prefix}/${segment}`);
const describe = (key: string, file: ObjectFileName): StoredObject => ({
  key,
  bytes: file.bytes,
  sha256: file.sha256,
  contentType: file.contentType,
  modifiedAt: timeOfVersion(file.version),
});

const ignoreMissing = (e: unknown): void => {
  if (!hasFsCode(e, 'ENOENT')) throw e;
};
const emptyIfMissing = (e: unknown): [] => {
  if (hasFsCode(e, 'ENOENT', 'ENOTDIR')) return [];
  throw e;
};

/** Checks arguments before the source is touched; a source that nobody will read is destroyed. */
async function checkedOrDestroy<T>(source: Readable | Uint8Array, checks: () => T): Promise<T> {
  try {
    return checks();
  } catch (e) {
    if (!(source instanceof Uint8Array)) source.on('error', () => {}).destroy();
    throw e;
  }
}

/** Versions of an object, oldest first. */
async function versionsOf(dir: string, segment: string): Promise<FoundFile[]> {
  const files: FoundFile[] = [];
  for (const entry of await readdir(dir).catch(emptyIfMissing)) {
    if (!entry.startsWith(`${segment}@`)) continue;
    const name = parseObjectFileName(entry);
    if (name !== null) files.push({ ...name, path: join(dir, entry) });
  }
  return files.sort((a, b) => (a.version < b.version ? -1 : 1));
}

/** When entries of a folder changed last, ms; null where there is no folder. */
async function changeTime(dir: string): Promise<number | null> {
  try {
    return (await stat(dir)).mtimeMs;
  } catch (e) {
    if (hasFsCode(e, 'ENOENT', 'ENOTDIR')) return null;
    throw e;
  }
}

/** Makes a folder that outlasts a power cut. Returns whether it is new. */
async function makeDir(dir: string): Promise<boolean> {
  const first = await mkdir(dir, { recursive: true, mode: DIR_MODE });
  if (first === undefined) return false;
  for (let made = dir; ; made = dirname(made)) {
    await syncDir(dirname(made));
    if (made === first || made.length <= first.length) return true;
  }
}

/** Makes new names in a folder last. Some network file systems cannot, and say so in different ways. */
async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (e) {
    if (!hasFsCode(e, 'EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR', 'EBADF')) throw e;
  } finally {
    await handle.close();
  }
}

async function removeEmptyDirs(dir: string, upTo: string): Promise<void> {
  for (let empty = dir; empty.length > upTo.length; empty = dirname(empty)) {
    try {
      await rmdir(empty);
    } catch {
      return; // Not empty, or gone already: either is well.
    }
  }
}

/** Checks that a file is what its writer says, closes it to others and makes it last. */
async function prepareAdoption(path: string, bytes: number): Promise<void> {
  // A link could stand for any file of the machine.
  if (!(await lstat(path)).isFile()) throw new FacewrightError('FW_INTERNAL', { what: 'what was to be stored is not a file' });
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    if ((await handle.stat()).size !== bytes)
      throw new FacewrightError('FW_INTERNAL', { what: 'a file to be stored has another size than told' });
    await handle.chmod(FILE_MODE);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function probe(path: string): Promise<void> {
  const handle = await open(path, 'wx', FILE_MODE);
  try {
    await handle.writeFile(Buffer.alloc(PROBE_BYTES, 1));
    await handle.sync();
  } finally {
    await handle.close();
    await unlink(path).catch(() => {});
  }
}

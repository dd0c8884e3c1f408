import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { FacewrightError } from '@facewright/protocol';

/** What changed: a key with the fields that are new, or null where the record is gone. */
export type JournalEntry = readonly [key: string, fields: Readonly<Record<string, unknown>> | null];

const HEADER = 'facewright-journal 1\n';
/** Rewritten when it is larger than this and than three times what was live at the last rewriting or opening. */
const COMPACT_MIN_BYTES = 2 ** 20;
const COMPACT_GROWTH = 3;
/** Entries per line of a rewritten journal; between lines the event loop gets its turn. A large one takes half a millisecond to unpack. */
const SNAPSHOT_CHUNK = 32;
/** Bytes that are read at once. */
const READ_BYTES = 2 ** 20;
/** A line begins with its checksum and the length of what follows, in at most this many bytes. */
const HEAD = /^([0-9a-f]{8}) (\d{1,12}) /;
const HEAD_BYTES = 22;

/**
 * Append-only file of changes. Each group of changes that is committed together is one line, `crc32 bytes json`, so that it is there
 * whole or not at all: a last line that is not whole was never acknowledged and is cut off, a bad line before a good one is damage.
 */
export class JournalFile {
  readonly #path: string;
  #handle: FileHandle;
  /** Length up to which the file is good; what lies behind is cut before the next append. */
  #bytes: number;
  #liveBytes: number;
  #isDirty: boolean = false;
  /** Lines that were appended since a rewriting began; null while there is none. */
  #tail: string[] | null = null;
  /** The last of the writes that must not be done at the same time. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(path: string, handle: FileHandle, { bytes, liveBytes }: Sizes) {
    this.#path = path;
    this.#handle = handle;
    this.#bytes = bytes;
    this.#liveBytes = liveBytes;
  }

  /**
   * Opens or creates a journal and calls `onEntry` with everything that was committed, in order.
   *
   * @throws FW_QUEUE_UNAVAILABLE when it is damaged, not a journal, or cannot be read or written
   */
  static async open(path: string, onEntry: (entry: JournalEntry) => void): Promise<JournalFile> {
    let handle: FileHandle | null = null;
    try {
      await rm(`${path}.new`, { force: true });
      // Made where it is missing, without touching one that is there; positions count only without O_APPEND.
      await (await open(path, 'a')).close();
      handle = await open(path, 'r+');
      const sizes = await readJournal(path, onEntry);
      const journal = new JournalFile(path, handle, sizes);
      if (sizes.bytes === 0) await journal.#write(HEADER);
      else {
        await handle.truncate(sizes.bytes);
        await handle.datasync();
      }
      await syncFolder(dirname(path));
      return journal;
    } catch (e) {
      await handle?.close();
      throw journalError(e);
    }
  }

  get bytes(): number {
    return this.#bytes;
  }
  get wantsCompaction(): boolean {
    return this.#tail === null && this.#bytes > Math.max(COMPACT_MIN_BYTES, COMPACT_GROWTH * this.#liveBytes);
  }

  /**
   * Returns when the entries survive a crash.
   *
   * @throws FW_STORAGE_FULL or FW_QUEUE_UNAVAILABLE; the journal is then as before
   */
  async append(entries: readonly JournalEntry[]): Promise<void> {
    await this.#exclusive(async () => {
      const line = formatLine(entries);
      try {
        await this.#write(line);
      } catch (e) {
        await this.#cut().catch(() => {});
        throw journalError(e);
      }
      this.#tail?.push(line);
    });
  }

  /**
   * Replaces the whole by `entries`, which are what was appended until now; they are asked for bit by bit and must not change meanwhile.
   * What is appended before it is done goes into the old file, as always, and then behind `entries` into the new one: whoever appends
   * waits for the last of these lines only.
   *
   * @throws FW_STORAGE_FULL or FW_QUEUE_UNAVAILABLE; the journal is then as before
   */
  async compact(entries: Iterable<JournalEntry>): Promise<void> {
    const path = `${this.#path}.new`;
    let handle: FileHandle | null = null;
    const tail: string[] = [];
    this.#tail = tail;
    try {
      handle = await open(path, 'w+');
      const next = new JournalFile(this.#path, handle, { bytes: 0, liveBytes: 0 });
      await next.#write(HEADER, false);
      let chunk: JournalEntry[] = [];
      for (const entry of entries) {
        chunk.push(entry);
        if (chunk.length < SNAPSHOT_CHUNK) continue;
        await next.#write(formatLine(chunk), false);
        chunk = [];
      }
      if (chunk.length > 0) await next.#write(formatLine(chunk), false);
      const liveBytes = next.#bytes;
      const catchUp = async (): Promise<void> => {
        for (const line of tail.splice(0)) await next.#write(line, false);
      };
      await catchUp();
      await handle.datasync();
      const whole = handle;
      await this.#exclusive(async () => {
        await catchUp();
        await whole.datasync();
        await rename(path, this.#path);
        const old = this.#handle;
        [this.#handle, this.#bytes, this.#liveBytes, this.#isDirty] = [whole, next.#bytes, liveBytes, false];
        await old.close().catch(() => {});
        await syncFolder(dirname(path));
      });
    } catch (e) {
      if (handle !== null && handle !== this.#handle) await handle.close().catch(() => {});
      await rm(path, { force: true }).catch(() => {});
      throw journalError(e);
    } finally {
      this.#tail = null;
    }
  }

  /** Does one thing after the other. */
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #write(text: string, sync = true): Promise<void> {
    if (this.#isDirty) await this.#cut();
    this.#isDirty = true;
    const data = Buffer.from(text);
    for (let done = 0; done < data.length; ) {
      // A disk that fills up first writes less than asked, then fails.
      done += (await this.#handle.write(data, done, data.length - done, this.#bytes + done)).bytesWritten;
    }
    if (sync) await this.#handle.datasync();
    this.#bytes += data.length;
    this.#isDirty = false;
  }

  async #cut(): Promise<void> {
    await this.#handle.truncate(this.#bytes);
    await this.#handle.datasync();
    this.#isDirty = false;
  }
}

function formatLine(entries: readonly JournalEntry[]): string {
  const json = JSON.stringify(entries);
  return `${crc32(json).toString(16).padStart(8, '0')} ${Buffer.byteLength(json)} ${json}\n`;
}

interface Sizes {
  /** Length of what is good. */
  readonly bytes: number;
  /** What a rewritten journal would have, a little more where records were changed after they had been made. */
  readonly liveBytes: number;
}

/** Reports what is good, line by line: a journal may be larger than a buffer may be. */
async function readJournal(path: string, onEntry: (entry: JournalEntry) => void): Promise<Sizes> {
  const live = new Map<string, number>();
  let good = 0;
  let size = 0;
  let hasBad = false;
  let hasGoodBehindBad = false;
  for await (const { line, start, end, isWhole } of readLines(path)) {
    size = end;
    if (start === 0) {
      const text = line.toString('latin1', 0, HEADER.length);
      if (!isWhole && end < HEADER.length && HEADER.startsWith(text)) break;
      if (!isWhole || `${text}\n` !== HEADER) throw new DamagedJournal('it is not a journal of this version');
      good = end;
      continue;
    }
    const entries = isWhole ? parseLine(line) : null;
    if (entries === null) hasBad = true;
    // Whatever is whole behind a bad place was acknowledged, so the bad place was, too.
    else if (hasBad) hasGoodBehindBad = true;
    else {
      for (const entry of entries) {
        onEntry(entry);
        const [key, fields] = entry;
        const bytes = entries.length === 1 ? end - start : JSON.stringify(entry).length;
        if (fields === null) live.delete(key);
        else live.set(key, (live.get(key) ?? 0) + bytes);
      }
      good = end;
    }
  }
  if (hasGoodBehindBad) throw new DamagedJournal(`damaged at byte ${good} of ${size}`);
  let liveBytes = HEADER.length;
  for (const bytes of live.values()) liveBytes += bytes;
  return { bytes: good, liveBytes };
}

interface Line {
  /** Without its end. Empty where it cannot be one of a journal and is longer than a chunk. */
  readonly line: Buffer;
  readonly start: number;
  readonly end: number;
  readonly isWhole: boolean;
}

async function* readLines(path: string): AsyncGenerator<Line, void, undefined> {
  let parts: Buffer[] = [];
  let start = 0;
  let end = 0;
  const take = (isWhole: boolean): Line => {
    const line = { line: parts.length === 1 ? parts[0] : Buffer.concat(parts), start, end, isWhole };
    [parts, start] = [[], end];
    return line;
  };
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>) {
    for (let from = 0; from < chunk.length; ) {
      const at = chunk.indexOf(10, from);
      const to = at < 0 ? chunk.length : at;
      // A file that a crash left with a hole: nothing is kept of what is no line.
      const isKept = end === start || parts.length > 0;
      end += to - from;
      if (isKept) parts.push(chunk.subarray(from, to));
      if (at >= 0) {
        end++;
        yield take(true);
      } else if (isKept && start > 0 && end - start >= HEAD_BYTES && parts.length <= 2) {
        if (!HEAD.test(Buffer.concat(parts).toString('latin1', 0, HEAD_BYTES))) parts = [];
      }
      from = to + 1;
    }
  }
  if (end > start) yield take(false);
}

/** Null where it is not as it was written. */
function parseLine(line: Buffer): readonly JournalEntry[] | null {
  const head = HEAD.exec(line.toString('latin1', 0, HEAD_BYTES));
  if (head === null) return null;
  const json = line.subarray(head[0].length);
  if (json.length !== Number(head[2]) || crc32(json) !== Number.parseInt(head[1], 16)) return null;
  return JSON.parse(json.toString()) as JournalEntry[];
}

class DamagedJournal extends Error {}

function journalError(e: unknown): FacewrightError {
  const code = e instanceof Error && 'code' in e ? String(e.code) : '';
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') return new FacewrightError('FW_STORAGE_FULL', {}, { cause: e });
  const reason = e instanceof DamagedJournal ? e.message : `the journal cannot be written or read: ${code || 'unknown reason'}`;
  return new FacewrightError('FW_QUEUE_UNAVAILABLE', { reason: e instanceof DamagedJournal ? `journal ${reason}` : reason }, { cause: e });
}

/** Makes a new or renamed file in the folder survive a crash. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

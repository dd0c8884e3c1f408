import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { FacewrightError } from '@facewright/protocol';

/** What changed: a key with the fields that are new, or null where the record is gone. */
export type JournalEntry = readonly [key: string, fields: Readonly<Record<string, unknown>> | null];

const HEADER = 'facewright-journal 1\n';
/** Rewritten when it is larger than this and than three times what was live at the last rewriting. */
const COMPACT_MIN_BYTES = 2 ** 20;
const COMPACT_GROWTH = 3;
/** Entries per line of a rewritten journal; between lines the event loop gets its turn. */
const SNAPSHOT_CHUNK = 256;

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

  private constructor(path: string, handle: FileHandle, bytes: number) {
    this.#path = path;
    this.#handle = handle;
    this.#bytes = bytes;
    this.#liveBytes = bytes;
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
      const bytes = parseJournal(await readFile(path), onEntry);
      const journal = new JournalFile(path, handle, bytes);
      if (bytes === 0) await journal.#write(HEADER);
      else {
        await handle.truncate(bytes);
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
    return this.#bytes > Math.max(COMPACT_MIN_BYTES, COMPACT_GROWTH * this.#liveBytes);
  }

  /**
   * Returns when the entries survive a crash.
   *
   * @throws FW_STORAGE_FULL or FW_QUEUE_UNAVAILABLE; the journal is then as before
   */
  async append(entries: readonly JournalEntry[]): Promise<void> {
    try {
      await this.#write(formatLine(entries));
    } catch (e) {
      await this.#cut().catch(() => {});
      throw journalError(e);
    }
  }

  /**
   * Replaces the whole by `entries`.
   *
   * @throws FW_STORAGE_FULL or FW_QUEUE_UNAVAILABLE; the journal is then as before
   */
  async compact(entries: readonly JournalEntry[]): Promise<void> {
    const path = `${this.#path}.new`;
    let handle: FileHandle | null = null;
    try {
      handle = await open(path, 'w+');
      const next = new JournalFile(this.#path, handle, 0);
      await next.#write(HEADER, false);
      for (let i = 0; i < entries.length; i += SNAPSHOT_CHUNK) {
        await next.#write(formatLine(entries.slice(i, i + SNAPSHOT_CHUNK)), false);
      }
      await handle.datasync();
      await rename(path, this.#path);
      await syncFolder(dirname(path));
      const old = this.#handle;
      [this.#handle, this.#bytes, this.#liveBytes, this.#isDirty] = [handle, next.#bytes, next.#bytes, false];
      await old.close().catch(() => {});
    } catch (e) {
      if (handle !== null && handle !== this.#handle) await handle.close().catch(() => {});
      await rm(path, { force: true }).catch(() => {});
      throw journalError(e);
    }
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

/** Reports what is good and returns its length. */
function parseJournal(data: Buffer, onEntry: (entry: JournalEntry) => void): number {
  if (data.length < HEADER.length && Buffer.from(HEADER).subarray(0, data.length).equals(data)) return 0;
  if (data.toString('latin1', 0, HEADER.length) !== HEADER) throw new DamagedJournal('it is not a journal of this version');
  let good = HEADER.length;
  for (;;) {
    const entries = parseLine(data, good);
    if (entries === null) break;
    for (const entry of entries.value) onEntry(entry);
    good = entries.end;
  }
  // Whatever is whole behind a bad place was acknowledged, so the bad place was, too.
  for (let at = data.indexOf(10, good); at >= 0; at = data.indexOf(10, at + 1)) {
    if (parseLine(data, at + 1) !== null) throw new DamagedJournal(`damaged at byte ${good} of ${data.length}`);
  }
  return good;
}

function parseLine(data: Buffer, start: number): { readonly value: readonly JournalEntry[]; readonly end: number } | null {
  const head = /^([0-9a-f]{8}) (\d{1,12}) /.exec(data.toString('latin1', start, start + 24));
  if (head === null) return null;
  const begin = start + head[0].length;
  const end = begin + Number(head[2]);
  if (data[end] !== 10) return null;
  const json = data.subarray(begin, end);
  if (crc32(json) !== Number.parseInt(head[1], 16)) return null;
  return { value: JSON.parse(json.toString()) as JournalEntry[], end: end + 1 };
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

import type { Readable } from 'node:stream';
import { FacewrightError } from '@facewright/protocol';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { cleanPhotoName } from './photo-names.ts';

export interface ZipLimits {
  readonly maxPhotos: number;
  /** Bytes of all photos together, unpacked. */
  readonly maxBytes: number;
}

/** A file of an archive that may be a photo. */
export interface ZipPhoto {
  readonly name: string;
  /** As the archive declares it; the stream fails where it has more or fewer. */
  readonly bytes: number;
  readonly crc32: number;
  /** To be called at most once, before the next photo is asked for. */
  readonly open: () => Promise<Readable>;
}

/** An entry may unpack to this many times its packed size: DEFLATE reaches 1032, photos hardly 2, flat test images 200. */
const MAX_RATIO = 250;
/** Small entries may: their ratio says nothing. */
const RATIO_FREE_BYTES = 2 ** 20;
/** Entries that are no photos (folders, what systems add) beside each photo, and in any case. */
const ENTRIES_PER_PHOTO = 3;
const FREE_ENTRIES = 1000;
/** Kinds of file in the Unix mode that an archive may hold. Others (links, devices, pipes) could stand for anything. */
const MODE_KIND = 0o170000;
const MODE_FILE = 0o100000;
const MODE_FOLDER = 0o040000;
const HOST_UNIX = 3;
const STORED = 0;
const DEFLATED = 8;

/**
 * The photos in a zip, one after the other; nothing is unpacked before it is asked for. Folders, dot files and what macOS and Windows
 * add are passed over.
 *
 * Everything is decided by what the archive declares, and yauzl sees to it that a stream has neither more nor fewer bytes than
 * declared: an archive that unpacks to more than its limits is refused before it does.
 *
 * @throws FW_ARCHIVE_INVALID, FW_BATCH_TOO_MANY, FW_BODY_TOO_LARGE
 */
export async function* readZipPhotos(path: string, limits: ZipLimits): AsyncGenerator<ZipPhoto> {
  const zip = await openPromise(path, { lazyEntries: true, autoClose: false, decodeStrings: true, validateEntrySizes: true }).catch(refuse);
  try {
    if (zip.entryCount > limits.maxPhotos * ENTRIES_PER_PHOTO + FREE_ENTRIES) throw archiveInvalid(`it has ${zip.entryCount} entries`);
    let photos = 0;
    let totalBytes = 0;
    for await (const entry of entriesOf(zip)) {
      checkEntry(entry);
      if (isPassedOver(entry)) continue;
      photos++;
      if (photos > limits.maxPhotos) throw new FacewrightError('FW_BATCH_TOO_MANY', { count: photos, max: limits.maxPhotos });
      totalBytes += entry.uncompressedSize;
      if (totalBytes > limits.maxBytes) throw new FacewrightError('FW_BODY_TOO_LARGE', { maxBytes: limits.maxBytes });
      yield {
        name: cleanPhotoName(entry.fileName),
        bytes: entry.uncompressedSize,
        crc32: entry.crc32,
        open: () => zip.openReadStreamPromise(entry).catch(refuse),
      };
    }
  } finally {
    zip.close();
  }
}

/** Reasons are fixed: messages of the library quote names of entries. */
export const archiveInvalid = (reason: string, cause?: unknown): FacewrightError<'FW_ARCHIVE_INVALID'> =>
  new FacewrightError('FW_ARCHIVE_INVALID', { reason }, { cause });

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  try {
    yield* zip.eachEntry();
  } catch (e) {
    refuse(e);
  }
}

function checkEntry(entry: Entry): void {
  if (entry.isEncrypted()) throw archiveInvalid('it is encrypted');
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) throw archiveInvalid('its way of packing is not known');
  const kind = entry.versionMadeBy >> 8 === HOST_UNIX ? (entry.externalFileAttributes >>> 16) & MODE_KIND : 0;
  if (kind !== 0 && kind !== MODE_FILE && kind !== MODE_FOLDER) throw archiveInvalid('it holds a link or a special file');
  if (/\.(?:zip|7z|rar|tar|t?gz|bz2|xz|zst)$/i.test(entry.fileName)) throw archiveInvalid('it holds another archive');
  if (entry.uncompressedSize > RATIO_FREE_BYTES && entry.uncompressedSize > entry.compressedSize * MAX_RATIO) {
    throw archiveInvalid('an entry unpacks to far more than a photo does');
  }
}

function isPassedOver({ fileName }: Entry): boolean {
  const parts = fileName.split(/[\\/]/);
  const base = parts.at(-1) ?? '';
  return base === '' || base.startsWith('.') || parts.includes('__MACOSX') || /^(?:thumbs\.db|desktop\.ini)$/i.test(base);
}

function refuse(e: unknown): never {
  if (e instanceof FacewrightError) throw e;
  const message = e instanceof Error ? e.message : '';
  if (/relative path|absolute path|invalid characters/.test(message)) throw archiveInvalid('an entry lies outside of it', e);
  if (/encrypt/.test(message)) throw archiveInvalid('it is encrypted', e);
  throw archiveInvalid('it is damaged or not a zip', e);
}

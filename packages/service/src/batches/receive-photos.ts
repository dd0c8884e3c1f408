import { createHash, randomBytes } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { sniffImageFormat } from '@facewright/engine/sniff-image-format';
import { FacewrightError, isFacewrightError, type WireError, wireFromError } from '@facewright/protocol';
import type { ObjectStorage } from '../storage/object-storage.ts';
import { spoolToFile } from '../storage/spool-to-file.ts';
import { archiveInvalid, readZipPhotos } from './read-zip-photos.ts';

/** A photo of a batch that was read to its end. */
export interface ReceivedPhoto {
  readonly name: string;
  readonly bytes: number;
  /** Lower-case hex; null where it was refused. */
  readonly sha256: string | null;
  readonly key: string | null;
  readonly error: WireError | null;
}

export interface ReceiveLimits {
  readonly maxPhotos: number;
  readonly maxPhotoBytes: number;
  /** Of all photos, and of an archive, packed and unpacked. */
  readonly maxBytes: number;
}

export interface ReceiverOptions {
  readonly storage: ObjectStorage;
  readonly limits: ReceiveLimits;
  readonly signal: AbortSignal;
  /** Where the photo of this number is to lie; null: it is read and compared only. */
  readonly keyOf: ((index: number) => string) | null;
  /**
   * Called with how many bytes were received that do not lie in the storage yet, as they come and after each photo (0); what it throws
   * refuses the batch.
   */
  readonly onHeld?: (bytes: number) => Promise<void>;
}

/** How much of a file is looked at to tell its format. */
const HEAD_BYTES = 1024;
/** One write of the archive to the disk of this machine. */
const WRITE_TIMEOUT_MS = 30_000;
/** Begins every zip with an entry in it, and documents that are zips. */
const ZIP_MAGIC = Buffer.from('PK\x03\x04');

/**
 * Takes the photos of one batch, one after the other. A photo that cannot be one is told as refused and the batch goes on; whatever
 * makes the batch itself impossible is thrown, and the caller deletes what was stored.
 */
export class PhotoReceiver {
  readonly photos: ReceivedPhoto[] = [];
  readonly #options: ReceiverOptions;
  #totalBytes = 0;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /**
   * A photo as it arrives. The stream is read to its end, also where the photo is refused.
   *
   * @throws FW_BATCH_TOO_MANY, FW_BODY_TOO_LARGE, what the storage throws
   */
  async addPhoto(name: string, stream: Readable, expectedCrc32?: number): Promise<void> {
    const { storage, limits, signal, keyOf } = this.#options;
    if (this.photos.length === limits.maxPhotos) {
      throw new FacewrightError('FW_BATCH_TOO_MANY', { count: limits.maxPhotos + 1, max: limits.maxPhotos });
    }
    const before = this.#totalBytes;
    try {
      const { format, source } = await this.#open(stream, expectedCrc32);
      const key = keyOf?.(this.photos.length) ?? null;
      const stored = key === null ? await hashStream(source) : await storage.put(key, source, { contentType: `image/${format}`, signal });
      this.photos.push({ name, bytes: stored.bytes, sha256: stored.sha256, key, error: null });
    } catch (e) {
      if (!isPhotoProblem(e, this.#totalBytes <= limits.maxBytes)) throw e;
      await this.#drain(stream);
      const bytes = this.#totalBytes - before;
      const told =
        e.code === 'FW_BODY_TOO_LARGE' ? new FacewrightError('FW_PHOTO_TOO_MANY_BYTES', { bytes, maxBytes: limits.maxPhotoBytes }) : e;
      this.photos.push({ name, bytes, sha256: null, key: null, error: wireFromError(told) });
      return;
    }
    await this.#options.onHeld?.(0);
  }

  /**
   * All photos of a zip, which first becomes a file of this machine: its directory lies at its end.
   *
   * @throws FW_ARCHIVE_INVALID, FW_BATCH_TOO_MANY, FW_BODY_TOO_LARGE, what the storage throws
   */
  async addArchive(stream: Readable): Promise<void> {
    const { storage, limits, signal } = this.#options;
    const path = join(storage.scratchDir, `batch-${randomBytes(12).toString('hex')}.zip`);
    const source = Readable.from(this.#hold(chunksOf(stream, signal)), { objectMode: false });
    await spoolToFile(source, path, { maxBytes: limits.maxBytes, signal, writeTimeoutMs: WRITE_TIMEOUT_MS, sync: false });
    try {
      // Its photos are unpacked from here on and count themselves.
      await this.#options.onHeld?.(0);
      for await (const photo of readZipPhotos(path, { maxPhotos: limits.maxPhotos - this.photos.length, maxBytes: limits.maxBytes })) {
        signal.throwIfAborted();
        if (photo.bytes > limits.maxPhotoBytes) {
          const error = new FacewrightError('FW_PHOTO_TOO_MANY_BYTES', { bytes: photo.bytes, maxBytes: limits.maxPhotoBytes });
          this.photos.push({ name: photo.name, bytes: photo.bytes, sha256: null, key: null, error: wireFromError(error) });
          continue;
        }
        const unpacked = await photo.open();
        try {
          await this.addPhoto(photo.name, unpacked, photo.crc32);
        } finally {
          unpacked.on('error', () => {}).destroy();
        }
      }
    } finally {
      await unlink(path).catch(() => {});
    }
  }

  /** Looks at the first bytes; the source that is returned begins with them. */
  async #open(stream: Readable, expectedCrc32: number | undefined): Promise<{ readonly format: string; readonly source: Readable }> {
    const chunks = this.#count(stream, expectedCrc32);
    const first: Buffer[] = [];
    let length = 0;
    while (length < HEAD_BYTES) {
      const { value, done } = await chunks.next();
      if (done) break;
      first.push(value);
      length += value.length;
    }
    const head = Buffer.concat(first);
    if (head.subarray(0, ZIP_MAGIC.length).equals(ZIP_MAGIC)) throw archiveInvalid('it holds another archive');
    const format = checkFormat(head.subarray(0, HEAD_BYTES));
    async function* all(): AsyncGenerator<Buffer> {
      yield head;
      yield* chunks;
    }
    return { format, source: Readable.from(all(), { objectMode: false }) };
  }

  async *#hold(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, undefined> {
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      await this.#options.onHeld?.(bytes);
      yield chunk;
    }
  }

  /** Passes a photo on, counts it, and compares the checksum that an archive gives. */
  async *#count(stream: Readable, expectedCrc32: number | undefined): AsyncGenerator<Buffer, undefined> {
    const { maxPhotoBytes } = this.#options.limits;
    let checksum = 0;
    let bytes = 0;
    try {
      for await (const chunk of chunksOf(stream, this.#options.signal)) {
        this.#take(chunk.length);
        bytes += chunk.length;
        if (bytes > maxPhotoBytes) throw new FacewrightError('FW_BODY_TOO_LARGE', { maxBytes: maxPhotoBytes });
        if (this.#options.keyOf !== null) await this.#options.onHeld?.(bytes);
        if (expectedCrc32 !== undefined) checksum = crc32(chunk, checksum);
        yield chunk;
      }
    } catch (e) {
      throw errorOfUnpacking(e, expectedCrc32 !== undefined);
    }
    if (expectedCrc32 !== undefined && checksum !== expectedCrc32) {
      throw new FacewrightError('FW_PHOTO_TRUNCATED', { reason: 'its checksum in the archive is another' });
    }
  }

  #take(bytes: number): void {
    const { maxBytes } = this.#options.limits;
    this.#totalBytes += bytes;
    if (this.#totalBytes > maxBytes) throw new FacewrightError('FW_BODY_TOO_LARGE', { maxBytes });
  }

  /** Reads away what is left of a refused photo: a form goes on behind it. */
  async #drain(stream: Readable): Promise<void> {
    if (stream.destroyed || stream.readableEnded) return;
    for await (const chunk of chunksOf(stream, this.#options.signal)) this.#take(chunk.length);
  }
}

/** What two uploads have in common that are the same batch. Lower-case hex. */
export function computeBatchFingerprint(photos: readonly ReceivedPhoto[], options: object, webhookUrl: string | null): string {
  const named = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = photos.map(({ name, sha256, bytes, error }) => [name, sha256 ?? error?.code, bytes]);
  return createHash('sha256')
    .update(JSON.stringify([parts, named, webhookUrl]))
    .digest('hex');
}

function checkFormat(head: Buffer): string {
  if (head.length === 0) throw new FacewrightError('FW_PHOTO_EMPTY', {});
  const sniffed = sniffImageFormat(head);
  if (sniffed.format === null) throw new FacewrightError('FW_PHOTO_NOT_IMAGE', { found: sniffed.found });
  return sniffed.format;
}

/** Whether an error is about one photo, so that the batch goes on. */
function isPhotoProblem(e: unknown, isWithinBatch: boolean): e is FacewrightError {
  if (!isFacewrightError(e)) return false;
  return e.code.startsWith('FW_PHOTO_') || (e.code === 'FW_BODY_TOO_LARGE' && isWithinBatch);
}

/** zlib at damaged data is a damaged photo; more bytes than the archive declares are an archive that lies. */
function errorOfUnpacking(e: unknown, isArchive: boolean): unknown {
  if (!isArchive || isFacewrightError(e)) return e;
  const { code, message } = e as NodeJS.ErrnoException;
  if (code === 'ABORT_ERR') return e;
  if (code?.startsWith('Z_') === true || /not enough bytes/.test(message)) {
    return new FacewrightError('FW_PHOTO_TRUNCATED', { reason: 'its data in the archive is damaged' }, { cause: e });
  }
  return archiveInvalid(/too many bytes/.test(message) ? 'an entry has more bytes than it says' : 'it is damaged', e);
}

/**
 * What a stream brings, until `signal` aborts. Giving up leaves the stream open: behind it is the connection that the answer goes
 * through.
 */
async function* chunksOf(stream: Readable, signal: AbortSignal): AsyncGenerator<Buffer, undefined> {
  const chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const { value, done } = await unlessAborted(chunks.next(), signal);
      if (done) return;
      yield value;
    }
  } finally {
    // Not waited for: it would wait for the next chunk.
    void chunks.return?.()?.catch(() => {});
  }
}

/** Not a race against one promise for the whole stream: that would hold on to every chunk until the end. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

async function hashStream(source: Readable): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  return { bytes, sha256: hash.digest('hex') };
}

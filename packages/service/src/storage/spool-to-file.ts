import { createHash } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { FacewrightError } from '@facewright/protocol';
import { storageErrorFromFs, withinMs } from './storage-error.ts';

export interface SpoolLimits {
  readonly maxBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The most that one write may take. */
  readonly writeTimeoutMs: number;
  /** Make it last through a power cut before returning. */
  readonly sync: boolean;
}

export interface Spooled {
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * Writes a stream into a new file (mode 0600) and measures it on the way. Whatever fails, the file is gone afterwards and the
 * source destroyed; one chunk is in memory at a time.
 *
 * @throws FW_BODY_TOO_LARGE, FW_CANCELED, FW_STORAGE_FULL, FW_STORAGE_UNAVAILABLE; the source's own error as it is
 */
export async function spoolToFile(source: Readable | Uint8Array, path: string, limits: SpoolLimits): Promise<Spooled> {
  const stream = source instanceof Uint8Array ? null : source;
  // A source that fails after we gave up must not bring the process down.
  stream?.on('error', () => {});
  let file: FileHandle | undefined;
  try {
    if (limits.signal?.aborted) throw new FacewrightError('FW_CANCELED', { stage: 'upload' });
    file = await onDisk(open(path, 'wx', 0o600), limits.writeTimeoutMs);
    const hash = createHash('sha256');
    let bytes = 0;
    if (stream !== null && limits.signal !== undefined) addAbortSignal(limits.signal, stream);
    for await (const part of stream ?? [source]) {
      const chunk = typeof part === 'string' ? Buffer.from(part) : (part as Uint8Array);
      bytes += chunk.byteLength;
      if (limits.maxBytes !== undefined && bytes > limits.maxBytes) {
        throw new FacewrightError('FW_BODY_TOO_LARGE', { maxBytes: limits.maxBytes });
      }
      hash.update(chunk);
      await onDisk(writeAll(file, chunk), limits.writeTimeoutMs);
    }
    if (limits.signal?.aborted) throw new FacewrightError('FW_CANCELED', { stage: 'upload' });
    if (limits.sync) await onDisk(file.sync(), limits.writeTimeoutMs);
    // Some file systems tell of a full disk only here.
    const closing = file;
    file = undefined;
    await onDisk(closing.close(), limits.writeTimeoutMs);
    return { bytes, sha256: hash.digest('hex') };
  } catch (e) {
    stream?.destroy();
    await file?.close().catch(() => {});
    await unlink(path).catch(() => {});
    throw limits.signal?.aborted ? new FacewrightError('FW_CANCELED', { stage: 'upload' }, { cause: e }) : e;
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < chunk.byteLength) {
    const { bytesWritten } = await file.write(chunk, offset, chunk.byteLength - offset);
    offset += bytesWritten;
  }
}

/** Tells errors of the disk from those of the source. */
async function onDisk<T>(operation: Promise<T>, limitMs: number): Promise<T> {
  try {
    return await withinMs(operation, limitMs);
  } catch (e) {
    throw storageErrorFromFs(e);
  }
}

import type { Readable } from 'node:stream';

/** What a listing tells of an object. */
export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
  /** Unix ms. */
  readonly modifiedAt: number;
}

/** What is known of a stored object. */
export interface StoredObject extends ListedObject {
  /** Lower-case hex over the content, where the writer gave or measured it. */
  readonly sha256: string;
  readonly contentType: string;
}

/** Bytes `start` to `end`, both inclusive, as in HTTP. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface PutOptions {
  /** `type/subtype` with optional parameters, at most 64 characters. */
  readonly contentType: string;
  /** More than this: FW_BODY_TOO_LARGE, nothing kept. */
  readonly maxBytes?: number;
  /** Aborting throws FW_CANCELED, nothing kept. */
  readonly signal?: AbortSignal;
}

/**
 * Where photos and results lie. Two adapters (a directory, an S3-compatible store) pass one conformance suite.
 *
 * Keys are `segment/segment/…`, each segment of `[A-Za-z0-9._-]`, none `.` or `..`; the first is the tenant. Other keys throw
 * FW_ARG_INVALID. A segment has at most 100 characters, a key at most 16 segments and 512 characters. An object appears whole or not at all; writing an existing key replaces it whole.
 *
 * @throws FW_STORAGE_FULL (no space; nothing is left behind), FW_STORAGE_UNAVAILABLE (no answer within a bounded time)
 */
export interface ObjectStorage {
  /** Streams an object in; memory stays bounded. The source is always consumed or destroyed; its own error is thrown as it is. */
  put(key: string, source: Readable | Uint8Array, options: PutOptions): Promise<StoredObject>;
  /**
   * Takes over a file of this machine as an object; the file is gone afterwards (renamed where possible).
   * `sha256` and `bytes` are what the writer of the file measured.
   */
  adopt(
    key: string,
    path: string,
    meta: { readonly contentType: string; readonly sha256: string; readonly bytes: number },
  ): Promise<StoredObject>;
  stat(key: string): Promise<StoredObject | null>;
  /**
   * The stream must be read or destroyed. A range whose end lies behind the object's is cut, as in HTTP; one that begins
   * outside of it throws FW_RANGE_INVALID.
   */
  get(
    key: string,
    options?: { readonly range?: ByteRange; readonly signal?: AbortSignal },
  ): Promise<{ readonly object: StoredObject; readonly stream: Readable } | null>;
  /**
   * The object as a file of this machine, for a worker to read. `release` must be called; it deletes the file where it is a copy.
   */
  toLocalFile(key: string, signal?: AbortSignal): Promise<{ readonly path: string; readonly release: () => Promise<void> } | null>;
  /** No error when there is none. */
  delete(key: string): Promise<void>;
  /** Everything below `prefix/`. Returns how many bytes went. */
  deleteAll(prefix: string): Promise<number>;
  /** Objects below `prefix/`, in no order; those of everyone for the empty prefix. */
  list(prefix: string): AsyncIterable<ListedObject>;
  /** Bytes of everything below `prefix/`; may lag some seconds behind other processes, never behind this one. */
  usedBytes(prefix: string): Promise<number>;
  /** A folder of this machine, on the same file system where possible, for files that `adopt` takes over. */
  readonly scratchDir: string;
  /** Throws FW_STORAGE_UNAVAILABLE or FW_STORAGE_FULL with the reason when nothing can be written. */
  check(): Promise<void>;
  close(): Promise<void>;
}

import { createHash } from 'node:crypto';
import { brotliDecompressSync } from 'node:zlib';
import { FacewrightError } from '@facewright/protocol';

/**
 * @module The file around the model: 48 bytes of preamble, a JSON header, then the arrays.
 *
 *     0  8 bytes   "FWHEAD\r\n" (a transfer in text mode breaks it, so that it is noticed)
 *     8  u32 LE    format version
 *    12  u32 LE    length of the header, bytes
 *    16  32 bytes  sha256 of everything after byte 48
 *    48  header    JSON (UTF-8), names each array with its type, shape and place
 *        arrays    brotli streams, one after the other
 */

export const MAGIC = 'FWHEAD\r\n';
export const FORMAT_VERSION = 1;
export const PREAMBLE_BYTES = 48;

export type ArrayType = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32';

/** How one array lies in the file. */
export interface ArrayEntry {
  readonly name: string;
  readonly type: ArrayType;
  readonly length: number;
  /** Number of the brotli stream that holds it, and where it begins in there once unpacked, bytes. */
  readonly stream: number;
  readonly offset: number;
}

export interface StreamEntry {
  /** From the end of the header, bytes. */
  readonly offset: number;
  readonly bytes: number;
  readonly rawBytes: number;
}

export interface ContainerHeader<M> {
  readonly meta: M;
  readonly streams: readonly StreamEntry[];
  readonly arrays: readonly ArrayEntry[];
}

const VIEWS = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
} as const;

export type ViewOf<T extends ArrayType> = InstanceType<(typeof VIEWS)[T]>;

/** The arrays of an opened container. */
export interface Container<M> {
  readonly meta: M;
  /** @throws FW_MODEL_CORRUPT when it is missing or of another type or length */
  array<T extends ArrayType>(name: string, type: T, length?: number): ViewOf<T>;
}

/**
 * Opens a container: magic, version and checksum are checked, then all arrays are unpacked.
 *
 * @param path Named in the errors only.
 * @throws FW_MODEL_CORRUPT, FW_MODEL_VERSION
 */
export function readContainer<M>(bytes: Uint8Array, path: string): Container<M> {
  const corrupt = (reason: string, cause?: unknown): FacewrightError =>
    new FacewrightError('FW_MODEL_CORRUPT', { path, reason }, cause === undefined ? undefined : { cause });
  if (bytes.length < PREAMBLE_BYTES) throw corrupt('it is too short');
  if (Buffer.from(bytes.buffer, bytes.byteOffset, 8).toString('latin1') !== MAGIC) throw corrupt('it is not a head model');
  const preamble = new DataView(bytes.buffer, bytes.byteOffset, PREAMBLE_BYTES);
  const version = preamble.getUint32(8, true);
  if (version !== FORMAT_VERSION) throw new FacewrightError('FW_MODEL_VERSION', { path, found: version, expected: FORMAT_VERSION });
  const body = bytes.subarray(PREAMBLE_BYTES);
  const digest = createHash('sha256').update(body).digest();
  if (!digest.equals(bytes.subarray(16, PREAMBLE_BYTES))) throw corrupt('its checksum differs');

  const headerBytes = preamble.getUint32(12, true);
  try {
    const header = JSON.parse(Buffer.from(body.subarray(0, headerBytes)).toString('utf8')) as ContainerHeader<M>;
    const streams = header.streams.map((s) => unpack(body.subarray(headerBytes + s.offset, headerBytes + s.offset + s.bytes), s.rawBytes));
    const entries = new Map(header.arrays.map((a) => [a.name, a]));
    return {
      meta: header.meta,
      array(name, type, length) {
        const entry = entries.get(name);
        if (!entry || entry.type !== type || (length !== undefined && entry.length !== length)) throw corrupt(`array ${name} is missing`);
        const stream = streams[entry.stream]!;
        return new VIEWS[type](stream.buffer as ArrayBuffer, stream.byteOffset + entry.offset, entry.length) as ViewOf<typeof type>;
      },
    };
  } catch (cause) {
    throw corrupt('it cannot be unpacked', cause);
  }
}

function unpack(packed: Uint8Array, rawBytes: number): Uint8Array {
  const raw = brotliDecompressSync(packed, { maxOutputLength: rawBytes, chunkSize: Math.max(rawBytes, 64) });
  if (raw.length !== rawBytes) throw new Error('a stream has another length');
  // Views of 4-byte elements need an aligned start; small results may lie anywhere in the pool.
  return raw.byteOffset % 4 === 0 ? raw : Uint8Array.from(raw);
}

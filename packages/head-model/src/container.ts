import { createHash } from 'node:crypto';
import { inflateRaw } from 'node:zlib';
import { FacewrightError } from '@facewright/protocol';

/**
 * @module The file around the model: 48 bytes of preamble, a JSON header, then the arrays.
 *
 *     0  8 bytes   "FWHEAD\r\n" (a transfer in text mode breaks it, so that it is noticed)
 *     8  u32 LE    format version
 *    12  u32 LE    length of the header, bytes
 *    16  32 bytes  sha256 of everything after byte 48
 *    48  header    JSON (UTF-8), names each array with its type, shape and place
 *        arrays    raw deflate streams, one after the other
 *
 * Deflate and not brotli: this data gets a quarter smaller with brotli and takes three times as long to unpack, at every start.
 */

export const MAGIC = 'FWHEAD\r\n';
export const FORMAT_VERSION = 2;
export const PREAMBLE_BYTES = 48;

export type ArrayType = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32';

/** How one array lies in the file. */
export interface ArrayEntry {
  readonly name: string;
  readonly type: ArrayType;
  readonly length: number;
  /** Number of the stream that holds it, and where it begins in there once unpacked, bytes. */
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

/** An opened container: checked, its streams not yet unpacked. */
export interface Container<M> {
  readonly meta: M;
  /** Unpacks one stream, beside the thread that calls. @throws FW_MODEL_CORRUPT */
  unpack(stream: number): Promise<void>;
  /** A view into an unpacked stream. @throws FW_MODEL_CORRUPT when it is missing or of another type or length */
  array<T extends ArrayType>(name: string, type: T, length?: number): ViewOf<T>;
}

/**
 * Opens a container: magic, version and checksum are checked.
 *
 * @param path Named in the errors only.
 * @throws FW_MODEL_CORRUPT, FW_MODEL_VERSION
 */
export function openContainer<M>(bytes: Uint8Array, path: string): Container<M> {
  const corrupt = (reason: string, cause?: unknown): FacewrightError =>
    new FacewrightError('FW_MODEL_CORRUPT', { path, reason }, cause === undefined ? undefined : { cause });
  if (bytes.length < PREAMBLE_BYTES) throw corrupt('it is too short');
  if (Buffer.from(bytes.buffer, bytes.byteOffset, MAGIC.length).toString('latin1') !== MAGIC) throw corrupt('it is not a head model');
  const preamble = new DataView(bytes.buffer, bytes.byteOffset, PREAMBLE_BYTES);
  const version = preamble.getUint32(8, true);
  if (version !== FORMAT_VERSION) throw new FacewrightError('FW_MODEL_VERSION', { path, found: version, expected: FORMAT_VERSION });
  const body = bytes.subarray(PREAMBLE_BYTES);
  const digest = createHash('sha256').update(body).digest();
  if (!digest.equals(bytes.subarray(16, PREAMBLE_BYTES))) throw corrupt('its checksum differs');

  const headerBytes = preamble.getUint32(12, true);
  let header: ContainerHeader<M>;
  try {
    header = JSON.parse(Buffer.from(body.subarray(0, headerBytes)).toString('utf8')) as ContainerHeader<M>;
  } catch (cause) {
    throw corrupt('its header cannot be read', cause);
  }
  const entries = new Map(header.arrays.map((a) => [a.name, a]));
  const unpacked: Uint8Array[] = [];
  return {
    meta: header.meta,
    async unpack(stream) {
      const entry = header.streams[stream];
      if (!entry) throw corrupt(`stream ${stream} is missing`);
      const start = headerBytes + entry.offset;
      try {
        unpacked[stream] = await unpackStream(body.subarray(start, start + entry.bytes), entry.rawBytes);
      } catch (cause) {
        throw corrupt('it cannot be unpacked', cause);
      }
    },
    array(name, type, length) {
      const entry = entries.get(name);
      const stream = entry && unpacked[entry.stream];
      if (!stream || entry.type !== type || (length !== undefined && entry.length !== length))
        throw corrupt(`its array ${name} is missing`);
      return new VIEWS[type](stream.buffer as ArrayBuffer, stream.byteOffset + entry.offset, entry.length) as ViewOf<typeof type>;
    },
  };
}

function unpackStream(packed: Uint8Array, rawBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    // One chunk for all of it: no pieces to join afterwards. With some bytes to spare, or a second one is made when the first is full.
    inflateRaw(packed, { maxOutputLength: rawBytes, chunkSize: rawBytes + 64 }, (error, raw) => {
      if (error) reject(error);
      else if (raw.length !== rawBytes) reject(new Error('a stream has another length'));
      // Views of 4-byte elements need an aligned start.
      else resolve(raw.byteOffset % 4 === 0 ? raw : Uint8Array.from(raw));
    });
  });
}

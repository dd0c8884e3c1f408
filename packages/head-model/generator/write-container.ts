import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { type ArrayEntry, type ArrayType, FORMAT_VERSION, MAGIC, PREAMBLE_BYTES, type StreamEntry } from '../src/container.ts';

export interface ContainerArray {
  readonly name: string;
  readonly data: Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array;
  /** Arrays of one stream are packed together. @default 0 */
  readonly stream?: number;
}

/** Bytes of a container (layout: ../src/container.ts). Same input, same bytes. */
export function writeContainer(meta: unknown, arrays: readonly ContainerArray[]): Uint8Array {
  const raws: Uint8Array[][] = [];
  const sizes: number[] = [];
  const entries: ArrayEntry[] = [];
  for (const { name, data, stream = 0 } of arrays) {
    const list = (raws[stream] ??= []);
    const offset = sizes[stream] ?? 0;
    entries.push({ name, type: typeOf(data), length: data.length, stream, offset });
    const padded = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
    padded.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    list.push(padded);
    sizes[stream] = offset + padded.length;
  }
  const packed = raws.map((list) => deflateRawSync(Buffer.concat(list), { level: 9, memLevel: 9 }));
  let at = 0;
  const streams: StreamEntry[] = packed.map((p, i) => {
    const entry = { offset: at, bytes: p.length, rawBytes: sizes[i]! };
    at += p.length;
    return entry;
  });
  const header = Buffer.from(JSON.stringify({ meta, streams, arrays: entries }), 'utf8');
  const body = Buffer.concat([header, ...packed]);
  const preamble = Buffer.alloc(PREAMBLE_BYTES);
  preamble.write(MAGIC, 0, 'latin1');
  preamble.writeUInt32LE(FORMAT_VERSION, 8);
  preamble.writeUInt32LE(header.length, 12);
  createHash('sha256').update(body).digest().copy(preamble, 16);
  return Buffer.concat([preamble, body]);
}

function typeOf(data: ContainerArray['data']): ArrayType {
  if (data instanceof Uint8Array) return 'u8';
  if (data instanceof Int8Array) return 'i8';
  if (data instanceof Uint16Array) return 'u16';
  if (data instanceof Int16Array) return 'i16';
  if (data instanceof Uint32Array) return 'u32';
  if (data instanceof Int32Array) return 'i32';
  return 'f32';
}

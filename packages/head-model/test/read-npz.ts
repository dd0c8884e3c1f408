import { inflateRawSync } from 'node:zlib';

/** Arrays of a NumPy .npz file (a zip of .npy files) as plain numbers, flat and row-major. */
export function readNpz(bytes: Buffer): Map<string, Float64Array> {
  const out = new Map<string, Float64Array>();
  // The central directory, found from its end record, names each member, its method, packed size and place.
  let at = bytes.readUInt32LE(bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1')) + 16);
  while (bytes.readUInt32LE(at) === 0x02014b50) {
    const method = bytes.readUInt16LE(at + 10);
    const packedBytes = bytes.readUInt32LE(at + 20);
    const nameBytes = bytes.readUInt16LE(at + 28);
    const local = bytes.readUInt32LE(at + 42);
    const name = bytes.toString('latin1', at + 46, at + 46 + nameBytes);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const packed = bytes.subarray(start, start + packedBytes);
    out.set(name.replace(/\.npy$/, ''), parseNpy(method === 0 ? packed : inflateRawSync(packed)));
    at += 46 + nameBytes + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return out;
}

function parseNpy(bytes: Buffer): Float64Array {
  const headerBytes = bytes.readUInt16LE(8);
  const type = /'descr': '(<[fi]\d)'/.exec(bytes.toString('latin1', 10, 10 + headerBytes))?.[1];
  const data = bytes.subarray(10 + headerBytes);
  const read: Record<string, [number, (i: number) => number]> = {
    '<f4': [4, (i) => data.readFloatLE(i)],
    '<f8': [8, (i) => data.readDoubleLE(i)],
    '<i2': [2, (i) => data.readInt16LE(i)],
    '<i4': [4, (i) => data.readInt32LE(i)],
  };
  const [size, value] = read[type ?? ''] ?? [];
  if (!size || !value) throw new Error(`unexpected element type ${type}`);
  return Float64Array.from({ length: data.length / size }, (_, i) => value(size * i));
}

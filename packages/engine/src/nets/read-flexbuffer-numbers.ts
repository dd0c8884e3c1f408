/**
 * Reads a flexbuffer whose root is a map of numbers and vectors of numbers, as the options of TFLite's custom operators
 * are. A number comes as a list of one; null values are left out. Layout: FlatBuffers documentation, "FlexBuffers",
 * internals.
 *
 * @throws Error for any other content
 */
export function readFlexbufferNumbers(bytes: Uint8Array): Map<string, number[]> {
  const reader = new FlexbufferReader(bytes);
  const rootWidth = bytes[bytes.length - 1]!;
  const rootType = bytes[bytes.length - 2]! >> 2;
  if (rootType !== TYPE.map) throw new Error(`flexbuffer of type ${rootType} where a map was expected`);
  // The low two bits of the type byte hold the width inside the map, as a power of two.
  return reader.map(reader.follow(bytes.length - 2 - rootWidth, rootWidth), 1 << (bytes[bytes.length - 2]! & 3));
}

const TYPE = {
  null: 0,
  int: 1,
  uint: 2,
  float: 3,
  indirectFloat: 8,
  map: 9,
  vector: 10,
  vectorInt: 11,
  vectorUint: 12,
  vectorFloat: 13,
} as const;

class FlexbufferReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Position that the offset at `at` (counted backwards) points to. */
  follow(at: number, width: number): number {
    return at - this.#uint(at, width);
  }

  map(at: number, width: number): Map<string, number[]> {
    const count = this.#uint(at - width, width);
    const keys = this.follow(at - 3 * width, width);
    const keyWidth = this.#uint(at - 2 * width, width);
    const out = new Map<string, number[]>();
    for (let i = 0; i < count; i++) {
      const key = this.#key(this.follow(keys + i * keyWidth, keyWidth));
      const values = this.#values(at + i * width, width, this.#bytes[at + count * width + i]!);
      if (values !== null) out.set(key, values);
    }
    return out;
  }

  #values(at: number, width: number, packedType: number): number[] | null {
    const type = packedType >> 2;
    if (type === TYPE.null) return null;
    if (type <= TYPE.float) return [this.#number(at, width, type)];
    const target = this.follow(at, width);
    const targetWidth = 1 << (packedType & 3);
    if (type === TYPE.indirectFloat) return [this.#number(target, targetWidth, TYPE.float)];
    const count = this.#uint(target - targetWidth, targetWidth);
    const element = (i: number) => target + i * targetWidth;
    if (type >= TYPE.vectorInt && type <= TYPE.vectorFloat) {
      return Array.from({ length: count }, (_, i) => this.#number(element(i), targetWidth, type - TYPE.vector));
    }
    if (type === TYPE.vector) {
      const types = element(count);
      return Array.from({ length: count }, (_, i) => this.#values(element(i), targetWidth, this.#bytes[types + i]!) ?? []).flat();
    }
    throw new Error(`flexbuffer value of type ${type} is not supported`);
  }

  #number(at: number, width: number, type: number): number {
    if (type === TYPE.uint) return this.#uint(at, width);
    if (type === TYPE.float) return width === 8 ? this.#view.getFloat64(at, true) : this.#view.getFloat32(at, true);
    if (width === 1) return this.#view.getInt8(at);
    if (width === 2) return this.#view.getInt16(at, true);
    return width === 4 ? this.#view.getInt32(at, true) : Number(this.#view.getBigInt64(at, true));
  }

  #uint(at: number, width: number): number {
    if (width === 1) return this.#view.getUint8(at);
    if (width === 2) return this.#view.getUint16(at, true);
    return width === 4 ? this.#view.getUint32(at, true) : Number(this.#view.getBigUint64(at, true));
  }

  #key(at: number): string {
    return new TextDecoder().decode(this.#bytes.subarray(at, this.#bytes.indexOf(0, at)));
  }
}

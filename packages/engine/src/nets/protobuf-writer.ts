/** Writes the fields of one protobuf message, in the order of the calls. Large byte fields are kept by reference until {@link toBytes}. */
export class ProtobufWriter {
  /** Total size of what was written so far, bytes. */
  length = 0;
  readonly #chunks: (Uint8Array | number[])[] = [];

  /** Wire type 0. Whole number from 0 to 2^53 - 1, or negative down to -2^53 (written as 64 bits, as protobuf asks). */
  varint(field: number, value: number): this {
    this.#varint(field * 8);
    this.#varint(value);
    return this;
  }

  /** Wire type 2: text (as UTF-8), bytes, the memory of a typed array, or a message. */
  bytes(field: number, value: string | ArrayBufferView | ProtobufWriter): this {
    this.#varint(field * 8 + 2);
    if (value instanceof ProtobufWriter) {
      this.#varint(value.length);
      for (const chunk of value.#chunks) this.#append(chunk);
    } else {
      const bytes =
        typeof value === 'string' ? new TextEncoder().encode(value) : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      this.#varint(bytes.length);
      this.#append(bytes);
    }
    return this;
  }

  /** The message, in memory of its own. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(this.length);
    let at = 0;
    for (const chunk of this.#chunks) {
      out.set(chunk, at);
      at += chunk.length;
    }
    return out;
  }

  #varint(value: number): void {
    const bytes: number[] = [];
    if (value >= 0 && value < 2 ** 31) {
      let small = value;
      for (; small > 127; small >>>= 7) bytes.push((small & 127) | 128);
      bytes.push(small);
    } else {
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
      bytes.push(Number(rest));
    }
    this.#append(bytes);
  }

  #append(chunk: Uint8Array | number[]): void {
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }
}

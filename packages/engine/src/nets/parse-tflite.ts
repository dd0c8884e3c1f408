import { readFlexbufferNumbers } from './read-flexbuffer-numbers.ts';

export type TfliteType = 'float32' | 'float16' | 'int32';

export interface TfliteTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: TfliteType;
  /** Little-endian content of a constant; null for what is computed. */
  readonly data: Uint8Array | null;
}

/** Options of an operator as the converter needs them; those that an operator does not have are absent. */
export interface TfliteOptions {
  readonly padding?: 'SAME' | 'VALID';
  readonly strideX?: number;
  readonly strideY?: number;
  readonly dilationX?: number;
  readonly dilationY?: number;
  readonly kernelX?: number;
  readonly kernelY?: number;
  readonly axis?: number;
  /** Fused activation: 0 none, 1 ReLU. */
  readonly activation?: number;
}

export interface TfliteOperator {
  /** For example 'CONV_2D'; the own name of a custom operator. */
  readonly name: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options: TfliteOptions;
  /** Flexbuffer map of a custom operator, numbers and vectors of numbers only. */
  readonly customOptions: ReadonlyMap<string, readonly number[]>;
}

export interface TfliteGraph {
  readonly tensors: readonly TfliteTensor[];
  readonly operators: readonly TfliteOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/**
 * Reads the only graph of a TFLite file, as far as the face networks use the format: float tensors with 16-bit constants
 * and the operators below. Positions and numbers are those of TFLite's schema.fbs (version 3).
 *
 * @throws Error for anything that the format allows but these networks do not have
 */
export function parseTflite(bytes: Uint8Array): TfliteGraph {
  const fb = new FlatbufferReader(bytes);
  const model = fb.root();
  const buffers = fb.tables(model, 4).map((t) => fb.bytes(t, 0));
  const operatorNames = fb.tables(model, 1).map((t) => {
    // Field 0 is the code's old 8-bit place, field 3 the new one: whichever is larger counts.
    const code = Math.max(fb.int8(t, 0), fb.int32(t, 3));
    return code === CUSTOM ? fb.string(t, 1) : (OPERATOR_NAMES[code] ?? `operator ${code}`);
  });
  const graphs = fb.tables(model, 2);
  if (graphs.length !== 1) throw new Error(`one graph expected, ${graphs.length} found`);
  const graph = graphs[0]!;

  const tensors = fb.tables(graph, 0).map((t): TfliteTensor => {
    const type = TENSOR_TYPES[fb.int8(t, 1)];
    if (type === undefined) throw new Error(`tensor type ${fb.int8(t, 1)} is not supported`);
    const data = buffers[fb.int32(t, 2)];
    return { name: fb.string(t, 3), shape: fb.int32s(t, 0), type, data: data && data.length > 0 ? data : null };
  });
  const operators = fb.tables(graph, 3).map((t): TfliteOperator => {
    const name = operatorNames[fb.int32(t, 0)]!;
    const custom = fb.bytes(t, 5);
    return {
      name,
      inputs: fb.int32s(t, 1),
      outputs: fb.int32s(t, 2),
      options: readOptions(fb, name, fb.table(t, 4)),
      customOptions: custom ? readFlexbufferNumbers(custom) : new Map(),
    };
  });
  return { tensors, operators, inputs: fb.int32s(graph, 1), outputs: fb.int32s(graph, 2) };
}

const CUSTOM = 32;
const OPERATOR_NAMES: Readonly<Record<number, string>> = {
  0: 'ADD',
  2: 'CONCATENATION',
  3: 'CONV_2D',
  4: 'DEPTHWISE_CONV_2D',
  6: 'DEQUANTIZE',
  17: 'MAX_POOL_2D',
  18: 'MUL',
  19: 'RELU',
  22: 'RESHAPE',
  34: 'PAD',
  45: 'STRIDED_SLICE',
  54: 'PRELU',
};
const TENSOR_TYPES: Readonly<Record<number, TfliteType>> = { 0: 'float32', 1: 'float16', 2: 'int32' };

function readOptions(fb: FlatbufferReader, name: string, t: number): TfliteOptions {
  if (t === 0) return {};
  const padding = fb.int8(t, 0) === 0 ? 'SAME' : 'VALID';
  switch (name) {
    case 'CONV_2D':
      return {
        padding,
        strideX: fb.int32(t, 1),
        strideY: fb.int32(t, 2),
        activation: fb.int8(t, 3),
        dilationX: fb.int32(t, 4, 1),
        dilationY: fb.int32(t, 5, 1),
      };
    case 'DEPTHWISE_CONV_2D': // field 3 is a channel multiplier that no run time reads any more
      return {
        padding,
        strideX: fb.int32(t, 1),
        strideY: fb.int32(t, 2),
        activation: fb.int8(t, 4),
        dilationX: fb.int32(t, 5, 1),
        dilationY: fb.int32(t, 6, 1),
      };
    case 'MAX_POOL_2D':
      return {
        padding,
        strideX: fb.int32(t, 1),
        strideY: fb.int32(t, 2),
        kernelX: fb.int32(t, 3),
        kernelY: fb.int32(t, 4),
        activation: fb.int8(t, 5),
      };
    case 'CONCATENATION':
      return { axis: fb.int32(t, 0), activation: fb.int8(t, 1) };
    case 'ADD':
    case 'MUL':
      return { activation: fb.int8(t, 0) };
    default:
      return {};
  }
}

/** Tables, vectors and scalars of a flatbuffer. A position of 0 means "absent"; fields are counted as in the schema. */
class FlatbufferReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  root(): number {
    return this.#view.getUint32(0, true);
  }
  int8(table: number, field: number): number {
    const at = this.#at(table, field);
    return at ? this.#view.getInt8(at) : 0;
  }
  int32(table: number, field: number, absent = 0): number {
    const at = this.#at(table, field);
    return at ? this.#view.getInt32(at, true) : absent;
  }
  table(table: number, field: number): number {
    const at = this.#at(table, field);
    return at ? at + this.#view.getUint32(at, true) : 0;
  }
  tables(table: number, field: number): number[] {
    return this.#vector(table, field, 4, (at) => at + this.#view.getUint32(at, true));
  }
  int32s(table: number, field: number): number[] {
    return this.#vector(table, field, 4, (at) => this.#view.getInt32(at, true));
  }
  bytes(table: number, field: number): Uint8Array | null {
    const vector = this.table(table, field);
    return vector ? this.#bytes.subarray(vector + 4, vector + 4 + this.#view.getUint32(vector, true)) : null;
  }
  string(table: number, field: number): string {
    const bytes = this.bytes(table, field);
    return bytes ? new TextDecoder().decode(bytes) : '';
  }
  #at(table: number, field: number): number {
    const fields = table - this.#view.getInt32(table, true);
    const entry = 4 + 2 * field;
    if (entry >= this.#view.getUint16(fields, true)) return 0;
    const offset = this.#view.getUint16(fields + entry, true);
    return offset ? table + offset : 0;
  }
  #vector(table: number, field: number, stride: number, read: (at: number) => number): number[] {
    const vector = this.table(table, field);
    if (vector === 0) return [];
    return Array.from({ length: this.#view.getUint32(vector, true) }, (_, i) => read(vector + 4 + stride * i));
  }
}

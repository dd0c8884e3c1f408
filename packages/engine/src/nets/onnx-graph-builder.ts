import { ProtobufWriter } from './protobuf-writer.ts';

/** Name of a value in an ONNX graph. */
export type OnnxValue = string;

type Attribute = string | number | readonly number[];

/**
 * Builds an ONNX graph node by node and writes it as a model file. Field numbers are those of onnx.proto (IR version 8);
 * only float32 and int64 tensors and the attribute kinds string, int and ints are written.
 */
export class OnnxGraphBuilder {
  readonly #graph = new ProtobufWriter();
  #count = 0;

  /** Adds a node and returns its (only) output. */
  node(
    operator: string,
    inputs: readonly OnnxValue[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output?: OnnxValue,
  ): OnnxValue {
    const out = output ?? `v${this.#count++}`;
    const node = new ProtobufWriter();
    for (const input of inputs) node.bytes(1, input);
    node.bytes(2, out).bytes(3, `${operator}_${out}`).bytes(4, operator);
    for (const [name, value] of Object.entries(attributes)) node.bytes(5, writeAttribute(name, value));
    this.#graph.bytes(1, node);
    return out;
  }

  /** A float32 constant; `data` is kept by reference. */
  floats(shape: readonly number[], data: Float32Array | readonly number[]): OnnxValue {
    return this.#constant(shape, TENSOR_FLOAT, data instanceof Float32Array ? data : Float32Array.from(data));
  }

  /** A one-dimensional int64 constant. */
  integers(data: readonly number[]): OnnxValue {
    return this.#constant([data.length], TENSOR_INT64, BigInt64Array.from(data, BigInt));
  }

  /** Declares a float32 input of the graph. */
  input(name: string, shape: readonly number[]): OnnxValue {
    this.#graph.bytes(11, writeValueInfo(name, shape));
    return name;
  }

  /** Declares `name`, made by a node, as a float32 output of the graph. */
  output(name: OnnxValue, shape: readonly number[]): void {
    this.#graph.bytes(12, writeValueInfo(name, shape));
  }

  /** The model file. */
  toModel(opset: number): Uint8Array<ArrayBuffer> {
    const graph = this.#graph.bytes(2, 'graph');
    return new ProtobufWriter()
      .varint(1, IR_VERSION)
      .bytes(2, 'facewright')
      .bytes(7, graph)
      .bytes(8, new ProtobufWriter().varint(2, opset))
      .toBytes();
  }

  #constant(shape: readonly number[], type: number, data: Float32Array | BigInt64Array): OnnxValue {
    const name = `c${this.#count++}`;
    const tensor = new ProtobufWriter();
    for (const size of shape) tensor.varint(1, size);
    // Field 9 holds the raw little-endian elements, which is what typed arrays hold on every machine that Node runs on.
    tensor.varint(2, type).bytes(8, name).bytes(9, data);
    this.#graph.bytes(5, tensor);
    return name;
  }
}

const IR_VERSION = 8;
const TENSOR_FLOAT = 1;
const TENSOR_INT64 = 7;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_STRING = 3;
const ATTRIBUTE_INTS = 7;

function writeAttribute(name: string, value: Attribute): ProtobufWriter {
  const out = new ProtobufWriter().bytes(1, name);
  if (typeof value === 'string') return out.bytes(4, value).varint(20, ATTRIBUTE_STRING);
  if (typeof value === 'number') return out.varint(3, value).varint(20, ATTRIBUTE_INT);
  for (const v of value) out.varint(8, v);
  return out.varint(20, ATTRIBUTE_INTS);
}

function writeValueInfo(name: string, shape: readonly number[]): ProtobufWriter {
  const dimensions = new ProtobufWriter();
  for (const size of shape) dimensions.bytes(1, new ProtobufWriter().varint(1, size));
  const tensorType = new ProtobufWriter().varint(1, TENSOR_FLOAT).bytes(2, dimensions);
  return new ProtobufWriter().bytes(1, name).bytes(2, new ProtobufWriter().bytes(1, tensorType));
}

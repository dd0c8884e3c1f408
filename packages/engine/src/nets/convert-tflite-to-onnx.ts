import { addLandmarkWindow, addPointsFromWindow, addWindowSamples, type LandmarkWindow } from './attention-window.ts';
import { OnnxGraphBuilder, type OnnxValue } from './onnx-graph-builder.ts';
import { parseTflite, type TfliteOperator, type TfliteOptions, type TfliteTensor } from './parse-tflite.ts';
import { computeSamePadding } from './same-padding.ts';

/**
 * Part of the cache key: raise it with every change of what {@link convertTfliteToOnnx} writes.
 */
export const CONVERTER_VERSION = 5;

/**
 * Turns a TFLite file (float graph, 16-bit constants, the operators of MediaPipe's face networks) into an ONNX model of
 * opset 17. Input and outputs keep their shapes (the input is NHWC); the names of the outputs are kept, the input is
 * called `input`. Inside, pictures run as NCHW.
 *
 * MediaPipe's three custom operators (a second look at lips and eyes, in windows that follow the first mesh) are written as
 * ordinary operators: see attention-window.ts.
 *
 * @throws Error for an operator or form that those networks do not have
 */
export function convertTfliteToOnnx(tflite: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Conversion(tflite).run();
}

const OPSET = 17;

/** The last picture of the landmark network's trunk, 6 x 6 pixels of 128 channels; and the name under which it is given out, shape (128, 6, 6) in a row. */
const FEATURES_TENSOR = 'p_re_lu_14';
const FEATURES_OUTPUT = 'features';

class Conversion {
  readonly #graph;
  readonly #onnx = new OnnxGraphBuilder();
  /** Constants by number of the tensor, widened to 32 bits. */
  readonly #constants = new Map<number, Float32Array | Int32Array>();
  /** Name by number of the tensor; four-dimensional ones are NCHW. */
  readonly #values = new Map<number, OnnxValue>();

  constructor(tflite: Uint8Array) {
    this.#graph = parseTflite(tflite);
  }

  run(): Uint8Array<ArrayBuffer> {
    const onnx = this.#onnx;
    const { inputs, outputs, operators } = this.#graph;
    const input = onnx.input('input', this.#tensor(inputs[0]!).shape);
    this.#values.set(inputs[0]!, onnx.node('Transpose', [input], { perm: NCHW_FROM_NHWC }));
    for (const operator of operators) {
      const value = this.#convert(operator);
      if (value !== null) this.#values.set(operator.outputs[0]!, value);
    }
    for (const output of outputs) {
      const { name, shape } = this.#tensor(output);
      if (shape.length === 4 && shape[1]! * shape[2]! > 1) throw new Error(`output ${name} is a picture`);
      onnx.node('Reshape', [this.#value(output), onnx.integers(shape)], {}, name);
      onnx.output(name, shape);
    }
    // What the landmark network knows of the picture before it makes a mesh of it: read as a list, channel by channel.
    const features = this.#graph.tensors.findIndex((tensor) => tensor.name === FEATURES_TENSOR);
    const picture = this.#values.get(features);
    if (picture !== undefined) {
      const size = this.#tensor(features).shape.reduce((a, b) => a * b, 1);
      onnx.node('Reshape', [picture, onnx.integers([size])], {}, FEATURES_OUTPUT);
      onnx.output(FEATURES_OUTPUT, [size]);
    }
    return onnx.toModel(OPSET);
  }

  /** Adds what one operator does; null for one that only widens a constant. */
  #convert(operator: TfliteOperator): OnnxValue | null {
    const onnx = this.#onnx;
    const { inputs, outputs, options } = operator;
    const first = this.#tensor(inputs[0]!);
    const outShape = this.#tensor(outputs[0]!).shape;
    switch (operator.name) {
      case 'DEQUANTIZE':
        this.#constants.set(outputs[0]!, this.#constant(inputs[0]!));
        return null;
      case 'CONV_2D':
      case 'DEPTHWISE_CONV_2D':
        return this.#convolution(operator, operator.name === 'DEPTHWISE_CONV_2D');
      case 'MAX_POOL_2D': {
        const kernel = [options.kernelY!, options.kernelX!];
        const pads = padding(options, first, kernel);
        return onnx.node('MaxPool', [this.#value(inputs[0]!)], { kernel_shape: kernel, strides: strides(options), pads });
      }
      case 'PRELU':
        return this.#parametricRelu(inputs[0]!, inputs[1]!);
      case 'RELU':
        return onnx.node('Relu', [this.#value(inputs[0]!)]);
      case 'ADD':
      case 'MUL': {
        const both = [this.#value(inputs[0]!), this.#value(inputs[1]!)];
        return this.#activate(onnx.node(operator.name === 'ADD' ? 'Add' : 'Mul', both), options);
      }
      case 'PAD': {
        // Shape (4,2), per axis of NHWC: before, after.
        const amount = this.#constant(inputs[1]!);
        const pads = [0, 1].flatMap((side) => NCHW_FROM_NHWC.map((axis) => amount[2 * axis + side]!));
        return onnx.node('Pad', [this.#value(inputs[0]!), onnx.integers(pads)]);
      }
      case 'RESHAPE':
        return onnx.node('Reshape', [this.#rowMajor(inputs[0]!), onnx.integers(outShape)]);
      case 'CONCATENATION':
        if (outShape.length === 4) throw new Error('concatenation of pictures');
        return onnx.node(
          'Concat',
          inputs.map((i) => this.#value(i)),
          { axis: options.axis! },
        );
      case 'STRIDED_SLICE':
        if (String(first.shape) !== String(outShape)) throw new Error('slice that leaves something out');
        return this.#value(inputs[0]!);
      case 'Landmarks2TransformMatrix':
        return addLandmarkWindow(onnx, this.#value(inputs[0]!), readWindow(operator));
      case 'TransformTensorBilinear': {
        const from = { height: first.shape[1]!, width: first.shape[2]! };
        const size = { ...readWindowSize(operator), from };
        return addWindowSamples(onnx, this.#value(inputs[0]!), this.#value(inputs[1]!), size);
      }
      case 'TransformLandmarks':
        return addPointsFromWindow(onnx, this.#value(inputs[0]!), this.#value(inputs[1]!), first.shape[1]!);
      default:
        throw new Error(`operator ${operator.name} is not supported`);
    }
  }

  #convolution({ inputs, options }: TfliteOperator, depthwise: boolean): OnnxValue {
    const weights = this.#constant(inputs[1]!);
    const [d0, height, width, d3] = this.#tensor(inputs[1]!).shape as [number, number, number, number];
    // TFLite: (out, height, width, in), depthwise (1, height, width, channels). ONNX: (out, in per group, height, width).
    const outCount = depthwise ? d3 : d0;
    const inCount = depthwise ? 1 : d3;
    const kernels = new Float32Array(weights.length);
    let at = 0;
    for (let o = 0; o < outCount; o++) {
      for (let i = 0; i < inCount; i++) {
        for (let k = 0; k < height * width; k++) kernels[at++] = weights[depthwise ? k * d3 + o : (o * height * width + k) * d3 + i]!;
      }
    }
    const picture = this.#tensor(inputs[0]!);
    const value = this.#onnx.node(
      'Conv',
      [
        this.#value(inputs[0]!),
        this.#onnx.floats([outCount, inCount, height, width], kernels),
        this.#onnx.floats([outCount], this.#constant(inputs[2]!) as Float32Array),
      ],
      {
        group: depthwise ? picture.shape[3]! : 1,
        kernel_shape: [height, width],
        strides: strides(options),
        dilations: [options.dilationY!, options.dilationX!],
        pads: padding(options, picture, [height, width]),
      },
    );
    return this.#activate(value, options);
  }

  /**
   * slope * x + (1 - slope) * max(x, 0), with the two products written as depthwise 1 x 1 convolutions. ONNX has it all as
   * one operator, PRelu, but onnxruntime's CPU provider then leaves its blocked channel layout and comes back each time:
   * this form is a third faster over the whole landmark network (measured, onnxruntime 1.27: 3.3 against 4.6 ms).
   */
  #parametricRelu(input: number, slopes: number): OnnxValue {
    const onnx = this.#onnx;
    const x = this.#value(input);
    const slope = this.#constant(slopes) as Float32Array;
    const scaleChannels = (value: OnnxValue, factors: Float32Array) =>
      onnx.node('Conv', [value, onnx.floats([factors.length, 1, 1, 1], factors)], { group: factors.length, kernel_shape: [1, 1] });
    const linear = scaleChannels(x, slope);
    const positive = scaleChannels(
      onnx.node('Relu', [x]),
      slope.map((a) => 1 - a),
    );
    return onnx.node('Add', [linear, positive]);
  }

  #activate(value: OnnxValue, { activation = 0 }: TfliteOptions): OnnxValue {
    if (activation === 0) return value;
    if (activation === 1) return this.#onnx.node('Relu', [value]);
    throw new Error(`activation ${activation} is not supported`);
  }

  #tensor(index: number): TfliteTensor {
    const tensor = this.#graph.tensors[index];
    if (!tensor) throw new Error(`there is no tensor ${index}`);
    return tensor;
  }

  #value(index: number): OnnxValue {
    const known = this.#values.get(index);
    if (known !== undefined) return known;
    // Not made by an operator: a constant operand. The only ones here are scalars and short lists, without NCHW to mind.
    const { name, shape } = this.#tensor(index);
    const constant = this.#constant(index);
    if (shape.length === 4 || !(constant instanceof Float32Array)) throw new Error(`operand ${name} is not supported`);
    const value = this.#onnx.floats(shape, constant);
    this.#values.set(index, value);
    return value;
  }

  /** The value with its elements in TFLite's order: a picture is turned back to NHWC, unless it has one pixel. */
  #rowMajor(index: number): OnnxValue {
    const { shape } = this.#tensor(index);
    const isPicture = shape.length === 4 && shape[1]! * shape[2]! > 1;
    return isPicture ? this.#onnx.node('Transpose', [this.#value(index)], { perm: NHWC_FROM_NCHW }) : this.#value(index);
  }

  #constant(index: number): Float32Array | Int32Array {
    const known = this.#constants.get(index);
    if (known) return known;
    const { name, data, type } = this.#tensor(index);
    if (!data) throw new Error(`tensor ${name} is not a constant`);
    const copy = data.slice().buffer;
    const constant =
      type === 'float16' ? widenFloat16(new Uint16Array(copy)) : type === 'int32' ? new Int32Array(copy) : new Float32Array(copy);
    this.#constants.set(index, constant);
    return constant;
  }
}

const NCHW_FROM_NHWC = [0, 3, 1, 2];
const NHWC_FROM_NCHW = [0, 2, 3, 1];

const strides = (o: TfliteOptions): number[] => [o.strideY!, o.strideX!];

/** ONNX pads: top, left, bottom, right. */
function padding(options: TfliteOptions, picture: TfliteTensor, kernel: readonly number[]): number[] {
  if (options.padding === 'VALID') return [0, 0, 0, 0];
  if ((options.dilationX ?? 1) !== 1 || (options.dilationY ?? 1) !== 1) throw new Error('dilated kernel');
  const [top, bottom] = computeSamePadding(picture.shape[1]!, options.strideY!, kernel[0]!);
  const [left, right] = computeSamePadding(picture.shape[2]!, options.strideX!, kernel[1]!);
  return [top, left, bottom, right];
}

function numberOf({ name, customOptions }: TfliteOperator, option: string): number {
  const value = customOptions.get(option)?.[0];
  if (value === undefined) throw new Error(`${name} lacks ${option}`);
  return value;
}

const readWindowSize = (operator: TfliteOperator): { width: number; height: number } => ({
  width: numberOf(operator, 'output_width'),
  height: numberOf(operator, 'output_height'),
});

function readWindow(operator: TfliteOperator): LandmarkWindow {
  if (numberOf(operator, 'target_rotation_radians') !== 0) throw new Error('window with a turn of its own');
  return {
    ...readWindowSize(operator),
    group: operator.customOptions.get('subset_idxs')!,
    axisEnds: [numberOf(operator, 'left_rotation_idx'), numberOf(operator, 'right_rotation_idx')],
    growX: numberOf(operator, 'scale_x'),
    growY: numberOf(operator, 'scale_y'),
  };
}

/** IEEE 754 binary16 to binary32, exact. */
function widenFloat16(halves: Uint16Array): Float32Array {
  const out = new Float32Array(halves.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < halves.length; i++) {
    const h = halves[i]!;
    const exponent = (h >> 10) & 31;
    if (exponent === 0) {
      out[i] = (h & 1023) * 2 ** -24;
      bits[i]! |= (h & 0x8000) << 16;
    } else {
      // Exponent bias 15 becomes 127; infinities and NaN keep all exponent bits set.
      bits[i] = ((h & 0x8000) << 16) | ((exponent === 31 ? 255 : exponent + 112) << 23) | ((h & 1023) << 13);
    }
  }
  return out;
}

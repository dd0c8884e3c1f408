import { describe, expect, it } from 'vitest';
import { convertTfliteToOnnx } from './convert-tflite-to-onnx.ts';
import { loadOnnxruntime } from './load-onnxruntime.ts';
import { OnnxGraphBuilder } from './onnx-graph-builder.ts';
import { parseTflite } from './parse-tflite.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import { readNetworkAsset } from './read-network-asset.ts';
import { REFINED_LANDMARKS } from './refined-landmarks.ts';

describe('ProtobufWriter', () => {
  it('writes the examples of the protobuf encoding guide', () => {
    const hex = (w: ProtobufWriter) => Buffer.from(w.toBytes()).toString('hex');
    expect(hex(new ProtobufWriter().varint(1, 150))).toBe('089601');
    expect(hex(new ProtobufWriter().bytes(2, 'testing'))).toBe('120774657374696e67');
    expect(hex(new ProtobufWriter().bytes(3, new ProtobufWriter().varint(1, 150)))).toBe('1a03089601');
    expect(hex(new ProtobufWriter().varint(1, -2))).toBe('08feffffffffffffffff01');
    expect(hex(new ProtobufWriter().varint(1, 2 ** 40))).toBe('08808080808020');
  });
});

describe('OnnxGraphBuilder', () => {
  it('writes a model that onnxruntime runs: constants, attributes, several nodes', async () => {
    const ort = await loadOnnxruntime();
    const onnx = new OnnxGraphBuilder();
    const x = onnx.input('x', [2, 3]);
    const turned = onnx.node('Transpose', [x], { perm: [1, 0] });
    onnx.node('Concat', [turned, onnx.floats([1, 2], [7, 8])], { axis: 0 }, 'y');
    onnx.output('y', [4, 2]);
    const session = await ort.InferenceSession.create(onnx.toModel(17));
    const { y } = await session.run({ x: new ort.Tensor('float32', [1, 2, 3, 4, 5, 6], [2, 3]) });
    expect([...(y!.data as Float32Array)]).toEqual([1, 4, 2, 5, 3, 6, 7, 8]);
    await session.release();
  });
});

describe('parseTflite', () => {
  it('finds the operators of the landmark network and the lists of what its attention refines', async () => {
    const { operators } = parseTflite(await readNetworkAsset('face-landmarks'));
    const count = (name: string) => operators.filter((o) => o.name === name).length;
    // Counted by an independent reader of the same file.
    expect(['CONV_2D', 'DEPTHWISE_CONV_2D', 'PRELU', 'ADD', 'TransformTensorBilinear', 'TransformLandmarks'].map(count)).toEqual([
      80, 66, 73, 66, 3, 5,
    ]);
    const windows = operators.filter((o) => o.name === 'Landmarks2TransformMatrix').map((o) => o.customOptions);
    expect(windows.map((w) => w.get('subset_idxs'))).toEqual([
      REFINED_LANDMARKS.lips,
      REFINED_LANDMARKS.rightEye,
      REFINED_LANDMARKS.leftEye,
    ]);
    expect(windows.map((w) => w.get('scale_x'))).toEqual([[1.5], [1.5], [1.5]]);
  });

  it('refuses what is not a network', () => {
    expect(() => parseTflite(new Uint8Array(64))).toThrow();
  });
});

describe('convertTfliteToOnnx', () => {
  it('gives the same bytes each time', async () => {
    const tflite = await readNetworkAsset('face-detector');
    expect(Buffer.from(convertTfliteToOnnx(tflite)).equals(convertTfliteToOnnx(tflite))).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { addLandmarkWindow, addPointsFromWindow, addWindowSamples, type LandmarkWindow } from './attention-window.ts';
import { loadOnnxruntime } from './load-onnxruntime.ts';
import { OnnxGraphBuilder, type OnnxValue } from './onnx-graph-builder.ts';

/** Runs a graph of one output over inputs given as shape and values. */
async function runGraph(
  inputs: Readonly<Record<string, readonly [shape: readonly number[], values: readonly number[]]>>,
  outShape: readonly number[],
  build: (onnx: OnnxGraphBuilder, values: Readonly<Record<string, OnnxValue>>) => OnnxValue,
): Promise<number[]> {
  const ort = await loadOnnxruntime();
  const onnx = new OnnxGraphBuilder();
  const names = Object.fromEntries(Object.entries(inputs).map(([name, [shape]]) => [name, onnx.input(name, shape)]));
  onnx.node('Reshape', [build(onnx, names), onnx.integers(outShape)], {}, 'out');
  onnx.output('out', outShape);
  const session = await ort.InferenceSession.create(onnx.toModel(17), { logSeverityLevel: 3 });
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, [shape, values]]) => [name, new ort.Tensor('float32', Float32Array.from(values), shape)]),
  );
  const { out } = await session.run(feeds);
  await session.release();
  return Array.from(out!.data as Float32Array);
}

let seed = 1;
const random = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};

const WINDOW: LandmarkWindow = { group: [2, 5, 7, 3, 9], axisEnds: [4, 8], width: 16, height: 12, growX: 1.5, growY: 2 };

describe('addLandmarkWindow', () => {
  const matrixOf = (points: readonly number[]) =>
    runGraph({ points: [[1, points.length / 3, 3], points] }, [4, 4], (onnx, { points: p }) => addLandmarkWindow(onnx, p!, WINDOW));

  it.each([0, 0.4, 1.7, -2.6])('lays a window that is turned by %f about its group, and grown', async (angle) => {
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    // Known in the turned frame: the group spans 20..60 by -10..0, in which the window is 60 x 20 about (40, -5).
    const turned = [0, 0, 20, -4, 25, -10, 10, 30, 60, -3, 3, 3, 33, 0, 70, 30, 44, -8];
    const flat = [0, 0, ...turned];
    const points = Array.from({ length: 10 }, (_, i) => [
      cos * flat[2 * i]! - sin * flat[2 * i + 1]! + 90,
      sin * flat[2 * i]! + cos * flat[2 * i + 1]! + 80,
      100 * random(),
    ]);
    const groupOf = [
      [20, -4],
      [25, -10],
      [60, -3],
      [33, 0],
      [44, -8],
    ];
    for (const [k, i] of WINDOW.group.entries()) {
      const [u, v] = groupOf[k]!;
      points[i] = [cos * u! - sin * v! + 90, sin * u! + cos * v! + 80, 7];
    }
    points[4] = [90 - 12 * cos, 80 - 12 * sin, 3];
    points[8] = [90 + 12 * cos, 80 + 12 * sin, -3];
    const m = await matrixOf(points.flat());
    const corners = [
      [0, 0, 10, -15],
      [16, 0, 70, -15],
      [0, 12, 10, 5],
      [16, 12, 70, 5],
    ] as const;
    for (const [x, y, u, v] of corners) {
      // 1e-4 of 100 px: a few units of 32-bit floats.
      expect(m[0]! * x + m[1]! * y + m[3]!).toBeCloseTo(cos * u - sin * v + 90, 4);
      expect(m[4]! * x + m[5]! * y + m[7]!).toBeCloseTo(sin * u + cos * v + 80, 4);
    }
    expect(m.slice(8)).toEqual([0, 0, 1, 0, 0, 0, 0, 1]);
  });
});

describe('addWindowSamples', () => {
  const from = { width: 9, height: 7 };
  const channels = 2;
  const picture = Array.from({ length: channels * from.width * from.height }, () => 1 + random());

  /** The same by its definition, place by place, in doubles. */
  function sampleByHand(m: readonly number[], width: number, height: number): number[] {
    const out: number[] = [];
    for (let c = 0; c < channels; c++) {
      for (let j = 0; j < height; j++) {
        for (let i = 0; i < width; i++) {
          const x = m[0]! * (i + 0.5) + m[1]! * (j + 0.5) + m[3]! - 0.5;
          const y = m[4]! * (i + 0.5) + m[5]! * (j + 0.5) + m[7]! - 0.5;
          if (x < 0 || y < 0 || x > from.width - 1 || y > from.height - 1) {
            out.push(0);
            continue;
          }
          const x0 = Math.min(Math.floor(x), from.width - 2);
          const y0 = Math.min(Math.floor(y), from.height - 2);
          const at = (dx: number, dy: number) => picture[(c * from.height + y0 + dy) * from.width + x0 + dx]!;
          const row = (dy: number) => (1 - x + x0) * at(0, dy) + (x - x0) * at(1, dy);
          out.push((1 - y + y0) * row(0) + (y - y0) * row(1));
        }
      }
    }
    return out;
  }

  it.each([
    ['inside, turned', [0.9, -0.5, 0, 2.3, 0.4, 0.7, 0, 1.1]],
    ['over all four borders', [2.1, -0.6, 0, -3.2, 0.7, 2.3, 0, -4.4]],
    // Nearest places 0.1 and 0.3 px beyond the outermost centres: pixels there would still be half seen.
    ['just beyond', [1, 0, 0, -0.1, 0, 1, 0, -0.3]],
    // The last column and row of the window lie on the outermost centres themselves.
    ['to the edge', [1, 0, 0, 3, 0, 1, 0, 3]],
    ['far away', [1, 0, 0, 500, 0, 1, 0, -900]],
  ])('equals the definition: %s', async (_, upper) => {
    const [width, height] = [6, 4];
    const matrix = [...upper, 0, 0, 1, 0, 0, 0, 0, 1];
    const inputs = { picture: [[1, channels, from.height, from.width], picture], matrix: [[1, 4, 4], matrix] } as const;
    const samples = await runGraph(inputs, [channels * height * width], (onnx, v) =>
      addWindowSamples(onnx, v.picture!, v.matrix!, { width, height, from }),
    );
    const expected = sampleByHand(matrix, width, height);
    // 1e-5: 32-bit places of a few pixels, times slopes of at most 1 per pixel.
    for (const [k, value] of expected.entries()) expect(samples[k], `sample ${k}`).toBeCloseTo(value, 5);
  });
});

describe('addPointsFromWindow', () => {
  it('multiplies each point with the matrix', async () => {
    const matrix = [2, 3, 99, 5, 7, 11, 99, 13, 0, 0, 1, 0, 0, 0, 0, 1];
    const inputs = {
      points: [
        [1, 3, 2],
        [0, 0, 1, 0, 10, 100],
      ],
      matrix: [[1, 4, 4], matrix],
    } as const;
    const moved = await runGraph(inputs, [3, 2], (onnx, v) => addPointsFromWindow(onnx, v.points!, v.matrix!, 3));
    expect(moved).toEqual([5, 13, 7, 20, 325, 1183]);
  });
});

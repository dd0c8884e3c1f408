import type { OnnxGraphBuilder, OnnxValue } from './onnx-graph-builder.ts';

/*
 * The landmark network looks again at the lips and at each eye: it lays a window over a group of landmarks, samples a map
 * of features there, and takes the points that a branch finds in the window back to the picture. TFLite has three custom
 * operators for that; here they are ordinary ones. Own derivation from what MediaPipe's kernels compute (version 2,
 * mediapipe/util/tflite/operations).
 *
 * Frames: the picture that the landmarks are given in, the window (`width` x `height`, from its upper left corner), both
 * in pixels with pixel j's centre at j + 0.5. Between them stands a matrix M, shape (1,4,4), for columns (x, y, 0, 1):
 * picture = M window.
 */

/** Window over a group of landmarks. Lengths in window pixels. */
export interface LandmarkWindow {
  /** Landmarks of the group, which the window encloses. */
  readonly group: readonly number[];
  /** Landmarks from the first of which to the second the window's x axis runs. */
  readonly axisEnds: readonly [number, number];
  readonly width: number;
  readonly height: number;
  /** Width and height of the window, relative to the group's bounding box. */
  readonly growX: number;
  readonly growY: number;
}

/**
 * Landmarks2TransformMatrix: M, shape (1,4,4), of the window over landmarks (1,n,3 or 2).
 *
 * Let (c, s) be the unit vector of the axis and R = [c -s; s c]. The rows p R of all points p of the group are their
 * coordinates along the window's axes; lo and hi are the least and greatest of them, per axis. A window pixel w lies at
 * lo + (hi - lo) ((1 - k) / 2 + k w / n) along an axis of n pixels that is grown by k, which is
 *
 *     step w + corner,  step = (k / n) (hi - lo),  corner = (1 + k) / 2 lo + (1 - k) / 2 hi.
 *
 * R turns that back to the picture: M = R B with B = [step.x 0 0 corner.x; 0 step.y 0 corner.y]. All entries of R are
 * linear in (c, s) and all of B in (lo, hi), so that each is one product with a constant.
 */
export function addLandmarkWindow(onnx: OnnxGraphBuilder, landmarks: OnnxValue, window: LandmarkWindow): OnnxValue {
  const { width, height, growX, growY } = window;
  const flat = onnx.node('Slice', [landmarks, onnx.integers([0]), onnx.integers([2]), onnx.integers([2])]);
  const ends = onnx.node('Gather', [flat, onnx.integers(window.axisEnds)], { axis: 1 });
  const axis = onnx.node('MatMul', [onnx.floats([1, 2], [-1, 1]), ends]);
  const unit = onnx.node('Div', [axis, onnx.node('ReduceL2', [axis], { axes: [2] })]);
  const rotation = linear(onnx, unit, [1, 0, 0, 1, 0, -1, 1, 0], [2, 2]);

  const group = onnx.node('Gather', [flat, onnx.integers(window.group)], { axis: 1 });
  const alongAxes = onnx.node('MatMul', [group, rotation]);
  const extremes = ['ReduceMin', 'ReduceMax'].map((operator) => onnx.node(operator, [alongAxes], { axes: [1], keepdims: 0 }));
  const bounds = onnx.node('Concat', extremes, { axis: 1 }); // (1,4): lo.x, lo.y, hi.x, hi.y
  const [stepX, stepY] = [growX / width, growY / height];
  const boxRows = [
    [-stepX, 0, 0, (1 + growX) / 2, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, -stepY, 0, (1 + growY) / 2],
    [stepX, 0, 0, (1 - growX) / 2, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, stepY, 0, (1 - growY) / 2],
  ];
  const box = linear(onnx, bounds, boxRows.flat(), [2, 4]);
  const upper = onnx.node('MatMul', [rotation, box]);
  const matrix = onnx.node('Concat', [upper, onnx.floats([2, 4], [0, 0, 1, 0, 0, 0, 0, 1])], { axis: 0 });
  return onnx.node('Reshape', [matrix, onnx.integers([1, 4, 4])]);
}

/**
 * TransformTensorBilinear: the window's pixels, shape (1,channels,height,width), from a picture (1,channels,`from`). Zero
 * where a place lies outside the rectangle through the picture's outermost pixel centres.
 *
 * M is affine, so the place of pixel (i, j) is a term of its column plus one of its row: width + height products and a sum
 * instead of width * height products. GridSample wants places as -1..1 from edge to edge of the picture, g = 2 p / n - 1,
 * where the outermost centres of n pixels lie at -+(1 - 1 / n). It takes the pixels beyond as zero and so fades out over one
 * pixel; a place to which {@link FAR} times its distance from the rectangle is added has nothing but zeros about it. (With
 * `align_corners` the rectangle would be -1..1, but onnxruntime's CPU kernel is slower then: 0.3 ms of the whole network.)
 */
export function addWindowSamples(
  onnx: OnnxGraphBuilder,
  picture: OnnxValue,
  matrix: OnnxValue,
  size: { readonly width: number; readonly height: number; readonly from: { readonly width: number; readonly height: number } },
): OnnxValue {
  const { width, height, from } = size;
  const pair = (values: number[]): OnnxValue => onnx.floats([2], values);
  const half = (count: number): number[] => Array.from({ length: count }, (_, k) => k + 0.5);
  const columns = onnx.floats(
    [width, 4],
    half(width).flatMap((x) => [x, 0, 0, 0]),
  );
  const rows = onnx.floats(
    [height, 1, 4],
    half(height).flatMap((y) => [0, y, 0, 1]),
  );
  const transposed = transposeUpper(onnx, matrix);
  const place = onnx.node('Add', [onnx.node('MatMul', [columns, transposed]), onnx.node('MatMul', [rows, transposed])]);
  const counts = [from.width, from.height];
  const scaled = onnx.node('Mul', [place, pair(counts.map((n) => 2 / n))]);
  const grid = onnx.node('Sub', [scaled, onnx.floats([], [1])]);
  const edges = counts.map((n) => 1 - 1 / n + EDGE_MARGIN);
  // Its distance from the rectangle by Relu and not by Max and Min, which onnxruntime's WebGPU provider does not have.
  const right = onnx.node('Relu', [onnx.node('Sub', [grid, pair(edges)])]);
  const left = onnx.node('Relu', [onnx.node('Sub', [pair(edges.map((e) => -e)), grid])]);
  const beyond = onnx.node('Mul', [onnx.node('Sub', [right, left]), onnx.floats([], [FAR])]);
  const thrown = onnx.node('Reshape', [onnx.node('Add', [grid, beyond]), onnx.integers([1, height, width, 2])]);
  return onnx.node('GridSample', [picture, thrown], { mode: 'bilinear', padding_mode: 'zeros', align_corners: 0 });
}

/** A few roundings of 32-bit floats, in scaled places, so that a place on the edge counts as inside. */
const EDGE_MARGIN = 2 ** -20;
/**
 * How far a place outside is thrown, relative to its distance. Large: what fades is the 1 / FAR of a pixel next to the
 * rectangle. Small enough for the 32-bit integers that some kernels floor to.
 */
const FAR = 2 ** 16;

/** TransformLandmarks: `count` points of the window, shape (1,count,2), in the picture. */
export function addPointsFromWindow(onnx: OnnxGraphBuilder, points: OnnxValue, matrix: OnnxValue, count: number): OnnxValue {
  const ones = onnx.floats(
    [1, count, 2],
    Array.from({ length: 2 * count }, (_, k) => k % 2),
  );
  return onnx.node('MatMul', [onnx.node('Concat', [points, ones], { axis: 2 }), transposeUpper(onnx, matrix)]);
}

/** (4,2), for points as rows (x, y, 0, 1): the first two rows of M, transposed. */
function transposeUpper(onnx: OnnxGraphBuilder, matrix: OnnxValue): OnnxValue {
  const rows = onnx.node('Reshape', [matrix, onnx.integers([4, 4])]);
  return onnx.node('Transpose', [onnx.node('Gather', [rows, onnx.integers([0, 1])], { axis: 0 })], { perm: [1, 0] });
}

/** Matrix (`shape`, two numbers) whose entries are sums of the n values, times constants (n,entries). */
function linear(onnx: OnnxGraphBuilder, values: OnnxValue, factors: readonly number[], shape: readonly [number, number]): OnnxValue {
  const entries = shape[0] * shape[1];
  const product = onnx.node('MatMul', [values, onnx.floats([factors.length / entries, entries], factors)]);
  return onnx.node('Reshape', [product, onnx.integers(shape)]);
}

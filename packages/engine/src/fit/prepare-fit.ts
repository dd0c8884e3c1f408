import { createKernelMemory } from '../kernels/kernel-memory.ts';
import type { FaceModel } from '../models/face-model.ts';
import { LEFT_LID_PAIRS, RIGHT_LID_PAIRS } from '../nets/landmark-names.ts';
import { EDGE_GROUP, EXPRESSION_TRUST, SHAPE_TRUST } from './landmark-trust.ts';
import { countRowKernelBytes, createRowKernels, type RowKernels } from './row-kernels.ts';

/** Similarity unknowns: log scale, rotation vector (3), translation (3). */
export const SIMILARITY_COUNT = 7;

/** Unit of the shifts of eyes and mouth in the fit of expressions, millimetres. */
export const EDGE_SHIFT_MM = 7;

/** Shapes that are large in pictures and that no others stand in for. */
const MAIN_SHAPES = /^(jawOpen|mouthSmile|mouthFrown|brow)/;

/** Shapes that calm faces are often taken for: how high the brows sit and how full the lips are differs from person to person. */
const DOUBTFUL_SHAPES = /^(browInnerUp|browOuterUp|mouthPucker)/;

/** Those that move the mouth so far that the identity, more loosely held, would take most of it. */
const LARGE_SHAPES = /^(jawOpen|mouthSmile)/;

const RARE_SHAPES =
  /^(mouthFunnel|mouthShrug|mouthRoll|mouthPress|mouthDimple|mouthLeft|mouthRight|mouthClose|cheekPuff|jawForward|jawLeft|jawRight|tongue)/;

const LID_PAIRS = [
  ['R', RIGHT_LID_PAIRS],
  ['L', LEFT_LID_PAIRS],
] as const;

/** What the fit needs of a face model, laid out for it; depends on the model alone. */
export interface FitBasis {
  /** L */
  readonly count: number;
  /** K, identity modes in use. */
  readonly identityCount: number;
  /** E */
  readonly expressionCount: number;
  /** Shape (L): number among the network's 478. */
  readonly landmark: Uint16Array;
  /** Shape (L,3), millimetres: where the network sees the landmarks of the mean face. */
  readonly mean: Float64Array;
  /** Shape (10, L, 3), millimetres, see {@link LandmarkHabits}; null: none are known. */
  readonly viewHabits: Float64Array | null;
  /** Shape (L,3), millimetres: the same with the model's own edges of lids and lips: neutral face of the fit of expressions. */
  readonly expressionMean: Float64Array;
  /** Shape (3): the point that rotation and scale turn about, inside the cloud, so that they hardly move it. */
  readonly center: Float64Array;
  /** Shape (L): trust before any residual is known; 0 for the irises, which show the gaze and not the shape. */
  readonly weight: Float64Array;
  /** Products with `rows` and `expressionRows`, which lie in their memory. */
  readonly kernels: RowKernels;
  /** Jacobian of (model as the network sees it - landmark), transposed: shape (7+E+K, 3 L), rows similarity, expression, mirror-symmetric identity. */
  readonly rows: Float64Array;
  /** Shape (7+E+K, 7+E+K): sum over landmarks of weight times the products of the rows, square millimetres. */
  readonly normal: Float64Array;
  /** Shape (E+9, 3 L): the expressions, then nine that shift the edges of each eye and of the mouth along x, y, z, {@link EDGE_SHIFT_MM} per unit. */
  readonly expressionRows: Float64Array;
  /** Shape (L): trust for the expression in the picture. */
  readonly expressionTrust: Float64Array;
  /** Shape (E+9, E+9): sum over landmarks of `expressionTrust` times the products of `expressionRows`. */
  readonly expressionNormal: Float64Array;
  /** Shape (E): 1 for shapes that go with the gaze, which the irises tell and not the lids. */
  readonly isGaze: Uint8Array;
  /** Shape (E): 1 for shapes that portraits seldom show and that a face's own form is easily taken for. */
  readonly isRare: Uint8Array;
  /** Shape (E): 1 for shapes whose amounts are freed of the priors once they are found. */
  readonly isMain: Uint8Array;
  /** Shape (E): 1 for shapes that calm faces are often taken for. */
  readonly isDoubtful: Uint8Array;
  /** Shape (E): 1 for large motions, which the shape's fit holds less. */
  readonly isLarge: Uint8Array;
  /** The lids of each eye whose blink the model has. */
  readonly lids: readonly Lids[];
}

/** How far an eye is open, and the expressions that close and widen it. */
export interface Lids {
  /** Shape (3,2): rows of upper lid and lower lid across the middle of the eye. */
  readonly pairs: Uint16Array;
  /** Number of the expression. */
  readonly blink: number;
  /** Number of the expression that opens the eye wide; -1: none. */
  readonly wide: number;
}

const prepared = new WeakMap<FaceModel, Map<number, FitBasis>>();

/**
 * The part of the fit's normal equations that is the same for every photo. Residuals are measured in the model frame, where the
 * identity and expression rows do not change; so with fixed weights the whole matrix is a property of the model. (Kept per model: a pure
 * function of it.)
 *
 * @param maxModes - at most so many identity modes, the first ones
 */
export function prepareFit(model: FaceModel, maxModes: number): FitBasis {
  const modes = Math.min(maxModes, model.identityCount);
  let known = prepared.get(model);
  if (!known) prepared.set(model, (known = new Map()));
  let basis = known.get(modes);
  if (!basis) known.set(modes, (basis = computeBasis(model, modes)));
  return basis;
}

function computeBasis(model: FaceModel, identityCount: number): FitBasis {
  const { landmarks } = model;
  const { count, mirror, landmark } = landmarks;
  const width = 3 * count;
  const expressionCount = model.expressionNames.length;
  const { habits } = landmarks;
  // Of the view's terms the first: straight from the front.
  const mean = habits ? landmarks.mean.map((x, m) => x + habits.view[m]) : landmarks.mean;
  const weight = Float64Array.from(landmark, (l, i) => SHAPE_TRUST[l] * landmarks.confidence[i]);
  const center = new Float64Array(3);
  let sum = 0;
  for (let l = 0; l < count; l++) {
    sum += weight[l];
    for (let k = 0; k < 3; k++) center[k] += weight[l] * mean[3 * l + k];
  }
  for (let k = 0; k < 3; k++) center[k] /= sum;

  const size = SIMILARITY_COUNT + expressionCount + identityCount;
  const edgeSize = expressionCount + 9;
  const maxRows = Math.max(size, edgeSize);
  const memory = createKernelMemory(8 * (size + edgeSize) * width + countRowKernelBytes(maxRows, width));
  const rows = memory.allocate(Float64Array, size * width);
  for (let j = 0; j < SIMILARITY_COUNT; j++) rows.set(similarityRow(j, mean, center), j * width);
  const expressions = landmarks.expression.slice(0, expressionCount * width);
  if (habits) for (let m = 0; m < expressions.length; m++) expressions[m] += habits.expression[m];
  rows.set(expressions, SIMILARITY_COUNT * width);
  for (let k = 0; k < identityCount; k++) {
    const row = rows.subarray((SIMILARITY_COUNT + expressionCount + k) * width, (SIMILARITY_COUNT + expressionCount + k + 1) * width);
    row.set(symmetrise(landmarks.identity.subarray(k * width, (k + 1) * width), mirror));
    if (habits) for (let m = 0; m < width; m++) row[m] += habits.identity[k * width + m];
  }
  const expressionRows = memory.allocate(Float64Array, edgeSize * width);
  expressionRows.set(expressions);
  addEdgeShifts(landmark, expressionRows.subarray(expressionCount * width));
  const expressionTrust = Float64Array.from(landmark, (l) => EXPRESSION_TRUST[l]);
  const kernels = createRowKernels(memory, maxRows, width);
  return {
    count,
    identityCount,
    expressionCount,
    landmark,
    mean,
    viewHabits: habits ? habits.view : null,
    expressionMean: mean.map((x, m) => (EDGE_GROUP[landmark[Math.floor(m / 3)]] > 0 ? landmarks.mean[m] : x)),
    center,
    weight,
    kernels,
    rows,
    normal: kernels.computeGram(rows, size, perCoordinate(weight)),
    expressionRows,
    expressionTrust,
    expressionNormal: kernels.computeGram(expressionRows, edgeSize, perCoordinate(expressionTrust)),
    isGaze: Uint8Array.from(model.expressionNames, (name) => (/^(eyeLook|gaze)/.test(name) ? 1 : 0)),
    isRare: Uint8Array.from(model.expressionNames, (name) => (RARE_SHAPES.test(name) ? 1 : 0)),
    isLarge: Uint8Array.from(model.expressionNames, (name) => (LARGE_SHAPES.test(name) ? 1 : 0)),
    isDoubtful: Uint8Array.from(model.expressionNames, (name) => (DOUBTFUL_SHAPES.test(name) ? 1 : 0)),
    isMain: Uint8Array.from(model.expressionNames, (name) => (MAIN_SHAPES.test(name) ? 1 : 0)),
    lids: findLids(model),
  };
}

function findLids(model: FaceModel): Lids[] {
  const lids: Lids[] = [];
  for (const [side, numbers] of LID_PAIRS) {
    const pairs = Uint16Array.from(numbers, (n) => model.landmarks.landmark.indexOf(n));
    const blink = model.expressionNames.indexOf(`eyeBlink_${side}`);
    const wide = model.expressionNames.indexOf(`eyeWide_${side}`);
    if (blink >= 0 && numbers.every((n) => model.landmarks.landmark.includes(n))) lids.push({ pairs, blink, wide });
  }
  return lids;
}

const perCoordinate = (weight: Float64Array): Float64Array =>
  Float64Array.from({ length: 3 * weight.length }, (_, m) => weight[Math.floor(m / 3)]);

/** Rows that shift the edges of one eye or of the mouth as a whole along one axis; shape (9, 3 L). */
function addEdgeShifts(landmark: Uint16Array, rows: Float64Array): void {
  const width = 3 * landmark.length;
  landmark.forEach((number, l) => {
    const group = EDGE_GROUP[number];
    if (group === 0) return;
    for (let axis = 0; axis < 3; axis++) rows[(3 * (group - 1) + axis) * width + 3 * l + axis] = EDGE_SHIFT_MM;
  });
}

/** Minus the motion of the landmarks under similarity unknown j (the residual is model minus landmark), at the mean face. */
function similarityRow(j: number, mean: Float64Array, center: Float64Array): Float64Array {
  const out = new Float64Array(mean.length);
  for (let i = 0; i < mean.length; i += 3) {
    const x = mean[i] - center[0];
    const y = mean[i + 1] - center[1];
    const z = mean[i + 2] - center[2];
    if (j === 0) {
      out[i] = -x;
      out[i + 1] = -y;
      out[i + 2] = -z;
    } else if (j === 1) {
      out[i + 1] = z;
      out[i + 2] = -y;
    } else if (j === 2) {
      out[i] = -z;
      out[i + 2] = x;
    } else if (j === 3) {
      out[i] = y;
      out[i + 1] = -x;
    } else {
      out[i + j - 4] = -1;
    }
  }
  return out;
}

/** Mean of a displacement field and its mirror image. */
function symmetrise(field: Float64Array, mirror: Uint16Array): Float64Array {
  const out = new Float64Array(field.length);
  for (let l = 0; l < mirror.length; l++) {
    const m = 3 * mirror[l];
    out[3 * l] = (field[3 * l] - field[m]) / 2;
    out[3 * l + 1] = (field[3 * l + 1] + field[m + 1]) / 2;
    out[3 * l + 2] = (field[3 * l + 2] + field[m + 2]) / 2;
  }
  return out;
}

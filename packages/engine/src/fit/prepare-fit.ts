import { computeCauchyWeight } from '../math/robust-weight.ts';
import { applySimilarity, estimateSimilarity } from '../math/similarity.ts';
import type { FaceModel, LandmarkBasis } from '../models/face-model.ts';
import { EDGE_GROUP, EXPRESSION_TRUST, SHAPE_TRUST } from './landmark-trust.ts';
import { NETWORK_MEAN_MM } from './network-mean.ts';

/** Similarity unknowns: log scale, rotation vector (3), translation (3). */
export const SIMILARITY_COUNT = 7;

/** Unit of the shifts of eyes and mouth in the fit of expressions, millimetres. */
export const EDGE_SHIFT_MM = 7;

const RARE_SHAPES =
  /^(mouthShrug|mouthRoll|mouthPress|mouthDimple|mouthLeft|mouthRight|mouthClose|cheekPuff|jawForward|jawLeft|jawRight|tongue)/;

/** What the fit needs of a face model, laid out for it; depends on the model alone. */
export interface FitBasis {
  /** L */
  readonly count: number;
  readonly identityCount: number;
  readonly expressionCount: number;
  /** Shape (L): number among the network's 478. */
  readonly landmark: Uint16Array;
  /** Shape (L,3), millimetres: where the network sees the landmarks of the mean face. */
  readonly mean: Float64Array;
  /** Shape (L,3), millimetres: the same with the model's own edges of lids and lips: neutral face of the fit of expressions. */
  readonly expressionMean: Float64Array;
  /** Shape (3): the point that rotation and scale turn about, inside the cloud, so that they hardly move it. */
  readonly center: Float64Array;
  /** Shape (L): trust before any residual is known; 0 for the irises, which show the gaze and not the shape. */
  readonly weight: Float64Array;
  /** Columns of the Jacobian of (model - landmark), shape (7 + K + E, 3 L): similarity, mirror-symmetric identity, expression. */
  readonly columns: readonly Float64Array[];
  /** Shape (7+K+E, 7+K+E): sum over landmarks of weight times the products of the columns, square millimetres. */
  readonly normal: Float64Array;
  /** The last E of `columns`, then nine that shift the edges of each eye and of the mouth along x, y, z, {@link EDGE_SHIFT_MM} per unit. */
  readonly expressionColumns: readonly Float64Array[];
  /** Shape (L): trust for the expression in the picture. */
  readonly expressionTrust: Float64Array;
  /** Shape (E+9,E+9): sum over landmarks of `expressionTrust` times the products of the expression columns. */
  readonly expressionNormal: Float64Array;
  /** Shape (E): 1 for shapes that go with the gaze, which the irises tell and not the lids. */
  readonly isGaze: Uint8Array;
  /** Shape (E): 1 for shapes that portraits seldom show and that a face's own form is easily taken for. */
  readonly isRare: Uint8Array;
}

const prepared = new WeakMap<FaceModel, FitBasis>();

/**
 * The part of the fit's normal equations that is the same for every photo. Residuals are measured in the model frame, where the
 * identity and expression columns do not change; so with fixed weights the whole matrix is a property of the model. (Kept per model: a
 * pure function of it, 20 ms for the full head.)
 */
export function prepareFit(model: FaceModel): FitBasis {
  const known = prepared.get(model);
  if (known) return known;
  const { landmarks } = model;
  const { count, mirror } = landmarks;
  const identityCount = landmarks.identity.length / (3 * count);
  const expressionCount = landmarks.expression.length / (3 * count);
  const mean = landmarks.networkMean ?? placeNetworkMean(landmarks);

  const weight = new Float64Array(count);
  const center = new Float64Array(3);
  let sum = 0;
  for (let l = 0; l < count; l++) {
    const w = SHAPE_TRUST[landmarks.landmark[l]] * landmarks.confidence[l];
    weight[l] = w;
    sum += w;
    for (let k = 0; k < 3; k++) center[k] = center[k] + w * mean[3 * l + k];
  }
  for (let k = 0; k < 3; k++) center[k] = center[k] / sum;

  const columns: Float64Array[] = [];
  for (let j = 0; j < SIMILARITY_COUNT; j++) columns.push(similarityColumn(j, mean, center));
  for (let k = 0; k < identityCount; k++) {
    columns.push(symmetrise(landmarks.identity.subarray(3 * count * k, 3 * count * (k + 1)), mirror));
  }
  for (let k = 0; k < expressionCount; k++) columns.push(landmarks.expression.slice(3 * count * k, 3 * count * (k + 1)));

  const expressionColumns = [...columns.slice(SIMILARITY_COUNT + identityCount), ...edgeShiftColumns(landmarks.landmark)];
  const expressionTrust = Float64Array.from(landmarks.landmark, (l) => EXPRESSION_TRUST[l]);
  const basis: FitBasis = {
    count,
    identityCount,
    expressionCount,
    landmark: landmarks.landmark,
    mean,
    expressionMean: mean.map((x, m) => (EDGE_GROUP[landmarks.landmark[Math.floor(m / 3)]] > 0 ? landmarks.mean[m] : x)),
    center,
    weight,
    columns,
    normal: computeNormal(columns, weight),
    expressionColumns,
    expressionTrust,
    expressionNormal: computeNormal(expressionColumns, expressionTrust),
    isGaze: Uint8Array.from(model.expressionNames, (name) => (/^(eyeLook|gaze)/.test(name) ? 1 : 0)),
    isRare: Uint8Array.from(model.expressionNames, (name) => (RARE_SHAPES.test(name) ? 1 : 0)),
  };
  prepared.set(model, basis);
  return basis;
}

/** Columns that shift the edges of one eye or of the mouth as a whole along one axis. */
function edgeShiftColumns(landmark: Uint16Array): Float64Array[] {
  const columns: Float64Array[] = [];
  for (const group of [1, 2, 3]) {
    for (let axis = 0; axis < 3; axis++) {
      const column = new Float64Array(3 * landmark.length);
      landmark.forEach((number, l) => {
        if (EDGE_GROUP[number] === group) column[3 * l + axis] = EDGE_SHIFT_MM;
      });
      columns.push(column);
    }
  }
  return columns;
}

/** Sum over landmarks of weight times the products of columns, shape (n,n). */
function computeNormal(columns: readonly Float64Array[], weight: Float64Array): Float64Array {
  const size = columns.length;
  const normal = new Float64Array(size * size);
  const weighted = new Float64Array(3 * weight.length);
  for (let i = 0; i < size; i++) {
    const a = columns[i];
    for (let m = 0; m < weighted.length; m++) weighted[m] = a[m] * weight[(m / 3) | 0];
    for (let j = 0; j <= i; j++) {
      const b = columns[j];
      let dot = 0;
      for (let m = 0; m < weighted.length; m++) dot += weighted[m] * b[m];
      normal[i * size + j] = normal[j * size + i] = dot;
    }
  }
  return normal;
}

/**
 * The network's own mean face laid over the model's landmarks by a robust similarity (Cauchy, 6 mm, five rounds): the model's mean as
 * the network would report it. Landmarks that it lacks (irises) keep the model's place.
 */
function placeNetworkMean(landmarks: LandmarkBasis): Float64Array {
  const { count, landmark, mean } = landmarks;
  const source = mean.slice();
  const trust = new Float64Array(count);
  for (let l = 0; l < count; l++) {
    if (landmark[l] >= 468) continue;
    trust[l] = SHAPE_TRUST[landmark[l]];
    source.set(NETWORK_MEAN_MM.subarray(3 * landmark[l], 3 * landmark[l] + 3), 3 * l);
  }
  const weights = trust.slice();
  let placed: Float64Array = source;
  for (let round = 0; round < 5; round++) {
    const similarity = estimateSimilarity(source, mean, weights);
    if (similarity === null) return mean;
    placed = applySimilarity(similarity, source);
    for (let l = 0; l < count; l++) {
      const x = placed[3 * l] - mean[3 * l];
      const y = placed[3 * l + 1] - mean[3 * l + 1];
      const z = placed[3 * l + 2] - mean[3 * l + 2];
      weights[l] = trust[l] * computeCauchyWeight(x * x + y * y + z * z, 6);
    }
  }
  for (let l = 0; l < count; l++) if (landmark[l] >= 468) placed.set(mean.subarray(3 * l, 3 * l + 3), 3 * l);
  return placed;
}

/** Minus the motion of the landmarks under similarity unknown j (the residual is model minus landmark), at the mean face. */
function similarityColumn(j: number, mean: Float64Array, center: Float64Array): Float64Array {
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

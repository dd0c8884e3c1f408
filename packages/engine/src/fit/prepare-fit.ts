import type { FaceModel } from '../models/face-model.ts';

/** Similarity unknowns: log scale, rotation vector (3), translation (3). */
export const SIMILARITY_COUNT = 7;

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
  /** Shape (3): the point that rotation and scale turn about, inside the cloud, so that they hardly move it. */
  readonly center: Float64Array;
  /** Shape (L): trust before any residual is known; 0 for the irises, which show the gaze and not the shape. */
  readonly weight: Float64Array;
  /** Columns of the Jacobian of (model - landmark), shape (7 + K + E, 3 L): similarity, mirror-symmetric identity, expression. */
  readonly columns: readonly Float64Array[];
  /** Shape (7+K+E, 7+K+E): sum over landmarks of weight times the products of the columns, square millimetres. */
  readonly normal: Float64Array;
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
  const mean = landmarks.networkMean ?? landmarks.mean;

  const weight = new Float64Array(count);
  const center = new Float64Array(3);
  let sum = 0;
  for (let l = 0; l < count; l++) {
    const w = landmarks.landmark[l] < 468 ? landmarks.confidence[l] : 0;
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

  const size = columns.length;
  const normal = new Float64Array(size * size);
  const weighted = new Float64Array(3 * count);
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
  const basis = { count, identityCount, expressionCount, landmark: landmarks.landmark, mean, center, weight, columns, normal };
  prepared.set(model, basis);
  return basis;
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

import { multiply3, rotationFromVector, transpose3 } from '../math/rotation.ts';
import type { FaceReadout, LandmarkBasis } from '../models/face-model.ts';
import { computeReadoutInput } from './compute-readout-input.ts';

/** What the network's features tell of a face. */
export interface FaceReading {
  /** cameraFromModel, shape (3,3). */
  readonly rotation: Float64Array;
  /** Shape (K), standard deviations. */
  readonly identity: Float64Array;
}

/**
 * Reads pose and identity from the landmarks and from the features that the network made them of: one product with a table
 * (docs/decisions/face-readout.md).
 *
 * @param lifted - shape (L,3), see {@link unprojectLandmarks}
 * @param weight - shape (L)
 * @param features - shape (F), see `FaceLandmarks.features`
 * @returns null where the points are degenerate, or the features are of another network
 */
export function readFace(
  landmarks: Pick<LandmarkBasis, 'mean'>,
  readout: FaceReadout,
  lifted: Float64Array,
  weight: Float64Array,
  features: Float32Array,
): FaceReading | null {
  if (features.length !== readout.featureCount) return null;
  const input = computeReadoutInput(landmarks, lifted, weight, features);
  if (input === null) return null;
  const { values, ends, rotation } = input;
  const { constants, steps, rows } = readout;
  const results = constants.length;
  const read = new Float64Array(results);
  for (let o = 0; o < results; o++) {
    read[o] = constants[o];
    for (let block = 0, first = 0; block < 3; first = ends[block], block++) {
      read[o] += steps[block * results + o] * dotRow(rows, o * values.length, values, first, ends[block]);
    }
  }
  if (!read.every(Number.isFinite)) return null;
  // The vector turns the model into the frame in which the landmarks lie over the mean face; that frame's own turn is undone.
  const viewFromModel = multiply3(transpose3(rotation), rotationFromVector(read[0], read[1], read[2]));
  return { rotation: multiply3(CAMERA_FROM_VIEW, viewFromModel), identity: read.slice(3) };
}

/** The view's axes (y up, z back) become the camera's (y down, z forward). */
const CAMERA_FROM_VIEW = Float64Array.of(1, 0, 0, 0, -1, 0, 0, 0, -1);

/** sum over first <= i < end of rows[at + i] values[i] */
function dotRow(rows: Int8Array, at: number, values: Float32Array, first: number, end: number): number {
  let sum = 0;
  for (let i = first; i < end; i++) sum += rows[at + i] * values[i];
  return sum;
}

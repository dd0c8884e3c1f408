import type { LandmarkBasis } from '../models/face-model.ts';
import { estimateRobustSimilarity } from './robust-similarity.ts';
import { computeViewTerms, VIEW_TERMS } from './view-terms.ts';

/** What a readout's rows are multiplied with. */
export interface ReadoutInput {
  /** Shape (9 + 3 L + F): terms of the view, landmarks minus the mean face (millimetres), features. */
  readonly values: Float32Array;
  /** Where the landmarks and the features begin in `values`, and where it ends. */
  readonly ends: readonly [number, number, number];
  /** Shape (3,3): takes the frame of the lifted landmarks to the one in which they lie over the mean face. */
  readonly rotation: Float64Array;
}

/**
 * Lays lifted landmarks over the model's mean face and puts the network's features beside them.
 *
 * The model's own mean face, without the network's habits: a readout is measured by itself and does not depend on their file.
 *
 * @param lifted - shape (L,3), see {@link unprojectLandmarks}
 * @param weight - shape (L)
 * @param features - shape (F), see `FaceLandmarks.features`
 * @returns null where the points are degenerate
 */
export function computeReadoutInput(
  landmarks: Pick<LandmarkBasis, 'mean'>,
  lifted: Float64Array,
  weight: Float64Array,
  features: Float32Array,
): ReadoutInput | null {
  const { mean } = landmarks;
  const similarity = estimateRobustSimilarity(lifted, mean, weight);
  if (similarity === null) return null;
  const { rotation: r, scale, translation: t } = similarity;
  const viewCount = VIEW_TERMS - 1;
  const featuresAt = viewCount + lifted.length;
  const values = new Float32Array(featuresAt + features.length);
  // The first term is the constant.
  values.set(computeViewTerms(r[2], r[5]).slice(1));
  for (let m = 0; m < lifted.length; m += 3) {
    for (let k = 0; k < 3; k++) {
      const placed = scale * (r[3 * k] * lifted[m] + r[3 * k + 1] * lifted[m + 1] + r[3 * k + 2] * lifted[m + 2]) + t[k];
      values[viewCount + m + k] = placed - mean[m + k];
    }
  }
  values.set(features, featuresAt);
  return { values, ends: [viewCount, featuresAt, values.length], rotation: r };
}

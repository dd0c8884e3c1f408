import { computeCauchyWeight } from '../math/robust-weight.ts';
import { applySimilarity, estimateSimilarity, type Similarity } from '../math/similarity.ts';

/** Distance at which a landmark counts half, millimetres. */
const ROBUST_SCALE_MM = 6;

const ROUNDS = 4;

/**
 * Similarity that lays landmarks over a face, with outliers beyond 6 mm counting ever less: rounds of the closed form with Cauchy weights.
 *
 * @param points - shape (L,3), any unit
 * @param mean - shape (L,3), millimetres
 * @param weight - shape (L)
 * @returns null where the points are degenerate
 */
export function estimateRobustSimilarity(points: Float64Array, mean: Float64Array, weight: Float64Array): Similarity | null {
  const weights = weight.slice();
  const placed = new Float64Array(points.length);
  let similarity = estimateSimilarity(points, mean, weights);
  for (let round = 1; round < ROUNDS && similarity !== null; round++) {
    applySimilarity(similarity, points, placed);
    for (let l = 0; l < weights.length; l++) {
      const x = placed[3 * l] - mean[3 * l];
      const y = placed[3 * l + 1] - mean[3 * l + 1];
      const z = placed[3 * l + 2] - mean[3 * l + 2];
      weights[l] = weight[l] * computeCauchyWeight(x * x + y * y + z * z, ROBUST_SCALE_MM);
    }
    similarity = estimateSimilarity(points, mean, weights);
  }
  return similarity;
}

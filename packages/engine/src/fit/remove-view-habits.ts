import type { FitBasis } from './prepare-fit.ts';
import { estimateRobustSimilarity } from './robust-similarity.ts';
import { computeViewTerms } from './view-terms.ts';

/**
 * Takes off what the network reports of a turned head only because it is turned: it guesses the hidden side, and pulls the head toward the front.
 *
 * The direction to the viewer is read from the landmarks themselves (the habits were measured against that reading, so nothing is iterated). What the network
 * does with a face from the front stays: that is `basis.mean`.
 *
 * @param lifted - shape (L,3), see {@link unprojectLandmarks}; changed in place
 */
export function removeViewHabits(basis: FitBasis, lifted: Float64Array): void {
  const { viewHabits } = basis;
  if (viewHabits === null) return;
  const similarity = estimateRobustSimilarity(lifted, basis.mean, basis.weight);
  if (similarity === null) return;
  const { rotation: r, scale } = similarity;
  // The similarity takes the view to the model, so its last column is the direction to the viewer.
  const terms = computeViewTerms(r[2], r[5]);
  for (let l = 0; l < lifted.length; l += 3) {
    let x = 0;
    let y = 0;
    let z = 0;
    for (let k = 1, at = lifted.length + l; k < terms.length; k++, at += lifted.length) {
      x += terms[k] * viewHabits[at];
      y += terms[k] * viewHabits[at + 1];
      z += terms[k] * viewHabits[at + 2];
    }
    lifted[l] -= (r[0] * x + r[3] * y + r[6] * z) / scale;
    lifted[l + 1] -= (r[1] * x + r[4] * y + r[7] * z) / scale;
    lifted[l + 2] -= (r[2] * x + r[5] * y + r[8] * z) / scale;
  }
}

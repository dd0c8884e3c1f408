/**
 * Share of what is read. On rendered people one half to all of it is best, on scans of people unlike them in style a third costs nothing
 * (docs/decisions/face-readout.md).
 */
const READING_SHARE = 0.35;

/**
 * Moves an identity that was fitted to the landmarks toward the one that was read from the network's features.
 *
 * Each knows what the other does not: a readout is right for people as they were rendered, a fit for whatever the landmarks say. Their errors are nearly
 * independent, so a mean of both is nearer than either (as with any two estimates; Bates & Granger, Oper. Res. Q. 20 (1969)).
 *
 * @param identity - fitted, changed in place
 * @param read - shape (K) or shorter, see {@link readFace}; modes beyond are left
 */
export function blendIdentity(identity: Float64Array, read: Float64Array): void {
  for (let k = 0; k < read.length; k++) identity[k] = identity[k] + READING_SHARE * (read[k] - identity[k]);
}

/** Number of {@link computeViewTerms}; of them the first so many are the same for the mirror image, the others change their sign. */
export const VIEW_TERMS = 10;
export const EVEN_VIEW_TERMS = 6;
/** Places of the terms that grow with the turn to a side. */
export const TURN_TERMS: ReadonlySet<number> = new Set([2, 4, 6, 7, 8, 9]);

/** Farthest that the network's habits were measured: sine of 53 and of 27 degrees. */
const MOST_SIDEWAYS = 0.8;
const MOST_UP = 0.45;

/**
 * Terms of the polynomial by which the network's habits depend on the view.
 *
 * @param x - direction to the viewer in the frame of the head, unit vector: toward the person's left
 * @param y - upward
 * @returns shape (10)
 */
export function computeViewTerms(x: number, y: number): number[] {
  const a = Math.max(-MOST_SIDEWAYS, Math.min(MOST_SIDEWAYS, x));
  const b = Math.max(-MOST_UP, Math.min(MOST_UP, y));
  return [1, b, a * a, b * b, a * a * b, b ** 3, a, a * b, a ** 3, a * b * b];
}

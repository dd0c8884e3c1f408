/** Edge of the upper and lower lids of both eyes. */
const EYELIDS = [
  33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173, 263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387,
  386, 385, 384, 398,
];
const OUTER_LIPS = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409];
const INNER_LIPS = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415];
const BROWS = [70, 63, 105, 66, 107, 55, 65, 52, 53, 46, 300, 293, 334, 296, 336, 285, 295, 282, 283, 276];
/** Outline of the face as it is seen: another line of the head in every view. */
const OVAL = [
  10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93,
  234, 127, 162, 21, 54, 103, 67, 109,
];

/** Weight for shape and pose of a landmark that slides or moves by itself (docs/decisions/fit-constants.md). */
const LOOSE_WEIGHT = 0.3;

/**
 * How far each of the 478 landmarks tells the shape of the head: 1 for points of the surface, 0.3 for the outline and the inner lips, 0
 * for the irises, which show the gaze. A property of the network; a model's own `confidence` is multiplied in.
 */
export const SHAPE_TRUST: Float64Array = fill(1, [
  [OVAL, LOOSE_WEIGHT],
  [INNER_LIPS, LOOSE_WEIGHT],
  [[468, 469, 470, 471, 472, 473, 474, 475, 476, 477], 0],
]);

/**
 * How sharply each of the 478 landmarks is seen in the picture, in relation to the others: the network's attention branches place lids and lips
 * several times as exactly as the rest, and the outline says nothing of an expression.
 */
export const EXPRESSION_TRUST: Float64Array = fill(0.03, [
  [OVAL, 0.03],
  [BROWS, 0.3],
  [EYELIDS, 1],
  [OUTER_LIPS, 1],
  [INNER_LIPS, 1],
  [[468, 469, 470, 471, 472, 473, 474, 475, 476, 477], 0],
]);

/**
 * How strictly the texture follows each of the 478 landmarks: the outline is another line of the head in every view, so it hardly pulls.
 */
export const TEXTURE_TRUST: Float64Array = fill(1, [[OVAL, 0.03]]);

/**
 * The eye or mouth whose edge a landmark lies on: 1 right eye, 2 left eye (the person's), 3 mouth, 0 for all others. On these edges the network
 * finds the edge itself, in every state of opening; elsewhere it finds places by habit, like its own mean face.
 */
export const EDGE_GROUP: Float64Array = fill(0, [
  [EYELIDS.slice(0, 16), 1],
  [EYELIDS.slice(16), 2],
  [OUTER_LIPS, 3],
  [INNER_LIPS, 3],
]);

function fill(value: number, exceptions: readonly (readonly [readonly number[], number])[]): Float64Array {
  const out = new Float64Array(478).fill(value);
  for (const [landmarks, weight] of exceptions) for (const l of landmarks) out[l] = weight;
  return out;
}

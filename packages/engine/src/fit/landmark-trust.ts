import {
  BROWS,
  FACE_OVAL,
  INNER_LIPS,
  LANDMARK_COUNT,
  LEFT_IRIS,
  LEFT_LIDS,
  OUTER_LIPS,
  RIGHT_IRIS,
  RIGHT_LIDS,
} from '../nets/landmark-names.ts';

/** Weight for shape and pose of a landmark that slides or moves by itself (docs/decisions/fit-constants.md). */
const LOOSE_WEIGHT = 0.3;

/**
 * How far each of the 478 landmarks tells the shape of the head: 1 for points of the surface, 0.3 for the outline and the inner lips, 0
 * for the irises, which show the gaze. A property of the network; a model's own `confidence` is multiplied in.
 */
export const SHAPE_TRUST: Float64Array = fill(1, [
  [FACE_OVAL, LOOSE_WEIGHT],
  [INNER_LIPS, LOOSE_WEIGHT],
  [RIGHT_IRIS, 0],
  [LEFT_IRIS, 0],
]);

/**
 * How sharply each of the 478 landmarks is seen in the picture, in relation to the others: the network's attention branches place lids and lips
 * several times as exactly as the rest, and the outline says nothing of an expression.
 */
export const EXPRESSION_TRUST: Float64Array = fill(0.03, [
  [FACE_OVAL, 0.03],
  [BROWS, 0.3],
  [RIGHT_LIDS, 1],
  [LEFT_LIDS, 1],
  [OUTER_LIPS, 1],
  [INNER_LIPS, 1],
  [RIGHT_IRIS, 0],
  [LEFT_IRIS, 0],
]);

/**
 * How strictly the texture follows each of the 478 landmarks: the outline is another line of the head in every view, so it hardly pulls.
 */
export const TEXTURE_TRUST: Float64Array = fill(1, [[FACE_OVAL, 0.03]]);

/**
 * The eye or mouth whose edge a landmark lies on: 1 right eye, 2 left eye (the person's), 3 mouth, 0 for all others. On these edges the network
 * finds the edge itself, in every state of opening; elsewhere it finds places by habit, like its own mean face.
 */
export const EDGE_GROUP: Float64Array = fill(0, [
  [RIGHT_LIDS, 1],
  [LEFT_LIDS, 2],
  [OUTER_LIPS, 3],
  [INNER_LIPS, 3],
]);

function fill(value: number, exceptions: readonly (readonly [readonly number[], number])[]): Float64Array {
  const out = new Float64Array(LANDMARK_COUNT).fill(value);
  for (const [landmarks, weight] of exceptions) for (const l of landmarks) out[l] = weight;
  return out;
}

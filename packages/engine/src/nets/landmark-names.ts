/**
 * @module Numbers of the network's landmarks by what they mark (MediaPipe's own numbering). Right and left are the person's.
 */

/** How many landmarks there are, and how many of them are the mesh of the face; the others are the irises. */
export const LANDMARK_COUNT = 478;
export const MESH_LANDMARK_COUNT = 468;

/** Outer corners: right, left. */
export const OUTER_EYE_CORNERS = [33, 263] as const;

/** Edges of the lids, in order round the eye, from one corner along the upper lid and back along the lower. */
export const RIGHT_LIDS = [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7] as const;
export const LEFT_LIDS = [362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382] as const;

/** Upper and lower lid, in turn, across the middle of the eye: the middle itself, then to either side. */
export const RIGHT_LID_PAIRS = [159, 145, 158, 153, 160, 144] as const;
export const LEFT_LID_PAIRS = [386, 374, 385, 380, 387, 373] as const;

/** Centre of the iris, then right, top, left, bottom of its edge. */
export const RIGHT_IRIS = [468, 469, 470, 471, 472] as const;
export const LEFT_IRIS = [473, 474, 475, 476, 477] as const;

export const BROWS = [70, 63, 105, 66, 107, 55, 65, 52, 53, 46, 300, 293, 334, 296, 336, 285, 295, 282, 283, 276] as const;

export const OUTER_LIPS = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409] as const;
export const INNER_LIPS = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415] as const;
/** Middle of the inner edge of the lips. */
export const INNER_UPPER_LIP = 13;
export const INNER_LOWER_LIP = 14;

/** Outline of the face as it is seen: another line of the head in every view. */
export const FACE_OVAL = [
  10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93,
  234, 127, 162, 21, 54, 103, 67, 109,
] as const;

/** What spans the inner face: outer eye corners, mouth corners, nose tip, chin, between the brows. */
export const INNER_FACE = [33, 263, 61, 291, 1, 152, 9] as const;

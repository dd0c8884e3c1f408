/**
 * Lines to draw through the 478 landmarks. Numbers: MediaPipe's face mesh topology (face_mesh_connections of the face_mesh solution,
 * Apache-2.0), "left" and "right" being the person's.
 */
export const FACE_CONTOURS: readonly { readonly closed: boolean; readonly points: readonly number[] }[] = [
  // Oval of the face, from the top clockwise in the picture.
  {
    closed: true,
    points: [
      10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132,
      93, 234, 127, 162, 21, 54, 103, 67, 109,
    ],
  },
  // Eyes.
  { closed: true, points: [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246] },
  { closed: true, points: [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466] },
  // Brows.
  { closed: true, points: [70, 63, 105, 66, 107, 55, 65, 52, 53, 46] },
  { closed: true, points: [300, 293, 334, 296, 336, 285, 295, 282, 283, 276] },
  // Nose: ridge and base.
  { closed: false, points: [168, 6, 197, 195, 5, 4] },
  { closed: false, points: [98, 97, 2, 326, 327] },
  // Lips, outside and inside.
  { closed: true, points: [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185] },
  { closed: true, points: [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191] },
];

/** Right and left iris: centre, and four points on the rim. */
export const IRISES: readonly { readonly center: number; readonly rim: readonly number[] }[] = [
  { center: 468, rim: [469, 470, 471, 472] },
  { center: 473, rim: [474, 475, 476, 477] },
];

/** Tip of the nose: where the axes of the head are drawn. */
export const NOSE_TIP = 4;

/** Points 0..467 are the mesh; the irises follow. */
export const MESH_POINTS = 468;

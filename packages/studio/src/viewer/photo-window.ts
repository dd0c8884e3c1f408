/** A part of the photo, pixels of the full-size photo. */
export interface PhotoWindow {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Room around the landmarks, in heights of the face: the whole head and a little more. */
const ROOM = 0.75;

/** The part of the photo that the overlay shows: the face with room around it; the whole photo where no landmarks are known. */
export function chooseWindow(
  image: { readonly widthPx: number; readonly heightPx: number },
  points: readonly (readonly [number, number, number])[] | null,
): PhotoWindow {
  if (points === null || points.length === 0) return { x: 0, y: 0, width: image.widthPx, height: image.heightPx };
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  const room = ROOM * (bottom - top);
  return { x: left - room, y: top - room, width: right - left + 2 * room, height: bottom - top + 1.7 * room };
}

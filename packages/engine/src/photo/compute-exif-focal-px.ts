import type { ExifFields } from './read-exif.ts';

/** Diagonal and long side of the 36 x 24 mm film frame, millimetres. */
const FILM_DIAGONAL_MM = Math.hypot(36, 24);
const FILM_LONG_SIDE_MM = 36;

/** Focal length over the longer side: from 13 mm (ultra-wide phone lens) to 800 mm (long telephoto) on 35 mm film. */
const MIN_FOCAL_RATIO = 13 / FILM_LONG_SIDE_MM;
const MAX_FOCAL_RATIO = 800 / FILM_LONG_SIDE_MM;

/** Longer over shorter side as sensors have it: 5:4, 4:3, 3:2, 16:9. Anything else was cropped by hand. */
const SENSOR_ASPECTS = [5 / 4, 4 / 3, 3 / 2, 16 / 9];
/** Cameras round to multiples of 8 or 16 pixels: at most 1 % of the short side of a 1600-pixel picture. */
const ASPECT_TOLERANCE = 0.015;
/** The 35 mm equivalent is a whole number (2 % at 24 mm) and makers round the sensor size (a few per cent). */
const AGREEMENT_TOLERANCE = 0.1;

/**
 * Focal length in pixels of the full-size photo, or null where EXIF does not tell, contradicts itself, or the photo was cropped.
 *
 * Two sources. (a) The 35 mm equivalent f35 speaks of equal angles of view. CIPA DCG-001 §2.4 compares diagonals, which is what
 * cameras with 4:3 sensors do: `f = f35 * diagonalPx / 43.27`. For pictures of 3:2 and wider, the long side is compared with 36 mm
 * instead: the same for 3:2, and a 16:9 picture is a 3:2 or 4:3 one with rows removed, whose width stayed (error at most 4 %).
 * (b) Lens focal length times pixels per millimetre on the sensor, more exact where present; it is taken when it agrees with (a),
 * or alone where (a) is absent and there is no digital zoom (which (b) does not know of).
 *
 * A photo that was resized keeps its angle of view, so (a) needs nothing and (b) the ratio of the declared to the real size.
 * A photo whose declared size has another shape, or whose shape no sensor has, was cropped: then the centre and the angle are
 * lost, and null is the honest answer.
 *
 * @param width Stored width of the full-size photo, pixels (before turning upright; the result does not depend on it).
 * @param height Stored height, pixels.
 */
export function computeExifFocalPx(exif: ExifFields, width: number, height: number): number | null {
  const longPx = Math.max(width, height);
  const shortPx = Math.min(width, height);
  const aspect = longPx / shortPx;
  let declaredLongPx = longPx;
  if (exif.declaredWidth !== null && exif.declaredHeight !== null) {
    declaredLongPx = Math.max(exif.declaredWidth, exif.declaredHeight);
    const declaredAspect = declaredLongPx / Math.min(exif.declaredWidth, exif.declaredHeight);
    if (!isClose(declaredAspect, aspect, ASPECT_TOLERANCE)) return null;
  }
  if (!SENSOR_ASPECTS.some((a) => isClose(a, aspect, ASPECT_TOLERANCE))) return null;

  let fromFilm: number | null = null;
  if (exif.focalLength35Mm !== null) {
    const ratio = aspect > 1.45 ? 1 / FILM_LONG_SIDE_MM : Math.hypot(1, shortPx / longPx) / FILM_DIAGONAL_MM;
    fromFilm = exif.focalLength35Mm * ratio * longPx;
  }
  let fromSensor: number | null = null;
  if (exif.focalLengthMm !== null && exif.focalPlanePxPerMm !== null) {
    fromSensor = exif.focalLengthMm * exif.focalPlanePxPerMm * (longPx / declaredLongPx);
  }

  if (fromFilm !== null && fromSensor !== null)
    return checked(isClose(fromSensor, fromFilm, AGREEMENT_TOLERANCE) ? fromSensor : fromFilm, longPx);
  if (fromFilm !== null) return checked(fromFilm, longPx);
  if (fromSensor !== null && exif.digitalZoom === 1) return checked(fromSensor, longPx);
  return null;
}

function isClose(a: number, b: number, relative: number): boolean {
  return Math.abs(a / b - 1) <= relative;
}

function checked(focalPx: number, longPx: number): number | null {
  const ratio = focalPx / longPx;
  return ratio >= MIN_FOCAL_RATIO && ratio <= MAX_FOCAL_RATIO ? focalPx : null;
}

import { createWarning, FacewrightError, type Warning } from '@facewright/protocol';
import type { FaceLandmarks } from '../nets/face-networks.ts';
import { LEFT_IRIS, RIGHT_IRIS } from '../nets/landmark-names.ts';
import type { Intrinsics } from './camera.ts';

/**
 * Focal length in longer sides of the photo where nothing else is known: a 54 mm lens on 35 mm film, between a phone's main
 * camera (0.7 to 0.8) and a portrait lens (2.3). The shape hardly depends on it: on scans the median error is flat for assumed
 * distances from 0.5 m to 1 m (docs/decisions/assumed-focal-length.md).
 */
export const DEFAULT_FOCAL_RATIO = 1.5;

/** Visible iris diameter of an adult, millimetres: 11.7 +- 0.4 (Rüfer, Schröder, Erb, Cornea 24 (2005)). */
const IRIS_DIAMETER_MM = 11.7;

/** Longer side of a full-frame picture, millimetres. */
const FILM_WIDTH_MM = 36;

/**
 * Nearest distance of the face that a photo of unknown focal length is taken to have, millimetres. A tight crop of a
 * portrait has a long focal length in its own sides; without the lower bound such a face would stand 0.3 m from the pinhole.
 */
const NEAREST_ASSUMED_MM = 500;

export interface IntrinsicsInput {
  /** Size of the full-size upright photo, pixels. */
  readonly width: number;
  readonly height: number;
  /** Focal length in pixels of the full-size photo from EXIF, or null. */
  readonly exifFocalPx?: number | null;
  /** Focal length in pixels of the full-size photo that the user asked for; wins over everything. */
  readonly focalPx?: number | null | undefined;
  /** The same as a full-frame equivalent: focal length, millimetres, of a lens with this view over a 36 mm wide picture. */
  readonly focal35mm?: number | null | undefined;
  /** Landmarks of the face: with them an assumed focal length keeps the face at a likely distance. */
  readonly landmarks?: Pick<FaceLandmarks, 'points'>;
}

/**
 * The pinhole camera a photo is taken to have: the user's focal length, else EXIF's, else 1.5 times the longer side (more where
 * that would put the face nearer than half a metre). The principal point is the centre of the photo.
 *
 * @throws FW_ARG_INVALID for a focal length that is not a positive number
 */
export function chooseIntrinsics(input: IntrinsicsInput): Intrinsics {
  const { width, height } = input;
  const centerX = width / 2;
  const centerY = height / 2;
  for (const [name, value] of [
    ['focalPx', input.focalPx],
    ['focal35mm', input.focal35mm],
    ['exifFocalPx', input.exifFocalPx],
  ] as const) {
    if (value !== undefined && value !== null && !(value > 0 && value < Infinity)) {
      throw new FacewrightError('FW_ARG_INVALID', { name, expected: 'a positive number', actual: value });
    }
  }
  if (input.focalPx) return { focalPx: input.focalPx, centerX, centerY, source: 'option' };
  if (input.focal35mm) {
    return { focalPx: (input.focal35mm / FILM_WIDTH_MM) * Math.max(width, height), centerX, centerY, source: 'option' };
  }
  if (input.exifFocalPx) return { focalPx: input.exifFocalPx, centerX, centerY, source: 'exif' };
  let focalPx = DEFAULT_FOCAL_RATIO * Math.max(width, height);
  if (input.landmarks) {
    const irisPx = measureIrisPx(input.landmarks.points);
    if (irisPx > 0) focalPx = Math.max(focalPx, (NEAREST_ASSUMED_MM * irisPx) / IRIS_DIAMETER_MM);
  }
  return { focalPx, centerX, centerY, source: 'default' };
}

/** Larger iris diameter of the two eyes (the nearer eye of a turned head), pixels; its wider direction, as lids cover top and bottom. */
function measureIrisPx(points: Float64Array): number {
  let largest = 0;
  for (const [, right, top, left, bottom] of [RIGHT_IRIS, LEFT_IRIS]) {
    for (const [a, b] of [
      [right, left],
      [top, bottom],
    ]) {
      const d = Math.hypot(points[3 * a] - points[3 * b], points[3 * a + 1] - points[3 * b + 1]);
      if (d > largest) largest = d;
    }
  }
  return largest;
}

/** What a reader should know of a camera that was assumed; nothing of one that is known. */
export function warnOfAssumedFocal(
  { focalPx, source }: Pick<Intrinsics, 'focalPx' | 'source'>,
  photo: { readonly width: number; readonly height: number },
): Warning[] {
  return source === 'default' ? [createWarning('CAMERA_FOCAL_ASSUMED', { focalRatio: focalPx / Math.max(photo.width, photo.height) })] : [];
}

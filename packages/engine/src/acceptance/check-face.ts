import { createWarning, FacewrightError, type Warning } from '@facewright/protocol';
import type { FittedFace } from '../fit/fitted-face.ts';
import type { MeasuredFace } from '../locate-faces.ts';
import { MESH_LANDMARK_COUNT, OUTER_EYE_CORNERS } from '../nets/landmark-names.ts';
import type { Photo } from '../photo/photo.ts';
import { assessAppearance } from './assess-appearance.ts';
import { assessCover } from './assess-cover.ts';

/** Bounds of what is reconstructed; each says why it is where it is. */
export const FACE_BOUNDS = {
  /** Pixels. Below 40 the landmark network sees each face pixel five times enlarged and its eyes drift by more than the eye's height. */
  minFaceWidthPx: 40,
  /** Pixels. A 1024-texel skin has about 560 texels across the face; below a quarter of that it looks soft from any distance. */
  softFaceWidthPx: 140,
  /** Share of the 468 face points inside the photo. Below 0.85 an eye or the mouth's corner is outside, and what the network says of it is invented. */
  minVisibleRatio: 0.85,
  /** From here on it is worth saying that something was completed. */
  fullVisibleRatio: 0.99,
  /** The landmark network's own belief; people measured at least 0.9, small faces of busy pictures below 0.003. */
  minPresence: 0.5,
  /**
   * Share of the eye distance that the landmarks move when the network looks again: people stay below 0.02, strongly blurred
   * ones below 0.042; other things lie above.
   */
  uncertainInstability: 0.03,
  maxInstability: 0.05,
  /** Detector score of a face in plain sight: 0.85 and more; with a hand before the mouth 0.79 to 0.84. */
  certainScore: 0.845,
  /** A dog in dim light: halves that differ and landmarks that move a little. People lie below one or the other. */
  animalAsymmetry: 0.07,
  animalInstability: 0.025,
  /** Drawings: one-colour fills (photos up to 0.23, drawings from 0.29) with outlines (photos up to 0.09 there, drawings from 0.14). */
  drawnFlatRatio: 0.26,
  drawnEdgeRatio: 0.11,
  /** Levels of 255. Skin in colour photos has from 20 up, stone and plaster up to 5. */
  greyFaceChroma: 8,
  colorfulPictureChroma: 16,
  /** Degrees. Beyond, the far eye is hidden and both the landmarks and the mirrored half are guesses. */
  maxYawDeg: 60,
  /** Degrees. From here on less than half of the far cheek is seen. */
  turnedYawDeg: 30,
  /** Root mean square of the landmark residual, share of the eye distance: faces in plain sight stay below 0.025, one half in a blanket has 0.038. */
  highResidualRatio: 0.032,
  /** Share of one cheek or the nose that is not this person's skin: hard shadow reaches 0.53, what covers half of a face has 0.67 and more. */
  coveredRatio: 0.6,
  /** The same of both cheeks, which shadow does not reach at once (0.13); masks from 0.5 on. */
  coveredCheeksRatio: 0.4,
  /** The same of the chin, dark beards not counted: people reach 0.2, what covers it 1. */
  coveredChinRatio: 0.7,
  /** An amount of one expression shape from which the neutral face depends on the shape model rather than on the photo. */
  strongExpression: 0.8,
} as const;

/**
 * Refuses a face that cannot be measured, by its landmarks alone.
 *
 * @returns what the reader should know of the others
 * @throws FW_FACE_NOT_HUMAN, FW_FACE_TOO_SMALL, FW_FACE_CUT
 */
export function checkLandmarks(photo: Pick<Photo, 'width' | 'height'>, face: MeasuredFace): Warning[] {
  const { landmarks, detection } = face;
  const warnings: Warning[] = [];
  const { widthPx, visibleRatio } = measureExtent(landmarks.points, photo);
  // Size and border come first: what is wrong with such a face is that there is too little of it.
  if (widthPx < FACE_BOUNDS.minFaceWidthPx) throw new FacewrightError('FW_FACE_TOO_SMALL', { widthPx, minPx: FACE_BOUNDS.minFaceWidthPx });
  if (visibleRatio < FACE_BOUNDS.minVisibleRatio)
    throw new FacewrightError('FW_FACE_CUT', { visibleRatio, minRatio: FACE_BOUNDS.minVisibleRatio });
  if (landmarks.presence < FACE_BOUNDS.minPresence) {
    throw new FacewrightError('FW_FACE_NOT_HUMAN', { reason: `the landmark network gives it ${landmarks.presence.toFixed(2)} of 1` });
  }
  if (visibleRatio < FACE_BOUNDS.fullVisibleRatio) warnings.push(createWarning('FACE_NEAR_BORDER', { visibleRatio }));
  if (widthPx < FACE_BOUNDS.softFaceWidthPx) warnings.push(createWarning('FACE_LOW_RESOLUTION', { widthPx }));
  if (detection.quarterTurns !== 0) warnings.push(createWarning('FACE_TURNED_PHOTO', { turnDeg: 90 * detection.quarterTurns }));
  return warnings;
}

/**
 * Refuses a face that cannot be reconstructed, by what was fitted and by the face's surface. The pose is judged first: a
 * profile's landmarks are unsteady because it is a profile.
 *
 * @returns what the reader should know of the others
 * @throws FW_FACE_PROFILE, FW_FACE_NOT_HUMAN
 */
export function checkFit(photo: Pick<Photo, 'isGrey'>, measured: MeasuredFace, face: FittedFace): Warning[] {
  const warnings: Warning[] = [];
  const { yawDeg } = face.pose;
  if (Math.abs(yawDeg) > FACE_BOUNDS.maxYawDeg) throw new FacewrightError('FW_FACE_PROFILE', { yawDeg, maxDeg: FACE_BOUNDS.maxYawDeg });
  const { asymmetryRatio, instabilityRatio } = measured.assessment;
  if (instabilityRatio !== null) {
    if (instabilityRatio > FACE_BOUNDS.maxInstability) {
      throw new FacewrightError('FW_FACE_NOT_HUMAN', { reason: 'its landmarks move when they are looked for again' });
    }
    if (asymmetryRatio > FACE_BOUNDS.animalAsymmetry && instabilityRatio > FACE_BOUNDS.animalInstability) {
      throw new FacewrightError('FW_FACE_NOT_HUMAN', { reason: 'its halves do not belong together' });
    }
  }
  const residualRatio = face.residualRmsPx / face.eyeDistancePx;
  const covered = findCovered(measured);
  const doubts: string[] = [];
  if (instabilityRatio !== null && instabilityRatio > FACE_BOUNDS.uncertainInstability) {
    doubts.push('its landmarks move when they are looked for again');
  } else if (measured.detection.score < FACE_BOUNDS.certainScore) {
    doubts.push(`the detector gives it ${measured.detection.score.toFixed(2)}, a face in plain sight 0.85 or more`);
  }
  if (covered.length > 0) doubts.push(`something covers the ${covered.join(' and the ')}`);
  if (doubts.length > 0) warnings.push(createWarning('FACE_UNCERTAIN', { reason: doubts.join('; ') }));
  if (Math.abs(yawDeg) > FACE_BOUNDS.turnedYawDeg) warnings.push(createWarning('FACE_TURNED_AWAY', { yawDeg }));
  if (residualRatio > FACE_BOUNDS.highResidualRatio) warnings.push(createWarning('FIT_RESIDUAL_HIGH', { residualRatio }));
  // Where the eyes look says nothing about the shape of the face.
  let strongest = -1;
  for (const [k, name] of face.model.expressionNames.entries()) {
    if (/^(eyeLook|gaze)/.test(name)) continue;
    if (strongest < 0 || face.expression[k]! > face.expression[strongest]!) strongest = k;
  }
  const amount = face.expression[strongest] ?? 0;
  if (amount > FACE_BOUNDS.strongExpression) {
    warnings.push(createWarning('FACE_EXPRESSION_STRONG', { name: face.model.expressionNames[strongest]!, amount }));
  }
  const appearance = assessAppearance(measured.view.raster, measured.viewLandmarks.points);
  if (appearance.flatRatio > FACE_BOUNDS.drawnFlatRatio && appearance.edgeRatio > FACE_BOUNDS.drawnEdgeRatio) {
    warnings.push(createWarning('FACE_NOT_A_PHOTO', { reason: 'areas of one colour and hard outlines' }));
  } else if (appearance.faceChroma < FACE_BOUNDS.greyFaceChroma && !photo.isGrey) {
    // A face without colour in a picture with colour is stone or plaster; without any colour it is an old photo, toned perhaps.
    if (appearance.pictureChroma > FACE_BOUNDS.colorfulPictureChroma) {
      warnings.push(createWarning('FACE_NOT_A_PHOTO', { reason: 'the skin has no colour' }));
    } else warnings.push(createWarning('PHOTO_GREY', {}));
  }
  return warnings;
}

/** Parts of the face that something else is seen in front of, as one says it. */
function findCovered(measured: MeasuredFace): string[] {
  const { rightCheek, leftCheek, nose, chin } = assessCover(measured.view.raster, measured.viewLandmarks.points);
  const parts: string[] = [];
  if (nose > FACE_BOUNDS.coveredRatio) parts.push('nose');
  if (Math.min(rightCheek, leftCheek) > FACE_BOUNDS.coveredCheeksRatio) parts.push('cheeks');
  else if (Math.max(rightCheek, leftCheek) > FACE_BOUNDS.coveredRatio) parts.push(rightCheek > leftCheek ? 'right cheek' : 'left cheek');
  if (chin > FACE_BOUNDS.coveredChinRatio) parts.push('chin');
  return parts;
}

/** Width of a face in pixels of the photo, and the share of its points that lie inside the photo. */
export function measureExtent(
  points: Float64Array,
  photo: { readonly width: number; readonly height: number },
): { widthPx: number; visibleRatio: number } {
  // Width along the line of the outer eye corners, so that a leaning head is not taken for a wide one.
  const [right, left] = OUTER_EYE_CORNERS;
  const ex = points[3 * left]! - points[3 * right]!;
  const ey = points[3 * left + 1]! - points[3 * right + 1]!;
  const length = Math.hypot(ex, ey);
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let inside = 0;
  for (let k = 0; k < 3 * MESH_LANDMARK_COUNT; k += 3) {
    const x = points[k]!;
    const y = points[k + 1]!;
    const along = (x * ex + y * ey) / length;
    min = Math.min(min, along);
    max = Math.max(max, along);
    if (x >= 0 && y >= 0 && x <= photo.width && y <= photo.height) inside++;
  }
  return { widthPx: max - min, visibleRatio: inside / MESH_LANDMARK_COUNT };
}

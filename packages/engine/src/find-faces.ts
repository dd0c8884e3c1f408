import { type FaceChoice, isFacewrightError, type Warning } from '@facewright/protocol';
import { checkFit, checkLandmarks, measureExtent } from './acceptance/check-face.ts';
import type { Pose } from './camera/camera.ts';
import { chooseIntrinsics, warnOfAssumedFocal } from './camera/choose-intrinsics.ts';
import type { EngineParts } from './create-engine.ts';
import type { FindFacesOptions } from './engine-options.ts';
import { fitFace } from './fit/fit-face.ts';
import { locateFaces, measureFace, OVERVIEW_LONG_SIDE_PX } from './locate-faces.ts';
import type { FaceLandmarks } from './nets/face-networks.ts';
import { openPhoto } from './photo/open-photo.ts';
import type { PhotoView } from './photo/photo.ts';

/** One face of a photo as `facewright inspect` shows it. */
export interface FoundFace extends FaceChoice {
  /** Image frame of the full-size photo. */
  readonly landmarks: FaceLandmarks;
  /** Width of the face in the full-size photo, pixels, which the bounds of size are about; the detector's box is a little wider or narrower. */
  readonly widthPx: number;
  readonly pose: Pose;
  readonly residualRmsPx: number;
  readonly eyeDistancePx: number;
  readonly confidence: number;
  readonly warnings: readonly Warning[];
  /** Why `reconstruct` would refuse this face, or null. */
  readonly refusal: { readonly code: string; readonly message: string; readonly hint: string } | null;
}

export interface FoundFaces {
  readonly photo: { readonly width: number; readonly height: number; readonly format: string; readonly exifFocalPx: number | null };
  /** Largest first. */
  readonly faces: readonly FoundFace[];
  /** The whole photo, reduced, for drawing on. */
  readonly view: PhotoView;
  readonly warnings: readonly Warning[];
}

/**
 * All faces of a photo with landmarks and pose, without texture. A face that `reconstruct` would refuse is listed with the
 * reason.
 *
 * @throws every FW_PHOTO_… code, FW_CANCELED
 */
export async function findFaces(parts: EngineParts, bytes: Uint8Array, options: FindFacesOptions): Promise<FoundFaces> {
  const { signal } = options;
  const abort = signal === undefined ? {} : { signal };
  const model = await parts.model(options.model);
  const photo = await openPhoto(bytes, parts.options.limits, options.fileName === undefined ? {} : { fileName: options.fileName });
  const view = await photo.decode({ longSidePx: OVERVIEW_LONG_SIDE_PX, ...abort });
  const found = {
    photo: { width: photo.width, height: photo.height, format: photo.format, exifFocalPx: photo.exifFocalPx },
    view,
    warnings: photo.warnings,
  };

  const located = await locateFaces(parts.networks, photo, view, { everyFace: true, signal }).catch((e: unknown) => {
    if (isFacewrightError(e, 'FW_FACE_NOT_FOUND')) return null;
    throw e;
  });
  if (located === null) return { ...found, faces: [] };

  const faces: FoundFace[] = [];
  for (const [position, choice] of located.choices.entries()) {
    const measured = await measureFace(parts.networks, parts.canonicalMesh, located, position, signal);
    const intrinsics = chooseIntrinsics({
      width: photo.width,
      height: photo.height,
      exifFocalPx: photo.exifFocalPx,
      landmarks: measured.landmarks,
      focalPx: options.focalPx,
      focal35mm: options.focal35mm,
    });
    try {
      const fitted = fitFace({ model, landmarks: measured.landmarks, intrinsics });
      const { pose, residualRmsPx, eyeDistancePx, confidence } = fitted;
      const { warnings, refusal } = judge(() => [
        ...checkLandmarks(photo, measured),
        ...checkFit(photo, measured, fitted),
        ...warnOfAssumedFocal(intrinsics, photo),
      ]);
      const { widthPx } = measureExtent(measured.landmarks.points, photo);
      faces.push({ ...choice, landmarks: measured.landmarks, widthPx, pose, residualRmsPx, eyeDistancePx, confidence, warnings, refusal });
    } catch (e) {
      // A face that has no pose cannot be listed; the others still can.
      if (!isFacewrightError(e, 'FW_FIT_FAILED')) throw e;
    }
  }
  return { ...found, faces };
}

/** Warnings of the acceptance checks, or the refusal that one of them ended in. */
function judge(check: () => readonly Warning[]): Pick<FoundFace, 'warnings' | 'refusal'> {
  try {
    return { warnings: check(), refusal: null };
  } catch (e) {
    if (!isFacewrightError(e)) throw e;
    return { warnings: [], refusal: { code: e.code, message: e.message, hint: e.hint } };
  }
}

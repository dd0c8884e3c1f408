/** @module The one table of warnings: the result is usable, but the reader should know. docs/errors.md lists them too. */

import type { FaceChoice } from './errors.ts';

export interface WarningSpec<P> {
  readonly message: (params: P) => string;
  /** One sentence: what would give a better result. */
  readonly hint: string;
}

const spec = <P>(s: WarningSpec<P>): WarningSpec<P> => s;

export const WARNINGS = {
  PHOTO_ANIMATED: spec<{ frames: number }>({
    message: (p) => `The picture is animated (${p.frames} frames); the first frame was used`,
    hint: 'Save the frame you want as a photo of its own.',
  }),
  PHOTO_EXTENSION: spec<{ extension: string; format: string }>({
    message: (p) => `The file is named .${p.extension} but holds ${p.format}; it was read as ${p.format}`,
    hint: 'Rename the file so that other programs read it too.',
  }),
  PHOTO_GREY: spec<Record<never, never>>({
    message: () => 'The photo has no colour, so neither has the texture',
    hint: 'Use a colour photo.',
  }),
  PHOTO_PROFILE_IGNORED: spec<{ reason: string }>({
    message: (p) => `The colour profile of the photo could not be applied (${p.reason}); sRGB was assumed`,
    hint: 'Save the photo in sRGB.',
  }),
  FACE_TURNED_PHOTO: spec<{ turnDeg: number }>({
    message: (p) => `The face lies at ${p.turnDeg} degrees in the photo`,
    hint: 'Turn the photo upright if the result looks wrong.',
  }),
  FACE_SEVERAL: spec<{ faces: readonly FaceChoice[]; taken: number }>({
    message: (p) => `The photo shows ${p.faces.length} faces; face ${p.taken} was taken`,
    hint: 'Choose another with --face N, or all with --face all.',
  }),
  FACE_LOW_RESOLUTION: spec<{ widthPx: number }>({
    message: (p) => `The face is only ${Math.round(p.widthPx)} pixels wide; the texture will be soft`,
    hint: 'Use a photo in which the face is at least 200 pixels wide.',
  }),
  FACE_NEAR_BORDER: spec<{ visibleRatio: number }>({
    message: (p) => `The border of the photo cuts ${Math.round(100 - 100 * p.visibleRatio)} % of the face; that part was completed`,
    hint: 'Use a photo with some room around the face.',
  }),
  FACE_TURNED_AWAY: spec<{ yawDeg: number }>({
    message: (p) => `The face is turned ${Math.round(Math.abs(p.yawDeg))} degrees; the far side was completed from the near one`,
    hint: 'Use a photo from the front.',
  }),
  FACE_UNCERTAIN: spec<{ reason: string }>({
    message: (p) => `The face is not seen for certain (${p.reason})`,
    hint: 'Hair, hands, glasses, masks and hard shadow hide the face; check the result.',
  }),
  FACE_NOT_A_PHOTO: spec<{ reason: string }>({
    message: (p) => `This may be a drawing, a statue or a rendering (${p.reason})`,
    hint: 'Facewright is made for photos of people; check the result.',
  }),
  FACE_EXPRESSION_STRONG: spec<{ name: string; amount: number }>({
    message: (p) => `The expression is strong (${p.name} ${p.amount.toFixed(2)}); the neutral face is less certain`,
    hint: 'Use a photo with a relaxed face and a closed mouth.',
  }),
  FIT_RESIDUAL_HIGH: spec<{ residualRatio: number }>({
    message: (p) => `The fitted face misses the landmarks by ${(100 * p.residualRatio).toFixed(1)} % of the eye distance`,
    hint: 'Often a part of the face is covered, blurred or turned away; look at the picture that `facewright inspect` makes.',
  }),
  CAMERA_FOCAL_ASSUMED: spec<{ focalRatio: number }>({
    message: (p) => `The photo names no focal length; ${Number(p.focalRatio.toFixed(2))} times the longer side was assumed`,
    hint: 'Give --focal in pixels (or e.g. 50mm for a full-frame equivalent) if you know it.',
  }),
  CACHE_NOT_WRITABLE: spec<{ path: string; reason: string }>({
    message: (p) => `The cache folder ${p.path} cannot be written (${p.reason}); every start takes a little longer`,
    hint: 'Set FACEWRIGHT_CACHE_DIR to a folder that may be written.',
  }),
} as const;

export type WarningCode = keyof typeof WARNINGS;
export type WarningParams<C extends WarningCode> = (typeof WARNINGS)[C] extends WarningSpec<infer P> ? P : never;

export interface Warning {
  readonly code: WarningCode;
  readonly message: string;
  readonly hint: string;
  readonly params: unknown;
}

/** A warning of the table with its text filled in. */
export function createWarning<C extends WarningCode>(code: C, params: WarningParams<C>): Warning {
  const s = WARNINGS[code] as unknown as WarningSpec<WarningParams<C>>;
  return { code, message: s.message(params), hint: s.hint, params };
}

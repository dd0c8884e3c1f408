import type { ErrorCode, ErrorParams, FaceChoice, WarningCode, WarningParams } from '@facewright/protocol';

const twoFaces: readonly FaceChoice[] = [
  { index: 1, box: { x: 212, y: 140, width: 320, height: 320 }, score: 0.97 },
  { index: 2, box: { x: 764, y: 181, width: 298, height: 298 }, score: 0.95 },
];

/** Parameters that could really occur, for the example messages of docs/errors.md. The type makes a new code ask for its own. */
export const ERROR_SAMPLES: { readonly [C in ErrorCode]: ErrorParams<C> } = {
  FW_ARG_INVALID: { name: 'textureSize', expected: 'a whole number from 512 to 4096', actual: 100 },
  FW_PHOTO_UNREADABLE: { path: 'portrait.jpg', reason: 'no such file' },
  FW_PHOTO_EMPTY: {},
  FW_PHOTO_NOT_IMAGE: { found: 'a PDF document' },
  FW_PHOTO_TRUNCATED: { reason: 'VipsJpeg: premature end of JPEG image' },
  FW_PHOTO_TOO_SMALL: { width: 32, height: 32, minPx: 40 },
  FW_PHOTO_TOO_MANY_BYTES: { bytes: 73_400_320, maxBytes: 52_428_800 },
  FW_PHOTO_TOO_MANY_PIXELS: { width: 60_000, height: 60_000, maxPixels: 120_000_000 },
  FW_PHOTO_DECODE_TIMEOUT: { limitMs: 10_000 },
  FW_FACE_NOT_FOUND: { candidates: 1, bestScore: 0.61, minScore: 0.7 },
  FW_FACE_TOO_SMALL: { widthPx: 28, minPx: 40 },
  FW_FACE_CUT: { visibleRatio: 0.55, minRatio: 0.85 },
  FW_FACE_PROFILE: { yawDeg: -71, maxDeg: 60 },
  FW_FACE_SEVERAL: { faces: twoFaces },
  FW_FACE_INDEX: { index: 3, count: 2 },
  FW_FACE_NOT_HUMAN: { reason: 'its landmarks move when they are looked for again' },
  FW_FIT_FAILED: { reason: 'the residual stayed above 8 % of the eye distance' },
  FW_MODEL_UNKNOWN: { model: 'bust', known: ['head', 'canonical'] },
  FW_MODEL_CORRUPT: { path: 'head.bin', reason: 'sha256 differs' },
  FW_MODEL_VERSION: { path: 'head.bin', found: 3, expected: 1 },
  FW_NETWORK_CORRUPT: { name: 'face landmarks', reason: 'sha256 differs' },
  FW_PROVIDER_UNAVAILABLE: { provider: 'cuda', available: ['cpu'], reason: 'not in this build' },
  FW_OUTPUT_NOT_WRITABLE: { path: 'portrait', reason: 'permission denied' },
  FW_OUTPUT_DISK_FULL: { path: 'portrait' },
  FW_BATCH_FAILED: { failed: 2, total: 40 },
  FW_CANCELED: { stage: 'texture' },
  FW_INTERNAL: { what: 'unexpected error' },
};

/** The same for warnings. */
export const WARNING_SAMPLES: { readonly [C in WarningCode]: WarningParams<C> } = {
  PHOTO_ANIMATED: { frames: 24 },
  PHOTO_EXTENSION: { extension: 'png', format: 'JPEG' },
  PHOTO_GREY: {},
  PHOTO_PROFILE_IGNORED: { reason: 'cut off' },
  FACE_TURNED_PHOTO: { turnDeg: 90 },
  FACE_SEVERAL: { faces: twoFaces, taken: 1 },
  FACE_LOW_RESOLUTION: { widthPx: 96 },
  FACE_NEAR_BORDER: { visibleRatio: 0.9 },
  FACE_TURNED_AWAY: { yawDeg: 42 },
  FACE_UNCERTAIN: { reason: 'its landmarks move when they are looked for again' },
  FACE_NOT_A_PHOTO: { reason: 'areas of one colour and hard outlines' },
  FACE_EXPRESSION_STRONG: { name: 'jawOpen', amount: 0.82 },
  FIT_RESIDUAL_HIGH: { residualRatio: 0.038 },
  CAMERA_FOCAL_ASSUMED: { focalRatio: 1.5 },
  CACHE_NOT_WRITABLE: { path: '~/.cache/facewright', reason: 'read-only file system' },
};

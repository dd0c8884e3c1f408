export {
  ERRORS,
  type ErrorCode,
  type ErrorParams,
  type ErrorSpec,
  errorFromWire,
  type FaceChoice,
  FacewrightError,
  isFacewrightError,
  type Retry,
  type WireError,
  wireFromError,
} from './errors.ts';
export {
  type CameraOutput,
  cameraOutputSchema,
  type GlbExtras,
  glbExtrasSchema,
  type LandmarksOutput,
  landmarksOutputSchema,
  type ReportOutput,
  reportOutputSchema,
} from './outputs.ts';
export { createWarning, WARNINGS, type Warning, type WarningCode, type WarningParams, type WarningSpec } from './warnings.ts';

// Types only (as for the outputs below): the schemas come from '@facewright/protocol/api'.
export type {
  AccountView,
  BatchEvent,
  BatchList,
  BatchSummary,
  BatchView,
  HealthView,
  JobLandmarks,
  JobOptions,
  JobOptionsInput,
  JobProgress,
  JobResult,
  JobState,
  Problem,
  ReconstructionEvent,
  ReconstructionList,
  ReconstructionView,
  ResultFile,
} from './api.ts';
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
// Types only: the schemas come from '@facewright/protocol/outputs', because loading their library takes 70 ms of every start.
export type { CameraOutput, GlbExtras, LandmarksOutput, ReportOutput } from './outputs.ts';
export { createWarning, WARNINGS, type Warning, type WarningCode, type WarningParams, type WarningSpec } from './warnings.ts';

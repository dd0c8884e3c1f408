export { FORMAT_VERSION } from './container.ts';
export { addExpression, evaluateHead } from './evaluate-head.ts';
export {
  type AffineBody,
  type HeadLandmarks,
  type HeadMaterial,
  type HeadModelData,
  type HeadPart,
  type HeadRegion,
  type IdentityBasis,
  NO_CORNER,
  type QuantisationRecord,
  type SparseShape,
  type StepCarries,
} from './head-model-data.ts';
export { faceReadoutPath, headModelPath, landmarkHabitsPath } from './head-model-path.ts';
export { readHeadModel } from './read-head-model.ts';
export { countTriangles, triangulate } from './triangulate.ts';

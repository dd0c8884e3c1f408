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
  NO_MODE,
  type QuantisationRecord,
  type SparseShape,
} from './head-model-data.ts';
export { headModelPath } from './head-model-path.ts';
export { readHeadModel } from './read-head-model.ts';
export { triangulate } from './triangulate.ts';

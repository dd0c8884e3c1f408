export { FORMAT_VERSION } from './container.ts';
export {
  type HeadLandmarks,
  type HeadMaterial,
  type HeadModelData,
  type HeadPart,
  type HeadRegion,
  NO_CORNER,
  type QuantisationRecord,
  type SparseShape,
} from './head-model-data.ts';
export { headModelPath } from './head-model-path.ts';
export { readHeadModel } from './read-head-model.ts';
export { triangulate } from './triangulate.ts';

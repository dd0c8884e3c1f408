export {
  composePlan,
  fadeShares,
  gatherKnown,
  leaveForeign,
  observeTexels,
  setField,
  shareSides,
  shareWeights,
  weighTexels,
} from './complete';
export { addNumbers, growMaximum, pullLevel, pushLevel, softenEdges, softenWeights, sumSquares } from './grid';
export { paintRows, setPaintPhoto, setPaintTables } from './paint';
export { averagePixels, filterUp, sharpenPixels } from './photo';
export { addTriangleNormals, makeUnit, projectPoints, rasterizeTriangles, turnVectors } from './rasterize';
export {
  addOutlines,
  addSheet,
  blendSheet,
  listMarked,
  markOutlines,
  paintInside,
  selectMarked,
  setLayer,
  setShading,
  storeOutlines,
  sumMarked,
} from './shade';
export { sampleWindow } from './window';

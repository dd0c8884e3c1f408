export {
  composePlan,
  evenLight,
  fadeShares,
  gatherKnown,
  leaveForeign,
  observeTexels,
  setField,
  setLight,
  shareSides,
  shareWeights,
  weighTexels,
} from './complete';
export { addRows, computeGram, multiplyRows } from './dense';
export { addNumbers, growMaximum, pullLevel, pushLevel, pushPlaces, softenEdges, softenWeights, sumSquares } from './grid';
export { computeLightGains } from './light';
export { addField, listFolded, relaxMembrane, selectTriangles, setMembrane, startMembrane } from './membrane';
export { boundPoints, sumNumbers, takeVertices } from './mesh';
export { paintEyeball, paintRows, prepareRows, setPaintPhoto, setPaintTables } from './paint';
export { indexPixels, renameIndices } from './palette';
export { averagePixels, filterUp, sharpenPixels } from './photo';
export { addTriangleNormals, makeUnit, projectPoints, rasterizeTriangles, turnVectors } from './rasterize';
export { takeMeans } from './reduce';
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

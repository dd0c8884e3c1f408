export { paintRows, setPaintPhoto, setPaintTables } from './paint';
export { addTriangleNormals, makeUnit, rasterizeTriangles } from './rasterize';
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

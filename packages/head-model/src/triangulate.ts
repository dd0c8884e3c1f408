import { NO_CORNER } from './head-model-data.ts';

/**
 * Triangles of polygons with three or four corners: 0 1 2 and, for four corners, 0 2 3, polygon by polygon.
 *
 * @param polygons - shape (P,4), {@link NO_CORNER} last where there are three corners; may also be the table of UV corners
 * @param firstPolygon - part of the table. @default all
 * @returns shape (T,3)
 */
export function triangulate(polygons: Uint32Array, firstPolygon = 0, polygonCount = polygons.length / 4 - firstPolygon): Uint32Array {
  const out = new Uint32Array(6 * polygonCount);
  let n = 0;
  for (let p = 4 * firstPolygon; p < 4 * (firstPolygon + polygonCount); p += 4) {
    out[n++] = polygons[p]!;
    out[n++] = polygons[p + 1]!;
    out[n++] = polygons[p + 2]!;
    if (polygons[p + 3] === NO_CORNER) continue;
    out[n++] = polygons[p]!;
    out[n++] = polygons[p + 2]!;
    out[n++] = polygons[p + 3]!;
  }
  return out.slice(0, n);
}

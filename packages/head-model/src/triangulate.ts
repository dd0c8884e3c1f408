import { NO_CORNER } from './head-model-data.ts';

/**
 * Triangles of polygons with three or four corners: 0 1 2 and, for four corners, 0 2 3, polygon by polygon.
 *
 * @param polygons - shape (P,4), {@link NO_CORNER} last where there are three corners; may also be the table of UV corners
 * @param firstPolygon - part of the table. @default all
 * @returns shape (T,3)
 */
export function triangulate(polygons: Uint32Array, firstPolygon = 0, polygonCount = polygons.length / 4 - firstPolygon): Uint32Array {
  const out = new Uint32Array(3 * countTriangles(polygons, firstPolygon, polygonCount));
  const end = 4 * (firstPolygon + polygonCount);
  for (let p = 4 * firstPolygon, n = 0; p < end; p += 4 * BLOCK)
    n = writeTriangles(asSigned(polygons), p, Math.min(p + 4 * BLOCK, end), out, n);
  return out;
}

/** How many triangles {@link triangulate} makes. */
export function countTriangles(polygons: Uint32Array, firstPolygon: number, polygonCount: number): number {
  const corners = asSigned(polygons);
  let count = 2 * polygonCount;
  for (let p = 4 * firstPolygon + 3, end = 4 * (firstPolygon + polygonCount); p < end; p += 4) if (corners[p] === NONE) count--;
  return count;
}

/** Polygons per call: a function that is called often is compiled early, one that loops long is not. */
const BLOCK = 512;

/** {@link NO_CORNER} in signed numbers, which are small in every engine: NO_CORNER itself is slow to compare while code is not compiled yet. */
const NONE = NO_CORNER | 0;

function asSigned(polygons: Uint32Array): Int32Array {
  return new Int32Array(polygons.buffer, polygons.byteOffset, polygons.length);
}

/** @returns how many numbers `out` has */
function writeTriangles(corners: Int32Array, first: number, end: number, out: Uint32Array, written: number): number {
  let n = written;
  for (let p = first; p < end; p += 4) {
    const a = corners[p]!;
    const c = corners[p + 2]!;
    const d = corners[p + 3]!;
    out[n++] = a;
    out[n++] = corners[p + 1]!;
    out[n++] = c;
    if (d === NONE) continue;
    out[n++] = a;
    out[n++] = c;
    out[n++] = d;
  }
  return n;
}

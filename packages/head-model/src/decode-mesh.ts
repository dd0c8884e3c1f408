/** @module How topology, UVs and the neutral head are packed: whole numbers, as differences that are mostly small or zero. */

import { NO_CORNER } from './head-model-data.ts';

/** Fourth corner of a triangle, as a difference. */
const NO_CORNER_DELTA = 0xffff;

const unzigzag = (z: number): number => (z >>> 1) ^ -(z & 1);

/**
 * Polygons: each corner as the difference from the corner before it, the first from the first corner of the polygon before.
 *
 * @param deltas - shape (P,4), zigzag
 * @returns shape (P,4)
 */
export function decodePolygons(deltas: Uint16Array): Uint32Array {
  const out = new Uint32Array(deltas.length);
  let first = 0;
  for (let p = 0; p < deltas.length; p += 4) {
    let corner = first;
    for (let k = 0; k < 4; k++) {
      if (deltas[p + k] === NO_CORNER_DELTA) out[p + k] = NO_CORNER;
      else out[p + k] = corner += unzigzag(deltas[p + k]!);
    }
    first = out[p]!;
  }
  return out;
}

/**
 * UV corners: the difference from the UV that the vertex had last, or from the next unused one where the vertex is new (upstream numbers UVs
 * as they occur).
 *
 * @param polygons - shape (P,4)
 * @param deltas - shape (P,4), zigzag
 * @returns shape (P,4)
 */
export function decodePolygonUvs(polygons: Uint32Array, deltas: Uint16Array, vertexCount: number): Uint32Array {
  const out = new Uint32Array(deltas.length);
  const last = new Int32Array(vertexCount).fill(-1);
  let unused = 0;
  for (let i = 0; i < deltas.length; i++) {
    const v = polygons[i]!;
    if (v === NO_CORNER) {
      out[i] = NO_CORNER;
      continue;
    }
    const uv = (last[v]! >= 0 ? last[v]! : unused) + unzigzag(deltas[i]!);
    out[i] = uv;
    last[v] = uv;
    if (uv >= unused) unused = uv + 1;
  }
  return out;
}

/**
 * Rows of numbers, each as the difference from the row before.
 *
 * @param planes - shape (3, rows*width): low, middle and high bytes of the zigzag numbers
 * @param step - what one count is worth
 * @returns shape (rows,width)
 */
export function decodeRows(planes: Uint8Array, width: number, step: number): Float32Array {
  const count = planes.length / 3;
  const out = new Float32Array(count);
  const before = new Int32Array(width);
  for (let i = 0; i < count; i++) {
    const value = before[i % width]! + unzigzag(planes[i]! | (planes[count + i]! << 8) | (planes[2 * count + i]! << 16));
    before[i % width] = value;
    out[i] = value * step;
  }
  return out;
}

/**
 * The neutral head: a vertex as the difference from the first vertex that predicts its displacement (its nearest one), its partner
 * as the difference from its mirror image.
 *
 * @param order - shape (R): one vertex of each pair first, see PredictionTable
 * @param planes - shape (3, 3V): bytes of the zigzag numbers, in the order of `order`, each vertex before its partner
 * @returns shape (V,3)
 */
export function decodeNeutral(
  order: Uint16Array,
  mirrorVertex: Uint16Array,
  references: Uint16Array,
  referencesPerRow: number,
  planes: Uint8Array,
  step: number,
): Float32Array {
  const vertexCount = mirrorVertex.length;
  const count = planes.length / 3;
  const steps = new Int32Array(3 * vertexCount);
  const done = new Uint8Array(vertexCount);
  let at = 0;
  const next = (): number => {
    const z = planes[at]! | (planes[count + at]! << 8) | (planes[2 * count + at]! << 16);
    at++;
    return unzigzag(z);
  };
  for (let p = 0; p < order.length; p++) {
    const v = order[p]!;
    if (done[v] === 1) continue;
    const m = mirrorVertex[v]!;
    const a = 3 * order[references[referencesPerRow * p]!]!;
    for (let d = 0; d < 3; d++) steps[3 * v + d] = steps[a + d]! + next();
    done[v] = 1;
    if (m === v) continue;
    for (let d = 0; d < 3; d++) steps[3 * m + d] = (d === 0 ? -1 : 1) * steps[3 * v + d]! + next();
    done[m] = 1;
  }
  const out = new Float32Array(steps.length);
  for (let i = 0; i < out.length; i++) out[i] = steps[i]! * step;
  return out;
}

/** Numbers as differences from the one before, zigzag. */
export function decodeSequence(deltas: Uint16Array): Uint16Array {
  const out = new Uint16Array(deltas.length);
  let value = 0;
  for (let i = 0; i < out.length; i++) out[i] = value += unzigzag(deltas[i]!);
  return out;
}

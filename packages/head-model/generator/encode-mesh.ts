import { NO_CORNER } from '../src/head-model-data.ts';

/** @module What ../src/decode-mesh.ts reads back. */

/** @param polygons - shape (P,4) */
export function encodePolygons(polygons: Uint32Array): Uint16Array {
  const out = new Uint16Array(polygons.length);
  let first = 0;
  for (let p = 0; p < polygons.length; p += 4) {
    let corner = first;
    for (let k = 0; k < 4; k++) {
      const next = polygons[p + k]!;
      if (next === NO_CORNER) {
        out[p + k] = 0xffff;
      } else {
        out[p + k] = zigzag(next - corner, 0xfffe);
        corner = next;
      }
    }
    first = polygons[p]!;
  }
  return out;
}

/** @param polygons - shape (P,4) @param polygonUvs - shape (P,4) */
export function encodePolygonUvs(polygons: Uint32Array, polygonUvs: Uint32Array): Uint16Array {
  const last = new Map<number, number>();
  let unused = 0;
  return Uint16Array.from(polygonUvs, (uv, i) => {
    if (uv === NO_CORNER) return 0;
    const v = polygons[i]!;
    const delta = uv - (last.get(v) ?? unused);
    last.set(v, uv);
    unused = Math.max(unused, uv + 1);
    return zigzag(delta, 0xffff);
  });
}

/** @param values - shape (rows,width) */
export function encodeRows(values: Int32Array, width: number): Uint8Array {
  return toPlanes(Array.from(values, (x, i) => x - (i < width ? 0 : values[i - width]!)));
}

/** @param steps - shape (V,3) */
export function encodeNeutral(
  order: Uint16Array,
  mirrorVertex: Uint16Array,
  references: Uint16Array,
  referencesPerRow: number,
  steps: Int32Array,
): Uint8Array {
  const out: number[] = [];
  const done = new Set<number>();
  order.forEach((v, p) => {
    if (done.has(v)) return;
    const m = mirrorVertex[v]!;
    const a = order[references[referencesPerRow * p]!]!;
    // Before it is decoded, a vertex is zero; only the first row refers to itself.
    for (let d = 0; d < 3; d++) out.push(steps[3 * v + d]! - (a === v ? 0 : steps[3 * a + d]!));
    done.add(v);
    if (m === v) return;
    for (let d = 0; d < 3; d++) out.push(steps[3 * m + d]! - (d === 0 ? -1 : 1) * steps[3 * v + d]!);
    done.add(m);
  });
  return toPlanes(out);
}

export function encodeSequence(values: Uint16Array): Uint16Array {
  return values.map((x, i) => zigzag(x - (i === 0 ? 0 : values[i - 1]!), 0xffff));
}

/** Low, middle and high bytes of zigzag numbers, one plane after the other. */
function toPlanes(values: readonly number[]): Uint8Array {
  const out = new Uint8Array(3 * values.length);
  values.forEach((x, i) => {
    const z = zigzag(x, 0xffffff);
    for (let b = 0; b < 3; b++) out[b * values.length + i] = (z >>> (8 * b)) & 0xff;
  });
  return out;
}

/** 0 -1 1 -2 2 ... become 0 1 2 3 4 ... */
function zigzag(x: number, max: number): number {
  const z = x >= 0 ? 2 * x : -2 * x - 1;
  if (z > max) throw new Error(`a difference of ${x} cannot be packed`);
  return z;
}

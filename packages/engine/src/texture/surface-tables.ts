import type { FaceModel, ModelPart } from '../models/face-model.ts';
import { FIELD_SIZE } from './field-size.ts';
import { paintStrands } from './hair-strands.ts';
import type { HeadLayout } from './head-layout.ts';
import { findEmptyRuns } from './plan-runs.ts';
import { createTexelMap, NO_TRIANGLE, type TexelMap } from './texel-map.ts';

/** Everything about one photo-textured surface (face skin, or scalp and neck) that does not depend on the photo. */
export interface SurfaceTables {
  readonly parts: readonly ModelPart[];
  /** At texture size. */
  readonly map: TexelMap;
  /** At {@link FIELD_SIZE}. */
  readonly field: TexelMap;
  /** Shape (N): field texels on triangles of the outside (not the lining), margin included; the only ones that can be seen. */
  readonly texels: Uint32Array;
  /** Shape (N,3): their triangles' corners (vertices). */
  readonly corners: Uint32Array;
  /** Shape (N,2): weights of the second and third corner. */
  readonly weights: Float32Array;
  /** Shape (F,F): texel of the field on the other side of the face; itself where there is none. */
  readonly mirrorTexel: Uint32Array;
  /** Shape (F,F) each: the layout's attributes on the field (see HeadLayout). */
  readonly outsideMm: Float32Array;
  readonly hairlineMm: Float32Array;
  readonly lidRimMm: Float32Array;
  readonly lipRimMm: Float32Array;
  readonly openness: Float32Array;
  readonly core: Float32Array;
  /** Shape (F,F): 1 on the lining of the mouth and the eye sockets, which no photo shows. */
  readonly lining: Uint8Array;
  /** Shape (2N): pairs of field texels that show the same vertex on the two sides of a cut in the UV map. */
  readonly cuts: Uint32Array;
  /** Shape (size,size), -127..127: strands of short hair. Empty where the model has no hair. */
  readonly strands: Int8Array;
  /** Shape (size,F+1): see {@link findEmptyRuns}. */
  readonly emptyRuns: Uint8Array;
}

export function createSurfaceTables(model: FaceModel, layout: HeadLayout, parts: readonly ModelPart[], size: number): SurfaceTables {
  const map = createTexelMap(model, parts, size, Math.max(2, Math.round(size / 256)));
  const field = createTexelMap(model, parts, FIELD_SIZE, 3);
  const lining = new Uint8Array(FIELD_SIZE * FIELD_SIZE);
  const isLiningTriangle = new Uint8Array(field.triangles.length);
  for (let i = 0, n = 0; i < parts.length; i++) {
    const part = parts[i];
    isLiningTriangle.fill(isLining(part) ? 1 : 0, n, n + part.triangleCount);
    n += part.triangleCount;
  }
  for (let p = 0; p < lining.length; p++) {
    const t = field.triangle[p];
    if (t !== NO_TRIANGLE) lining[p] = isLiningTriangle[t];
  }

  const places = findPlaces(model, field, lining);
  const onField = (values: Float32Array, fallback: number): Float32Array => interpolateOnField(places, values, fallback);
  return {
    parts,
    map,
    field,
    ...places,
    mirrorTexel: computeMirrorTexels(model, field, places),
    outsideMm: onField(layout.outsideMm, 1000),
    hairlineMm: onField(layout.hairlineMm, -1000),
    lidRimMm: onField(layout.lidRimMm, 1000),
    lipRimMm: onField(layout.lipRimMm, 1000),
    openness: onField(layout.openness, 1),
    core: onField(layout.core, 0),
    lining,
    cuts: findCuts(model, field, parts),
    emptyRuns: findEmptyRuns(map),
    strands: layout.isFullHead ? paintStrands(model, layout, map) : new Int8Array(0),
  };
}

/** Whether a part is the inside of the head rather than its outside. */
export function isLining(part: ModelPart): boolean {
  return /socket/i.test(part.name);
}

/** UV of every vertex (its last corner's, where a seam gives it several), NaN where no triangle of the parts uses it. Shape (V,2). */
export function computeVertexUvs(model: FaceModel, parts: readonly ModelPart[]): Float32Array {
  const uvs = new Float32Array(2 * model.vertexCount).fill(Number.NaN);
  for (const { firstTriangle, triangleCount } of parts) {
    for (let i = 3 * firstTriangle; i < 3 * (firstTriangle + triangleCount); i++) {
      const v = model.triangles[i];
      const t = model.triangleUvs[i];
      uvs[2 * v] = model.uvs[2 * t];
      uvs[2 * v + 1] = model.uvs[2 * t + 1];
    }
  }
  return uvs;
}

type Places = Pick<SurfaceTables, 'texels' | 'corners' | 'weights'>;

function interpolateOnField({ texels, corners, weights }: Places, values: Float32Array, fallback: number): Float32Array {
  const out = new Float32Array(FIELD_SIZE * FIELD_SIZE).fill(fallback);
  for (let i = 0; i < texels.length; i++) {
    const a = values[corners[3 * i]];
    out[texels[i]] = a + weights[2 * i] * (values[corners[3 * i + 1]] - a) + weights[2 * i + 1] * (values[corners[3 * i + 2]] - a);
  }
  return out;
}

function findPlaces(model: FaceModel, field: TexelMap, lining: Uint8Array): Places {
  const { size, triangle, triangles, frames } = field;
  let count = 0;
  for (let p = 0; p < triangle.length; p++) if (triangle[p] !== NO_TRIANGLE && lining[p] === 0) count++;
  const texels = new Uint32Array(count);
  const corners = new Uint32Array(3 * count);
  const weights = new Float32Array(2 * count);
  for (let p = 0, i = 0; p < triangle.length; p++) {
    const t = triangle[p];
    if (t === NO_TRIANGLE || lining[p] === 1) continue;
    texels[i] = p;
    for (let c = 0; c < 3; c++) corners[3 * i + c] = model.triangles[3 * triangles[t] + c];
    const f = 6 * t;
    const u = ((p % size) + 0.5) / size - frames[f];
    const v = (Math.floor(p / size) + 0.5) / size - frames[f + 1];
    weights[2 * i] = frames[f + 2] * u + frames[f + 3] * v;
    weights[2 * i + 1] = frames[f + 4] * u + frames[f + 5] * v;
    i++;
  }
  return { texels, corners, weights };
}

function findCuts(model: FaceModel, field: TexelMap, parts: readonly ModelPart[]): Uint32Array {
  const first = new Int32Array(model.vertexCount).fill(-1);
  const cuts = new Map<number, [number, number]>();
  for (const part of parts) {
    if (isLining(part)) continue;
    for (let i = 3 * part.firstTriangle; i < 3 * (part.firstTriangle + part.triangleCount); i++) {
      const v = model.triangles[i];
      const uv = model.triangleUvs[i];
      const column = Math.min(field.size - 1, Math.floor(model.uvs[2 * uv] * field.size));
      const row = Math.min(field.size - 1, Math.floor(model.uvs[2 * uv + 1] * field.size));
      const p = row * field.size + column;
      if (first[v] === -1) first[v] = p;
      else {
        const q = first[v];
        // A texel or two apart is rounding, not a cut.
        const apart = Math.abs((q % field.size) - column) + Math.abs(Math.floor(q / field.size) - row);
        if (apart > 3) cuts.set(v, [q, p]);
      }
    }
  }
  return Uint32Array.from([...cuts.values()].flat());
}

function computeMirrorTexels(model: FaceModel, field: TexelMap, places: Places): Uint32Array {
  const { size, triangle, triangles } = field;
  // Only triangles of this surface count: a mirrored vertex of another surface has no place here.
  const uvs = new Float32Array(2 * model.vertexCount).fill(Number.NaN);
  for (let i = 0; i < triangles.length; i++) {
    for (let c = 0; c < 3; c++) {
      const corner = 3 * triangles[i] + c;
      const v = model.triangles[corner];
      const t = model.triangleUvs[corner];
      uvs[2 * v] = model.uvs[2 * t];
      uvs[2 * v + 1] = model.uvs[2 * t + 1];
    }
  }
  const { texels, corners, weights } = places;
  const { mirrorVertex } = model;
  const out = Uint32Array.from({ length: size * size }, (_, p) => p);
  for (let i = 0; i < texels.length; i++) {
    const a = 2 * mirrorVertex[corners[3 * i]];
    const b = 2 * mirrorVertex[corners[3 * i + 1]];
    const c = 2 * mirrorVertex[corners[3 * i + 2]];
    const wb = weights[2 * i];
    const wc = weights[2 * i + 1];
    const wa = 1 - wb - wc;
    const column = Math.floor((wa * uvs[a] + wb * uvs[b] + wc * uvs[c]) * size);
    const row = Math.floor((wa * uvs[a + 1] + wb * uvs[b + 1] + wc * uvs[c + 1]) * size);
    const q = row * size + column;
    if (column >= 0 && column < size && row >= 0 && row < size && triangle[q] !== NO_TRIANGLE) out[texels[i]] = q;
  }
  return out;
}

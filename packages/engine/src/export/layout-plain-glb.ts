import type { FaceModel } from '../models/face-model.ts';
import { computeMorphDelta } from './compute-morph-delta.ts';
import {
  ARRAY_BUFFER,
  COMPONENT_FLOAT,
  COMPONENT_UNSIGNED_INT,
  COMPONENT_UNSIGNED_SHORT,
  ELEMENT_ARRAY_BUFFER,
  type GltfAccessor,
  type GltfBufferView,
  type GltfMesh,
  type GltfPrimitive,
  MAX_SHORT_VERTICES,
} from './gltf-document.ts';
import type { MeshPlan, PrimitivePlan } from './plan-meshes.ts';

/**
 * Millimetres. A vertex that a morph target moves by no more than this is left out of the sparse accessor. At 0.08 mm the step
 * at the border of what moves is a quarter of a pixel when the head fills a 1000-pixel picture. The head's 52 targets take 3.9 MB;
 * 4.2 at 0.05 mm, 4.9 at 0.01 mm, which with detailed textures is more than the 6 MB that the whole file may have.
 */
export const MORPH_THRESHOLD_MM = 0.08;

/** What all persons of one model have in common in an uncompressed GLB: everything but positions, normals, pictures. */
export interface PlainLayout {
  /** Buffer views 0..; the static ones first, then positions and normals. Offsets are those in the BIN chunk. */
  readonly bufferViews: readonly GltfBufferView[];
  readonly accessors: readonly GltfAccessor[];
  readonly meshes: readonly GltfMesh[];
  /** UVs, indices and morph targets: the first bytes of the BIN chunk. */
  readonly staticBytes: Uint8Array;
  /** Accessors that get this person's bounds, in the order of the primitives. */
  readonly positionAccessors: readonly number[];
  /** Vertices of all primitives together. */
  readonly vertexCount: number;
}

/**
 * Lays out the buffer of an uncompressed GLB and writes what does not depend on the person.
 *
 * Morph targets are differences of positions only, as sparse accessors over zeros; a target that moves nothing of a primitive shares
 * one accessor of zeros. The head has all targets of the model in its order; an eye has those that move it.
 */
export function layoutPlainGlb(model: FaceModel, plans: readonly MeshPlan[], withMorphs: boolean): PlainLayout {
  const primitives = plans.flatMap((plan) => plan.primitives);
  const vertexCount = primitives.reduce((sum, p) => sum + p.modelVertex.length, 0);
  const morphs = withMorphs ? collectMorphs(model, plans) : plans.map(() => ({ targets: [], names: [] }));
  const sparse = morphs.flatMap((m) => m.targets.flat()).filter((s) => s !== null);

  // Sizes first, then one buffer, then the content.
  const isLong = (p: PrimitivePlan) => p.modelVertex.length > MAX_SHORT_VERTICES;
  const count = (list: readonly { readonly length: number }[]) => list.reduce((sum, x) => sum + x.length, 0);
  const shortIndexCount = count(primitives.filter((p) => !isLong(p)).map((p) => p.indices));
  const longIndexCount = count(primitives.filter(isLong).map((p) => p.indices));
  const shortSparseCount = count(sparse.filter((s) => !s.isLong).map((s) => s.vertices));
  const longSparseCount = count(sparse.filter((s) => s.isLong).map((s) => s.vertices));

  const bufferViews: GltfBufferView[] = [];
  let at = 0;
  const addView = (byteLength: number, rest: { byteStride?: number; target?: number }): { view: number; byteOffset: number } => {
    // A buffer view must not be empty (section 5.11): nothing refers to one that is left out.
    if (byteLength === 0) return { view: -1, byteOffset: at };
    const byteOffset = at;
    bufferViews.push({ buffer: 0, byteOffset, byteLength, ...rest });
    at += (byteLength + 3) & ~3;
    return { view: bufferViews.length - 1, byteOffset };
  };
  const uvView = addView(4 * vertexCount, { byteStride: 4, target: ARRAY_BUFFER });
  const shortView = addView(2 * shortIndexCount, { target: ELEMENT_ARRAY_BUFFER });
  const longView = addView(4 * longIndexCount, { target: ELEMENT_ARRAY_BUFFER });
  const shortSparseView = addView(2 * shortSparseCount, {});
  const longSparseView = addView(4 * longSparseCount, {});
  const valueView = addView(12 * (shortSparseCount + longSparseCount), {});
  const staticBytes = new Uint8Array(at);
  const positionView = addView(12 * vertexCount, { byteStride: 12, target: ARRAY_BUFFER });
  const normalView = addView(12 * vertexCount, { byteStride: 12, target: ARRAY_BUFFER });

  const buffer = staticBytes.buffer;
  const uvs = new Uint16Array(buffer, uvView.byteOffset, 2 * vertexCount);
  const shortIndices = new Uint16Array(buffer, shortView.byteOffset, shortIndexCount);
  const longIndices = new Uint32Array(buffer, longView.byteOffset, longIndexCount);
  const shortSparse = new Uint16Array(buffer, shortSparseView.byteOffset, shortSparseCount);
  const longSparse = new Uint32Array(buffer, longSparseView.byteOffset, longSparseCount);
  const values = new Float32Array(buffer, valueView.byteOffset, 3 * (shortSparseCount + longSparseCount));

  const accessors: GltfAccessor[] = [];
  const addAccessor = (accessor: GltfAccessor): number => accessors.push(accessor) - 1;
  const positionAccessors: number[] = [];
  let vertexAt = 0;
  let shortAt = 0;
  let longAt = 0;
  let shortSparseAt = 0;
  let longSparseAt = 0;
  let valueAt = 0;
  const addSparse = (s: SparseDelta, vertices: number): number => {
    const indices = s.isLong
      ? { bufferView: longSparseView.view, byteOffset: 4 * longSparseAt, componentType: COMPONENT_UNSIGNED_INT }
      : { bufferView: shortSparseView.view, byteOffset: 2 * shortSparseAt, componentType: COMPONENT_UNSIGNED_SHORT };
    const valueOffset = 4 * valueAt;
    if (s.isLong) longSparse.set(s.vertices, longSparseAt);
    else shortSparse.set(s.vertices, shortSparseAt);
    values.set(s.deltas, valueAt);
    if (s.isLong) longSparseAt += s.vertices.length;
    else shortSparseAt += s.vertices.length;
    valueAt += s.deltas.length;
    return addAccessor({
      componentType: COMPONENT_FLOAT,
      count: vertices,
      type: 'VEC3',
      ...computeBounds(s.deltas, s.vertices.length < vertices),
      sparse: { count: s.vertices.length, indices, values: { bufferView: valueView.view, byteOffset: valueOffset } },
    });
  };

  const meshes = plans.map((plan, m): GltfMesh => {
    const { targets, names } = morphs[m]!;
    const gltfPrimitives = plan.primitives.map((p, k): GltfPrimitive => {
      const n = p.modelVertex.length;
      for (let v = 0; v < n; v++) {
        uvs[2 * (vertexAt + v)] = toShort(model.uvs[2 * p.modelUv[v]!]!);
        uvs[2 * (vertexAt + v) + 1] = toShort(model.uvs[2 * p.modelUv[v]! + 1]!);
      }
      const position = addAccessor({
        bufferView: positionView.view,
        byteOffset: 12 * vertexAt,
        componentType: COMPONENT_FLOAT,
        count: n,
        type: 'VEC3',
      });
      positionAccessors.push(position);
      const normal = addAccessor({
        bufferView: normalView.view,
        byteOffset: 12 * vertexAt,
        componentType: COMPONENT_FLOAT,
        count: n,
        type: 'VEC3',
      });
      const uv = addAccessor({
        bufferView: uvView.view,
        byteOffset: 4 * vertexAt,
        componentType: COMPONENT_UNSIGNED_SHORT,
        normalized: true,
        count: n,
        type: 'VEC2',
      });
      vertexAt += n;
      const long = isLong(p);
      const indices = addAccessor({
        bufferView: long ? longView.view : shortView.view,
        byteOffset: long ? 4 * longAt : 2 * shortAt,
        componentType: long ? COMPONENT_UNSIGNED_INT : COMPONENT_UNSIGNED_SHORT,
        count: p.indices.length,
        type: 'SCALAR',
      });
      if (long) longIndices.set(p.indices, longAt);
      else shortIndices.set(p.indices, shortAt);
      if (long) longAt += p.indices.length;
      else shortAt += p.indices.length;

      let zero = -1;
      const gltfTargets = targets.map((target) => {
        const delta = target[k]!;
        if (delta !== null) return { POSITION: addSparse(delta, n) };
        if (zero < 0) zero = addAccessor({ componentType: COMPONENT_FLOAT, count: n, type: 'VEC3', min: [0, 0, 0], max: [0, 0, 0] });
        return { POSITION: zero };
      });
      return {
        attributes: { POSITION: position, NORMAL: normal, TEXCOORD_0: uv },
        indices,
        material: p.surface,
        ...(gltfTargets.length > 0 ? { targets: gltfTargets } : {}),
      };
    });
    return {
      name: plan.name,
      primitives: gltfPrimitives,
      ...(names.length > 0 ? { weights: names.map(() => 0), extras: { targetNames: names } } : {}),
    };
  });
  return { bufferViews, accessors, meshes, staticBytes, positionAccessors, vertexCount };
}

/** What a morph target moves of one primitive. */
interface SparseDelta {
  /** Ascending. */
  readonly vertices: Uint32Array;
  /** Shape (vertices, 3), metres. */
  readonly deltas: Float32Array;
  readonly isLong: boolean;
}

/** For each mesh, its targets, and for each of those what it moves of each primitive (null: nothing). */
function collectMorphs(
  model: FaceModel,
  plans: readonly MeshPlan[],
): { readonly targets: (SparseDelta | null)[][]; readonly names: string[] }[] {
  const result = plans.map(() => ({ targets: [] as (SparseDelta | null)[][], names: [] as string[] }));
  const delta = new Float64Array(3 * model.vertexCount);
  const moved = new Uint8Array(model.vertexCount);
  for (let b = 0; b < model.blendshapes.length; b++) {
    computeMorphDelta(model, b, delta);
    for (let v = 0; v < model.vertexCount; v++) {
      const squared = delta[3 * v]! ** 2 + delta[3 * v + 1]! ** 2 + delta[3 * v + 2]! ** 2;
      moved[v] = squared > MORPH_THRESHOLD_MM ** 2 ? 1 : 0;
    }
    for (let m = 0; m < plans.length; m++) {
      const parts = plans[m]!.primitives.map((p) => sparseDelta(p, delta, moved));
      if (plans[m]!.name !== 'head' && parts.every((part) => part === null)) continue;
      result[m]!.targets.push(parts);
      result[m]!.names.push(model.blendshapes[b]!.name);
    }
  }
  return result;
}

function sparseDelta(p: PrimitivePlan, delta: Float64Array, moved: Uint8Array): SparseDelta | null {
  const n = p.modelVertex.length;
  let count = 0;
  for (let v = 0; v < n; v++) count += moved[p.modelVertex[v]!]!;
  if (count === 0) return null;
  const vertices = new Uint32Array(count);
  const deltas = new Float32Array(3 * count);
  let at = 0;
  for (let v = 0; v < n; v++) {
    const source = p.modelVertex[v]!;
    if (moved[source] === 0) continue;
    vertices[at] = v;
    for (let k = 0; k < 3; k++) deltas[3 * at + k] = delta[3 * source + k]! / 1000;
    at++;
  }
  return { vertices, deltas, isLong: n > MAX_SHORT_VERTICES };
}

/** Bounds of points as accessors state them. @param withZero - the origin is among them */
export function computeBounds(points: ArrayLike<number>, withZero = false): { min: number[]; max: number[] } {
  const start = withZero ? 0 : Number.POSITIVE_INFINITY;
  const min = [start, start, start];
  const max = [withZero ? 0 : -start, withZero ? 0 : -start, withZero ? 0 : -start];
  for (let i = 0; i < points.length; i += 3) {
    for (let k = 0; k < 3; k++) {
      const x = points[i + k]!;
      if (x < min[k]!) min[k] = x;
      if (x > max[k]!) max[k] = x;
    }
  }
  return { min, max };
}

/** 0..1 as a normalised unsigned short: 1/65535 is a sixteenth of a texel at 4096. */
function toShort(x: number): number {
  return Math.round(Math.min(Math.max(x, 0), 1) * 65535);
}

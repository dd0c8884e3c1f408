import type { FaceModel } from '../models/face-model.ts';
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
  const primitives = plans.flatMap((plan) => plan.primitives);
  const copies = listCopies(model.vertexCount, primitives);
  const delta = new Float32Array(3 * model.vertexCount);
  for (const { name, terms } of model.blendshapes) {
    const touched = addTerms(model, terms, delta);
    const parts = gatherMoved(delta, touched, primitives, copies);
    clearTouched(delta, touched);
    let primitive = 0;
    plans.forEach((plan, m) => {
      const own = parts.slice(primitive, primitive + plan.primitives.length);
      primitive += plan.primitives.length;
      if (plan.name !== 'head' && own.every((part) => part === null)) return;
      result[m]!.targets.push(own);
      result[m]!.names.push(name);
    });
  }
  return result;
}

function clearTouched(delta: Float32Array, touched: Uint16Array | Uint32Array): void {
  for (let i = 0; i < touched.length; i++) {
    const at = 3 * touched[i]!;
    delta[at] = 0;
    delta[at + 1] = 0;
    delta[at + 2] = 0;
  }
}

/** The vertices of the primitives that each model vertex became: those of vertex v are `first[v]` to `first[v + 1]` in the two lists. */
interface Copies {
  readonly first: Uint32Array;
  readonly primitive: Uint16Array;
  readonly vertex: Uint32Array;
}

function listCopies(vertexCount: number, primitives: readonly PrimitivePlan[]): Copies {
  const first = new Uint32Array(vertexCount + 1);
  for (const { modelVertex } of primitives) for (let i = 0; i < modelVertex.length; i++) first[modelVertex[i]! + 1]!++;
  for (let v = 0; v < vertexCount; v++) first[v + 1]! += first[v]!;
  const primitive = new Uint16Array(first[vertexCount]!);
  const vertex = new Uint32Array(first[vertexCount]!);
  const next = first.slice();
  primitives.forEach(({ modelVertex }, k) => {
    for (let i = 0; i < modelVertex.length; i++) {
      const at = next[modelVertex[i]!]!++;
      primitive[at] = k;
      vertex[at] = i;
    }
  });
  return { first, primitive, vertex };
}

/** Adds the shapes of a blendshape to `delta`, shape (V,3), millimetres; returns the vertices that they move, ascending. */
function addTerms(model: FaceModel, terms: FaceModel['blendshapes'][number]['terms'], delta: Float32Array): Uint16Array | Uint32Array {
  if (model.addExpression === undefined) {
    for (const { expression, weight } of terms) {
      const shape = model.expressionDelta(expression);
      for (let i = 0; i < delta.length; i++) delta[i]! += weight * shape[i]!;
    }
    return Uint32Array.from({ length: model.vertexCount }, (_, v) => v);
  }
  let touched: Uint16Array | Uint32Array = new Uint16Array(0);
  for (const { expression, weight } of terms) {
    const vertices = model.addExpression(expression, weight, delta);
    touched = touched.length === 0 ? vertices : uniteAscending(touched, vertices);
  }
  return touched;
}

function uniteAscending(a: Uint16Array | Uint32Array, b: Uint16Array | Uint32Array): Uint32Array {
  const united = new Uint32Array(a.length + b.length);
  let n = 0;
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const x = i < a.length ? a[i]! : Number.POSITIVE_INFINITY;
    const y = j < b.length ? b[j]! : Number.POSITIVE_INFINITY;
    united[n++] = Math.min(x, y);
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return united.slice(0, n);
}

/** What moves of each primitive by more than {@link MORPH_THRESHOLD_MM}. */
function gatherMoved(
  delta: Float32Array,
  touched: Uint16Array | Uint32Array,
  primitives: readonly PrimitivePlan[],
  { first, primitive, vertex }: Copies,
): (SparseDelta | null)[] {
  const moved = new Uint32Array(touched.length);
  const start = new Uint32Array(primitives.length + 1);
  let movedCount = 0;
  for (let i = 0; i < touched.length; i++) {
    const v = touched[i]!;
    const x = delta[3 * v]!;
    const y = delta[3 * v + 1]!;
    const z = delta[3 * v + 2]!;
    if (!(x * x + y * y + z * z > MORPH_THRESHOLD_MM ** 2)) continue;
    moved[movedCount++] = v;
    for (let c = first[v]!; c < first[v + 1]!; c++) start[primitive[c]! + 1]!++;
  }
  for (let k = 0; k < primitives.length; k++) start[k + 1]! += start[k]!;
  const vertices = new Uint32Array(start[primitives.length]!);
  const deltas = new Float32Array(3 * vertices.length);
  const next = start.slice();
  for (let i = 0; i < movedCount; i++) {
    const v = moved[i]!;
    const x = delta[3 * v]! / 1000;
    const y = delta[3 * v + 1]! / 1000;
    const z = delta[3 * v + 2]! / 1000;
    for (let c = first[v]!; c < first[v + 1]!; c++) {
      const at = next[primitive[c]!]!++;
      vertices[at] = vertex[c]!;
      deltas[3 * at] = x;
      deltas[3 * at + 1] = y;
      deltas[3 * at + 2] = z;
    }
  }
  return primitives.map(({ modelVertex }, k) => {
    const from = start[k]!;
    const to = start[k + 1]!;
    if (from === to) return null;
    return {
      vertices: vertices.subarray(from, to),
      deltas: deltas.subarray(3 * from, 3 * to),
      isLong: modelVertex.length > MAX_SHORT_VERTICES,
    };
  });
}

/** Bounds of points as accessors state them. @param withZero - the origin is among them */
export function computeBounds(points: Float32Array | Int16Array, withZero = false): { min: number[]; max: number[] } {
  let minX = withZero ? 0 : Number.POSITIVE_INFINITY;
  let minY = minX;
  let minZ = minX;
  let maxX = withZero ? 0 : Number.NEGATIVE_INFINITY;
  let maxY = maxX;
  let maxZ = maxX;
  for (let i = 0; i < points.length; i += 3) {
    const x = points[i]!;
    const y = points[i + 1]!;
    const z = points[i + 2]!;
    if (x < minX) minX = x;
    if (x > maxX) maxX = x;
    if (y < minY) minY = y;
    if (y > maxY) maxY = y;
    if (z < minZ) minZ = z;
    if (z > maxZ) maxZ = z;
  }
  return { min: [minX, minY, minZ], max: [maxX, maxY, maxZ] };
}

/** 0..1 as a normalised unsigned short: 1/65535 is a sixteenth of a texel at 4096. */
function toShort(x: number): number {
  return Math.round(Math.min(Math.max(x, 0), 1) * 65535);
}

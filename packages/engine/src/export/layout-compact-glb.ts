import type { FaceModel } from '../models/face-model.ts';
import { computeMorphDelta } from './compute-morph-delta.ts';
import type { Geometry } from './create-glb-encoder.ts';
import {
  ARRAY_BUFFER,
  COMPONENT_BYTE,
  COMPONENT_SHORT,
  COMPONENT_UNSIGNED_INT,
  COMPONENT_UNSIGNED_SHORT,
  ELEMENT_ARRAY_BUFFER,
  type GltfAccessor,
  type GltfBufferView,
  type GltfMesh,
  type GltfPrimitive,
  MAX_SHORT_VERTICES,
  type MeshoptView,
} from './gltf-document.ts';
import { computeBounds } from './layout-plain-glb.ts';
import type { MeshPlan } from './plan-meshes.ts';

/**
 * Grid of the quantised positions and morph targets: 1/32 mm, so no coordinate is off by more than 0.016 mm, and 16 bits reach
 * ±1023 mm. It is the same for every person, so that the compressed morph targets are made once per model.
 */
export const COMPACT_STEPS_PER_MM = 32;

/** Bits of an octahedral normal: 0.6 degrees at worst, below what 8-bit shading shows. */
const NORMAL_BITS = 8;

/** The compact form of a GLB's geometry for all persons of one model. */
export interface CompactLayout {
  /**
   * Quantises and compresses one person.
   *
   * @param neutralMm - shape (V,3), millimetres, model frame
   * @param modelNormals - shape (V,3)
   * @param pivots - per mesh, metres: positions are stored relative to it
   */
  write(neutralMm: Float32Array, modelNormals: Float32Array, pivots: readonly (readonly [number, number, number])[]): Geometry;
}

interface PackedView {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly byteStride: number;
  readonly mode: MeshoptView['mode'];
  readonly filter?: MeshoptView['filter'];
}

/**
 * Lays out the compact GLB (EXT_meshopt_compression, KHR_mesh_quantization) and compresses what does not depend on the person.
 *
 * Triangles and vertices are put into the order that compresses best. Morph targets are dense (zeros cost a sixty-fourth of a byte
 * each) in 8 bits where they fit, else 16.
 */
export async function layoutCompactGlb(model: FaceModel, plans: readonly MeshPlan[], withMorphs: boolean): Promise<CompactLayout> {
  // Loaded on first use: the encoder is a WebAssembly module that the default output does not need.
  const { MeshoptEncoder } = await import('meshoptimizer/encoder');
  await MeshoptEncoder.ready;
  const pack = (
    source: ArrayBufferView,
    count: number,
    byteStride: number,
    mode: MeshoptView['mode'],
    filter?: MeshoptView['filter'],
  ): PackedView => {
    const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    return {
      bytes: MeshoptEncoder.encodeGltfBuffer(bytes, count, byteStride, mode),
      count,
      byteStride,
      mode,
      ...(filter === undefined ? {} : { filter }),
    };
  };

  const meshes = plans.map((plan) => plan.primitives.map((p) => reorder(p, MeshoptEncoder.reorderMesh)));
  const primitives = meshes.flat();
  const vertexCount = primitives.reduce((sum, p) => sum + p.modelVertex.length, 0);
  const indexCount = primitives.reduce((sum, p) => sum + p.indices.length, 0);
  const isLong = primitives.some((p) => p.modelVertex.length > MAX_SHORT_VERTICES);

  const uvs = new Uint16Array(2 * vertexCount);
  const indices = isLong ? new Uint32Array(indexCount) : new Uint16Array(indexCount);
  let vertexAt = 0;
  let indexAt = 0;
  for (const p of primitives) {
    for (let v = 0; v < p.modelUv.length; v++) {
      for (let k = 0; k < 2; k++) {
        uvs[2 * (vertexAt + v) + k] = Math.round(Math.min(Math.max(model.uvs[2 * p.modelUv[v]! + k]!, 0), 1) * 65535);
      }
    }
    indices.set(p.indices, indexAt);
    vertexAt += p.modelVertex.length;
    indexAt += p.indices.length;
  }
  const morphs = withMorphs
    ? quantizeMorphs(model, plans, meshes)
    : { bytes: [], shorts: [], ofMesh: plans.map(() => ({ targets: [], names: [] })) };
  const morphBytes = concatenate(morphs.bytes, Int8Array);
  const morphShorts = concatenate(morphs.shorts, Int16Array);

  // Views: 0 UVs, 1 indices, then 8-bit and 16-bit morph targets where there are any; positions and normals come last.
  const staticViews: PackedView[] = [
    pack(uvs, vertexCount, 4, 'ATTRIBUTES'),
    pack(indices, indexCount, indices.BYTES_PER_ELEMENT, 'TRIANGLES'),
  ];
  const byteView = morphBytes.length > 0 ? staticViews.push(pack(morphBytes, morphBytes.length / 4, 4, 'ATTRIBUTES')) - 1 : -1;
  const shortView = morphShorts.length > 0 ? staticViews.push(pack(morphShorts, morphShorts.length / 4, 8, 'ATTRIBUTES')) - 1 : -1;
  const positionView = staticViews.length;
  const normalView = positionView + 1;

  const accessors: GltfAccessor[] = [];
  const addAccessor = (accessor: GltfAccessor): number => accessors.push(accessor) - 1;
  const positionAccessors: number[] = [];
  vertexAt = 0;
  indexAt = 0;
  const gltfMeshes = plans.map((plan, m): GltfMesh => {
    const { targets, names } = morphs.ofMesh[m]!;
    const gltfPrimitives = meshes[m]!.map((p, k): GltfPrimitive => {
      const count = p.modelVertex.length;
      const position = addAccessor({
        bufferView: positionView,
        byteOffset: 8 * vertexAt,
        componentType: COMPONENT_SHORT,
        count,
        type: 'VEC3',
      });
      positionAccessors.push(position);
      const normal = addAccessor({
        bufferView: normalView,
        byteOffset: 4 * vertexAt,
        componentType: COMPONENT_BYTE,
        normalized: true,
        count,
        type: 'VEC3',
      });
      const uv = addAccessor({
        bufferView: 0,
        byteOffset: 4 * vertexAt,
        componentType: COMPONENT_UNSIGNED_SHORT,
        normalized: true,
        count,
        type: 'VEC2',
      });
      const index = addAccessor({
        bufferView: 1,
        byteOffset: indices.BYTES_PER_ELEMENT * indexAt,
        componentType: isLong ? COMPONENT_UNSIGNED_INT : COMPONENT_UNSIGNED_SHORT,
        count: p.indices.length,
        type: 'SCALAR',
      });
      vertexAt += count;
      indexAt += p.indices.length;
      let zero = -1;
      const gltfTargets = targets.map((target) => {
        const delta = target[k]!;
        if (delta === null) {
          if (zero < 0) zero = addAccessor({ componentType: COMPONENT_BYTE, count, type: 'VEC3', min: [0, 0, 0], max: [0, 0, 0] });
          return { POSITION: zero };
        }
        const { element, isByte, min, max } = delta;
        return {
          POSITION: addAccessor({
            bufferView: isByte ? byteView : shortView,
            byteOffset: element * (isByte ? 4 : 8),
            componentType: isByte ? COMPONENT_BYTE : COMPONENT_SHORT,
            count,
            type: 'VEC3',
            min,
            max,
          }),
        };
      });
      return {
        attributes: { POSITION: position, NORMAL: normal, TEXCOORD_0: uv },
        indices: index,
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

  return {
    write(neutralMm, modelNormals, pivots) {
      const positions = new Int16Array(4 * vertexCount);
      const normals = new Float32Array(4 * vertexCount);
      const ownAccessors = accessors.slice();
      let at = 0;
      let primitive = 0;
      meshes.forEach((meshPrimitives, m) => {
        const pivot = pivots[m]!;
        for (const { modelVertex } of meshPrimitives) {
          const min = [32767, 32767, 32767];
          const max = [-32768, -32768, -32768];
          for (let v = 0; v < modelVertex.length; v++) {
            const source = 3 * modelVertex[v]!;
            for (let k = 0; k < 3; k++) {
              const q = Math.round((neutralMm[source + k]! - 1000 * pivot[k]!) * COMPACT_STEPS_PER_MM);
              positions[at + k] = q;
              if (q < min[k]!) min[k] = q;
              if (q > max[k]!) max[k] = q;
              normals[at + k] = modelNormals[source + k]!;
            }
            at += 4;
          }
          const accessor = positionAccessors[primitive++]!;
          ownAccessors[accessor] = { ...ownAccessors[accessor]!, min, max };
        }
      });
      const octahedral = MeshoptEncoder.encodeFilterOct(normals, vertexCount, 4, NORMAL_BITS);
      const views = [
        ...staticViews,
        pack(positions, vertexCount, 8, 'ATTRIBUTES'),
        pack(octahedral, vertexCount, 4, 'ATTRIBUTES', 'OCTAHEDRAL'),
      ];
      return { ...placeViews(views), accessors: ownAccessors, meshes: gltfMeshes };
    },
  };
}

/** Buffer views with their compressed bytes in buffer 0 and their unpacked layout in the placeholder buffer 1. */
function placeViews(views: readonly PackedView[]): Pick<Geometry, 'bufferViews' | 'binary' | 'unpackedBytes'> {
  let packedAt = 0;
  let unpackedAt = 0;
  const binary: Uint8Array[] = [];
  const bufferViews = views.map(({ bytes, count, byteStride, mode, filter }): GltfBufferView => {
    const padded = new Uint8Array((bytes.length + 3) & ~3);
    padded.set(bytes);
    binary.push(padded);
    const view: GltfBufferView = {
      buffer: 1,
      byteOffset: unpackedAt,
      byteLength: count * byteStride,
      ...(mode === 'ATTRIBUTES' ? { byteStride, target: ARRAY_BUFFER } : { target: ELEMENT_ARRAY_BUFFER }),
      extensions: {
        EXT_meshopt_compression: {
          buffer: 0,
          byteOffset: packedAt,
          byteLength: bytes.length,
          byteStride,
          count,
          mode,
          ...(filter === undefined ? {} : { filter }),
        },
      },
    };
    packedAt += padded.length;
    unpackedAt += (count * byteStride + 3) & ~3;
    return view;
  });
  return { bufferViews, binary, unpackedBytes: unpackedAt };
}

interface OrderedPrimitive {
  readonly surface: number;
  readonly modelVertex: Uint32Array;
  readonly modelUv: Uint32Array;
  readonly indices: Uint32Array;
}

function reorder(
  p: OrderedPrimitive,
  reorderMesh: (indices: Uint32Array, triangles: boolean, optsize: boolean) => [Uint32Array, number],
): OrderedPrimitive {
  // Works in place on the indices; newFromOld maps vertices.
  const indices = p.indices.slice();
  const [newFromOld, count] = reorderMesh(indices, true, true);
  const modelVertex = new Uint32Array(count);
  const modelUv = new Uint32Array(count);
  for (let v = 0; v < newFromOld.length; v++) {
    const to = newFromOld[v]!;
    if (to >= count) continue;
    modelVertex[to] = p.modelVertex[v]!;
    modelUv[to] = p.modelUv[v]!;
  }
  return { surface: p.surface, modelVertex, modelUv, indices };
}

/** One morph target of one primitive: where it starts in the view of its width, in elements. */
interface QuantizedDelta {
  readonly element: number;
  readonly isByte: boolean;
  readonly min: number[];
  readonly max: number[];
}

/** Morph targets on the grid, padded to four components, those that fit 8 bits apart from the others. */
function quantizeMorphs(model: FaceModel, plans: readonly MeshPlan[], meshes: readonly (readonly OrderedPrimitive[])[]) {
  const bytes: Int8Array[] = [];
  const shorts: Int16Array[] = [];
  let byteElements = 0;
  let shortElements = 0;
  const ofMesh = plans.map(() => ({ targets: [] as (QuantizedDelta | null)[][], names: [] as string[] }));
  const delta = new Float64Array(3 * model.vertexCount);
  const quantize = ({ modelVertex }: OrderedPrimitive): QuantizedDelta | null => {
    const n = modelVertex.length;
    const steps = new Int16Array(4 * n);
    let largest = 0;
    for (let v = 0; v < n; v++) {
      for (let k = 0; k < 3; k++) {
        const q = Math.round(delta[3 * modelVertex[v]! + k]! * COMPACT_STEPS_PER_MM);
        steps[4 * v + k] = q;
        if (Math.abs(q) > largest) largest = Math.abs(q);
      }
    }
    if (largest === 0) return null;
    const isByte = largest <= 127;
    const points = new Int16Array(3 * n);
    for (let v = 0; v < n; v++) for (let k = 0; k < 3; k++) points[3 * v + k] = steps[4 * v + k]!;
    const element = isByte ? byteElements : shortElements;
    if (isByte) {
      bytes.push(Int8Array.from(steps));
      byteElements += n;
    } else {
      shorts.push(steps);
      shortElements += n;
    }
    return { element, isByte, ...computeBounds(points) };
  };
  for (let b = 0; b < model.blendshapes.length; b++) {
    computeMorphDelta(model, b, delta);
    meshes.forEach((primitives, m) => {
      const parts = primitives.map(quantize);
      if (plans[m]!.name !== 'head' && parts.every((part) => part === null)) return;
      ofMesh[m]!.targets.push(parts);
      ofMesh[m]!.names.push(model.blendshapes[b]!.name);
    });
  }
  return { bytes, shorts, ofMesh };
}

function concatenate<A extends Int8Array | Int16Array>(pieces: readonly A[], type: new (length: number) => A): A {
  const out = new type(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

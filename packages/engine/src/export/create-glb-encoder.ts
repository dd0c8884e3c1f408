import type { GlbExtras } from '@facewright/protocol';
import { FacewrightError } from '@facewright/protocol';
import type { FittedFace } from '../fit/fitted-face.ts';
import { countKernelBytes, useScratchMemory } from '../kernels/kernel-memory.ts';
import type { FaceModel } from '../models/face-model.ts';
import { computeVertexNormals } from '../render/compute-vertex-normals.ts';
import type { FaceMaps, SurfaceMaterial, TextureMap } from '../texture/face-maps.ts';
import { checkFaceFinite } from './check-face-finite.ts';
import { computeSphereCenter } from './compute-sphere-center.ts';
import { createPngOnce, type PngOfTexture } from './create-png-once.ts';
import { describeCamera, type PhotoSize } from './describe-camera.ts';
import { encodeImage } from './encode-image.ts';
import { formatGlb } from './format-glb.ts';
import { type GlbTables, mapMaterials, nameGrouping } from './glb-tables.ts';
import type { GltfAccessor, GltfBufferView, GltfMesh, GltfNode } from './gltf-document.ts';
import { keepConstant } from './keep-constant.ts';
import { COMPACT_STEPS_PER_MM, type CompactLayout, layoutCompactGlb } from './layout-compact-glb.ts';
import { layoutPlainGlb, MORPH_THRESHOLD_MM, type PlainLayout } from './layout-plain-glb.ts';
import { type MeshPlan, planMeshes } from './plan-meshes.ts';
import { roundTo } from './round-to.ts';

/** What a GLB is made of. A `Reconstruction` has all of it. */
export interface GlbInput {
  readonly face: FittedFace;
  readonly maps: FaceMaps;
  /** ARKit weights of the photo's own expression: kept in the extras. */
  readonly blendshapes: readonly { readonly name: string; readonly weight: number }[];
  readonly photo: PhotoSize;
}

export interface GlbOptions {
  /** Meshopt compression, quantised vertices, WebP: a quarter of the size, for viewers that know these extensions. @default false */
  readonly compact?: boolean;
  /** The model's morph targets (52 ARKit shapes). @default true */
  readonly morphTargets?: boolean;
  /** Version of the program, for the extras. */
  readonly version: string;
  /** Where the PNGs come from that others want too. @default made here */
  readonly pngOf?: PngOfTexture;
}

/** Writes GLB files of faces of one model; what does not depend on the person is laid out once and kept. */
export interface GlbEncoder {
  /**
   * Writes one face as a GLB file (glTF 2.0).
   *
   * Frame: the model's own (x to the person's left, y up, z out of the face, origin between the eyes), in metres, which is how glTF wants it.
   * The geometry is the neutral face; morph targets are added to it. Same input and options, same bytes.
   *
   * @throws FW_FIT_FAILED for a number that is not finite; nothing is written then
   */
  encode(input: GlbInput, options: GlbOptions): Promise<Uint8Array>;
}

/** Per mesh, metres, model frame. */
type Pivots = readonly (readonly [number, number, number])[];

interface Layouts {
  readonly plans: readonly MeshPlan[];
  readonly plain: Map<boolean, PlainLayout>;
  readonly compact: Map<boolean, Promise<CompactLayout>>;
}

/**
 * An encoder for a model.
 *
 * @param tables - what is known already of all faces of this model (some 6 MB for the head). @default made with the first face
 */
export function createGlbEncoder(model: FaceModel, tables: GlbTables | null = null): GlbEncoder {
  // How materials are grouped into surfaces decides the primitives; in practice there is one grouping per model.
  const layoutsByGrouping = new Map<string, Layouts>();
  if (tables !== null) {
    const { grouping, plans, plain } = tables;
    layoutsByGrouping.set(grouping, { plans, plain: new Map([[true, plain]]), compact: new Map() });
  }
  const partMaterials = new Set(model.parts.map((part) => part.material));
  const layoutsOf = (surfaces: readonly SurfaceMaterial[]): Layouts => {
    const grouping = nameGrouping(surfaces);
    let layouts = layoutsByGrouping.get(grouping);
    if (layouts === undefined) {
      layouts = { plans: planMeshes(model, mapMaterials(surfaces)), plain: new Map(), compact: new Map() };
      layoutsByGrouping.set(grouping, layouts);
    }
    return layouts;
  };
  const writeGeometry = async (layouts: Layouts, options: GlbOptions, neutralMm: Float32Array, pivots: Pivots): Promise<Geometry> => {
    const withMorphs = options.morphTargets ?? true;
    const normals = computeVertexNormals(neutralMm, model.triangles);
    if (options.compact) {
      const layout = layouts.compact.get(withMorphs) ?? layoutCompactGlb(model, layouts.plans, withMorphs);
      layouts.compact.set(withMorphs, layout);
      return (await layout).write(neutralMm, normals, pivots);
    }
    const layout = layouts.plain.get(withMorphs) ?? layoutPlainGlb(model, layouts.plans, withMorphs);
    layouts.plain.set(withMorphs, layout);
    return writePlainGeometry(layout, layouts.plans, neutralMm, normals, pivots);
  };
  return {
    async encode(input, options) {
      const { face, maps } = input;
      if (face.model !== model) {
        throw new FacewrightError('FW_ARG_INVALID', {
          name: 'face.model',
          expected: `the model of the encoder (${model.id})`,
          actual: face.model.id,
        });
      }
      checkFaceFinite(face);
      // Surfaces that no part of this model has would be materials that nothing uses.
      const surfaces = maps.surfaces.filter(({ materials }) => materials.some((material) => partMaterials.has(material)));
      const layouts = layoutsOf(surfaces);
      const pivots = layouts.plans.map((plan) => computePivot(plan, face.neutralPositions));
      // The pictures are encoded on other threads while the geometry is written here.
      const [images, geometry] = await Promise.all([
        encodeTextures(surfaces, options.compact ?? false, options.pngOf ?? createPngOnce()),
        writeGeometry(layouts, options, face.neutralPositions, pivots),
      ]);
      return assemble(input, options, surfaces, layouts.plans, pivots, geometry, images);
    },
  };
}

/** One GLB without keeping tables for the next; see {@link GlbEncoder.encode}. */
export function encodeGlb(input: GlbInput, options: GlbOptions): Promise<Uint8Array> {
  return createGlbEncoder(input.face.model).encode(input, options);
}

/** Everything of a GLB that is not pictures, materials or nodes. */
export interface Geometry {
  readonly bufferViews: readonly GltfBufferView[];
  readonly accessors: readonly GltfAccessor[];
  readonly meshes: readonly GltfMesh[];
  /** Buffer 0 so far, each piece a multiple of four bytes. */
  readonly binary: readonly Uint8Array[];
  /** Bytes that the compressed views hold when unpacked; 0 where nothing is compressed. */
  readonly unpackedBytes: number;
}

interface EncodedTexture {
  readonly map: TextureMap;
  readonly bytes: Uint8Array;
  readonly mimeType: string;
}

/** The pictures of the surfaces, each once. Opaque ones as JPEG, those whose alpha counts as PNG; all as WebP in the compact form. */
async function encodeTextures(surfaces: readonly SurfaceMaterial[], compact: boolean, pngOf: PngOfTexture): Promise<EncodedTexture[]> {
  const maps = new Map<TextureMap, boolean>();
  for (const { albedo, alphaMode } of surfaces) {
    if (albedo !== null) maps.set(albedo, (maps.get(albedo) ?? false) || (alphaMode !== 'OPAQUE' && albedo.channels === 4));
  }
  return Promise.all(
    Array.from(maps, async ([map, needsAlpha]) => {
      const encoding = compact ? 'webp' : needsAlpha ? 'png' : 'jpeg';
      return {
        map,
        bytes: await (encoding === 'png' ? pngOf(map) : keepConstant(map, encoding, () => encodeImage(map, encoding))),
        mimeType: `image/${encoding}`,
      };
    }),
  );
}

/** Metres, model frame, as float32 (that is what the node's translation is read as). */
function computePivot(plan: MeshPlan, positions: Float32Array): readonly [number, number, number] {
  if (plan.pivotVertices === null) return [0, 0, 0];
  const [x, y, z] = computeSphereCenter(positions, plan.pivotVertices);
  return [roundTo(x / 1000, 6), roundTo(y / 1000, 6), roundTo(z / 1000, 6)];
}

function writePlainGeometry(
  layout: PlainLayout,
  plans: readonly MeshPlan[],
  neutralMm: Float32Array,
  modelNormals: Float32Array,
  pivots: Pivots,
): Geometry {
  const bytes = 12 * layout.vertexCount;
  const memory = useScratchMemory(
    countKernelBytes([neutralMm, modelNormals]) + 2 * bytes + countKernelBytes(plans.map(({ primitives }) => primitives)) + 256,
  );
  const { kernels } = memory;
  const out = memory.allocate(Float32Array, 6 * layout.vertexCount);
  const axes = memory.place(Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1)).byteOffset;
  const bounds = memory.allocate(Float64Array, 6);
  const neutral = memory.place(neutralMm).byteOffset;
  const normals = memory.place(modelNormals).byteOffset;
  const accessors = layout.accessors.slice();
  let at = out.byteOffset;
  let primitive = 0;
  plans.forEach((plan, m) => {
    const [x, y, z] = pivots[m]!;
    for (const { modelVertex } of plan.primitives) {
      const vertices = memory.place(modelVertex).byteOffset;
      const count = modelVertex.length;
      kernels.takeVertices(vertices, count, neutral, 1000, x, y, z, at);
      kernels.takeVertices(vertices, count, normals, 1, 0, 0, 0, at + bytes);
      kernels.boundPoints(at, count, axes, bounds.byteOffset);
      const accessor = layout.positionAccessors[primitive++]!;
      accessors[accessor] = { ...accessors[accessor]!, min: [...bounds.subarray(0, 3)], max: [...bounds.subarray(3)] };
      at += 12 * count;
    }
  });
  return {
    bufferViews: layout.bufferViews,
    accessors,
    meshes: layout.meshes,
    // Positions, then normals.
    binary: [layout.staticBytes, new Uint8Array(out.slice().buffer)],
    unpackedBytes: 0,
  };
}

function assemble(
  input: GlbInput,
  options: GlbOptions,
  surfaces: readonly SurfaceMaterial[],
  plans: readonly MeshPlan[],
  pivots: Pivots,
  geometry: Geometry,
  images: readonly EncodedTexture[],
): Uint8Array {
  const { model } = input.face;
  const compact = options.compact ?? false;
  const binary = [...geometry.binary];
  const bufferViews = [...geometry.bufferViews];
  let byteOffset = binary.reduce((sum, piece) => sum + piece.length, 0);
  const imageViews = images.map(({ bytes }) => {
    const padded = new Uint8Array((bytes.length + 3) & ~3);
    padded.set(bytes);
    bufferViews.push({ buffer: 0, byteOffset, byteLength: bytes.length });
    binary.push(padded);
    byteOffset += padded.length;
    return bufferViews.length - 1;
  });

  const scale = 1 / (1000 * COMPACT_STEPS_PER_MM);
  const meshNodes = plans.map(
    (plan, m): GltfNode => ({
      name: plan.name,
      mesh: m,
      ...(pivots[m]!.some((x) => x !== 0) ? { translation: pivots[m]! } : {}),
      ...(compact ? { scale: [scale, scale, scale] } : {}),
    }),
  );
  const nodes: GltfNode[] = [{ name: 'face', children: plans.map((_, m) => m + 1) }, ...meshNodes];
  const textureOf = (map: TextureMap) => images.findIndex((image) => image.map === map);
  const extensions = compact ? ['EXT_meshopt_compression', 'EXT_texture_webp', 'KHR_mesh_quantization'] : [];
  const { schema: _, ...camera } = describeCamera(input.face.intrinsics, input.face.pose, input.photo);
  const extras: GlbExtras = {
    schema: 'facewright/glb@1',
    version: options.version,
    model: {
      id: model.id,
      version: model.version,
      licence: { spdx: model.licence.spdx, source: model.licence.source, notice: model.licence.notice },
    },
    camera,
    expression: Object.fromEntries(input.blendshapes.map(({ name, weight }) => [name, roundTo(weight, 4)])),
    morphThresholdMm: compact ? 0.5 / COMPACT_STEPS_PER_MM : MORPH_THRESHOLD_MM,
  };
  const document = {
    asset: { version: '2.0', generator: `facewright ${options.version}`, extras: { facewright: extras } },
    ...(extensions.length > 0 ? { extensionsUsed: extensions, extensionsRequired: extensions } : {}),
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes,
    meshes: geometry.meshes,
    materials: surfaces.map((surface) => describeMaterial(surface, textureOf)),
    ...(images.length > 0
      ? {
          textures: images.map(({ map }, i) => ({
            name: map.name,
            sampler: 0,
            ...(compact ? { extensions: { EXT_texture_webp: { source: i } } } : { source: i }),
          })),
          images: images.map(({ map, mimeType }, i) => ({ name: map.name, mimeType, bufferView: imageViews[i]! })),
          // Linear, trilinear, clamped: UVs stay inside 0..1, and wrapping would bleed across the border of a tile.
          samplers: [{ magFilter: 9729, minFilter: 9987, wrapS: 33071, wrapT: 33071 }],
        }
      : {}),
    accessors: geometry.accessors,
    bufferViews,
    buffers: [
      { byteLength: byteOffset },
      ...(geometry.unpackedBytes > 0
        ? [{ byteLength: geometry.unpackedBytes, extensions: { EXT_meshopt_compression: { fallback: true } } }]
        : []),
    ],
  };
  return formatGlb(document, binary);
}

function describeMaterial(surface: SurfaceMaterial, textureOf: (map: TextureMap) => number): object {
  return {
    name: surface.name,
    pbrMetallicRoughness: {
      ...(surface.baseColor.some((x) => x !== 1) ? { baseColorFactor: surface.baseColor } : {}),
      ...(surface.albedo === null ? {} : { baseColorTexture: { index: textureOf(surface.albedo) } }),
      metallicFactor: 0,
      roughnessFactor: surface.roughness,
    },
    ...(surface.alphaMode === 'OPAQUE' ? {} : { alphaMode: surface.alphaMode }),
    ...(surface.doubleSided ? { doubleSided: true } : {}),
  };
}

import { glbExtrasSchema } from '@facewright/protocol/outputs';
import { type Accessor, type Document, type Mesh, NodeIO, type Primitive } from '@gltf-transform/core';
import { EXTMeshoptCompression, EXTTextureWebP, KHRMeshQuantization } from '@gltf-transform/extensions';
import { MeshoptDecoder } from 'meshoptimizer/decoder';
import { describe, expect, it } from 'vitest';
import { createSyntheticFace, createSyntheticMaps, createSyntheticModel } from '../../test/synthetic-face.ts';
import { validateGlb } from '../../test/validate-glb.ts';
import type { FittedFace } from '../fit/fitted-face.ts';
import type { FaceModel } from '../models/face-model.ts';
import { computeMorphDelta } from './compute-morph-delta.ts';
import { createGlbEncoder, encodeGlb, type GlbInput } from './create-glb-encoder.ts';
import { COMPACT_STEPS_PER_MM } from './layout-compact-glb.ts';
import { MORPH_THRESHOLD_MM } from './layout-plain-glb.ts';

const VERSION = '1.2.3';
const PHOTO = { width: 800, height: 600 };
const weightsOf = (model: FaceModel) => model.blendshapes.map(({ name }, k) => ({ name, weight: k === 0 ? 0.5 : 0 }));
const inputOf = (face: FittedFace = createSyntheticFace()): GlbInput => ({
  face,
  maps: createSyntheticMaps(),
  blendshapes: weightsOf(face.model),
  photo: PHOTO,
});

/** Reads with glTF-Transform: an implementation of the format that shares no code with ours. */
async function readBack(glb: Uint8Array): Promise<Document> {
  await MeshoptDecoder.ready;
  const io = new NodeIO()
    .registerExtensions([EXTMeshoptCompression, EXTTextureWebP, KHRMeshQuantization])
    .registerDependencies({ 'meshopt.decoder': MeshoptDecoder });
  return io.readBinary(glb);
}

/** The JSON chunk of a GLB. */
function parseJson(glb: Uint8Array): { asset: { generator: string; extras: { facewright: unknown } } } {
  const length = new DataView(glb.buffer, glb.byteOffset).getUint32(12, true);
  return JSON.parse(new TextDecoder().decode(glb.subarray(20, 20 + length)));
}

const elementOf = (accessor: Accessor, index: number): number[] => accessor.getElement(index, []);

/** Every triangle with the model-frame positions (millimetres), UVs and displacement per target of its corners. */
function listTriangles(document: Document) {
  const triangles: {
    node: string;
    material: string;
    corners: { mm: number[]; uv: number[]; moves: Map<string, number[]>; normal: number[] }[];
  }[] = [];
  for (const node of document.getRoot().listNodes()) {
    const mesh = node.getMesh();
    if (mesh === null) continue;
    const names = mesh.getExtras().targetNames as string[] | undefined;
    const [tx, ty, tz] = node.getTranslation();
    const scale = node.getScale()[0]!;
    for (const primitive of mesh.listPrimitives()) {
      const position = primitive.getAttribute('POSITION')!;
      const corner = (v: number) => {
        const [x, y, z] = elementOf(position, v) as [number, number, number];
        const mm = [x * scale + tx, y * scale + ty, z * scale + tz].map((m) => 1000 * m);
        const moves = new Map<string, number[]>();
        primitive.listTargets().forEach((target, k) => {
          moves.set(
            names![k]!,
            elementOf(target.getAttribute('POSITION')!, v).map((d) => 1000 * scale * d),
          );
        });
        return {
          mm,
          uv: elementOf(primitive.getAttribute('TEXCOORD_0')!, v),
          moves,
          normal: elementOf(primitive.getAttribute('NORMAL')!, v),
        };
      };
      const indices = primitive.getIndices()!.getArray()!;
      for (let i = 0; i < indices.length; i += 3) {
        triangles.push({
          node: node.getName(),
          material: primitive.getMaterial()!.getName(),
          corners: [corner(indices[i]!), corner(indices[i + 1]!), corner(indices[i + 2]!)],
        });
      }
    }
  }
  return triangles;
}

/** The same of the model itself, in the model's order. */
function expectedTriangles({ model, neutralPositions }: FittedFace) {
  const maps = createSyntheticMaps();
  const deltas = new Map(model.blendshapes.map(({ name }, b) => [name, computeMorphDelta(model, b).slice()]));
  return model.parts.flatMap((part) =>
    Array.from({ length: part.triangleCount }, (_, i) => {
      const t = part.firstTriangle + i;
      return {
        material: maps.surfaces.find((s) => s.materials.includes(part.material))!.name,
        corners: [0, 1, 2].map((c) => {
          const v = model.triangles[3 * t + c]!;
          const uv = model.triangleUvs[3 * t + c]!;
          return {
            mm: Array.from(neutralPositions.subarray(3 * v, 3 * v + 3)),
            uv: Array.from(model.uvs.subarray(2 * uv, 2 * uv + 2)),
            moves: new Map(Array.from(deltas, ([name, delta]) => [name, Array.from(delta.subarray(3 * v, 3 * v + 3))])),
          };
        }),
      };
    }),
  );
}

const distance = (a: readonly number[], b: readonly number[]): number => Math.hypot(...a.map((x, k) => x - b[k]!));

describe.each([
  { compact: false, positionMm: 2e-5, why: 'float32 of half a metre resolves 3e-8 m; pivots are whole micrometres' },
  { compact: true, positionMm: (Math.sqrt(3) / 2 / COMPACT_STEPS_PER_MM) * 1.01, why: 'half a step of the grid in each coordinate' },
])('a GLB with compact = $compact', ({ compact, positionMm }) => {
  it('passes Khronos’ validator without errors and warnings', async () => {
    const { faults, infos } = await validateGlb(await encodeGlb(inputOf(), { compact, version: VERSION }));
    expect(faults).toEqual([]);
    // The validator does not know this extension; its content is validated unpacked below.
    expect(infos).toEqual(
      compact
        ? ["UNSUPPORTED_EXTENSION Cannot validate an extension as it is not supported by the validator: 'EXT_meshopt_compression'."]
        : [],
    );
  });

  it('holds every triangle of the model once: positions, UVs and morph targets as an independent reader sees them', async () => {
    const face = createSyntheticFace();
    const found = listTriangles(await readBack(await encodeGlb(inputOf(face), { compact, version: VERSION })));
    const expected = expectedTriangles(face);
    expect(found).toHaveLength(expected.length);
    const foundByMaterial = new Map<string, (typeof found)[number][]>();
    for (const triangle of found) foundByMaterial.set(triangle.material, [...(foundByMaterial.get(triangle.material) ?? []), triangle]);
    const taken = new Set<(typeof found)[number]>();
    for (const triangle of expected) {
      let best: { candidate: (typeof found)[number]; turn: number } | undefined;
      for (const candidate of foundByMaterial.get(triangle.material)!) {
        if (taken.has(candidate)) continue;
        // The compressor may begin a triangle at another corner; its direction of turn is kept.
        const turn = [0, 1, 2].find((shift) =>
          triangle.corners.every((corner, c) => {
            const other = candidate.corners[(c + shift) % 3]!;
            // UVs are 16 bit: half a step of 1/65535 in each direction.
            return distance(corner.mm, other.mm) <= positionMm && distance(corner.uv, other.uv) <= 1.1e-5;
          }),
        );
        if (turn !== undefined) {
          best = { candidate, turn };
          break;
        }
      }
      expect(best, `no triangle of ${triangle.material} at ${triangle.corners.map((corner) => corner.mm).join(' / ')}`).toBeDefined();
      const { candidate, turn } = best!;
      taken.add(candidate);
      triangle.corners.forEach((corner, c) => {
        const other = candidate.corners[(c + turn) % 3]!;
        for (const [name, move] of corner.moves) {
          const moved = other.moves.get(name);
          if (moved === undefined) {
            // An eye leaves out the targets that do not move it.
            expect(candidate.node).not.toBe('head');
            expect(Math.hypot(...move)).toBe(0);
          } else if (compact) {
            expect(distance(moved, move)).toBeLessThanOrEqual(positionMm);
          } else if (Math.hypot(...move) > MORPH_THRESHOLD_MM) {
            // float32 of 20 mm.
            expect(distance(moved, move)).toBeLessThanOrEqual(2e-6);
          } else {
            expect(moved).toEqual([0, 0, 0]);
          }
        }
      });
    }
  });

  it('has normals of length 1 that point to the side from which the triangles run counter-clockwise', async () => {
    for (const { corners } of listTriangles(await readBack(await encodeGlb(inputOf(), { compact, version: VERSION })))) {
      const [a, b, c] = corners.map((corner) => corner.mm) as [number[], number[], number[]];
      const u = b.map((x, k) => x - a[k]!);
      const w = c.map((x, k) => x - a[k]!);
      const cross = [u[1]! * w[2]! - u[2]! * w[1]!, u[2]! * w[0]! - u[0]! * w[2]!, u[0]! * w[1]! - u[1]! * w[0]!];
      const mean = [0, 1, 2].map((k) => corners.reduce((sum, corner) => sum + corner.normal[k]!, 0));
      expect(cross.reduce((sum, x, k) => sum + x * mean[k]!, 0)).toBeGreaterThan(0);
      // 8-bit octahedral normals: each of three components off by up to 1/254.
      for (const { normal } of corners) expect(Math.abs(Math.hypot(...normal) - 1)).toBeLessThan(compact ? 0.012 : 1e-6);
    }
  });

  it('gives the head all morph targets in the model’s order at weight 0, an eye those that move it', async () => {
    const root = (await readBack(await encodeGlb(inputOf(), { compact, version: VERSION }))).getRoot();
    const meshes = new Map(root.listMeshes().map((mesh) => [mesh.getName(), mesh]));
    const names = (mesh: Mesh | undefined) => mesh?.getExtras().targetNames;
    expect(names(meshes.get('head'))).toEqual(['jawOpen', 'browInnerUp', 'eyeLookUpLeft', 'tongueOut']);
    expect(meshes.get('head')!.getWeights()).toEqual([0, 0, 0, 0]);
    expect(names(meshes.get('eyeLeft'))).toEqual(['eyeLookUpLeft']);
    expect(names(meshes.get('eyeRight'))).toBeUndefined();
    const targets = (primitive: Primitive) => primitive.listTargets().length;
    expect(meshes.get('head')!.listPrimitives().map(targets)).toEqual([4, 4, 4, 4]);
  });

  it('puts each eye on a node whose origin is the centre of the eyeball, the left one on the person’s left', async () => {
    const face = createSyntheticFace();
    const root = (await readBack(await encodeGlb(inputOf(face), { compact, version: VERSION }))).getRoot();
    const nodes = new Map(root.listNodes().map((node) => [node.getName(), node]));
    expect([...nodes.keys()].sort()).toEqual(['eyeLeft', 'eyeRight', 'face', 'head']);
    // The synthetic eyeball is a sphere about (±32, 0, 0) mm, grown with the person by 1.035; nodes are whole micrometres.
    expect(distance(nodes.get('eyeLeft')!.getTranslation(), [0.03312, 0, 0])).toBeLessThan(1e-6);
    expect(distance(nodes.get('eyeRight')!.getTranslation(), [-0.03312, 0, 0])).toBeLessThan(1e-6);
    expect(nodes.get('head')!.getTranslation()).toEqual([0, 0, 0]);
    expect(nodes.get('face')!.listChildren()).toHaveLength(3);
  });

  it('has a material per surface that the model has, with its picture inside, alpha only where it counts', async () => {
    const root = (await readBack(await encodeGlb(inputOf(), { compact, version: VERSION }))).getRoot();
    const materials = root.listMaterials().map((m) => ({
      name: m.getName(),
      texture: m.getBaseColorTexture()?.getName() ?? null,
      mime: m.getBaseColorTexture()?.getMimeType() ?? null,
      alpha: m.getAlphaMode(),
      doubleSided: m.getDoubleSided(),
      metallic: m.getMetallicFactor(),
      roughness: m.getRoughnessFactor(),
    }));
    const lossy = compact ? 'image/webp' : 'image/jpeg';
    const withAlpha = compact ? 'image/webp' : 'image/png';
    const rest = { alpha: 'OPAQUE', doubleSided: false, metallic: 0, roughness: 0.5 };
    expect(materials).toEqual([
      { ...rest, name: 'skin', texture: 'albedo', mime: lossy },
      { ...rest, name: 'scalp', texture: 'albedo', mime: lossy, roughness: 0.8 },
      { ...rest, name: 'mouth', texture: null, mime: null },
      { ...rest, name: 'eyes', texture: 'eyes', mime: lossy, roughness: 0.1 },
      { ...rest, name: 'iris', texture: null, mime: null },
      { ...rest, name: 'lashes', texture: 'lashes', mime: withAlpha, alpha: 'BLEND', doubleSided: true },
    ]);
    // The picture that two surfaces share is there once.
    expect(root.listTextures().map((t) => t.getName())).toEqual(['albedo', 'eyes', 'lashes']);
  });

  it('tells program, model, licence, camera and expression in extras that match the schema', async () => {
    const { asset } = parseJson(await encodeGlb(inputOf(), { compact, version: VERSION }));
    expect(asset.generator).toBe('facewright 1.2.3');
    const extras = glbExtrasSchema.parse(asset.extras.facewright);
    expect(extras.model).toEqual({
      id: 'synthetic',
      version: '2.1.0',
      licence: { spdx: 'CC0-1.0', source: 'made by a test', notice: 'No rights reserved' },
    });
    expect(extras.camera.intrinsics).toEqual({ focalPx: 1000, centerXPx: 400, centerYPx: 300, source: 'default' });
    expect(extras.expression).toEqual({ jawOpen: 0.5, browInnerUp: 0, eyeLookUpLeft: 0, tongueOut: 0 });
  });

  it('is the same, byte for byte, from a new encoder and from one that made another face between', async () => {
    const input = inputOf();
    const options = { compact, version: VERSION };
    const first = await encodeGlb(input, options);
    const encoder = createGlbEncoder(input.face.model);
    await encoder.encode(
      inputOf({ ...createSyntheticFace(input.face.model), neutralPositions: input.face.model.evaluate([-1], []) }),
      options,
    );
    expect(Buffer.compare(first, await encoder.encode(input, options))).toBe(0);
  });

  it('can leave the morph targets out', async () => {
    const glb = await encodeGlb(inputOf(), { compact, morphTargets: false, version: VERSION });
    expect((await validateGlb(glb)).faults).toEqual([]);
    const root = (await readBack(glb)).getRoot();
    expect(root.listMeshes().flatMap((mesh) => mesh.listPrimitives().map((p) => p.listTargets().length))).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('counts vertices with 32 bits where 16 are too few', async () => {
    const face = createSyntheticFace(createSyntheticModel(30));
    const glb = await encodeGlb(inputOf(face), { compact, version: VERSION });
    expect((await validateGlb(glb)).faults).toEqual([]);
    const skin = (await readBack(glb)).getRoot().listMeshes()[0]!.listPrimitives()[0]!;
    expect(skin.getAttribute('POSITION')!.getCount()).toBeGreaterThan(65535);
    expect(skin.getIndices()!.getComponentType()).toBe(5125);
  });

  it.each([
    ['neutralPositions', Number.NaN],
    ['positions', Number.POSITIVE_INFINITY],
    ['neutralPositions', Number.NEGATIVE_INFINITY],
  ] as const)('refuses a face with %s = %d', async (field, bad) => {
    const face = createSyntheticFace();
    const spoiled = Float32Array.from(face[field]);
    spoiled[100] = bad;
    await expect(encodeGlb(inputOf({ ...face, [field]: spoiled }), { compact, version: VERSION })).rejects.toMatchObject({
      code: 'FW_FIT_FAILED',
    });
  });
});

describe('the compact GLB', () => {
  it('passes the validator when it is unpacked by an independent reader', async () => {
    const document = await readBack(await encodeGlb(inputOf(), { compact: true, version: VERSION }));
    for (const extension of document.getRoot().listExtensionsUsed())
      if (extension.extensionName === 'EXT_meshopt_compression') extension.dispose();
    const unpacked = await new NodeIO().registerExtensions([EXTTextureWebP, KHRMeshQuantization]).writeBinary(document);
    const { faults } = await validateGlb(unpacked);
    expect(faults).toEqual([]);
  });
});

describe('createGlbEncoder', () => {
  it('refuses a face of another model', async () => {
    const encoder = createGlbEncoder(createSyntheticModel());
    await expect(encoder.encode(inputOf(), { version: VERSION })).rejects.toMatchObject({ code: 'FW_ARG_INVALID' });
  });

  it('refuses maps that leave a part without a surface', async () => {
    const input = inputOf();
    const maps = { ...input.maps, surfaces: input.maps.surfaces.filter((surface) => surface.name !== 'iris') };
    await expect(encodeGlb({ ...input, maps }, { version: VERSION })).rejects.toMatchObject({ code: 'FW_INTERNAL' });
  });

  it('refuses a pose that is not finite', async () => {
    const face = createSyntheticFace();
    const input = inputOf({ ...face, pose: { ...face.pose, translation: Float64Array.of(0, Number.NaN, 500) } });
    await expect(encodeGlb(input, { version: VERSION })).rejects.toMatchObject({ code: 'FW_FIT_FAILED' });
  });
});

import { countKernelBytes, type KernelMemory } from '../kernels/kernel-memory.ts';
import type { ModelPart } from '../models/face-model.ts';
import type { SurfaceMaterial } from '../texture/face-maps.ts';
import type { RenderCamera } from './create-view-camera.ts';
import type { RenderLight } from './render-light.ts';
import { LINEAR_FROM_SRGB, SRGB_FROM_LINEAR } from './srgb.ts';

const SURFACE_STRIDE = 8;
const LIGHT_STRIDE = 7;
const ALPHA_MODES = { OPAQUE: 0, MASK: 1, BLEND: 2 } as const;

/** Reflectance of skin, eyes and teeth looked at straight on (dielectrics). */
const F0 = 0.04;

/** What is shaded. */
export interface ShadedScene {
  readonly mesh: {
    readonly triangleUvs: Uint32Array;
    readonly uvs: Float32Array;
    readonly parts: readonly ModelPart[];
  };
  /** Shape (V,3), model frame. */
  readonly normals: Float32Array;
  readonly surfaces: readonly SurfaceMaterial[];
  readonly camera: RenderCamera;
  readonly light: RenderLight;
}

/** Bytes that {@link prepareShading} takes. */
export function countShadingBytes({ mesh, normals, surfaces }: ShadedScene, triangleCount: number): number {
  const textures = surfaces.map(({ albedo }) => albedo?.data ?? null);
  return countKernelBytes([mesh.triangleUvs, mesh.uvs, normals, normals, textures]) + triangleCount + 100 * surfaces.length + 24_000;
}

/**
 * Puts what shading reads into the kernels' memory (kernels/shade.ts).
 *
 * Textures are looked up bilinearly in linear light. Highlights: GGX with the merged visibility and Fresnel term of Karis, "Optimizing
 * PBR for mobile", SIGGRAPH 2015.
 *
 * @param triangles - shape (T,3), in `memory`
 * @returns switches the drawing of triangle edges on (screen positions, shape (V,2), in `memory`) or off (null)
 */
export function prepareShading(
  memory: KernelMemory,
  scene: ShadedScene,
  triangles: Uint32Array,
): (wireScreen: Float32Array | null) => void {
  const { mesh, surfaces, light } = scene;
  const numbers = memory.allocate(Float64Array, SURFACE_STRIDE * surfaces.length);
  const textures = memory.allocate(Int32Array, 4 * surfaces.length);
  for (let k = 0; k < surfaces.length; k++) {
    const { albedo, roughness, baseColor, doubleSided, alphaMode } = surfaces[k]!;
    const a2 = roughness ** 4;
    // Merged visibility and Fresnel term, see below. Lights are given as what a white surface sends back: there is no 1/pi.
    const highlight = (F0 * a2) / (4 * (roughness + 0.5));
    numbers.set([...baseColor, a2, highlight, doubleSided ? 1 : 0, ALPHA_MODES[alphaMode]], SURFACE_STRIDE * k);
    textures.set(
      albedo === null ? [0, 0, 0, 0] : [memory.place(albedo.data).byteOffset, albedo.width, albedo.height, albedo.channels],
      4 * k,
    );
  }
  const triangleSurface = memory.allocate(Uint8Array, triangles.length / 3).fill(255);
  for (const part of mesh.parts) {
    const index = surfaces.findIndex((s) => s.materials.includes(part.material));
    if (index >= 0) triangleSurface.fill(index, part.firstTriangle, part.firstTriangle + part.triangleCount);
  }
  const lights = memory.allocate(Float64Array, LIGHT_STRIDE * light.lights.length);
  for (let k = 0; k < light.lights.length; k++) {
    const { toLight, rgb, highlight } = light.lights[k]!;
    const length = Math.hypot(toLight[0], toLight[1], toLight[2]);
    lights.set(
      [toLight[0] / length, toLight[1] / length, toLight[2] / length, rgb[0], rgb[1], rgb[2], highlight === false ? 0 : 1],
      LIGHT_STRIDE * k,
    );
  }
  const ambient = memory.allocate(Float64Array, 6);
  for (let k = 0; k < 3; k++) {
    ambient[k] = (light.sky[k]! + light.ground[k]!) / 2;
    ambient[3 + k] = (light.sky[k]! - light.ground[k]!) / 2;
  }
  const normals = memory.allocate(Float32Array, scene.normals.length);
  const rotation = memory.place(Float64Array.from(scene.camera.rotation));
  const turned = memory.place(scene.normals);
  memory.kernels.turnVectors(turned.byteOffset, turned.length / 3, rotation.byteOffset, normals.byteOffset);
  const places = [numbers, textures, triangleSurface, triangles, memory.place(mesh.triangleUvs), memory.place(mesh.uvs), normals, lights];
  const [a, b, c, d, e, f, g, h] = places.map((array) => array.byteOffset) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const linear = memory.place(LINEAR_FROM_SRGB).byteOffset;
  const srgb = memory.place(SRGB_FROM_LINEAR).byteOffset;
  const count = light.lights.length;
  return (wireScreen) =>
    memory.kernels.setShading(a, b, c, d, e, f, g, h, count, ambient.byteOffset, wireScreen?.byteOffset ?? 0, linear, srgb);
}

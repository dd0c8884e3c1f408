import type { ModelPart } from '../models/face-model.ts';
import type { SurfaceMaterial } from '../texture/face-maps.ts';
import type { RenderCamera } from './create-view-camera.ts';
import type { RasterBuffers } from './rasterize.ts';
import type { RenderLight } from './render-light.ts';
import { LINEAR_FROM_SRGB } from './srgb.ts';

/** Everything that the shading of a pixel reads, in flat arrays: see {@link prepareShading}. */
export interface Shading {
  /** Shape (S,8): linear RGB and alpha, squared GGX roughness and factor of the highlight, 1 if double-sided, alpha mode. */
  readonly surfaces: Float64Array;
  /** Shape (S): texture bytes, empty where there is none. */
  readonly textures: readonly Uint8Array[];
  /** Shape (S,3): width, height, channels. */
  readonly textureSizes: Int32Array;
  /** Shape (T): index of the surface, 255 = not drawn. */
  readonly triangleSurface: Uint8Array;
  readonly triangles: Uint32Array;
  readonly triangleUvs: Uint32Array;
  readonly uvs: Float32Array;
  /** Shape (V,3), camera frame. */
  readonly normals: Float32Array;
  /** Shape (N,7): unit direction to the light, its linear RGB, 1 if it makes highlights. */
  readonly lights: Float64Array;
  /** Shape (6): mean of sky and ground, then half their difference: ambient = mean + up * difference. */
  readonly ambient: Float64Array;
  /** Shape (V,2), pixels: the triangles' edges are drawn on top; null: they are not. */
  readonly wireScreen: Float32Array | null;
}

const SURFACE_STRIDE = 8;
const LIGHT_STRIDE = 7;
const ALPHA_MODES = { OPAQUE: 0, MASK: 1, BLEND: 2 } as const;

/** Reflectance of skin, eyes and teeth looked at straight on (dielectrics). */
const F0 = 0.04;

/** How far diffuse light reaches past the terminator, as a share of the radius: a hint of the softness of skin. */
const WRAP = 0.15;

/** Width of the drawn triangle edges, px. */
const WIRE_PX = 0.7;

/** Gathers what shading reads. `normals`: shape (V,3), model frame. */
export function prepareShading(scene: {
  readonly mesh: {
    readonly triangles: Uint32Array;
    readonly triangleUvs: Uint32Array;
    readonly uvs: Float32Array;
    readonly parts: readonly ModelPart[];
  };
  readonly normals: Float32Array;
  readonly surfaces: readonly SurfaceMaterial[];
  readonly camera: RenderCamera;
  readonly light: RenderLight;
  readonly wireScreen: Float32Array | null;
}): Shading {
  const { mesh, surfaces, light } = scene;
  const numbers = new Float64Array(SURFACE_STRIDE * surfaces.length);
  const textureSizes = new Int32Array(3 * surfaces.length);
  const textures: Uint8Array[] = [];
  for (let k = 0; k < surfaces.length; k++) {
    const { albedo, roughness, baseColor, doubleSided, alphaMode } = surfaces[k]!;
    const a2 = roughness ** 4;
    // Merged visibility and Fresnel term, see shadePixels. Lights are given as what a white surface sends back: there is no 1/pi.
    const highlight = (F0 * a2) / (4 * (roughness + 0.5));
    numbers.set([...baseColor, a2, highlight, doubleSided ? 1 : 0, ALPHA_MODES[alphaMode]], SURFACE_STRIDE * k);
    textures.push(albedo?.data ?? new Uint8Array(0));
    if (albedo !== null) textureSizes.set([albedo.width, albedo.height, albedo.channels], 3 * k);
  }
  const triangleSurface = new Uint8Array(mesh.triangles.length / 3).fill(255);
  for (const part of mesh.parts) {
    const index = surfaces.findIndex((s) => s.materials.includes(part.material));
    if (index >= 0) triangleSurface.fill(index, part.firstTriangle, part.firstTriangle + part.triangleCount);
  }
  const lights = new Float64Array(LIGHT_STRIDE * light.lights.length);
  for (let k = 0; k < light.lights.length; k++) {
    const { toLight, rgb, highlight } = light.lights[k]!;
    const length = Math.hypot(toLight[0], toLight[1], toLight[2]);
    lights.set(
      [toLight[0] / length, toLight[1] / length, toLight[2] / length, rgb[0], rgb[1], rgb[2], highlight === false ? 0 : 1],
      LIGHT_STRIDE * k,
    );
  }
  const ambient = new Float64Array(6);
  for (let k = 0; k < 3; k++) {
    ambient[k] = (light.sky[k]! + light.ground[k]!) / 2;
    ambient[3 + k] = (light.sky[k]! - light.ground[k]!) / 2;
  }
  return {
    surfaces: numbers,
    textures,
    textureSizes,
    triangleSurface,
    triangles: mesh.triangles,
    triangleUvs: mesh.triangleUvs,
    uvs: mesh.uvs,
    normals: turnToCamera(scene.normals, scene.camera),
    lights,
    ambient,
    wireScreen: scene.wireScreen,
  };
}

function turnToCamera(normals: Float32Array, camera: RenderCamera): Float32Array {
  const [r0, r1, r2, r3, r4, r5, r6, r7, r8] = Array.from(camera.rotation) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const out = new Float32Array(normals.length);
  for (let i = 0; i < normals.length; i += 3) {
    const x = normals[i]!;
    const y = normals[i + 1]!;
    const z = normals[i + 2]!;
    out[i] = r0 * x + r1 * y + r2 * z;
    out[i + 1] = r3 * x + r4 * y + r5 * z;
    out[i + 2] = r6 * x + r7 * y + r8 * z;
  }
  return out;
}

/** Which pixels are shaded, and what they show. */
export interface PixelList {
  readonly layer: RasterBuffers;
  /** Shape (n): number in the mesh of each triangle that was rasterised; null where all were. */
  readonly source: Uint32Array | null;
  readonly camera: RenderCamera;
  /** Numbers of pixels; those that show no triangle get alpha 0. */
  readonly pixels: Int32Array;
}

/**
 * Colours of `list.pixels[from]` to `list.pixels[to - 1]`.
 *
 * One long loop on flat arrays on purpose: it runs for every pixel of every preview.
 *
 * Textures are looked up bilinearly in linear light. Highlights: GGX with the merged visibility and Fresnel term of Karis, "Optimizing
 * PBR for mobile", SIGGRAPH 2015.
 *
 * @param out - shape (to - from, 4), written: linear RGB, not multiplied by the alpha behind it
 */
export function shadePixels(shading: Shading, list: PixelList, from: number, to: number, out: Float32Array): void {
  const { triangleSurface, triangles, triangleUvs, uvs, normals, surfaces, textures, textureSizes, lights, ambient, wireScreen } = shading;
  const { source, camera, pixels } = list;
  const { width, triangle, weight1, weight2 } = list.layer;
  const { centerX, centerY } = camera;
  const inverseFocal = 1 / camera.focalPx;
  const inverseWidth = 1 / width;
  const lightCount = lights.length;
  const ambientR = ambient[0]!;
  const ambientG = ambient[1]!;
  const ambientB = ambient[2]!;
  const upR = ambient[3]!;
  const upG = ambient[4]!;
  const upB = ambient[5]!;

  for (let k = from, o = 0; k < to; k++, o += 4) {
    const p = pixels[k]!;
    const found = triangle[p]!;
    if (found < 0) {
      out[o + 3] = 0;
      continue;
    }
    const t = source === null ? found : source[found]!;
    const corner = 3 * t;
    const s = triangleSurface[t]!;
    const w1 = weight1[p]!;
    const w2 = weight2[p]!;
    const w0 = 1 - w1 - w2;

    const base = SURFACE_STRIDE * s;
    let r = surfaces[base]!;
    let g = surfaces[base + 1]!;
    let b = surfaces[base + 2]!;
    let alpha = surfaces[base + 3]!;
    const textureWidth = textureSizes[3 * s]!;
    if (textureWidth > 0) {
      const texture = textures[s]!;
      const textureHeight = textureSizes[3 * s + 1]!;
      const channels = textureSizes[3 * s + 2]!;
      const u0 = 2 * triangleUvs[corner]!;
      const u1 = 2 * triangleUvs[corner + 1]!;
      const u2 = 2 * triangleUvs[corner + 2]!;
      const u = w0 * uvs[u0]! + w1 * uvs[u1]! + w2 * uvs[u2]!;
      const v = w0 * uvs[u0 + 1]! + w1 * uvs[u1 + 1]! + w2 * uvs[u2 + 1]!;
      const tx = Math.max(0, Math.min(textureWidth - 1, u * textureWidth - 0.5));
      const ty = Math.max(0, Math.min(textureHeight - 1, v * textureHeight - 0.5));
      const x0 = tx | 0;
      const y0 = ty | 0;
      const sx = tx - x0;
      const sy = ty - y0;
      const p00 = (y0 * textureWidth + x0) * channels;
      const p01 = x0 < textureWidth - 1 ? p00 + channels : p00;
      const down = y0 < textureHeight - 1 ? textureWidth * channels : 0;
      const p10 = p00 + down;
      const p11 = p01 + down;
      const k11 = sx * sy;
      const k01 = sx - k11;
      const k10 = sy - k11;
      const k00 = 1 - sx - k10;
      r *=
        k00 * LINEAR_FROM_SRGB[texture[p00]!]! +
        k01 * LINEAR_FROM_SRGB[texture[p01]!]! +
        k10 * LINEAR_FROM_SRGB[texture[p10]!]! +
        k11 * LINEAR_FROM_SRGB[texture[p11]!]!;
      g *=
        k00 * LINEAR_FROM_SRGB[texture[p00 + 1]!]! +
        k01 * LINEAR_FROM_SRGB[texture[p01 + 1]!]! +
        k10 * LINEAR_FROM_SRGB[texture[p10 + 1]!]! +
        k11 * LINEAR_FROM_SRGB[texture[p11 + 1]!]!;
      b *=
        k00 * LINEAR_FROM_SRGB[texture[p00 + 2]!]! +
        k01 * LINEAR_FROM_SRGB[texture[p01 + 2]!]! +
        k10 * LINEAR_FROM_SRGB[texture[p10 + 2]!]! +
        k11 * LINEAR_FROM_SRGB[texture[p11 + 2]!]!;
      if (channels === 4) {
        alpha *= (k00 * texture[p00 + 3]! + k01 * texture[p01 + 3]! + k10 * texture[p10 + 3]! + k11 * texture[p11 + 3]!) / 255;
      }
    }
    const alphaMode = surfaces[base + 7]!;
    if (alphaMode === ALPHA_MODES.OPAQUE) alpha = 1;
    else if (alphaMode === ALPHA_MODES.MASK) alpha = alpha < 0.5 ? 0 : 1;
    out[o + 3] = alpha;
    if (alpha === 0) continue;

    const n0 = 3 * triangles[corner]!;
    const n1 = 3 * triangles[corner + 1]!;
    const n2 = 3 * triangles[corner + 2]!;
    let nx = w0 * normals[n0]! + w1 * normals[n1]! + w2 * normals[n2]!;
    let ny = w0 * normals[n0 + 1]! + w1 * normals[n1 + 1]! + w2 * normals[n2 + 1]!;
    let nz = w0 * normals[n0 + 2]! + w1 * normals[n1 + 2]! + w2 * normals[n2 + 2]!;
    // Half a pixel keeps the product off whole numbers, where it could be rounded to the row above.
    const row = ((p + 0.5) * inverseWidth) | 0;
    const rayX = (p - row * width + 0.5 - centerX) * inverseFocal;
    const rayY = (row + 0.5 - centerY) * inverseFocal;
    let toUnit = 1 / Math.sqrt(nx * nx + ny * ny + nz * nz + 1e-20);
    // The back of a double-sided surface is lit as its front.
    if (surfaces[base + 6] === 1 && nx * rayX + ny * rayY + nz > 0) toUnit = -toUnit;
    nx *= toUnit;
    ny *= toUnit;
    nz *= toUnit;
    const viewZ = -1 / Math.sqrt(rayX * rayX + rayY * rayY + 1);
    const viewX = rayX * viewZ;
    const viewY = rayY * viewZ;

    // y points down: up is -y.
    let diffuseR = ambientR - ny * upR;
    let diffuseG = ambientG - ny * upG;
    let diffuseB = ambientB - ny * upB;
    let shineR = 0;
    let shineG = 0;
    let shineB = 0;
    const a2 = surfaces[base + 4]!;
    const highlight = surfaces[base + 5]!;
    for (let l = 0; l < lightCount; l += LIGHT_STRIDE) {
      const lx = lights[l]!;
      const ly = lights[l + 1]!;
      const lz = lights[l + 2]!;
      const facing = nx * lx + ny * ly + nz * lz;
      if (facing <= -WRAP) continue;
      const lightR = lights[l + 3]!;
      const lightG = lights[l + 4]!;
      const lightB = lights[l + 5]!;
      const wrapped = (facing + WRAP) * (1 / (1 + WRAP));
      diffuseR += lightR * wrapped;
      diffuseG += lightG * wrapped;
      diffuseB += lightB * wrapped;
      if (facing <= 0 || lights[l + 6] === 0) continue;
      const hx = lx + viewX;
      const hy = ly + viewY;
      const hz = lz + viewZ;
      // With h not made unit: n.h^2 = nh^2 / square, l.h^2 = square / 4, and one division for all.
      const square = hx * hx + hy * hy + hz * hz + 1e-20;
      const nh = nx * hx + ny * hy + nz * hz;
      const d = nh * nh * (a2 - 1) + square;
      const shine = (facing * highlight * square * square) / (d * d * Math.max(0.1, square * 0.25));
      shineR += lightR * shine;
      shineG += lightG * shine;
      shineB += lightB * shine;
    }
    r = r * diffuseR + shineR;
    g = g * diffuseG + shineG;
    b = b * diffuseB + shineB;
    if (wireScreen !== null) {
      const ink = inkOfWire(triangles, t, w1, w2, wireScreen);
      r += (0.02 - r) * ink;
      g += (0.02 - g) * ink;
      b += (0.09 - b) * ink;
    }
    out[o] = r;
    out[o + 1] = g;
    out[o + 2] = b;
  }
}

/** How much of a wire covers a point of a triangle, 0..0.65. */
function inkOfWire(triangles: Uint32Array, t: number, weight1: number, weight2: number, screen: Float32Array): number {
  const a = 2 * triangles[3 * t]!;
  const b = 2 * triangles[3 * t + 1]!;
  const c = 2 * triangles[3 * t + 2]!;
  const abx = screen[b]! - screen[a]!;
  const aby = screen[b + 1]! - screen[a + 1]!;
  const acx = screen[c]! - screen[a]!;
  const acy = screen[c + 1]! - screen[a + 1]!;
  const area = Math.abs(abx * acy - acx * aby);
  // Distance to an edge = weight of the corner across from it times the triangle's height over that edge.
  const distance = Math.min(
    ((1 - weight1 - weight2) * area) / Math.hypot(acx - abx, acy - aby),
    (weight1 * area) / Math.hypot(acx, acy),
    (weight2 * area) / Math.hypot(abx, aby),
  );
  return Math.max(0, 1 - distance / WIRE_PX) * 0.65;
}

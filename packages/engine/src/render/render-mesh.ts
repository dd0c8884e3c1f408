import type { ModelPart } from '../models/face-model.ts';
import type { Raster } from '../photo/raster.ts';
import type { SurfaceMaterial } from '../texture/face-maps.ts';
import { computeVertexNormals } from './compute-vertex-normals.ts';
import type { RenderCamera } from './create-view-camera.ts';
import { createRasterBuffers, type RasterBuffers, rasterize } from './rasterize.ts';
import { CLAY_LIGHT, PREVIEW_LIGHT, type RenderLight } from './render-light.ts';
import { encodeSrgb, LINEAR_FROM_SRGB } from './srgb.ts';

/** What is drawn: a face model's mesh with the positions of one face. */
export interface RenderableMesh {
  /** Shape (V,3), millimetres, model frame. */
  readonly positions: Float32Array;
  /** Shape (T,3) */
  readonly triangles: Uint32Array;
  /** Shape (U,2), u right, v down, 0..1. */
  readonly uvs: Float32Array;
  /** Shape (T,3) */
  readonly triangleUvs: Uint32Array;
  readonly parts: readonly ModelPart[];
  /** Shape (V,3), unit. @default {@link computeVertexNormals} */
  readonly normals?: Float32Array;
}

export interface RenderMeshOptions {
  readonly mesh: RenderableMesh;
  /** Colours and textures by part material; parts whose material is in none of them are not drawn. */
  readonly surfaces: readonly SurfaceMaterial[];
  readonly camera: RenderCamera;
  readonly size: { readonly width: number; readonly height: number };
  /** @default PREVIEW_LIGHT, for clay CLAY_LIGHT */
  readonly light?: RenderLight;
  /** sRGB bytes at the top and the bottom edge. @default a quiet grey gradient */
  readonly background?: { readonly top: readonly [number, number, number]; readonly bottom: readonly [number, number, number] };
  /** `clay`: one grey surface, transparent parts left out. `wireframe`: textured with the triangles' edges on top. @default 'textured' */
  readonly style?: 'textured' | 'clay' | 'wireframe';
  /** Smooth outlines: four samples in the pixels that hold one. @default true */
  readonly antialias?: boolean;
  /** Working memory for pictures of the same size, see {@link createRenderBuffers}. */
  readonly buffers?: RenderBuffers;
}

/** Working memory of {@link renderMesh}. */
export interface RenderBuffers {
  readonly opaque: RasterBuffers;
  readonly layer: RasterBuffers;
  /** Shape (height, width, 3), linear. */
  readonly color: Float32Array;
  /** Shape (height, width): 1 where the pixel holds an outline. */
  readonly edge: Uint8Array;
}

/** Working memory for pictures of one size; the same may be used for one picture after the other, not at the same time. */
export function createRenderBuffers(width: number, height: number): RenderBuffers {
  return {
    opaque: createRasterBuffers(width, height),
    layer: createRasterBuffers(width, height),
    color: new Float32Array(3 * width * height),
    edge: new Uint8Array(width * height),
  };
}

/** Offsets from the pixel centre, in pixels: four on a rotated grid, so that near-horizontal and near-vertical edges get five steps. */
const SAMPLES = [
  [-0.125, -0.375],
  [0.375, -0.125],
  [-0.375, 0.125],
  [0.125, 0.375],
] as const;

/** Two neighbours belong to different surfaces when their depths differ by more than this, mm (a pixel of a preview is 0.6 mm wide). */
const OUTLINE_STEP_MM = 6;

/** sRGB bytes of the default background. */
const STUDIO_GREY = { top: [206, 208, 212], bottom: [150, 152, 158] } as const;

/** Clay: linear reflectance and roughness of fired earthenware, light grey. */
const CLAY = { rgba: [0.5, 0.485, 0.465, 1] as const, roughness: 0.6 };

/** Reflectance of skin, eyes and teeth looked at straight on (dielectrics). */
const F0 = 0.04;

/** How far diffuse light reaches past the terminator, as a share of the radius: a hint of the softness of skin. */
const WRAP = 0.15;

/** Width of the drawn triangle edges, px. */
const WIRE_PX = 0.7;

/**
 * A picture of a mesh: perspective, per-pixel normals, textures in linear light, distant lights with a GGX highlight, hemispheric ambient
 * light, transparent surfaces blended over the opaque ones in the order of `surfaces`.
 *
 * Deterministic; no state outside `buffers`.
 */
export function renderMesh(options: RenderMeshOptions): Raster {
  const { mesh, camera, size } = options;
  const { width, height } = size;
  const style = options.style ?? 'textured';
  const buffers = options.buffers ?? createRenderBuffers(width, height);
  const shading = prepareShading(options, style);
  const { screen, depth } = projectToScreen(mesh.positions, camera);

  const backdrop = createBackdrop(height, options.background ?? STUDIO_GREY);
  for (let row = 0, q = 0; row < height; row++) {
    for (const end = q + 3 * width; q < end; q += 3) {
      buffers.color[q] = backdrop[3 * row]!;
      buffers.color[q + 1] = backdrop[3 * row + 1]!;
      buffers.color[q + 2] = backdrop[3 * row + 2]!;
    }
  }
  const isOpaque = (k: number): boolean => options.surfaces[k]!.alphaMode === 'OPAQUE';
  const solid = selectTriangles(shading, isOpaque);
  const cullBack = !options.surfaces.some((surface, k) => isOpaque(k) && surface.doubleSided);
  rasterize({ screen, depth, triangles: solid.triangles, perspective: true, cullBack }, buffers.opaque);
  const picture: Picture = { color: buffers.color, edge: null, camera, wireScreen: style === 'wireframe' ? screen : null };
  if (options.antialias ?? true) {
    findOutlines(buffers.opaque, buffers.edge);
    shadeLayer(buffers.opaque, solid, shading, { ...picture, edge: buffers.edge }, 'inside');
    smoothOutlines(solid, shading, { screen, depth, cullBack }, backdrop, picture, buffers);
  } else {
    shadeLayer(buffers.opaque, solid, shading, picture, 'blend');
  }
  for (let k = 0; k < options.surfaces.length && style !== 'clay'; k++) {
    if (isOpaque(k)) continue;
    const selection = selectTriangles(shading, (other) => other === k);
    const { layer } = buffers;
    layer.depth.set(buffers.opaque.depth);
    layer.triangle.fill(-1);
    const layerCullBack = !options.surfaces[k]!.doubleSided;
    rasterize({ screen, depth, triangles: selection.triangles, perspective: true, cullBack: layerCullBack, clear: false }, layer);
    shadeLayer(layer, selection, shading, { ...picture, wireScreen: null }, 'blend');
  }
  return { width, height, rgb: encodePicture(buffers.color) };
}

/** Where shading writes, and how it looks at the scene. */
interface Picture {
  /** Shape (height, width, 3), linear. */
  readonly color: Float32Array;
  /** Shape (height, width): 1 in outline pixels. */
  readonly edge: Uint8Array | null;
  readonly camera: RenderCamera;
  /** Shape (V,2): draws the triangles' edges on top. */
  readonly wireScreen: Float32Array | null;
}

/** Numbers per surface in `Shading.surfaces`: linear RGB, alpha, a^2 and factor of the highlight, double-sided, alpha mode. */
const SURFACE_STRIDE = 8;
const ALPHA_MODES = { OPAQUE: 0, MASK: 1, BLEND: 2 } as const;

/** Everything that the shading of a pixel reads, in flat arrays. */
interface Shading {
  /** Shape (S,8), see SURFACE_STRIDE. */
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
  /** Shape (N,6): unit direction to the light, then its linear RGB. */
  readonly lights: Float64Array;
  /** Shape (6): mean of sky and ground, then half their difference: ambient = mean + up * difference. */
  readonly ambient: Float64Array;
}

/** A subset of the mesh's triangles, and where each comes from. */
interface Selection {
  readonly triangles: Uint32Array;
  /** Shape (n): number in the mesh; null where the subset is the mesh. */
  readonly source: Uint32Array | null;
}

function prepareShading(options: RenderMeshOptions, style: 'textured' | 'clay' | 'wireframe'): Shading {
  const { mesh, camera } = options;
  const isClay = style === 'clay';
  const surfaces = new Float64Array(SURFACE_STRIDE * options.surfaces.length);
  const textureSizes = new Int32Array(3 * options.surfaces.length);
  const textures: Uint8Array[] = [];
  for (let k = 0; k < options.surfaces.length; k++) {
    const surface = options.surfaces[k]!;
    const roughness = isClay ? CLAY.roughness : surface.roughness;
    const a2 = roughness ** 4;
    const rgba = isClay ? CLAY.rgba : surface.baseColor;
    // Karis' merged visibility and Fresnel; lights are given as what a white surface sends back, so that there is no 1/pi.
    const highlight = (F0 * a2) / (4 * (roughness + 0.5));
    surfaces.set([...rgba, a2, highlight, surface.doubleSided ? 1 : 0, ALPHA_MODES[surface.alphaMode]], SURFACE_STRIDE * k);
    const albedo = isClay ? null : surface.albedo;
    textures.push(albedo?.data ?? new Uint8Array(0));
    if (albedo !== null) textureSizes.set([albedo.width, albedo.height, albedo.channels], 3 * k);
  }
  const triangleSurface = new Uint8Array(mesh.triangles.length / 3).fill(255);
  for (const part of mesh.parts) {
    const index = options.surfaces.findIndex((s) => s.materials.includes(part.material));
    if (index >= 0) triangleSurface.fill(index, part.firstTriangle, part.firstTriangle + part.triangleCount);
  }

  const modelNormals = mesh.normals ?? computeVertexNormals(mesh.positions, mesh.triangles);
  const normals = new Float32Array(modelNormals.length);
  const r = Float64Array.from(camera.rotation);
  for (let i = 0; i < normals.length; i += 3) {
    const x = modelNormals[i]!;
    const y = modelNormals[i + 1]!;
    const z = modelNormals[i + 2]!;
    normals[i] = r[0]! * x + r[1]! * y + r[2]! * z;
    normals[i + 1] = r[3]! * x + r[4]! * y + r[5]! * z;
    normals[i + 2] = r[6]! * x + r[7]! * y + r[8]! * z;
  }

  const light = options.light ?? (isClay ? CLAY_LIGHT : PREVIEW_LIGHT);
  const lights = new Float64Array(6 * light.lights.length);
  for (let k = 0; k < light.lights.length; k++) {
    const { toLight, rgb } = light.lights[k]!;
    const length = Math.hypot(toLight[0], toLight[1], toLight[2]);
    lights.set([toLight[0] / length, toLight[1] / length, toLight[2] / length, rgb[0], rgb[1], rgb[2]], 6 * k);
  }
  const ambient = new Float64Array(6);
  for (let k = 0; k < 3; k++) {
    ambient[k] = (light.sky[k]! + light.ground[k]!) / 2;
    ambient[3 + k] = (light.sky[k]! - light.ground[k]!) / 2;
  }
  return {
    surfaces,
    textures,
    textureSizes,
    triangleSurface,
    triangles: mesh.triangles,
    triangleUvs: mesh.triangleUvs,
    uvs: mesh.uvs,
    normals,
    lights,
    ambient,
  };
}

function projectToScreen(positions: Float32Array, camera: RenderCamera): { screen: Float32Array; depth: Float32Array } {
  const count = positions.length / 3;
  const screen = new Float32Array(2 * count);
  const depth = new Float32Array(count);
  const r = Float64Array.from(camera.rotation);
  const t = Float64Array.from(camera.translation);
  for (let i = 0; i < count; i++) {
    const x = positions[3 * i]!;
    const y = positions[3 * i + 1]!;
    const z = positions[3 * i + 2]!;
    const cz = r[6]! * x + r[7]! * y + r[8]! * z + t[2]!;
    const scale = camera.focalPx / cz;
    screen[2 * i] = (r[0]! * x + r[1]! * y + r[2]! * z + t[0]!) * scale + camera.centerX;
    screen[2 * i + 1] = (r[3]! * x + r[4]! * y + r[5]! * z + t[1]!) * scale + camera.centerY;
    depth[i] = cz;
  }
  return { screen, depth };
}

function selectTriangles(shading: Shading, wanted: (surface: number) => boolean): Selection {
  const { triangleSurface, triangles, surfaces } = shading;
  const isWanted = Array.from({ length: surfaces.length / SURFACE_STRIDE }, (_, k) => wanted(k));
  const source = new Uint32Array(triangleSurface.length);
  let count = 0;
  for (let t = 0; t < triangleSurface.length; t++) {
    const s = triangleSurface[t]!;
    if (s !== 255 && isWanted[s]) source[count++] = t;
  }
  if (count === triangleSurface.length) return { triangles, source: null };
  const selected = new Uint32Array(3 * count);
  for (let k = 0; k < count; k++) {
    const t = 3 * source[k]!;
    selected[3 * k] = triangles[t]!;
    selected[3 * k + 1] = triangles[t + 1]!;
    selected[3 * k + 2] = triangles[t + 2]!;
  }
  return { triangles: selected, source: source.subarray(0, count) };
}

/** Linear colour of the background in each row, shape (height, 3); blended in sRGB, where the gradient looks even. */
function createBackdrop(height: number, { top, bottom }: NonNullable<RenderMeshOptions['background']>): Float32Array {
  const backdrop = new Float32Array(3 * height);
  for (let i = 0; i < backdrop.length; i++) {
    const k = i % 3;
    backdrop[i] = decodeSrgb(top[k]! + ((bottom[k]! - top[k]!) * (Math.floor(i / 3) + 0.5)) / height);
  }
  return backdrop;
}

/** Linear value of an sRGB value 0..255 that need not be whole. */
function decodeSrgb(byte: number): number {
  const low = Math.min(254, Math.max(0, Math.floor(byte)));
  return LINEAR_FROM_SRGB[low]! + (LINEAR_FROM_SRGB[low + 1]! - LINEAR_FROM_SRGB[low]!) * (byte - low);
}

/** Marks the pixels on both sides of a step in depth. */
function findOutlines({ width, height, depth }: RasterBuffers, edge: Uint8Array): void {
  edge.fill(0);
  for (let row = 0, p = 0; row < height; row++) {
    for (let column = 0; column < width; column++, p++) {
      const z = depth[p]!;
      // Infinity - Infinity is NaN, which is no step.
      if (column + 1 < width && Math.abs(z - depth[p + 1]!) > OUTLINE_STEP_MM) edge[p] = edge[p + 1] = 1;
      if (row + 1 < height && Math.abs(z - depth[p + width]!) > OUTLINE_STEP_MM) edge[p] = edge[p + width] = 1;
    }
  }
}

/**
 * Draws the outline pixels with four samples each: only the triangles that can touch such a pixel are rasterised, once per sample with
 * the picture shifted.
 */
function smoothOutlines(
  selection: Selection,
  shading: Shading,
  mesh: { readonly screen: Float32Array; readonly depth: Float32Array; readonly cullBack: boolean },
  backdrop: Float32Array,
  picture: Picture,
  buffers: RenderBuffers,
): void {
  const { edge, color, layer } = buffers;
  const { width, height } = layer;
  const near = selectNearOutlines(selection, mesh.screen, edge, width, height);
  for (let p = 0; p < edge.length; p++) if (edge[p] === 1) color.fill(0, 3 * p, 3 * p + 3);

  const shifted = new Float32Array(mesh.screen.length);
  for (const [dx, dy] of SAMPLES) {
    for (let i = 0; i < shifted.length; i += 2) {
      shifted[i] = mesh.screen[i]! - dx;
      shifted[i + 1] = mesh.screen[i + 1]! - dy;
    }
    rasterize({ screen: shifted, depth: mesh.depth, triangles: near.triangles, perspective: true, cullBack: mesh.cullBack }, layer);
    const camera = { ...picture.camera, centerX: picture.camera.centerX - dx, centerY: picture.camera.centerY - dy };
    shadeLayer(layer, near, shading, { ...picture, camera, edge }, 'outline');
    for (let p = 0; p < edge.length; p++) {
      if (edge[p] === 0 || layer.triangle[p]! >= 0) continue;
      const row = 3 * Math.floor(p / width);
      for (let k = 0; k < 3; k++) color[3 * p + k] += backdrop[row + k]! / SAMPLES.length;
    }
  }
}

/** The triangles whose bounding box holds an outline pixel. */
function selectNearOutlines(selection: Selection, screen: Float32Array, edge: Uint8Array, width: number, height: number): Selection {
  const { triangles } = selection;
  // Outline pixels left of and above each corner (a summed-area table): one look-up per bounding box.
  const stride = width + 1;
  const sums = new Int32Array(stride * (height + 1));
  for (let row = 0; row < height; row++) {
    let inRow = 0;
    for (let column = 0; column < width; column++) {
      inRow += edge[row * width + column]!;
      sums[(row + 1) * stride + column + 1] = sums[row * stride + column + 1]! + inRow;
    }
  }
  const found = new Uint32Array(triangles.length / 3);
  let count = 0;
  for (let t = 0; t < found.length; t++) {
    const a = 2 * triangles[3 * t]!;
    const b = 2 * triangles[3 * t + 1]!;
    const c = 2 * triangles[3 * t + 2]!;
    // A sample lies up to 0.375 px off its pixel's centre: a pixel can be touched when its square is.
    const column0 = Math.max(0, Math.floor(Math.min(screen[a]!, screen[b]!, screen[c]!)));
    const column1 = Math.min(width, Math.floor(Math.max(screen[a]!, screen[b]!, screen[c]!)) + 1);
    const row0 = Math.max(0, Math.floor(Math.min(screen[a + 1]!, screen[b + 1]!, screen[c + 1]!)));
    const row1 = Math.min(height, Math.floor(Math.max(screen[a + 1]!, screen[b + 1]!, screen[c + 1]!)) + 1);
    if (!(column0 < column1 && row0 < row1)) continue;
    const inside =
      sums[row1 * stride + column1]! - sums[row0 * stride + column1]! - sums[row1 * stride + column0]! + sums[row0 * stride + column0]!;
    if (inside > 0) found[count++] = t;
  }
  const near = new Uint32Array(3 * count);
  const source = new Uint32Array(count);
  for (let k = 0; k < count; k++) {
    const t = found[k]!;
    source[k] = selection.source === null ? t : selection.source[t]!;
    near[3 * k] = triangles[3 * t]!;
    near[3 * k + 1] = triangles[3 * t + 1]!;
    near[3 * k + 2] = triangles[3 * t + 2]!;
  }
  return { triangles: near, source };
}

/**
 * Shades what `layer` sees and writes it to the picture: `inside` = pixels without an outline; `outline` = the share of one sample
 * is added to the pixels with one; `blend` = every pixel, laid over what is there by its alpha.
 *
 * One long loop on flat arrays on purpose: it runs for every pixel of every preview.
 *
 * Highlight: GGX with the merged visibility and Fresnel term of Karis, "Optimizing PBR for mobile", SIGGRAPH 2015.
 */
function shadeLayer(
  layer: RasterBuffers,
  selection: Selection,
  shading: Shading,
  picture: Picture,
  mode: 'inside' | 'outline' | 'blend',
): void {
  const { width, height, triangle, weight1, weight2 } = layer;
  const { source } = selection;
  const { triangleSurface, triangles, triangleUvs, uvs, normals, surfaces, textures, textureSizes, lights, ambient } = shading;
  const { color, edge, camera, wireScreen } = picture;
  const { centerX, centerY } = camera;
  const inverseFocal = 1 / camera.focalPx;
  const share = 1 / SAMPLES.length;
  const skipWhere = mode === 'inside' ? 1 : 0;
  const ambientR = ambient[0]!,
    ambientG = ambient[1]!,
    ambientB = ambient[2]!;
  const upR = ambient[3]!,
    upG = ambient[4]!,
    upB = ambient[5]!;

  for (let row = 0, p = 0; row < height; row++) {
    const rayY = (row + 0.5 - centerY) * inverseFocal;
    for (let column = 0; column < width; column++, p++) {
      const found = triangle[p]!;
      if (found < 0 || (edge !== null && edge[p] === skipWhere)) continue;
      const t = source === null ? found : source[found]!;
      const s = triangleSurface[t]!;
      const w1 = weight1[p]!;
      const w2 = weight2[p]!;
      const w0 = 1 - w1 - w2;
      const corner = 3 * t;

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
      if (alpha === 0) continue;

      const n0 = 3 * triangles[corner]!;
      const n1 = 3 * triangles[corner + 1]!;
      const n2 = 3 * triangles[corner + 2]!;
      let nx = w0 * normals[n0]! + w1 * normals[n1]! + w2 * normals[n2]!;
      let ny = w0 * normals[n0 + 1]! + w1 * normals[n1 + 1]! + w2 * normals[n2 + 1]!;
      let nz = w0 * normals[n0 + 2]! + w1 * normals[n1 + 2]! + w2 * normals[n2 + 2]!;
      const rayX = (column + 0.5 - centerX) * inverseFocal;
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
      for (let k = 0; k < lights.length; k += 6) {
        const lx = lights[k]!;
        const ly = lights[k + 1]!;
        const lz = lights[k + 2]!;
        const facing = nx * lx + ny * ly + nz * lz;
        if (facing <= -WRAP) continue;
        const lightR = lights[k + 3]!;
        const lightG = lights[k + 4]!;
        const lightB = lights[k + 5]!;
        const wrapped = (facing + WRAP) * (1 / (1 + WRAP));
        diffuseR += lightR * wrapped;
        diffuseG += lightG * wrapped;
        diffuseB += lightB * wrapped;
        if (facing <= 0) continue;
        const hx = lx + viewX;
        const hy = ly + viewY;
        const hz = lz + viewZ;
        // Squares of n.h and l.h: the half vector need not be normalised by a root. |h|^2 = 2 + 2 l.v, and l.h^2 = |h|^2 / 4.
        const square = hx * hx + hy * hy + hz * hz + 1e-20;
        const nh = nx * hx + ny * hy + nz * hz;
        const d = ((nh * nh) / square) * (a2 - 1) + 1;
        const shine = (facing * highlight) / (d * d * Math.max(0.1, square * 0.25));
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
      const q = 3 * p;
      if (mode === 'outline') {
        // Clipped before the mean, as the eye would see a bright edge from far.
        color[q] += Math.min(1, r) * share;
        color[q + 1] += Math.min(1, g) * share;
        color[q + 2] += Math.min(1, b) * share;
      } else if (alpha === 1) {
        color[q] = r;
        color[q + 1] = g;
        color[q + 2] = b;
      } else {
        color[q] += (r - color[q]!) * alpha;
        color[q + 1] += (g - color[q + 1]!) * alpha;
        color[q + 2] += (b - color[q + 2]!) * alpha;
      }
    }
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

function encodePicture(color: Float32Array): Uint8Array {
  const rgb = new Uint8Array(color.length);
  for (let i = 0; i < rgb.length; i++) rgb[i] = encodeSrgb(color[i]!);
  return rgb;
}

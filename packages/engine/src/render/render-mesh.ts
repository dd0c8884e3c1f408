import type { ModelPart } from '../models/face-model.ts';
import type { Raster } from '../photo/raster.ts';
import type { SurfaceMaterial } from '../texture/face-maps.ts';
import { computeVertexNormals } from './compute-vertex-normals.ts';
import type { RenderCamera } from './create-view-camera.ts';
import { createRasterBuffers, type RasterBuffers, rasterize } from './rasterize.ts';
import { createTextureCache, reduceTexture, type TextureCache } from './reduce-texture.ts';
import { CLAY_LIGHT, PREVIEW_LIGHT, type RenderLight } from './render-light.ts';
import { selectNearPixels } from './select-triangles.ts';
import { type PixelList, prepareShading, type Shading, shadePixels } from './shade-pixels.ts';
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
  /** Several views of one face may share it: textures are reduced to what a view can show. @default none */
  readonly textureCache?: TextureCache;
  /** Working memory for pictures of the same size, see {@link createRenderBuffers}. */
  readonly buffers?: RenderBuffers;
}

/** Working memory of {@link renderMesh}. */
export interface RenderBuffers {
  readonly opaque: RasterBuffers;
  readonly layer: RasterBuffers;
  /** Shape (height, width): 1 where the pixel holds an outline. */
  readonly edge: Uint8Array;
  /** Shape (height * width): numbers of the pixels that are being shaded. */
  readonly pixels: Int32Array;
}

/**
 * Working memory for pictures of one size; the same may be used for one picture after the other, not at the same time.
 *
 * @param larger - memory of a picture with at least as many pixels, which is used instead of new memory
 */
export function createRenderBuffers(width: number, height: number, larger?: RenderBuffers): RenderBuffers {
  const n = width * height;
  if (larger === undefined) {
    return {
      opaque: createRasterBuffers(width, height),
      layer: createRasterBuffers(width, height),
      edge: new Uint8Array(n),
      pixels: new Int32Array(n),
    };
  }
  const cut = ({ triangle, depth, weight1, weight2 }: RasterBuffers): RasterBuffers => ({
    width,
    height,
    triangle: triangle.subarray(0, n),
    depth: depth.subarray(0, n),
    weight1: weight1.subarray(0, n),
    weight2: weight2.subarray(0, n),
  });
  return { opaque: cut(larger.opaque), layer: cut(larger.layer), edge: larger.edge.subarray(0, n), pixels: larger.pixels.subarray(0, n) };
}

/** Offsets from the pixel centre, in pixels: four on a rotated grid, so that near-horizontal and near-vertical edges get five steps. */
const SAMPLES = [
  [-0.125, -0.375],
  [0.375, -0.125],
  [-0.375, 0.125],
  [0.125, 0.375],
] as const;

const CENTRE = [[0, 0]] as const;

/** Two neighbours belong to different surfaces when their depths differ by more than this, mm (a pixel of a preview is 0.6 mm wide). */
const OUTLINE_STEP_MM = 6;

/** sRGB bytes of the default background. */
const STUDIO_GREY = { top: [206, 208, 212], bottom: [150, 152, 158] } as const;

/** Clay: linear reflectance and roughness of fired earthenware, light grey. */
const CLAY = { baseColor: [0.5, 0.485, 0.465, 1], roughness: 0.6, albedo: null } as const;

/** Pixels that are shaded in one go: their colours stay in the cache until they are written to the picture. */
const CHUNK = 2048;

/**
 * A picture of a mesh: perspective, per-pixel normals, textures in linear light, distant lights with a GGX highlight, hemispheric ambient
 * light, transparent surfaces blended over the opaque ones in the order of `surfaces`.
 *
 * Deterministic; no state outside `buffers`.
 */
export function renderMesh(options: RenderMeshOptions): Raster {
  const { mesh, camera } = options;
  const { width, height } = options.size;
  const style = options.style ?? 'textured';
  const isClay = style === 'clay';
  const buffers = options.buffers ?? createRenderBuffers(width, height);
  const { screen, depth } = projectToScreen(mesh.positions, camera);
  const surfaces = isClay
    ? options.surfaces.filter(isOpaque).map((surface) => ({ ...surface, ...CLAY }))
    : reduceTextures(mesh, options.surfaces, screen, options.textureCache ?? createTextureCache());
  const shading = prepareShading({
    mesh,
    normals: mesh.normals ?? computeVertexNormals(mesh.positions, mesh.triangles),
    surfaces,
    camera,
    light: options.light ?? (isClay ? CLAY_LIGHT : PREVIEW_LIGHT),
    wireScreen: style === 'wireframe' ? screen : null,
  });
  const backdrop = createBackdrop(height, options.background ?? STUDIO_GREY);
  const rgb = paintBackdrop(backdrop, width);
  const projected: ScreenMesh = { screen, depth, triangles: mesh.triangles };
  const runs = listRuns(mesh.parts, surfaces);

  const { opaque, edge } = buffers;
  opaque.triangle.fill(-1);
  opaque.depth.fill(Number.POSITIVE_INFINITY);
  const solid = runs.filter(({ surface }) => isOpaque(surface));
  for (const run of solid) drawRun(run, projected, 0, 0, opaque);
  edge.fill(0);
  const antialias = options.antialias ?? true;
  if (antialias) markOutlines(opaque, edge);
  paint(rgb, shading, { layer: opaque, source: null, camera, pixels: listInside(opaque, edge, buffers.pixels) });
  if (antialias) paintOutlines(rgb, shading, solid, projected, camera, backdrop, buffers);

  const sheetShading = { ...shading, wireScreen: null };
  for (const surface of surfaces) {
    if (isOpaque(surface)) continue;
    const sheet = runs.filter((run) => run.surface === surface);
    paintSheet(rgb, sheetShading, sheet, projected, camera, antialias ? SAMPLES : CENTRE, buffers);
  }
  return { width, height, rgb };
}

/** A run of triangles with one surface. */
export interface SurfaceRun {
  readonly surface: SurfaceMaterial;
  readonly firstTriangle: number;
  readonly triangleCount: number;
}

/** A mesh as the rasteriser takes it. */
interface ScreenMesh {
  /** Shape (V,2), pixels. */
  readonly screen: Float32Array;
  /** Shape (V), millimetres. */
  readonly depth: Float32Array;
  /** Shape (T,3) */
  readonly triangles: Uint32Array;
}

/** The parts that have a surface, neighbours of one surface together. */
function listRuns(parts: readonly ModelPart[], surfaces: readonly SurfaceMaterial[]): SurfaceRun[] {
  const runs: SurfaceRun[] = [];
  for (const { material, firstTriangle, triangleCount } of parts) {
    const surface = surfaces.find((s) => s.materials.includes(material));
    if (surface === undefined) continue;
    const last = runs.at(-1);
    if (last?.surface === surface && last.firstTriangle + last.triangleCount === firstTriangle) {
      runs[runs.length - 1] = { ...last, triangleCount: last.triangleCount + triangleCount };
    } else {
      runs.push({ surface, firstTriangle, triangleCount });
    }
  }
  return runs;
}

/** Rasterises a run on top of what is there. */
function drawRun(
  { surface, firstTriangle, triangleCount }: SurfaceRun,
  mesh: ScreenMesh,
  shiftX: number,
  shiftY: number,
  out: RasterBuffers,
) {
  const { screen, depth, triangles } = mesh;
  const cullBack = !surface.doubleSided;
  rasterize({ screen, depth, triangles, firstTriangle, triangleCount, perspective: true, cullBack, clear: false, shiftX, shiftY }, out);
}

/** One triangle in so many is measured to find the scale of a texture. */
const SCALE_STEP = 7;

/** Texels per pixel up to which bilinear look-ups do not skip any that matter. */
const MAX_TEXELS_PER_PIXEL = 1.4;

/** The surfaces with textures as fine as the view can show: finer ones would sparkle. */
function reduceTextures(
  mesh: RenderableMesh,
  surfaces: readonly SurfaceMaterial[],
  screen: Float32Array,
  cache: TextureCache,
): readonly SurfaceMaterial[] {
  return surfaces.map((surface) => {
    const { albedo } = surface;
    if (albedo === null) return surface;
    let onScreen = 0;
    let onTexture = 0;
    for (const part of mesh.parts) {
      if (!surface.materials.includes(part.material)) continue;
      for (let t = part.firstTriangle; t < part.firstTriangle + part.triangleCount; t += SCALE_STEP) {
        const area = doubleArea(screen, mesh.triangles, t);
        // Triangles that show their front; y points down.
        if (!(area < 0) && !surface.doubleSided) continue;
        onScreen += Math.abs(area);
        onTexture += Math.abs(doubleArea(mesh.uvs, mesh.triangleUvs, t));
      }
    }
    if (!(onScreen > 0)) return surface;
    const texelsPerPixel = Math.sqrt((onTexture * albedo.width * albedo.height) / onScreen);
    const level = Math.min(
      Math.ceil(Math.log2(texelsPerPixel / MAX_TEXELS_PER_PIXEL)),
      Math.floor(Math.log2(Math.min(albedo.width, albedo.height))),
    );
    return level > 0 ? { ...surface, albedo: reduceTexture(albedo, level, cache) } : surface;
  });
}

function doubleArea(points: Float32Array, triangles: Uint32Array, t: number): number {
  const a = 2 * triangles[3 * t]!;
  const b = 2 * triangles[3 * t + 1]!;
  const c = 2 * triangles[3 * t + 2]!;
  return (points[b]! - points[a]!) * (points[c + 1]! - points[a + 1]!) - (points[c]! - points[a]!) * (points[b + 1]! - points[a + 1]!);
}

function isOpaque(surface: SurfaceMaterial): boolean {
  return surface.alphaMode === 'OPAQUE';
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

/** Colour of the background in each row, shape (height, 3), sRGB 0..255: blended there, as a gradient looks even so. */
function createBackdrop(height: number, { top, bottom }: NonNullable<RenderMeshOptions['background']>): Float32Array {
  const backdrop = new Float32Array(3 * height);
  for (let i = 0; i < backdrop.length; i++) {
    const k = i % 3;
    backdrop[i] = top[k]! + ((bottom[k]! - top[k]!) * (Math.floor(i / 3) + 0.5)) / height;
  }
  return backdrop;
}

function paintBackdrop(backdrop: Float32Array, width: number): Uint8Array {
  const rgb = new Uint8Array(backdrop.length * width);
  for (let row = 0; row < backdrop.length / 3; row++) {
    const start = 3 * row * width;
    for (let k = 0; k < 3; k++) rgb[start + k] = Math.round(backdrop[3 * row + k]!);
    // Doubling copies: a row is filled in ten moves.
    for (let filled = 3; filled < 3 * width; filled *= 2) {
      rgb.copyWithin(start + filled, start, start + Math.min(filled, 3 * width - filled));
    }
  }
  return rgb;
}

/** The covered pixels that hold no outline, ascending; written to `pixels`. */
function listInside({ triangle }: RasterBuffers, edge: Uint8Array, pixels: Int32Array): Int32Array {
  let count = 0;
  for (let p = 0; p < triangle.length; p++) {
    if (triangle[p]! >= 0 && edge[p] === 0) pixels[count++] = p;
  }
  return pixels.subarray(0, count);
}

/** The marked pixels, ascending; written to `pixels`. */
function listMarked(edge: Uint8Array, pixels: Int32Array): Int32Array {
  let count = 0;
  for (let p = 0; p < edge.length; p++) {
    if (edge[p] !== 0) pixels[count++] = p;
  }
  return pixels.subarray(0, count);
}

/** The covered pixels of a range, ascending; written to `pixels`. */
function listCovered({ triangle }: RasterBuffers, from: number, to: number, pixels: Int32Array): Int32Array {
  let count = 0;
  for (let p = from; p < to; p++) {
    if (triangle[p]! >= 0) pixels[count++] = p;
  }
  return pixels.subarray(0, count);
}

/** First pixel of the first row and end of the last row that runs of triangles may touch. */
function findPixelRange(runs: readonly SurfaceRun[], { screen, triangles }: ScreenMesh, width: number, height: number): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { firstTriangle, triangleCount } of runs) {
    for (let c = 3 * firstTriangle; c < 3 * (firstTriangle + triangleCount); c++) {
      const y = screen[2 * triangles[c]! + 1]!;
      if (y < low) low = y;
      if (y > high) high = y;
    }
  }
  const first = Math.max(0, Math.min(height, Math.floor(low)));
  const end = Math.max(first, Math.min(height, Math.floor(high) + 1));
  return [first * width, end * width];
}

/** Shades opaque pixels into the picture. */
function paint(rgb: Uint8Array, shading: Shading, list: PixelList): void {
  const { pixels } = list;
  const colors = new Float32Array(4 * CHUNK);
  for (let from = 0; from < pixels.length; from += CHUNK) {
    const to = Math.min(pixels.length, from + CHUNK);
    shadePixels(shading, list, from, to, colors);
    for (let k = from, o = 0; k < to; k++, o += 4) {
      const q = 3 * pixels[k]!;
      rgb[q] = encodeSrgb(colors[o]!);
      rgb[q + 1] = encodeSrgb(colors[o + 1]!);
      rgb[q + 2] = encodeSrgb(colors[o + 2]!);
    }
  }
}

/**
 * Lays a transparent sheet over the picture, where it is not hidden. Lashes and the rims of the eyes are thinner than a pixel:
 * their alpha is the mean over the samples, each against the depth at the pixel's centre.
 */
function paintSheet(
  rgb: Uint8Array,
  shading: Shading,
  sheet: readonly SurfaceRun[],
  mesh: ScreenMesh,
  camera: RenderCamera,
  samples: readonly (readonly [number, number])[],
  { opaque, layer, pixels: scratch }: RenderBuffers,
): void {
  const [from, to] = findPixelRange(sheet, mesh, layer.width, layer.height);
  if (from === to) return;
  // Shape (pixels of the range, 4): colour times alpha, alpha.
  const sum = new Float32Array(4 * (to - from));
  const colors = new Float32Array(4 * CHUNK);
  for (const [dx, dy] of samples) {
    layer.triangle.fill(-1, from, to);
    layer.depth.set(opaque.depth.subarray(from, to), from);
    for (const run of sheet) drawRun(run, mesh, dx, dy, layer);
    const pixels = listCovered(layer, from, to, scratch);
    const list = { layer, source: null, camera: shiftCamera(camera, dx, dy), pixels };
    for (let first = 0; first < pixels.length; first += CHUNK) {
      const end = Math.min(pixels.length, first + CHUNK);
      shadePixels(shading, list, first, end, colors);
      for (let k = first, o = 0; k < end; k++, o += 4) {
        const q = 4 * (pixels[k]! - from);
        const alpha = colors[o + 3]!;
        if (alpha === 0) continue;
        sum[q] += colors[o]! * alpha;
        sum[q + 1] += colors[o + 1]! * alpha;
        sum[q + 2] += colors[o + 2]! * alpha;
        sum[q + 3] += alpha;
      }
    }
  }
  for (let p = from, q = 0; p < to; p++, q += 4) {
    const alpha = sum[q + 3]! / samples.length;
    if (alpha === 0) continue;
    for (let c = 0; c < 3; c++) {
      const behind = LINEAR_FROM_SRGB[rgb[3 * p + c]!]!;
      rgb[3 * p + c] = encodeSrgb(behind * (1 - alpha) + sum[q + c]! / samples.length);
    }
  }
}

/** The camera of a picture that is moved so that the point (dx, dy) beside each pixel's centre lies on it. */
function shiftCamera(camera: RenderCamera, dx: number, dy: number): RenderCamera {
  return { ...camera, centerX: camera.centerX - dx, centerY: camera.centerY - dy };
}

/** Marks the pixels on both sides of a step in depth. */
function markOutlines({ width, height, depth }: RasterBuffers, edge: Uint8Array): void {
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
 * Paints the outline pixels with four samples each: only the triangles that can touch such a pixel are rasterised, once per sample with
 * the picture shifted.
 */
function paintOutlines(
  rgb: Uint8Array,
  shading: Shading,
  solid: readonly SurfaceRun[],
  mesh: ScreenMesh,
  camera: RenderCamera,
  backdrop: Float32Array,
  { edge, layer, pixels: scratch }: RenderBuffers,
): void {
  const { width, height } = layer;
  const { screen, depth } = mesh;
  const near = selectNearPixels(mesh.triangles, solid, screen, edge, width, height);
  const pixels = listMarked(edge, scratch);
  const sum = new Float32Array(3 * pixels.length);
  const colors = new Float32Array(4 * pixels.length);
  for (const [dx, dy] of SAMPLES) {
    rasterize({ screen, depth, triangles: near.triangles, perspective: true, shiftX: dx, shiftY: dy }, layer);
    shadePixels(shading, { layer, source: near.source, camera: shiftCamera(camera, dx, dy), pixels }, 0, pixels.length, colors);
    for (let k = 0; k < pixels.length; k++) {
      const isBackground = colors[4 * k + 3] === 0;
      const row = 3 * Math.floor(pixels[k]! / width);
      for (let c = 0; c < 3; c++) {
        // Clipped before the mean, as the eye would see a bright edge from far.
        sum[3 * k + c] += isBackground ? LINEAR_FROM_SRGB[Math.round(backdrop[row + c]!)]! : Math.min(1, colors[4 * k + c]!);
      }
    }
  }
  for (let k = 0; k < pixels.length; k++) {
    for (let c = 0; c < 3; c++) rgb[3 * pixels[k]! + c] = encodeSrgb(sum[3 * k + c]! / SAMPLES.length);
  }
}

import { countKernelBytes, type KernelMemory, useScratchMemory } from '../kernels/kernel-memory.ts';
import type { ModelPart } from '../models/face-model.ts';
import type { Raster } from '../photo/raster.ts';
import type { SurfaceMaterial } from '../texture/face-maps.ts';
import { computeVertexNormals } from './compute-vertex-normals.ts';
import type { RenderCamera } from './create-view-camera.ts';
import { countShadingBytes, prepareShading, type ShadedScene } from './prepare-shading.ts';
import { countRasterBytes, createRasterBuffers, type RasterBuffers, rasterize } from './rasterize.ts';
import { createTextureCache, reduceTexture, type TextureCache } from './reduce-texture.ts';
import { CLAY_LIGHT, PREVIEW_LIGHT, type RenderLight } from './render-light.ts';

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

/**
 * A picture of a mesh: perspective, per-pixel normals, textures in linear light, distant lights with a GGX highlight, hemispheric ambient
 * light, transparent surfaces blended over the opaque ones in the order of `surfaces`.
 *
 * Deterministic.
 */
export function renderMesh(options: RenderMeshOptions): Raster {
  const { mesh, camera } = options;
  const { width, height } = options.size;
  const style = options.style ?? 'textured';
  const isClay = style === 'clay';
  const antialias = options.antialias ?? true;
  // What takes the scratch memory for itself goes first.
  const normals = mesh.normals ?? computeVertexNormals(mesh.positions, mesh.triangles);
  const projected = projectToScreen(mesh.positions, camera);
  const surfaces = isClay
    ? options.surfaces.filter(isOpaque).map((surface) => ({ ...surface, ...CLAY }))
    : reduceTextures(mesh, options.surfaces, projected.screen, options.textureCache ?? createTextureCache());
  const light = options.light ?? (isClay ? CLAY_LIGHT : PREVIEW_LIGHT);
  const scene: ShadedScene = { mesh, normals, surfaces, camera, light };

  const pixelCount = width * height;
  const memory = useScratchMemory(
    countShadingBytes(scene, mesh.triangles.length / 3) +
      // The mesh on the screen, and the triangles that are selected of it with their numbers.
      countKernelBytes([projected.screen, projected.depth]) +
      4 * (2 * mesh.triangles.length + mesh.triangles.length / 3) +
      2 * countRasterBytes(width, height) +
      // Picture, marks, list and sums of pixels.
      (3 + 1 + 4 + 16) * pixelCount +
      4 * (width + 1) * (height + 1) +
      12 * height +
      256,
  );
  const { kernels } = memory;
  const screenMesh: ScreenMesh = {
    screen: memory.place(projected.screen),
    depth: memory.place(projected.depth),
    triangles: memory.place(mesh.triangles),
  };
  const opaque = createRasterBuffers(width, height, memory);
  const canvas: Canvas = {
    memory,
    camera,
    opaque,
    layer: createRasterBuffers(width, height, memory),
    edge: memory.allocate(Uint8Array, pixelCount).fill(0),
    pixels: memory.allocate(Int32Array, pixelCount),
    sum: memory.allocate(Float32Array, 4 * pixelCount),
    rgb: memory.allocate(Uint8Array, 3 * pixelCount),
    backdrop: memory.place(createBackdrop(height, options.background ?? STUDIO_GREY)),
  };
  paintBackdrop(canvas.backdrop, width, canvas.rgb);
  const drawWires = prepareShading(memory, scene, screenMesh.triangles);
  const runs = listRuns(mesh.parts, surfaces);

  const solid = runs.filter(({ surface }) => isOpaque(surface));
  for (const run of solid) drawRun(run, screenMesh, 0, 0, opaque, memory);
  if (antialias) kernels.markOutlines(opaque.depth.byteOffset, canvas.edge.byteOffset, width, height, OUTLINE_STEP_MM);
  drawWires(style === 'wireframe' ? screenMesh.screen : null);
  setLayer(canvas, opaque, null, 0, 0);
  kernels.paintInside(canvas.edge.byteOffset, canvas.rgb.byteOffset, 0, pixelCount);
  if (antialias) paintOutlines(canvas, solid, screenMesh);

  drawWires(null);
  for (const surface of surfaces) {
    if (isOpaque(surface)) continue;
    const sheet = runs.filter((run) => run.surface === surface);
    paintSheet(canvas, sheet, screenMesh, antialias ? SAMPLES : CENTRE);
  }
  return { width, height, rgb: canvas.rgb.slice() };
}

/** What a picture is painted with; everything in the kernels' memory. */
interface Canvas {
  readonly memory: KernelMemory;
  readonly camera: RenderCamera;
  readonly opaque: RasterBuffers;
  readonly layer: RasterBuffers;
  /** Shape (height, width): 1 where the pixel holds an outline. */
  readonly edge: Uint8Array;
  /** Shape (height * width): numbers of pixels. */
  readonly pixels: Int32Array;
  /** Shape (height * width, 4) */
  readonly sum: Float32Array;
  /** Shape (height, width, 3): the picture. */
  readonly rgb: Uint8Array;
  /** Shape (height, 3): see {@link createBackdrop}. */
  readonly backdrop: Float32Array;
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
  memory: KernelMemory,
): void {
  const { screen, depth, triangles } = mesh;
  const cullBack = !surface.doubleSided;
  const input = { screen, depth, triangles, firstTriangle, triangleCount, perspective: true, cullBack, clear: false, shiftX, shiftY };
  rasterize(input, out, memory);
}

/** Which layer is shaded next; in a picture that is moved so that the point (dx, dy) beside each pixel's centre lies on it. */
function setLayer({ memory, camera }: Canvas, layer: RasterBuffers, source: Uint32Array | null, dx: number, dy: number): void {
  memory.kernels.setLayer(
    layer.triangle.byteOffset,
    layer.weight1.byteOffset,
    layer.weight2.byteOffset,
    source?.byteOffset ?? 0,
    layer.width,
    camera.focalPx,
    camera.centerX - dx,
    camera.centerY - dy,
  );
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
  const memory = useScratchMemory(2 * countKernelBytes(positions) + 256);
  const numbers = Float64Array.of(
    ...Array.from(camera.rotation),
    ...Array.from(camera.translation),
    camera.focalPx,
    camera.centerX,
    camera.centerY,
  );
  const screen = memory.allocate(Float32Array, 2 * count);
  const depth = memory.allocate(Float32Array, count);
  const points = memory.allocate(Float32Array, positions.length);
  points.set(positions);
  memory.kernels.projectPoints(points.byteOffset, count, memory.place(numbers).byteOffset, screen.byteOffset, depth.byteOffset);
  return { screen: screen.slice(), depth: depth.slice() };
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

function paintBackdrop(backdrop: Float32Array, width: number, rgb: Uint8Array): void {
  for (let row = 0; row < backdrop.length / 3; row++) {
    const start = 3 * row * width;
    for (let k = 0; k < 3; k++) rgb[start + k] = Math.round(backdrop[3 * row + k]!);
    // Doubling copies: a row is filled in ten moves.
    for (let filled = 3; filled < 3 * width; filled *= 2) {
      rgb.copyWithin(start + filled, start, start + Math.min(filled, 3 * width - filled));
    }
  }
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

/**
 * Lays a transparent sheet over the picture, where it is not hidden. Lashes and the rims of the eyes are thinner than a pixel:
 * their alpha is the mean over the samples, each against the depth at the pixel's centre.
 */
function paintSheet(canvas: Canvas, sheet: readonly SurfaceRun[], mesh: ScreenMesh, samples: readonly (readonly [number, number])[]): void {
  const { memory, opaque, layer, sum, rgb } = canvas;
  const [from, to] = findPixelRange(sheet, mesh, layer.width, layer.height);
  if (from === to) return;
  // Colour times alpha, alpha.
  sum.fill(0, 0, 4 * (to - from));
  for (const [dx, dy] of samples) {
    layer.triangle.fill(-1, from, to);
    layer.depth.set(opaque.depth.subarray(from, to), from);
    for (const run of sheet) drawRun(run, mesh, dx, dy, layer, memory);
    setLayer(canvas, layer, null, dx, dy);
    memory.kernels.addSheet(from, to, sum.byteOffset);
  }
  memory.kernels.blendSheet(from, to, sum.byteOffset, 1 / samples.length, rgb.byteOffset);
}

/**
 * Paints the outline pixels with four samples each: only the triangles that can touch such a pixel are rasterised, once per sample with
 * the picture shifted.
 */
function paintOutlines(canvas: Canvas, solid: readonly SurfaceRun[], { screen, depth, triangles }: ScreenMesh): void {
  const { memory, edge, layer, pixels, sum, backdrop, rgb } = canvas;
  const { kernels } = memory;
  const { width, height } = layer;
  const sums = memory.allocate(Int32Array, (width + 1) * (height + 1)).fill(0);
  kernels.sumMarked(edge.byteOffset, width, height, sums.byteOffset);
  const selected = memory.allocate(Uint32Array, triangles.length);
  const numbers = memory.allocate(Uint32Array, triangles.length / 3);
  let near = 0;
  for (const { firstTriangle, triangleCount, surface } of solid) {
    near = kernels.selectMarked(
      screen.byteOffset,
      triangles.byteOffset,
      firstTriangle,
      firstTriangle + triangleCount,
      surface.doubleSided ? 1 : 0,
      sums.byteOffset,
      width,
      height,
      selected.byteOffset,
      numbers.byteOffset,
      near,
    );
  }
  const nearTriangles = selected.subarray(0, 3 * near);
  const count = kernels.listMarked(edge.byteOffset, edge.length, pixels.byteOffset);
  sum.fill(0, 0, 3 * count);
  for (const [shiftX, shiftY] of SAMPLES) {
    rasterize({ screen, depth, triangles: nearTriangles, perspective: true, shiftX, shiftY }, layer, memory);
    setLayer(canvas, layer, numbers, shiftX, shiftY);
    kernels.addOutlines(pixels.byteOffset, count, backdrop.byteOffset, sum.byteOffset);
  }
  kernels.storeOutlines(pixels.byteOffset, count, sum.byteOffset, 1 / SAMPLES.length, rgb.byteOffset);
}

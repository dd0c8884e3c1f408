import type { FaceModel } from '../../src/models/face-model.ts';
import type { RenderCamera } from '../../src/render/create-view-camera.ts';
import { createRasterBuffers, rasterize } from '../../src/render/rasterize.ts';
import { encodeSrgb, LINEAR_FROM_SRGB } from '../../src/render/srgb.ts';
import { fractalNoise3, hash, smoothstep } from './noise.ts';
import type { PersonLook } from './person.ts';
import { createShader } from './shader.ts';
import type { Studio } from './studio.ts';
import { prepareWorld } from './world.ts';

/** A head of ICT-FaceKit's topology. */
export type PortraitModel = Pick<FaceModel, 'neutral' | 'triangles' | 'uvs' | 'triangleUvs' | 'parts' | 'landmarks'>;

export interface PortraitScene {
  readonly model: PortraitModel;
  /** Shape (V,3), millimetres, model frame. */
  readonly positions: Float32Array;
  readonly look: PersonLook;
  readonly material: 'person' | 'statue';
  readonly studio: Studio;
  readonly camera: RenderCamera;
  readonly width: number;
  readonly height: number;
  /** Samples per pixel and side. */
  readonly samples: number;
  /** 1 = every hair and every light sample; 0.1 is enough for a face of 300 px. */
  readonly detail: number;
  readonly seed: number;
}

/** Picture elements of a portrait that still know more than 8 bits: linear RGB, shape (height, width, 3). */
export interface PortraitImage {
  readonly width: number;
  readonly height: number;
  readonly linear: Float32Array;
}

const TILE = 256;

/** Renders a portrait in tiles with `samples` x `samples` per pixel. */
export function renderPortrait(scene: PortraitScene): PortraitImage {
  const { width, height, camera } = scene;
  const world = prepareWorld(scene);
  const shade = createShader(scene, world);
  const linear = new Float32Array(3 * width * height);
  const n = scene.samples;
  const tile = createRasterBuffers(TILE * n, TILE * n);
  const triangleBoxes = boxTriangles(world.screen, world.triangles);
  const rgb = new Float64Array(3);
  const backdrop = createBackdrop(scene);
  const back = new Float64Array(3);
  const shifted = new Float32Array(world.screen.length);
  for (let y0 = 0; y0 < height; y0 += TILE) {
    for (let x0 = 0; x0 < width; x0 += TILE) {
      const inTile = selectInTile(triangleBoxes, x0, y0, world.triangles);
      for (let i = 0; i < shifted.length; i += 2) {
        shifted[i] = (world.screen[i]! - x0) * n;
        shifted[i + 1] = (world.screen[i + 1]! - y0) * n;
      }
      rasterize({ screen: shifted, depth: world.depth, triangles: inTile.triangles, perspective: true }, tile);
      const x1 = Math.min(width, x0 + TILE);
      const y1 = Math.min(height, y0 + TILE);
      for (let y = y0; y < y1; y++) {
        for (let x = x0; x < x1; x++) {
          const q = 3 * (y * width + x);
          backdrop(x + 0.5, y + 0.5, back);
          for (let sy = 0; sy < n; sy++) {
            for (let sx = 0; sx < n; sx++) {
              const p = ((y - y0) * n + sy) * TILE * n + (x - x0) * n + sx;
              const found = tile.triangle[p]!;
              if (found < 0) {
                for (let c = 0; c < 3; c++) linear[q + c] += back[c]!;
                continue;
              }
              const rayX = (x + (sx + 0.5) / n - camera.centerX) / camera.focalPx;
              const rayY = (y + (sy + 0.5) / n - camera.centerY) / camera.focalPx;
              shade(inTile.source[found]!, tile.weight1[p]!, tile.weight2[p]!, rayX, rayY, rgb);
              // Clipped: one very bright sample must not fill its pixel.
              for (let c = 0; c < 3; c++) linear[q + c] += Math.min(3, rgb[c]!);
            }
          }
          for (let c = 0; c < 3; c++) linear[q + c] *= scene.studio.exposure / (n * n);
        }
      }
    }
  }
  return { width, height, linear };
}

/** Step of the table of clouds, px. */
const CLOUD_STEP = 8;

/** Linear colour of the backdrop at a point of the picture, written to the array: lighter in the middle, faintly clouded. */
function createBackdrop(scene: PortraitScene): (x: number, y: number, out: Float64Array) => void {
  const { width, height, studio } = scene;
  const { middle, corner } = studio.backdrop;
  const columns = Math.ceil(width / CLOUD_STEP) + 2;
  const rows = Math.ceil(height / CLOUD_STEP) + 2;
  const clouds = new Float32Array(columns * rows);
  for (let k = 0; k < clouds.length; k++) {
    const x = ((k % columns) * CLOUD_STEP) / width;
    const y = (Math.floor(k / columns) * CLOUD_STEP) / width;
    clouds[k] = 2.5 * fractalNoise3(x * 3.1, y * 3.1, 7, 3, 301);
  }
  return (x, y, out) => {
    const t = smoothstep(0.05, 0.75, Math.hypot(x - width * 0.52, y - height * 0.42) / Math.max(width, height));
    const i = Math.floor(x / CLOUD_STEP);
    const j = Math.floor(y / CLOUD_STEP);
    const fx = x / CLOUD_STEP - i;
    const fy = y / CLOUD_STEP - j;
    const p = j * columns + i;
    const above = clouds[p]! + (clouds[p + 1]! - clouds[p]!) * fx;
    const below = clouds[p + columns]! + (clouds[p + columns + 1]! - clouds[p + columns]!) * fx;
    for (let c = 0; c < 3; c++) {
      const s = middle[c]! + (corner[c]! - middle[c]!) * t + above + (below - above) * fy;
      const k = Math.max(0, Math.min(254, Math.floor(s)));
      out[c] = (LINEAR_FROM_SRGB[k]! + (LINEAR_FROM_SRGB[k + 1]! - LINEAR_FROM_SRGB[k]!) * (s - k)) / studio.exposure;
    }
  };
}

/** Shape (T,4): first and last column and row that a triangle may touch. */
function boxTriangles(screen: Float32Array, triangles: Uint32Array): Float32Array {
  const boxes = new Float32Array((4 * triangles.length) / 3);
  for (let t = 0; t < triangles.length / 3; t++) {
    const a = 2 * triangles[3 * t]!;
    const b = 2 * triangles[3 * t + 1]!;
    const c = 2 * triangles[3 * t + 2]!;
    boxes[4 * t] = Math.min(screen[a]!, screen[b]!, screen[c]!);
    boxes[4 * t + 1] = Math.max(screen[a]!, screen[b]!, screen[c]!);
    boxes[4 * t + 2] = Math.min(screen[a + 1]!, screen[b + 1]!, screen[c + 1]!);
    boxes[4 * t + 3] = Math.max(screen[a + 1]!, screen[b + 1]!, screen[c + 1]!);
  }
  return boxes;
}

function selectInTile(
  boxes: Float32Array,
  x0: number,
  y0: number,
  triangles: Uint32Array,
): { triangles: Uint32Array; source: Uint32Array } {
  const source = new Uint32Array(boxes.length / 4);
  let count = 0;
  for (let t = 0; t < source.length; t++) {
    const b = 4 * t;
    if (boxes[b + 1]! >= x0 && boxes[b]! <= x0 + TILE && boxes[b + 3]! >= y0 && boxes[b + 2]! <= y0 + TILE) source[count++] = t;
  }
  const selected = new Uint32Array(3 * count);
  for (let k = 0; k < count; k++) {
    const t = 3 * source[k]!;
    selected[3 * k] = triangles[t]!;
    selected[3 * k + 1] = triangles[t + 1]!;
    selected[3 * k + 2] = triangles[t + 2]!;
  }
  return { triangles: selected, source };
}

/** Grain, tone curve and 8 bits. */
export function developPortrait(image: PortraitImage, grain: number, seed: number): Uint8Array {
  const { width, height, linear } = image;
  const rgb = new Uint8Array(linear.length);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++, p += 3) {
      const coarse = hash(x >> 1, y >> 1, 1, seed) - 0.5;
      const fine = hash(x, y, 2, seed) - 0.5;
      const noise = 1 + grain * (0.6 * coarse + fine);
      for (let c = 0; c < 3; c++) rgb[p + c] = encodeSrgb(toneCurve(linear[p + c]! * noise));
    }
  }
  return rgb;
}

/** Straight up to 0.55, then a shoulder that reaches 1 softly. */
function toneCurve(x: number): number {
  if (x <= 0.55) return x;
  return 0.55 + 0.45 * (1 - Math.exp(-(x - 0.55) / 0.45));
}

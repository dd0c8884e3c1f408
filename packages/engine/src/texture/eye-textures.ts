import type { FaceModel, ModelPart } from '../models/face-model.ts';
import type { EyeColors } from './eye-color.ts';
import { valueNoise } from './hash-noise.ts';
import type { PaintCanvas } from './paint-surface.ts';
import { smoothstep } from './smoothstep.ts';
import { createTexelMap, NO_TRIANGLE, rasterizeAttribute } from './texel-map.ts';

/** Radius of the visible iris of an adult, millimetres (horizontal diameter 11.7 +- 0.4: Rüfer, Schröder, Erb, Cornea 24, 2005). */
const IRIS_RADIUS_MM = 5.85;
/** Radius of the pupil in room light, millimetres. */
const PUPIL_RADIUS_MM = 2.1;

/** The parts of eye textures that are the same for everyone: where each texel lies on the eye, and its fibres and veins. */
export interface EyeTemplate {
  readonly size: number;
  /** Shape (size,size), 0..255: share of the sclera's brightness that is left by the lids' shade. */
  readonly shade: Uint8Array;
  /** Shape (size,size), 0..255: how red (corners, veins). */
  readonly redness: Uint8Array;
  /** Shape (size,size), 0..255: how far the texel is iris (edge softened); */
  readonly iris: Uint8Array;
  /** Shape (size,size), 0..255: brightness of the iris relative to its mean (128), pupil 0. */
  readonly fibre: Uint8Array;
}

/**
 * Prepares the texture of one eyeball. Both eyes use it: their UVs look alike from the front.
 *
 * The outer mesh of an eyeball carries the iris, painted under the cornea: it is right in every renderer, without transparency. Everything is placed by
 * the distance from the optical axis in millimetres, so that any UV layout will do.
 */
export function createEyeTemplate(model: FaceModel, part: ModelPart, size: number): EyeTemplate {
  const map = createTexelMap(model, [part], size, 4);
  const frame = findEyeFrame(model, part);
  const across = new Float32Array(model.vertexCount);
  const upward = new Float32Array(model.vertexCount);
  const forward = new Float32Array(model.vertexCount);
  for (let i = 3 * part.firstTriangle; i < 3 * (part.firstTriangle + part.triangleCount); i++) {
    const v = model.triangles[i];
    const d = [0, 1, 2].map((k) => model.neutral[3 * v + k] - frame.center[k]);
    // Axis nearly along z: x and y of the model, made perpendicular to it.
    const along = d[0] * frame.axis[0] + d[1] * frame.axis[1] + d[2] * frame.axis[2];
    across[v] = d[0] - along * frame.axis[0];
    upward[v] = d[1] - along * frame.axis[1];
    forward[v] = along;
  }
  const x = rasterizeAttribute(map, model.triangles, across, 1, 0, 0);
  const y = rasterizeAttribute(map, model.triangles, upward, 1, 0, 0);
  const z = rasterizeAttribute(map, model.triangles, forward, 1, 0, -20);
  const n = size * size;
  const shade = new Uint8Array(n);
  const redness = new Uint8Array(n);
  const iris = new Uint8Array(n);
  const fibre = new Uint8Array(n);
  for (let p = 0; p < n; p++) {
    const ex = x[p];
    const ey = y[p];
    const front = map.triangle[p] !== NO_TRIANGLE && z[p] > 2;
    const radius = Math.hypot(ex, ey);
    // Lids shade the upper part; the far sides lie in the corners.
    const top = smoothstep(0.5, 6.5, ey);
    const bottom = smoothstep(3.5, 8, -ey);
    const side = smoothstep(7.5, 12.5, Math.abs(ex));
    const open = front ? (1 - 0.42 * top) * (1 - 0.18 * bottom) * (1 - 0.3 * side) : 0.45;
    shade[p] = 255 * open + 0.5;
    // Fine veins run from the sides toward the iris and fade before it.
    const angle = Math.atan2(ey, ex);
    let veins = 0;
    if (front && radius > 7) {
      const vein = 1 - Math.abs(2 * valueNoise(angle * 9 + 1.1 * valueNoise(ex / 1.7, ey / 1.7, 5), radius / 5, 4) - 1);
      veins = smoothstep(0.93, 1, vein) * smoothstep(7, 11, radius) * 0.28;
    }
    const corner = smoothstep(7, 13, Math.abs(ex));
    redness[p] = 255 * Math.min(1, (front ? 0.06 : 0.4) + veins + 0.25 * corner * corner) + 0.5;
    if (!front) continue;

    const r = radius / IRIS_RADIUS_MM;
    const inIris = 1 - smoothstep(0.93, 1.07, r);
    iris[p] = 255 * inIris + 0.5;
    if (inIris === 0) continue;
    const pupil = smoothstep(
      PUPIL_RADIUS_MM / IRIS_RADIUS_MM - 0.035,
      PUPIL_RADIUS_MM / IRIS_RADIUS_MM + 0.035,
      r + 0.015 * (valueNoise(angle * 6, 0, 9) - 0.5),
    );
    const turn = angle / (2 * Math.PI) + 0.5;
    const bend = 0.35 * (valueNoise(turn * 24, r * 3, 21, 24) - 0.5);
    const thin = valueNoise(turn * 110 + bend, r * 2.2, 22, 110);
    const thick = valueNoise(turn * 42 + bend, r * 1.6, 23, 42);
    const patch = valueNoise(turn * 9, r * 2.5, 24, 9);
    const fibres = 0.7 + 0.38 * (thin - 0.5) + 0.5 * (thick - 0.5) + 0.3 * (patch - 0.5) + 0.3;
    // Brighter around the collarette, dark at the limbus and around the pupil, and in the shade of the upper lid.
    const collarette = 0.28 * Math.exp(-(((r - 0.52) / 0.13) ** 2));
    const limbus = 1 - 0.72 * smoothstep(0.74, 1, r);
    const lid = 1 - 0.4 * smoothstep(0.05, 0.95, ey / IRIS_RADIUS_MM);
    // The cornea gathers light on the side opposite to it: the lower part glows.
    const caustic = 0.22 * smoothstep(0, 0.8, -ey / IRIS_RADIUS_MM);
    const value = pupil * (fibres + collarette + caustic) * limbus * lid;
    fibre[p] = Math.max(0, Math.min(255, 128 * value + 0.5));
  }
  return { size, shade, redness, iris, fibre };
}

/**
 * Colours an eyeball. Shape (size,size,3), sRGB.
 *
 * @param template - in the kernels' memory
 * @param saturation - 0..1, share of the veins' and corners' red
 * @param canvas - in that memory: at least as large as the result, written
 */
export function paintEye(template: EyeTemplate, colors: EyeColors, saturation: number, { memory, out, line }: PaintCanvas): Uint8Array {
  const { shade, redness, iris, fibre } = template;
  line.set(colors.sclera);
  line.set(liftIris(colors.iris), 4);
  line[8] = (0.55 * saturation) / 255;
  memory.kernels.paintEyeball(
    shade.byteOffset,
    redness.byteOffset,
    iris.byteOffset,
    fibre.byteOffset,
    shade.length,
    line.byteOffset,
    out.byteOffset,
  );
  return out.slice(0, 3 * shade.length);
}

/** Photos show irises darkened by lids and lashes: brings the brightness up to where the colour can be seen, without changing the hue. */
function liftIris(rgb: readonly [number, number, number]): [number, number, number] {
  const luma = Math.max(4, 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]);
  const wanted = Math.max(luma * 0.9, 30);
  const k = wanted / luma;
  // A little more of the hue than the photo has: shade and blur have greyed it.
  return [0, 1, 2].map((i) => Math.max(0, Math.min(235, (luma + 1.2 * (rgb[i] - luma)) * k))) as [number, number, number];
}

/** Centre and optical axis of an eyeball in the model's neutral head. */
function findEyeFrame(model: FaceModel, part: ModelPart): { center: [number, number, number]; axis: [number, number, number] } {
  const vertices = new Set<number>();
  for (let i = 3 * part.firstTriangle; i < 3 * (part.firstTriangle + part.triangleCount); i++) vertices.add(model.triangles[i]);
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (const v of vertices) {
    for (let k = 0; k < 3; k++) {
      low[k] = Math.min(low[k], model.neutral[3 * v + k]);
      high[k] = Math.max(high[k], model.neutral[3 * v + k]);
    }
  }
  // The cornea bulges in front: the sphere's radius is told by its width, its depth by its back.
  const radius = (high[0] - low[0]) / 2;
  const center: [number, number, number] = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2] + radius];
  const tip = [0, 0, 0];
  let count = 0;
  for (const v of vertices) {
    // The cornea: what lies more than a millimetre before the sphere's front.
    if (model.neutral[3 * v + 2] < high[2] - 1.6) continue;
    for (let k = 0; k < 3; k++) tip[k] = tip[k] + model.neutral[3 * v + k];
    count++;
  }
  const d = [0, 1, 2].map((k) => tip[k] / Math.max(1, count) - center[k]);
  const length = Math.hypot(d[0], d[1], d[2]) || 1;
  return { center, axis: [d[0] / length, d[1] / length, d[2] / length] };
}

import type { FaceModel, ModelPart } from '../models/face-model.ts';
import { hash } from './hash-noise.ts';
import { createTexelMap, NO_TRIANGLE, rasterizeAttribute } from './texel-map.ts';

/** Lashes per strip over the whole lid. A lid bears about 100 upper and 50 lower lashes, spread over three strips each. */
const UPPER_COUNT = 46;
const LOWER_COUNT = 20;
const MAX_COUNT = 64;

/** How much shorter than its strip a lower lash is. */
const LOWER_STRETCH = 2.5;

/**
 * Opacity of lash strips: single curved hairs, thick at the root, tapering to the tip, longer toward the temple. Shape
 * (size,size), 0..255; transparent beside the strips.
 *
 * A strip's root is the edge of its UV rectangle that lies nearer to the middle of the eye.
 */
export function paintLashAlpha(model: FaceModel, parts: readonly ModelPart[], size: number): Uint8Array {
  const alpha = new Uint8Array(size * size);
  const map = createTexelMap(model, parts, size, 0);
  const length = new Float32Array(model.vertexCount).fill(-1);
  const along = new Float32Array(model.vertexCount);
  const count = new Float32Array(model.vertexCount);
  const seed = new Float32Array(model.vertexCount);
  for (const part of parts) placeStrips(model, part, length, along, count, seed);
  const t = rasterizeAttribute(map, model.triangles, length, 1, 0, -1);
  const s = rasterizeAttribute(map, model.triangles, along, 1, 0, 0);
  const n = rasterizeAttribute(map, model.triangles, count, 1, 0, 0);
  const k = rasterizeAttribute(map, model.triangles, seed, 1, 0, 0);
  const shapes = shapeLashes(k, n);
  for (let p = 0; p < alpha.length; p++) {
    if (map.triangle[p] === NO_TRIANGLE) continue;
    const lashes = Math.round(n[p]);
    const strip = Math.round(k[p]);
    const up = t[p];
    const x = s[p] * lashes;
    let best = 0;
    for (let i = Math.floor(x) - 3; i <= Math.floor(x) + 3; i++) {
      if (i < 1 || i > lashes - 2) continue;
      const lash = 3 * (strip * MAX_COUNT + i);
      const reach = shapes[lash];
      if (up > reach) continue;
      const q = up / reach;
      const center = shapes[lash + 1] + shapes[lash + 2] * q * q;
      const half = 0.2 * (1 - 0.8 * q) + 0.03;
      const edge = Math.abs(x - center) - half;
      const cover = Math.max(0, Math.min(1, 0.5 - edge / 0.22)) * (1 - 0.5 * q * q);
      if (cover > best) best = cover;
    }
    alpha[p] = 255 * best + 0.5;
  }
  return alpha;
}

/** Length, place of the root and lean of every lash of every strip, shape (strips, MAX_COUNT, 3). */
function shapeLashes(stripOfTexel: Float32Array, lashesOfTexel: Float32Array): Float32Array {
  let strips = 0;
  for (const s of stripOfTexel) strips = Math.max(strips, Math.round(s) + 1);
  const counts = new Float32Array(strips);
  for (let p = 0; p < stripOfTexel.length; p++)
    if (lashesOfTexel[p] > 0) counts[Math.round(stripOfTexel[p])] = Math.round(lashesOfTexel[p]);
  const shapes = new Float32Array(3 * strips * MAX_COUNT);
  for (let strip = 0; strip < strips; strip++) {
    for (let i = 0; i < counts[strip]; i++) {
      const a = hash(i, strip, 51);
      const b = hash(i, strip, 52);
      const c = hash(i, strip, 53);
      // Neighbours lean together in small tufts.
      const tuft = Math.floor((i + strip) / 3) * 3 + 1 - strip;
      const lash = 3 * (strip * MAX_COUNT + i);
      shapes[lash] = (0.62 + 0.36 * b) * (0.78 + 0.22 * Math.sin(Math.PI * Math.min(1, 0.15 + 0.85 * (i / counts[strip]))));
      shapes[lash + 1] = i + 0.5 + 0.5 * (c - 0.5);
      shapes[lash + 2] = (tuft - i) * 0.32 + (a - 0.5) * 1.1;
    }
  }
  return shapes;
}

function placeStrips(
  model: FaceModel,
  part: ModelPart,
  length: Float32Array,
  along: Float32Array,
  count: Float32Array,
  seed: Float32Array,
): void {
  const first = 3 * part.firstTriangle;
  const last = 3 * (part.firstTriangle + part.triangleCount);
  // Strips are the connected pieces of the UV map.
  const parent = new Map<number, number>();
  const root = (a: number): number => {
    let r = a;
    while (parent.get(r) !== undefined && parent.get(r) !== r) r = parent.get(r)!;
    return r;
  };
  for (let i = first; i < last; i += 3) {
    const a = root(model.triangleUvs[i]);
    parent.set(a, a);
    for (let c = 1; c < 3; c++) parent.set(root(model.triangleUvs[i + c]), a);
  }
  const strips = new Map<number, Map<number, number>>();
  const middle = [0, 0, 0];
  let corners = 0;
  for (let i = first; i < last; i++) {
    const uv = model.triangleUvs[i];
    const v = model.triangles[i];
    const r = root(uv);
    let members = strips.get(r);
    if (members === undefined) {
      members = new Map();
      strips.set(r, members);
    }
    members.set(v, uv);
    for (let k = 0; k < 3; k++) middle[k] = middle[k] + model.neutral[3 * v + k];
    corners++;
  }
  const centerY = middle[1] / corners;
  const centerZ = middle[2] / corners;
  let number = 0;
  for (const members of strips.values()) {
    let u0 = Infinity;
    let u1 = -Infinity;
    let v0 = Infinity;
    let v1 = -Infinity;
    let height = 0;
    for (const [v, uv] of members) {
      u0 = Math.min(u0, model.uvs[2 * uv]);
      u1 = Math.max(u1, model.uvs[2 * uv]);
      v0 = Math.min(v0, model.uvs[2 * uv + 1]);
      v1 = Math.max(v1, model.uvs[2 * uv + 1]);
      height += model.neutral[3 * v + 1];
    }
    let lowSum = 0;
    let lowCount = 0;
    let highSum = 0;
    let highCount = 0;
    for (const [v, uv] of members) {
      const place = (model.uvs[2 * uv + 1] - v0) / (v1 - v0);
      // Roots lie on the lid, nearer to the eyeball: further back and nearer to the slit.
      const distance = model.neutral[3 * v + 2] - centerZ + Math.abs(model.neutral[3 * v + 1] - centerY);
      if (place < 0.1) {
        lowSum += distance;
        lowCount++;
      } else if (place > 0.9) {
        highSum += distance;
        highCount++;
      }
    }
    const rootIsLow = lowSum / Math.max(1, lowCount) < highSum / Math.max(1, highCount);
    const isUpper = height / members.size > centerY;
    for (const [v, uv] of members) {
      const place = (model.uvs[2 * uv + 1] - v0) / (v1 - v0);
      length[v] = rootIsLow ? place : 1 - place;
      along[v] = (model.uvs[2 * uv] - u0) / (u1 - u0);
      count[v] = isUpper ? UPPER_COUNT : LOWER_COUNT;
      // Lower lashes are a third as long as their strips, upper ones take them whole.
      if (!isUpper) length[v] = length[v] * LOWER_STRETCH;
      seed[v] = number;
    }
    number++;
  }
}

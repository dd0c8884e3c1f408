import type { FaceModel, ModelPart } from '../models/face-model.ts';
import { smoothstep } from './smoothstep.ts';
import { createTexelMap } from './texel-map.ts';
import { paintVertexColors } from './vertex-colors.ts';

/** sRGB of enamel in the light of the lips' opening, at the biting edge and at the gum. */
const ENAMEL_EDGE = [214, 205, 188] as const;
const ENAMEL_NECK = [190, 168, 136] as const;
/** Healthy gum and tongue. */
const GUM = [176, 96, 92] as const;
const TONGUE = [172, 88, 84] as const;
/** What the darkness at the back of the mouth tends to. */
const DEEP = [58, 20, 18] as const;

/**
 * Teeth: enamel, yellower toward the gum, darker toward the back of the mouth. The same for everyone; shape (size,size,3), sRGB.
 */
export function paintTeeth(model: FaceModel, parts: readonly ModelPart[], size: number): Uint8Array {
  const vertices = collectVertices(model, parts);
  const z = range(model, vertices, 2);
  // Upper and lower row: each tooth is a connected piece; its row is told by where its middle lies.
  const piece = findPieces(model, parts, vertices);
  const middle = new Map<number, { y: number; low: number; high: number; count: number }>();
  for (const v of vertices) {
    const y = model.neutral[3 * v + 1];
    const m = middle.get(piece[v]);
    if (m === undefined) middle.set(piece[v], { y, low: y, high: y, count: 1 });
    else {
      m.y += y;
      m.count++;
      m.low = Math.min(m.low, y);
      m.high = Math.max(m.high, y);
    }
  }
  const all = [...middle.values()].map((m) => m.y / m.count).sort((a, b) => a - b);
  const between = all.length > 1 ? (all[0] + all[all.length - 1]) / 2 : -1000;
  const rgb = new Float32Array(3 * model.vertexCount);
  for (const v of vertices) {
    const m = middle.get(piece[v])!;
    const isUpper = m.y / m.count > between;
    const y = model.neutral[3 * v + 1];
    const height = Math.max(1e-6, m.high - m.low);
    // Crowns are about 10 mm of a tooth's length at most; the root lies in the gum.
    const fromEdge = (isUpper ? y - m.low : m.high - y) / Math.min(height, 11);
    const neck = smoothstep(0.35, 1, fromEdge);
    const back = smoothstep(8, 40, z.high - model.neutral[3 * v + 2]);
    const light = 1 - 0.6 * back - 0.12 * neck;
    for (let k = 0; k < 3; k++) {
      const c = ENAMEL_EDGE[k] + neck * (ENAMEL_NECK[k] - ENAMEL_EDGE[k]);
      rgb[3 * v + k] = DEEP[k] * back * 0.35 + c * light;
    }
  }
  return paintVertexColors(createTexelMap(model, parts, size, 3), model.triangles, rgb, ENAMEL_NECK, 0.03);
}

/** Gums, palate and tongue: mottled pink, darker toward the throat. Shape (size,size,3), sRGB. */
export function paintMouth(model: FaceModel, parts: readonly ModelPart[], size: number): Uint8Array {
  const vertices = collectVertices(model, parts);
  const z = range(model, vertices, 2);
  const y = range(model, vertices, 1);
  const rgb = new Float32Array(3 * model.vertexCount);
  for (const v of vertices) {
    const depth = z.high - model.neutral[3 * v + 2];
    const back = smoothstep(6, 60, depth);
    const low = smoothstep(0.7, 0.2, (model.neutral[3 * v + 1] - y.low) / Math.max(1e-6, y.high - y.low));
    const light = 1 - 0.72 * back;
    for (let k = 0; k < 3; k++) {
      const c = GUM[k] + low * (TONGUE[k] - GUM[k]);
      rgb[3 * v + k] = c * light + DEEP[k] * back * 0.5;
    }
  }
  return paintVertexColors(createTexelMap(model, parts, size, 3), model.triangles, rgb, [110, 48, 46], 0.16);
}

function collectVertices(model: FaceModel, parts: readonly ModelPart[]): number[] {
  const seen = new Set<number>();
  for (const { firstTriangle, triangleCount } of parts) {
    for (let i = 3 * firstTriangle; i < 3 * (firstTriangle + triangleCount); i++) seen.add(model.triangles[i]);
  }
  return [...seen];
}

function range(model: FaceModel, vertices: readonly number[], axis: 0 | 1 | 2): { low: number; high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const v of vertices) {
    low = Math.min(low, model.neutral[3 * v + axis]);
    high = Math.max(high, model.neutral[3 * v + axis]);
  }
  return { low, high };
}

/** Number of the connected piece of each vertex (that of its smallest vertex). */
function findPieces(model: FaceModel, parts: readonly ModelPart[], vertices: readonly number[]): Uint32Array {
  const parent = new Uint32Array(model.vertexCount);
  for (const v of vertices) parent[v] = v;
  const root = (v: number): number => {
    let r = v;
    while (parent[r] !== r) r = parent[r];
    while (parent[v] !== r) {
      const next = parent[v];
      parent[v] = r;
      v = next;
    }
    return r;
  };
  for (const { firstTriangle, triangleCount } of parts) {
    for (let t = firstTriangle; t < firstTriangle + triangleCount; t++) {
      const a = root(model.triangles[3 * t]);
      for (let c = 1; c < 3; c++) {
        const b = root(model.triangles[3 * t + c]);
        if (a !== b) parent[Math.max(a, b)] = Math.min(a, b);
      }
    }
  }
  for (const v of vertices) parent[v] = root(v);
  return parent;
}

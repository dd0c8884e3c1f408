import { createRasterBuffers, type RasterBuffers, rasterize } from '../../src/render/rasterize.ts';
import type { Strands } from './strands.ts';

/** What throws shadows, model frame, mm. */
export interface Occluders {
  readonly positions: Float32Array;
  readonly triangles: Uint32Array;
  readonly strands: readonly Strands[];
  /** One hair in so many throws a shadow, as many times as wide. */
  readonly strandStep: number;
}

/** Points that receive light; `normals` null = hairs, lit from all around. */
export interface Receivers {
  readonly positions: Float32Array;
  readonly normals: Float32Array | null;
}

/** A distant light: direction to it (unit, model frame) and a weight per channel. */
export interface LightSample {
  readonly direction: readonly [number, number, number];
  readonly rgb: readonly [number, number, number];
}

/** A point is lit when nothing lies more than this nearer to the light, mm: two map pixels on a slope. */
const BIAS_MM = 1.6;

/**
 * Light that arrives at each point from many distant lights, with shadows: one depth map per light (Williams, "Casting curved
 * shadows on curved surfaces", SIGGRAPH 1978), 2x2 comparisons per look-up.
 *
 * @param cosine - true: times the cosine of the angle to the normal (irradiance); false: the mean visibility
 * @returns shape (points, 3), the sum over the lights
 */
export function gatherLight(
  occluders: Occluders,
  receivers: readonly Receivers[],
  lights: readonly LightSample[],
  cosine: boolean,
  mapSize: number,
): Float32Array[] {
  const out = receivers.map((r) => new Float32Array(r.positions.length));
  const map = createRasterBuffers(mapSize, mapSize);
  const bounds = boundingSphere(occluders.positions);
  const ribbon = createRibbons(occluders);
  for (const light of lights) {
    drawDepth(occluders, ribbon, light.direction, bounds, map);
    const [ax, ay, dir] = axesOf(light.direction);
    const scale = mapSize / (2 * bounds.radius);
    for (let k = 0; k < receivers.length; k++) {
      const { positions, normals } = receivers[k]!;
      const sum = out[k]!;
      for (let i = 0; i < positions.length; i += 3) {
        let weight = 1;
        if (normals !== null) {
          const facing = normals[i]! * dir[0] + normals[i + 1]! * dir[1] + normals[i + 2]! * dir[2];
          if (facing <= 0) {
            if (cosine) continue;
            weight = 0;
            continue;
          }
          if (cosine) weight = facing;
        }
        // One millimetre off the surface: a map pixel must not shadow its own slope.
        const lift = normals === null ? 0 : 1;
        const x = positions[i]! + (normals === null ? 0 : lift * normals[i]!) - bounds.center[0];
        const y = positions[i + 1]! + (normals === null ? 0 : lift * normals[i + 1]!) - bounds.center[1];
        const z = positions[i + 2]! + (normals === null ? 0 : lift * normals[i + 2]!) - bounds.center[2];
        const sx = (x * ax[0] + y * ax[1] + z * ax[2]) * scale + mapSize / 2 - 0.5;
        const sy = (x * ay[0] + y * ay[1] + z * ay[2]) * scale + mapSize / 2 - 0.5;
        const depth = -(x * dir[0] + y * dir[1] + z * dir[2]) - BIAS_MM;
        const column = Math.floor(sx);
        const row = Math.floor(sy);
        if (column < 0 || row < 0 || column >= mapSize - 1 || row >= mapSize - 1) {
          for (let c = 0; c < 3; c++) sum[i + c] += weight * light.rgb[c]!;
          continue;
        }
        const fx = sx - column;
        const fy = sy - row;
        const p = row * mapSize + column;
        const lit =
          (depth <= map.depth[p]! ? (1 - fx) * (1 - fy) : 0) +
          (depth <= map.depth[p + 1]! ? fx * (1 - fy) : 0) +
          (depth <= map.depth[p + mapSize]! ? (1 - fx) * fy : 0) +
          (depth <= map.depth[p + mapSize + 1]! ? fx * fy : 0);
        if (lit > 0) for (let c = 0; c < 3; c++) sum[i + c] += weight * lit * light.rgb[c]!;
      }
    }
  }
  return out;
}

interface Ribbons {
  /** Shape (2 n, 3): middle line, twice; the second half of the pair is moved per light. */
  readonly positions: Float32Array;
  readonly tangents: Float32Array;
  readonly halfWidths: Float32Array;
  readonly triangles: Uint32Array;
}

function createRibbons({ strands, strandStep }: Occluders): Ribbons {
  const positions: number[] = [];
  const tangents: number[] = [];
  const halfWidths: number[] = [];
  const triangles: number[] = [];
  for (const s of strands) {
    if (s.kind === 'stubble') continue;
    const step = s.kind === 'hair' ? strandStep : 1;
    const n = s.segments + 1;
    for (let h = 0; h < s.count; h += step) {
      const first = halfWidths.length;
      for (let k = 0; k < n; k++) {
        const p = 3 * (h * n + k);
        const q = 3 * (h * n + Math.min(k, n - 2));
        positions.push(s.points[p]!, s.points[p + 1]!, s.points[p + 2]!);
        tangents.push(s.points[q + 3]! - s.points[q]!, s.points[q + 4]! - s.points[q + 1]!, s.points[q + 5]! - s.points[q + 2]!);
        halfWidths.push(s.widthMm * step * 0.5 * (1 - (0.66 * k) / s.segments) * 0.8);
        if (k > 0) {
          const a = 2 * (first + k - 1);
          triangles.push(a, a + 1, a + 2, a + 2, a + 1, a + 3);
        }
      }
    }
  }
  return {
    positions: new Float32Array(positions),
    tangents: new Float32Array(tangents),
    halfWidths: new Float32Array(halfWidths),
    triangles: new Uint32Array(triangles),
  };
}

function drawDepth(
  occluders: Occluders,
  ribbons: Ribbons,
  direction: readonly [number, number, number],
  bounds: { center: readonly number[]; radius: number },
  map: RasterBuffers,
): void {
  const [ax, ay, dir] = axesOf(direction);
  const scale = map.width / (2 * bounds.radius);
  const half = map.width / 2;
  const [cx, cy, cz] = bounds.center as [number, number, number];
  const { positions } = occluders;
  const n = positions.length / 3;
  const screen = new Float32Array(2 * n);
  const depth = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const x = positions[3 * i]! - cx;
    const y = positions[3 * i + 1]! - cy;
    const z = positions[3 * i + 2]! - cz;
    screen[2 * i] = (x * ax[0] + y * ax[1] + z * ax[2]) * scale + half;
    screen[2 * i + 1] = (x * ay[0] + y * ay[1] + z * ay[2]) * scale + half;
    depth[i] = -(x * dir[0] + y * dir[1] + z * dir[2]);
  }
  rasterize({ screen, depth, triangles: occluders.triangles }, map);
  const m = ribbons.halfWidths.length;
  if (m === 0) return;
  const ribbonScreen = new Float32Array(4 * m);
  const ribbonDepth = new Float32Array(2 * m);
  for (let i = 0; i < m; i++) {
    const x = ribbons.positions[3 * i]! - cx;
    const y = ribbons.positions[3 * i + 1]! - cy;
    const z = ribbons.positions[3 * i + 2]! - cz;
    const sx = (x * ax[0] + y * ax[1] + z * ax[2]) * scale + half;
    const sy = (x * ay[0] + y * ay[1] + z * ay[2]) * scale + half;
    const tx = ribbons.tangents[3 * i]! * ax[0] + ribbons.tangents[3 * i + 1]! * ax[1] + ribbons.tangents[3 * i + 2]! * ax[2];
    const ty = ribbons.tangents[3 * i]! * ay[0] + ribbons.tangents[3 * i + 1]! * ay[1] + ribbons.tangents[3 * i + 2]! * ay[2];
    const w = (ribbons.halfWidths[i]! * scale) / (Math.hypot(tx, ty) + 1e-6);
    ribbonScreen[4 * i] = sx - ty * w;
    ribbonScreen[4 * i + 1] = sy + tx * w;
    ribbonScreen[4 * i + 2] = sx + ty * w;
    ribbonScreen[4 * i + 3] = sy - tx * w;
    ribbonDepth[2 * i] = ribbonDepth[2 * i + 1] = -(x * dir[0] + y * dir[1] + z * dir[2]);
  }
  rasterize({ screen: ribbonScreen, depth: ribbonDepth, triangles: ribbons.triangles, clear: false }, map);
}

/** Two axes across a direction, and the direction itself. */
function axesOf(d: readonly [number, number, number]): [readonly number[], readonly number[], readonly number[]] & {
  0: readonly [number, number, number];
  1: readonly [number, number, number];
  2: readonly [number, number, number];
} {
  const up = Math.abs(d[1]) < 0.9 ? [0, 1, 0] : [1, 0, 0];
  const x = up[1]! * d[2] - up[2]! * d[1];
  const y = up[2]! * d[0] - up[0]! * d[2];
  const z = up[0]! * d[1] - up[1]! * d[0];
  const length = Math.hypot(x, y, z);
  const ax = [x / length, y / length, z / length] as const;
  const ay = [d[1] * ax[2] - d[2] * ax[1], d[2] * ax[0] - d[0] * ax[2], d[0] * ax[1] - d[1] * ax[0]] as const;
  return [ax, ay, d];
}

/** Middle and radius of the head with its shoulders; what lies outside is lit. */
function boundingSphere(positions: Float32Array): { center: [number, number, number]; radius: number } {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 1; i < positions.length; i += 3) top = Math.max(top, positions[i]!);
  return { center: [0, top - 150, -60], radius: 200 };
}

import { createRasterBuffers, rasterize } from '../../src/render/rasterize.ts';
import type { Anatomy } from './anatomy.ts';
import { hairDistance } from './hairline.ts';
import { createRandom, noise3, smoothstep } from './noise.ts';
import type { PersonLook } from './person.ts';
import type { PortraitModel } from './render-portrait.ts';
import { beardArea } from './skin.ts';

/** Hairs of one kind: each a line of `segments + 1` points. */
export interface Strands {
  readonly kind: 'hair' | 'brow' | 'lash' | 'stubble';
  readonly count: number;
  readonly segments: number;
  /** Shape (count, segments + 1, 3), millimetres, model frame of the posed face. */
  readonly points: Float32Array;
  /** Width at the root, mm; hairs taper to a third of it. */
  readonly widthMm: number;
  /** Shape (count), 0..1: makes each hair a little different. */
  readonly shade: Float32Array;
}

type Vector = [number, number, number];

/**
 * All hairs of a person on a posed face.
 *
 * @param detail - 1 = every hair; less = fewer and wider ones that cover as much
 */
export function growStrands(
  model: PortraitModel,
  anatomy: Anatomy,
  posed: Float32Array,
  look: PersonLook,
  detail: number,
  seed: number,
): Strands[] {
  const surface = createSurface(model, anatomy, posed);
  const strands = [growBrows(surface, anatomy, look, detail, seed + 1), growLashes(model, anatomy, posed, look, seed + 2)];
  if (look.hairTopMm > 0) strands.push(growHair(surface, look, detail, seed + 3));
  if (look.stubble > 0.3) strands.push(growStubble(surface, look, detail, seed + 4));
  return strands;
}

/** A place on the skin and how the posed skin lies there compared with the mean head. */
interface Surface {
  readonly triangles: Uint32Array;
  readonly rest: Float32Array;
  readonly posed: Float32Array;
  /** Triangles of face and scalp. */
  readonly skin: Uint32Array;
  /** Triangle and weights seen from the front at a rest x, y; null beside the head. */
  readonly atFront: (x: number, y: number) => { triangle: number; w1: number; w2: number } | null;
}

const FRONT_PX_PER_MM = 2.5;
const FRONT_SIZE_MM = 200;

function createSurface(model: PortraitModel, anatomy: Anatomy, posed: Float32Array): Surface {
  const { triangles } = model;
  const skin: number[] = [];
  for (const part of model.parts) {
    if (part.material !== 'skin' && part.material !== 'scalp') continue;
    for (let k = 0; k < part.triangleCount; k++) skin.push(part.firstTriangle + k);
  }
  const { rest } = anatomy;
  const size = FRONT_SIZE_MM * FRONT_PX_PER_MM;
  const count = rest.length / 3;
  const screen = new Float32Array(2 * count);
  const depth = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    screen[2 * i] = (rest[3 * i]! + FRONT_SIZE_MM / 2) * FRONT_PX_PER_MM;
    screen[2 * i + 1] = (FRONT_SIZE_MM / 2 - rest[3 * i + 1]!) * FRONT_PX_PER_MM;
    depth[i] = -rest[3 * i + 2]!;
  }
  const map = createRasterBuffers(size, size);
  const facing = new Uint32Array(3 * skin.length);
  for (let k = 0; k < facing.length; k++) facing[k] = triangles[3 * skin[Math.floor(k / 3)]! + (k % 3)]!;
  rasterize({ screen, depth, triangles: facing, cullBack: true }, map);
  return {
    triangles,
    rest,
    posed,
    skin: new Uint32Array(skin),
    atFront: (x, y) => {
      const column = Math.floor((x + FRONT_SIZE_MM / 2) * FRONT_PX_PER_MM);
      const row = Math.floor((FRONT_SIZE_MM / 2 - y) * FRONT_PX_PER_MM);
      if (column < 0 || row < 0 || column >= size || row >= size) return null;
      const p = row * size + column;
      const found = map.triangle[p]!;
      return found < 0 ? null : { triangle: skin[found]!, w1: map.weight1[p]!, w2: map.weight2[p]! };
    },
  };
}

/** Root of a hair: its place on the mean head and on the posed one, with the axes (along the first edge, across, out) of both. */
interface Root {
  readonly rest: Vector;
  readonly restAxes: readonly [Vector, Vector, Vector];
  readonly posed: Vector;
  readonly posedAxes: readonly [Vector, Vector, Vector];
}

function findRoot(surface: Surface, t: number, w1: number, w2: number): Root {
  const rest = framePoint(surface.rest, surface.triangles, t, w1, w2);
  const posed = framePoint(surface.posed, surface.triangles, t, w1, w2);
  return { rest: rest.at, restAxes: rest.axes, posed: posed.at, posedAxes: posed.axes };
}

function framePoint(
  positions: Float32Array,
  triangles: Uint32Array,
  t: number,
  w1: number,
  w2: number,
): { readonly at: Vector; readonly axes: readonly [Vector, Vector, Vector] } {
  const a = 3 * triangles[3 * t]!;
  const b = 3 * triangles[3 * t + 1]!;
  const c = 3 * triangles[3 * t + 2]!;
  const e1: Vector = [positions[b]! - positions[a]!, positions[b + 1]! - positions[a + 1]!, positions[b + 2]! - positions[a + 2]!];
  const e2: Vector = [positions[c]! - positions[a]!, positions[c + 1]! - positions[a + 1]!, positions[c + 2]! - positions[a + 2]!];
  const out = normalise(cross(e1, e2));
  const along = normalise(e1);
  return {
    at: [positions[a]! + w1 * e1[0] + w2 * e2[0], positions[a + 1]! + w1 * e1[1] + w2 * e2[1], positions[a + 2]! + w1 * e1[2] + w2 * e2[2]],
    axes: [along, cross(out, along), out],
  };
}

/** Adds a hair that was grown on the mean head, moved to the posed one. */
function addPosed(list: StrandList, root: Root, shape: readonly Vector[], shade: number): void {
  for (const point of shape) {
    const d = subtract(point, root.rest);
    const along = dot(d, root.restAxes[0]);
    const across = dot(d, root.restAxes[1]);
    const out = dot(d, root.restAxes[2]);
    for (let c = 0; c < 3; c++) {
      list.points.push(root.posed[c]! + along * root.posedAxes[0][c]! + across * root.posedAxes[1][c]! + out * root.posedAxes[2][c]!);
    }
  }
  list.shade.push(shade);
}

function growBrows(surface: Surface, anatomy: Anatomy, look: PersonLook, detail: number, seed: number): Strands {
  const random = createRandom(seed);
  const segments = 4;
  const wanted = Math.round(900 * look.brows * detail);
  const list: StrandList = { points: [], shade: [] };
  for (let side = 0; side < 2; side++) {
    const { upper, lower } = anatomy.brows[side]!;
    const outward = side === 0 ? -1 : 1;
    for (let i = 0; i < wanted; i++) {
      const s = random() * 1.04 - 0.02;
      // -1 = lower edge, 1 = upper edge; fewer hairs at the edges.
      const h = (random() + random() - 1) * 1.15;
      // Soft inner end, dense middle, thin tail.
      if (random() > smoothstep(-0.06, 0.16, s) * (1 - 0.45 * smoothstep(0.75, 1, s))) continue;
      const at = Math.max(0, Math.min(3.999, s * 4));
      const k = Math.floor(at);
      const f = s * 4 - k;
      const along = (edge: Float64Array, c: number): number => edge[2 * k + c]! + (edge[2 * k + 2 + c]! - edge[2 * k + c]!) * f;
      const share = 0.5 + 0.5 * h;
      const x = along(lower, 0) + (along(upper, 0) - along(lower, 0)) * share;
      // Hairs grow upward from their roots: the band of roots lies a little below the brow that one sees.
      const y = along(lower, 1) + (along(upper, 1) - along(lower, 1)) * share - 0.8;
      const found = surface.atFront(x, y);
      if (found === null) continue;
      const root = findRoot(surface, found.triangle, found.w1, found.w2);
      // Inner hairs stand up, the others lie outward; those above lean down, those below up, so that they meet in a ridge.
      const upright = smoothstep(0.3, 0, s);
      const rise = 0.3 - 0.62 * s - h * 0.42;
      const direction = normalise([outward * (1 - 0.72 * upright), rise * (1 - upright) + 0.85 * upright + 0.26 * (random() - 0.5), 0]);
      const length = (4.6 + 3.4 * random()) * (1 - 0.3 * smoothstep(0.2, 0, s)) * (1 - 0.35 * smoothstep(0.7, 1, s));
      const shape = growAlong(root, direction, length, segments, 0.3, (p, d) => {
        d[1] += -0.08 * (1 - upright) + 0.05 * noise3(p[0], p[1], s * 9, 91);
      });
      addPosed(list, root, shape, random());
    }
  }
  return finish('brow', list, segments, 0.115 / detail);
}

/** Collects hairs of one kind. */
interface StrandList {
  readonly points: number[];
  readonly shade: number[];
}

function finish(kind: Strands['kind'], list: StrandList, segments: number, widthMm: number): Strands {
  return { kind, count: list.shade.length, segments, points: new Float32Array(list.points), widthMm, shade: new Float32Array(list.shade) };
}

/** A hair that lies on the skin: starts along `direction`, made tangent to the skin and lifted by `lift`; `bend` changes it at each step. */
function growAlong(
  root: Root,
  direction: Vector,
  length: number,
  segments: number,
  lift: number,
  bend: (point: Vector, direction: Vector, share: number) => void,
): Vector[] {
  const out = root.restAxes[2];
  const d: Vector = [...direction];
  const toTangent = dot(d, out);
  for (let c = 0; c < 3; c++) d[c] = d[c]! - toTangent * out[c]! + lift * out[c]!;
  let heading = normalise(d);
  const shape: Vector[] = [[...root.rest]];
  const step = length / segments;
  for (let k = 0; k < segments; k++) {
    const p = shape[k]!;
    bend(p, heading, (k + 1) / segments);
    heading = normalise(heading);
    shape.push([p[0] + heading[0] * step, p[1] + heading[1] * step, p[2] + heading[2] * step]);
  }
  return shape;
}

function growLashes(model: PortraitModel, anatomy: Anatomy, posed: Float32Array, look: PersonLook, seed: number): Strands {
  const random = createRandom(seed);
  const segments = 5;
  const list: StrandList = { points: [], shade: [] };
  const { triangles, triangleUvs, uvs } = model;
  for (const part of model.parts) {
    if (part.material !== 'lashes') continue;
    for (const sheet of splitSheets(part, triangles)) {
      let u0 = 1e9;
      let u1 = -1e9;
      let v0 = 1e9;
      let v1 = -1e9;
      for (const t of sheet) {
        for (let k = 0; k < 3; k++) {
          const uv = 2 * triangleUvs[3 * t + k]!;
          u0 = Math.min(u0, uvs[uv]!);
          u1 = Math.max(u1, uvs[uv]!);
          v0 = Math.min(v0, uvs[uv + 1]!);
          v1 = Math.max(v1, uvs[uv + 1]!);
        }
      }
      const at = (u: number, v: number, positions: Float32Array): Vector | null => {
        for (const t of sheet) {
          const [a, b, c] = [0, 1, 2].map((k) => 2 * triangleUvs[3 * t + k]!) as [number, number, number];
          const bx = uvs[b]! - uvs[a]!;
          const by = uvs[b + 1]! - uvs[a + 1]!;
          const cx = uvs[c]! - uvs[a]!;
          const cy = uvs[c + 1]! - uvs[a + 1]!;
          const area = bx * cy - cx * by;
          const px = u - uvs[a]!;
          const py = v - uvs[a + 1]!;
          const w1 = (px * cy - cx * py) / area;
          const w2 = (bx * py - px * by) / area;
          if (w1 < -1e-4 || w2 < -1e-4 || w1 + w2 > 1.0001) continue;
          return [0, 1, 2].map((k) => {
            const [p0, p1, p2] = [0, 1, 2].map((j) => positions[3 * triangles[3 * t + j]! + k]!) as [number, number, number];
            return p0 + w1 * (p1 - p0) + w2 * (p2 - p0);
          }) as Vector;
        }
        return null;
      };
      const middle = (u0 + u1) / 2;
      const low = at(middle, v0 + 1e-4, anatomy.rest)!;
      const high = at(middle, v1 - 1e-4, anatomy.rest)!;
      // Rest frame: the eyeballs' centres lie on its x axis.
      const eyeCenter: Vector = [low[0] < 0 ? -anatomy.eyeX : anatomy.eyeX, 0, 0];
      const rootAtLow = distance(low, eyeCenter) < distance(high, eyeCenter);
      const isUpper = (low[1] + high[1]) / 2 > -1;
      // The last share of a lash sheet's u lies at one corner of the eye: which one, tells the fan's direction.
      const spreadsUp = at(u1 - 1e-4, v0 + 1e-4, anatomy.rest)![0] * Math.sign(eyeCenter[0]) > low[0] * Math.sign(eyeCenter[0]) ? 1 : -1;
      const number = Math.round(isUpper ? 58 : 26);
      for (let i = 0; i < number; i++) {
        const share = (i + 0.15 + 0.7 * random()) / number;
        const u = u0 + (u1 - u0) * share;
        const outer = spreadsUp > 0 ? share : 1 - share;
        const reach = (isUpper ? 0.55 + 0.42 * outer : 0.42 + 0.25 * outer) * (0.7 + 0.35 * random()) * look.lashes;
        const drift = (0.01 + 0.03 * outer + 0.02 * (random() - 0.5)) * spreadsUp * 0.5;
        const shape: Vector[] = [];
        for (let k = 0; k <= segments; k++) {
          const f = Math.min(0.999, (k / segments) * reach);
          const v = rootAtLow ? v0 + (v1 - v0) * (f + 0.0005) : v1 - (v1 - v0) * (f + 0.0005);
          const p = at(Math.max(u0 + 1e-4, Math.min(u1 - 1e-4, u + drift * (k / segments))), v, posed);
          if (p === null) break;
          shape.push(p);
        }
        if (shape.length !== segments + 1) continue;
        for (const p of shape) list.points.push(...p);
        list.shade.push(random());
      }
    }
  }
  return finish('lash', list, segments, 0.13);
}

/** Connected groups of a part's triangles. */
function splitSheets(part: { firstTriangle: number; triangleCount: number }, triangles: Uint32Array): number[][] {
  const groupOfVertex = new Map<number, number>();
  const parent: number[] = [];
  const find = (g: number): number => (parent[g] === g ? g : (parent[g] = find(parent[g]!)));
  for (let t = part.firstTriangle; t < part.firstTriangle + part.triangleCount; t++) {
    const groups = [0, 1, 2].map((k) => groupOfVertex.get(triangles[3 * t + k]!)).filter((g) => g !== undefined);
    const g = groups.length > 0 ? find(groups[0]!) : parent.push(parent.length) - 1;
    for (const other of groups) parent[find(other)] = g;
    for (let k = 0; k < 3; k++) groupOfVertex.set(triangles[3 * t + k]!, g);
  }
  const sheets = new Map<number, number[]>();
  for (let t = part.firstTriangle; t < part.firstTriangle + part.triangleCount; t++) {
    const g = find(groupOfVertex.get(triangles[3 * t]!)!);
    sheets.set(g, [...(sheets.get(g) ?? []), t]);
  }
  return [...sheets.values()];
}

/** Middle and radii of an ellipsoid that the skull of the mean head follows above the ears, rest frame, mm. */
const SKULL = { center: [0, 24, -70] as Vector, radii: [80, 84, 94] as Vector };

function growHair(surface: Surface, look: PersonLook, detail: number, seed: number): Strands {
  const random = createRandom(seed);
  const segments = detail > 0.5 ? 8 : 5;
  const wanted = Math.round(80000 * detail);
  const { skin, triangles, rest } = surface;
  // Triangles by area, so that hairs are spread evenly.
  const cumulative = new Float64Array(skin.length);
  let total = 0;
  for (let k = 0; k < skin.length; k++) {
    const [a, b, c] = [0, 1, 2].map((j) => 3 * triangles[3 * skin[k]! + j]!) as [number, number, number];
    const y = (rest[a + 1]! + rest[b + 1]! + rest[c + 1]!) / 3;
    if (y > -75) {
      const e1: Vector = [rest[b]! - rest[a]!, rest[b + 1]! - rest[a + 1]!, rest[b + 2]! - rest[a + 2]!];
      const e2: Vector = [rest[c]! - rest[a]!, rest[c + 1]! - rest[a + 1]!, rest[c + 2]! - rest[a + 2]!];
      const n = cross(e1, e2);
      total += Math.hypot(n[0], n[1], n[2]) / 2;
    }
    cumulative[k] = total;
  }
  const list: StrandList = { points: [], shade: [] };
  for (let i = 0; i < wanted; i++) {
    const target = random() * total;
    let low = 0;
    let high = skin.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! < target) low = middle + 1;
      else high = middle;
    }
    let w1 = random();
    let w2 = random();
    if (w1 + w2 > 1) {
      w1 = 1 - w1;
      w2 = 1 - w2;
    }
    const root = findRoot(surface, skin[low]!, w1, w2);
    const [x, y, z] = root.rest;
    const inside = hairDistance(x, y, z);
    // Hairs thin out toward the line.
    if (inside < -1.5 || random() > smoothstep(-1.5, 9, inside) * 0.9 + 0.1) continue;
    const top = smoothstep(28, 66, y + 0.12 * (z + 70));
    const nape = smoothstep(-10, -55, y);
    const edge = smoothstep(0, 14, inside);
    const length =
      (look.hairSideMm + (look.hairTopMm - look.hairSideMm) * top) * (1 - 0.6 * nape) * (0.35 + 0.65 * edge) * (0.8 + 0.4 * random());
    const shape = combHair(root, length, segments, top, edge, random);
    addPosed(list, root, shape, random());
  }
  return finish('hair', list, segments, 0.17 / detail);
}

/** One hair of the head: combed back and to the side on top, down at the sides; follows the skull at its own height. */
function combHair(root: Root, length: number, segments: number, top: number, edge: number, random: () => number): Vector[] {
  const [x, y, z] = root.rest;
  // Locks: neighbours share a turn.
  const lock = noise3(x * 0.085, y * 0.085, z * 0.085, 97);
  const lock2 = noise3(x * 0.16 + 9, y * 0.16, z * 0.16, 98);
  const side = Math.sign(x) || 1;
  const parting = smoothstep(-34, -22, x);
  const comb: Vector = normalise([
    top * (0.75 * (parting * 2 - 1) + 0.8 * lock) + (1 - top) * side * 0.05,
    top * 0.1 - (1 - top) * 0.95 + 0.12 * lock2,
    -(0.85 * top + 0.5 * (1 - top)) + 0.55 * lock2 * top,
  ]);
  // Hairs at the line itself lie flatter: they would bristle over the forehead.
  const rise = (0.62 * top + 0.22) * (0.75 + 0.5 * random()) * (0.45 + 0.55 * edge);
  const stray = random() < 0.05 ? 0.55 : 0.14;
  const jitter: Vector = [stray * (random() - 0.5), stray * (random() - 0.5), stray * (random() - 0.5)];
  const out = root.restAxes[2];
  let heading = normalise([comb[0] + out[0] * rise * 1.6, comb[1] + out[1] * rise * 1.6, comb[2] + out[2] * rise * 1.6]);
  const shape: Vector[] = [[...root.rest]];
  const step = length / segments;
  const curl = 0.22 * lock2 + 0.1 * (random() - 0.5);
  for (let k = 0; k < segments; k++) {
    const p = shape[k]!;
    const share = (k + 1) / segments;
    // Normal of the ellipsoid that the hair bends around.
    const n = normalise([
      (p[0] - SKULL.center[0]) / SKULL.radii[0] ** 2,
      (p[1] - SKULL.center[1]) / SKULL.radii[1] ** 2,
      (p[2] - SKULL.center[2]) / SKULL.radii[2] ** 2,
    ]);
    // Wanted direction: the comb along the skull, rising at the root, lying down toward the tip.
    const climb = rise * (1 - 1.35 * share);
    const inward = dot(comb, n);
    const across = cross(n, comb);
    const wanted: Vector = [0, 1, 2].map(
      (c) => comb[c]! - inward * n[c]! + climb * n[c]! + curl * share * across[c]! + jitter[c]! * (0.4 + share),
    ) as Vector;
    heading = normalise([0, 1, 2].map((c) => heading[c]! * 0.45 + wanted[c]! * 0.55) as Vector);
    shape.push([p[0] + heading[0] * step, p[1] + heading[1] * step, p[2] + heading[2] * step]);
  }
  return shape;
}

function growStubble(surface: Surface, look: PersonLook, detail: number, seed: number): Strands {
  const random = createRandom(seed);
  const segments = 2;
  const list: StrandList = { points: [], shade: [] };
  const wanted = Math.round(9000 * detail * look.stubble);
  for (let i = 0; i < wanted; i++) {
    const x = (random() - 0.5) * 150;
    const y = -45 - random() * 90;
    const found = surface.atFront(x, y);
    if (found === null) continue;
    const root = findRoot(surface, found.triangle, found.w1, found.w2);
    if (random() > beardArea(Math.abs(x), y, root.rest[2])) continue;
    const length = 0.7 + 1.1 * random();
    const direction = normalise([0.25 * Math.sign(x) + 0.5 * (random() - 0.5), -1, 0.2]);
    const shape = growAlong(root, direction, length, segments, 0.7, () => undefined);
    addPosed(list, root, shape, random());
  }
  return finish('stubble', list, segments, 0.1 / detail);
}

function subtract(a: Vector, b: Vector): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function distance(a: Vector, b: readonly number[]): number {
  return Math.hypot(a[0] - b[0]!, a[1] - b[1]!, a[2] - b[2]!);
}

function normalise(a: Vector): Vector {
  const length = Math.hypot(a[0], a[1], a[2]);
  return [a[0] / length, a[1] / length, a[2] / length];
}

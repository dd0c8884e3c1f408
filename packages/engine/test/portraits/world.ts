import { computeVertexNormals } from '../../src/render/compute-vertex-normals.ts';
import type { RenderCamera } from '../../src/render/create-view-camera.ts';
import { type Anatomy, describeAnatomy, type EyePlacement, placeEye } from './anatomy.ts';
import type { PortraitScene } from './render-portrait.ts';
import { createShirt, isUnderShirt } from './shirt.ts';
import { growStrands } from './strands.ts';
import { sampleLight, sampleSurroundings } from './studio.ts';
import { gatherLight } from './visibility.ts';

/** What a triangle of the scene is. */
export const KINDS = { skin: 0, mouth: 1, teeth: 2, eye: 3, shirt: 4, strand: 5 } as const;

/** Everything that is drawn, in one soup of triangles. */
export interface World {
  readonly anatomy: Anatomy;
  readonly triangles: Uint32Array;
  /** Shape (T) */
  readonly kind: Uint8Array;
  /** Shape (V,2), V, pixels and mm. */
  readonly screen: Float32Array;
  readonly depth: Float32Array;
  /** Shape (V,3): camera frame; for hairs the tangent. */
  readonly normals: Float32Array;
  /** Shape (V,3): skin = rest position; cloth = around, down, 0; hair = share of the length, shade, kind. */
  readonly rest: Float32Array;
  /** Shape (V,3): irradiance of the surroundings. */
  readonly ambient: Float32Array;
  /** Shape (V,3): visibility of key, fill, rim. */
  readonly lit: Float32Array;
  /** Shape (V,3), camera frame, mm. */
  readonly position: Float32Array;
  readonly eyes: readonly EyeFrame[];
}

/** Posed eyeball, camera frame. */
export interface EyeFrame {
  readonly center: readonly [number, number, number];
  readonly radius: number;
  /** Unit, from the centre through the pupil; then two across, the second about upward. */
  readonly axis: readonly [number, number, number];
  readonly side: readonly [number, number, number];
  readonly up: readonly [number, number, number];
}

/** Poses everything that is in the picture and gathers the light that arrives at it. */
export function prepareWorld(scene: PortraitScene): World {
  const { model, positions, camera, look, studio, detail } = scene;
  const anatomy = describeAnatomy(model);
  const strands = scene.material === 'statue' ? [] : growStrands(model, anatomy, positions, look, detail, scene.seed);
  const shirt = createShirt();
  const shirtPositions = wearShirt(shirt.positions, anatomy, positions);

  // The head: skin, mouth, teeth and outer eyeballs; the iris is painted below the cornea, wetness and lashes are ours.
  const kinds: number[] = [];
  const headTriangles: number[] = [];
  for (const part of model.parts) {
    const kind = { skin: KINDS.skin, scalp: KINDS.skin, mouth: KINDS.mouth, teeth: KINDS.teeth, sclera: KINDS.eye }[
      part.material as string
    ];
    if (kind === undefined) continue;
    for (let t = part.firstTriangle; t < part.firstTriangle + part.triangleCount; t++) {
      const corners = model.triangles.subarray(3 * t, 3 * t + 3);
      const { rest } = anatomy;
      if (kind === KINDS.skin && corners.every((v) => isUnderShirt(rest[3 * v]!, rest[3 * v + 1]!, rest[3 * v + 2]!))) continue;
      headTriangles.push(corners[0]!, corners[1]!, corners[2]!);
      kinds.push(kind);
    }
  }
  const headCount = positions.length / 3;
  const solidPositions = new Float32Array(positions.length + shirtPositions.length);
  solidPositions.set(positions);
  solidPositions.set(shirtPositions, positions.length);
  const solidTriangles = new Uint32Array(headTriangles.length + shirt.triangles.length);
  solidTriangles.set(headTriangles);
  for (let i = 0; i < shirt.triangles.length; i++) solidTriangles[headTriangles.length + i] = shirt.triangles[i]! + headCount;
  for (let i = 0; i < shirt.triangles.length / 3; i++) kinds.push(KINDS.shirt);
  const solidNormals = computeVertexNormals(solidPositions, solidTriangles);

  // Light.
  // A few thousand hairs throw shadows, each wider for it; more make them no smoother.
  const hairCount = strands.reduce((most, strand) => Math.max(most, strand.count), 0);
  const strandStep = Math.max(1, Math.round(hairCount / (detail > 0.5 ? 8000 : 1500)));
  // What lies behind the lips throws no shadow that one sees.
  const outside = solidTriangles.filter((_, c) => kinds[Math.floor(c / 3)] !== KINDS.mouth && kinds[Math.floor(c / 3)] !== KINDS.teeth);
  const occluders = { positions: solidPositions, triangles: outside, strands, strandStep };
  const receivers = [{ positions: solidPositions, normals: solidNormals }, ...strands.map((s) => ({ positions: s.points, normals: null }))];
  const r = camera.rotation;
  const many = (full: number): number => Math.max(3, Math.round(full * Math.min(1, 0.07 + detail * 0.95)));
  const fine = detail > 0.5 ? 1024 : 384;
  const coarse = detail > 0.5 ? 512 : 256;
  const ambient = gatherLight(occluders, receivers, sampleSurroundings(studio, many(80), r, scene.seed), true, coarse);
  const key = gatherLight(occluders, receivers, sampleLight(studio.key, many(28), r), false, fine);
  const fill = gatherLight(occluders, receivers, sampleLight(studio.fill, many(14), r), false, coarse);
  const rim = gatherLight(occluders, receivers, sampleLight(studio.rim, many(8), r), false, coarse);

  // One soup.
  const solidCount = solidPositions.length / 3;
  const hairPoints = strands.reduce((sum, s) => sum + s.count * (s.segments + 1), 0);
  const hairTriangles = strands.reduce((sum, s) => sum + s.count * s.segments * 2, 0);
  const total = solidCount + 2 * hairPoints;
  const world = {
    anatomy,
    triangles: new Uint32Array(solidTriangles.length + 3 * hairTriangles),
    kind: new Uint8Array(solidTriangles.length / 3 + hairTriangles).fill(KINDS.strand),
    screen: new Float32Array(2 * total),
    depth: new Float32Array(total),
    normals: new Float32Array(3 * total),
    rest: new Float32Array(3 * total),
    ambient: new Float32Array(3 * total),
    lit: new Float32Array(3 * total),
    position: new Float32Array(3 * total),
    eyes: anatomy.eyes.map((eye) => turnEye(placeEye(model, eye, positions), camera)),
  };
  world.triangles.set(solidTriangles);
  world.kind.set(kinds);
  world.rest.set(anatomy.rest);
  for (let i = 0; i < shirt.cloth.length / 2; i++) {
    world.rest[3 * (headCount + i)] = shirt.cloth[2 * i]!;
    world.rest[3 * (headCount + i) + 1] = shirt.cloth[2 * i + 1]!;
  }
  const toCamera = (p: Float32Array, i: number, v: number): void => {
    for (let k = 0; k < 3; k++) {
      world.position[3 * v + k] = r[3 * k]! * p[i]! + r[3 * k + 1]! * p[i + 1]! + r[3 * k + 2]! * p[i + 2]! + camera.translation[k]!;
    }
  };
  for (let v = 0; v < solidCount; v++) {
    toCamera(solidPositions, 3 * v, v);
    const z = world.position[3 * v + 2]!;
    world.screen[2 * v] = (camera.focalPx * world.position[3 * v]!) / z + camera.centerX;
    world.screen[2 * v + 1] = (camera.focalPx * world.position[3 * v + 1]!) / z + camera.centerY;
    world.depth[v] = z;
    for (let k = 0; k < 3; k++) {
      const n = 3 * v;
      world.normals[n + k] = r[3 * k]! * solidNormals[n]! + r[3 * k + 1]! * solidNormals[n + 1]! + r[3 * k + 2]! * solidNormals[n + 2]!;
      world.ambient[n + k] = ambient[0]![n + k]!;
    }
    world.lit[3 * v] = key[0]![3 * v]!;
    world.lit[3 * v + 1] = fill[0]![3 * v]!;
    world.lit[3 * v + 2] = rim[0]![3 * v]!;
  }
  let v = solidCount;
  let t = solidTriangles.length;
  for (let s = 0; s < strands.length; s++) {
    const strand = strands[s]!;
    const n = strand.segments + 1;
    for (let h = 0; h < strand.count; h++) {
      for (let k = 0; k < n; k++) {
        const i = 3 * (h * n + k);
        toCamera(strand.points, i, v);
        toCamera(strand.points, i, v + 1);
        const j = 3 * (h * n + Math.min(k, n - 2));
        const p = strand.points;
        const tangent = [p[j + 3]! - p[j]!, p[j + 4]! - p[j + 1]!, p[j + 5]! - p[j + 2]!];
        const tx = r[0]! * tangent[0]! + r[1]! * tangent[1]! + r[2]! * tangent[2]!;
        const ty = r[3]! * tangent[0]! + r[4]! * tangent[1]! + r[5]! * tangent[2]!;
        const tz = r[6]! * tangent[0]! + r[7]! * tangent[1]! + r[8]! * tangent[2]!;
        const length = Math.hypot(tx, ty, tz) + 1e-9;
        const x = world.position[3 * v]!;
        const y = world.position[3 * v + 1]!;
        const z = world.position[3 * v + 2]!;
        const sx = (camera.focalPx * x) / z + camera.centerX;
        const sy = (camera.focalPx * y) / z + camera.centerY;
        // A ribbon that faces the camera, across its own direction on the screen.
        const taper = 1 - (0.7 * k) / strand.segments;
        const half = (strand.widthMm * taper * 0.5 * camera.focalPx) / z;
        let acrossX = -(ty * z - tz * y);
        let acrossY = tx * z - tz * x;
        const across = Math.hypot(acrossX, acrossY) + 1e-9;
        acrossX /= across;
        acrossY /= across;
        for (let side = 0; side < 2; side++) {
          const w = v + side;
          const sign = side === 0 ? half : -half;
          world.screen[2 * w] = sx + acrossX * sign;
          world.screen[2 * w + 1] = sy + acrossY * sign;
          world.depth[w] = z;
          world.normals[3 * w] = tx / length;
          world.normals[3 * w + 1] = ty / length;
          world.normals[3 * w + 2] = tz / length;
          world.rest[3 * w] = k / strand.segments;
          world.rest[3 * w + 1] = strand.shade[h]!;
          world.rest[3 * w + 2] = { hair: 0, brow: 1, lash: 2, stubble: 3 }[strand.kind];
          for (let c = 0; c < 3; c++) world.ambient[3 * w + c] = ambient[s + 1]![i + c]! * 0.5;
          world.lit[3 * w] = key[s + 1]![i]!;
          world.lit[3 * w + 1] = fill[s + 1]![i]!;
          world.lit[3 * w + 2] = rim[s + 1]![i]!;
        }
        if (k > 0) {
          world.triangles.set([v - 2, v - 1, v, v, v - 1, v + 1], t);
          t += 6;
        }
        v += 2;
      }
    }
  }
  return world;
}

/** Moves the shirt with the neck of this person. */
function wearShirt(shirt: Float32Array, anatomy: Anatomy, posed: Float32Array): Float32Array {
  const { rest } = anatomy;
  let count = 0;
  const shift = [0, 0, 0];
  let restWidth = 0;
  let posedWidth = 0;
  for (let i = 0; i < rest.length; i += 3) {
    const y = rest[i + 1]!;
    if (y > -118 || y < -145 || Math.abs(rest[i]!) > 70) continue;
    count++;
    for (let k = 0; k < 3; k++) shift[k]! += posed[i + k]! - rest[i + k]!;
    restWidth += Math.abs(rest[i]!);
    posedWidth += Math.abs(posed[i]!);
  }
  const wider = Math.max(0.9, posedWidth / restWidth);
  const out = new Float32Array(shirt.length);
  for (let i = 0; i < shirt.length; i += 3) {
    out[i] = shirt[i]! * wider + shift[0]! / count;
    out[i + 1] = shirt[i + 1]! + shift[1]! / count;
    out[i + 2] = (shirt[i + 2]! + 84) * wider - 84 + shift[2]! / count;
  }
  return out;
}

function turnEye({ center, radius, axis }: EyePlacement, camera: RenderCamera): EyeFrame {
  const r = camera.rotation;
  const turn = (a: readonly number[]): [number, number, number] => [
    r[0]! * a[0]! + r[1]! * a[1]! + r[2]! * a[2]!,
    r[3]! * a[0]! + r[4]! * a[1]! + r[5]! * a[2]!,
    r[6]! * a[0]! + r[7]! * a[1]! + r[8]! * a[2]!,
  ];
  const turnedAxis = turn(axis);
  const turnedCenter = turn(center).map((c, k) => c + camera.translation[k]!) as [number, number, number];
  const modelUp = turn([0, 1, 0]);
  const dot = modelUp[0] * turnedAxis[0] + modelUp[1] * turnedAxis[1] + modelUp[2] * turnedAxis[2];
  const across = modelUp.map((u, k) => u - dot * turnedAxis[k]!);
  const length = Math.hypot(...across);
  const up = across.map((u) => u / length) as [number, number, number];
  const side: [number, number, number] = [
    up[1] * turnedAxis[2] - up[2] * turnedAxis[1],
    up[2] * turnedAxis[0] - up[0] * turnedAxis[2],
    up[0] * turnedAxis[1] - up[1] * turnedAxis[0],
  ];
  return { center: turnedCenter, radius, axis: turnedAxis, side, up };
}

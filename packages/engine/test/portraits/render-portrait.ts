import type { FaceModel } from '../../src/models/face-model.ts';
import { computeVertexNormals } from '../../src/render/compute-vertex-normals.ts';
import type { RenderCamera } from '../../src/render/create-view-camera.ts';
import { createRasterBuffers, rasterize } from '../../src/render/rasterize.ts';
import { encodeSrgb, LINEAR_FROM_SRGB } from '../../src/render/srgb.ts';
import { type Anatomy, describeAnatomy } from './anatomy.ts';
import { fractalNoise3, hash, noise3, smoothstep } from './noise.ts';
import type { PersonLook } from './person.ts';
import { createShirt } from './shirt.ts';
import { createSkin, type SkinSample } from './skin.ts';
import { growStrands } from './strands.ts';
import { type SoftLight, type Studio, sampleLight, sampleSurroundings } from './studio.ts';
import { gatherLight } from './visibility.ts';

/** A head of ICT-FaceKit's topology. */
export type PortraitModel = Pick<FaceModel, 'neutral' | 'triangles' | 'uvs' | 'triangleUvs' | 'parts'>;

export interface PortraitScene {
  readonly model: PortraitModel;
  /** Shape (V,3), millimetres, model frame. */
  readonly positions: Float32Array;
  readonly look: PersonLook;
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

const SKIN = 0;
const MOUTH = 1;
const TEETH = 2;
const EYE = 3;
const SHIRT = 4;
const STRAND = 5;

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
          const back = backdropAt(scene, x + 0.5, y + 0.5);
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

const backColor = new Float64Array(3);

function backdropAt(scene: PortraitScene, x: number, y: number): Float64Array {
  const { width, height, studio } = scene;
  const dx = (x - width * 0.52) / Math.max(width, height);
  const dy = (y - height * 0.42) / Math.max(width, height);
  const t = smoothstep(0.05, 0.75, Math.hypot(dx, dy));
  const cloud = 2.5 * fractalNoise3((x / width) * 3.1, (y / width) * 3.1, 7, 3, 301);
  for (let c = 0; c < 3; c++) {
    const s = studio.backdrop.middle[c]! + (studio.backdrop.corner[c]! - studio.backdrop.middle[c]!) * t + cloud;
    const i = Math.max(0, Math.min(254, Math.floor(s)));
    backColor[c] = (LINEAR_FROM_SRGB[i]! + (LINEAR_FROM_SRGB[i + 1]! - LINEAR_FROM_SRGB[i]!) * (s - i)) / studio.exposure;
  }
  return backColor;
}

/** Everything that is drawn, in one soup of triangles. */
interface World {
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
interface EyeFrame {
  readonly center: readonly [number, number, number];
  readonly radius: number;
  /** Unit, from the centre through the pupil; then two across, the second about upward. */
  readonly axis: readonly [number, number, number];
  readonly side: readonly [number, number, number];
  readonly up: readonly [number, number, number];
}

function prepareWorld(scene: PortraitScene): World {
  const { model, positions, camera, look, studio, detail } = scene;
  const anatomy = describeAnatomy(model);
  const strands = growStrands(model, anatomy, positions, look, detail, scene.seed);
  const shirt = createShirt();
  const shirtPositions = wearShirt(shirt.positions, anatomy, positions);

  // The head: skin, mouth, teeth and outer eyeballs; the iris is painted below the cornea, wetness and lashes are ours.
  const kinds: number[] = [];
  const headTriangles: number[] = [];
  for (const part of model.parts) {
    const kind = { skin: SKIN, scalp: SKIN, mouth: MOUTH, teeth: TEETH, sclera: EYE }[part.material as string];
    if (kind === undefined) continue;
    for (let c = 3 * part.firstTriangle; c < 3 * (part.firstTriangle + part.triangleCount); c++) headTriangles.push(model.triangles[c]!);
    for (let k = 0; k < part.triangleCount; k++) kinds.push(kind);
  }
  const headCount = positions.length / 3;
  const solidPositions = new Float32Array(positions.length + shirtPositions.length);
  solidPositions.set(positions);
  solidPositions.set(shirtPositions, positions.length);
  const solidTriangles = new Uint32Array(headTriangles.length + shirt.triangles.length);
  solidTriangles.set(headTriangles);
  for (let i = 0; i < shirt.triangles.length; i++) solidTriangles[headTriangles.length + i] = shirt.triangles[i]! + headCount;
  for (let i = 0; i < shirt.triangles.length / 3; i++) kinds.push(SHIRT);
  const solidNormals = computeVertexNormals(solidPositions, solidTriangles);

  // Light.
  const occluders = { positions: solidPositions, triangles: solidTriangles, strands, strandStep: Math.max(1, Math.round(6 * detail)) };
  const receivers = [{ positions: solidPositions, normals: solidNormals }, ...strands.map((s) => ({ positions: s.points, normals: null }))];
  const r = camera.rotation;
  const many = (full: number): number => Math.max(5, Math.round(full * Math.min(1, 0.25 + detail)));
  const mapSize = detail > 0.5 ? 1024 : 512;
  const ambient = gatherLight(occluders, receivers, sampleSurroundings(studio, many(80), r, scene.seed), true, 512);
  const key = gatherLight(occluders, receivers, sampleLight(studio.key, many(28), r), false, mapSize);
  const fill = gatherLight(occluders, receivers, sampleLight(studio.fill, many(14), r), false, 512);
  const rim = gatherLight(occluders, receivers, sampleLight(studio.rim, many(8), r), false, 512);

  // One soup.
  const solidCount = solidPositions.length / 3;
  const hairPoints = strands.reduce((sum, s) => sum + s.count * (s.segments + 1), 0);
  const hairTriangles = strands.reduce((sum, s) => sum + s.count * s.segments * 2, 0);
  const total = solidCount + 2 * hairPoints;
  const world = {
    anatomy,
    triangles: new Uint32Array(solidTriangles.length + 3 * hairTriangles),
    kind: new Uint8Array(solidTriangles.length / 3 + hairTriangles).fill(STRAND),
    screen: new Float32Array(2 * total),
    depth: new Float32Array(total),
    normals: new Float32Array(3 * total),
    rest: new Float32Array(3 * total),
    ambient: new Float32Array(3 * total),
    lit: new Float32Array(3 * total),
    position: new Float32Array(3 * total),
    eyes: anatomy.eyes.map((eye) => poseEye(eye, anatomy, positions, camera)),
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

function poseEye(eye: Anatomy['eyes'][number], anatomy: Anatomy, posed: Float32Array, camera: RenderCamera): EyeFrame {
  // The ball moves rigidly: its centre goes with the mean of its vertices.
  const shift = [0, 0, 0];
  let spreadRest = 0;
  let spreadPosed = 0;
  const meanRest = [0, 0, 0];
  const meanPosed = [0, 0, 0];
  for (const v of eye.vertices) {
    for (let k = 0; k < 3; k++) {
      meanRest[k]! += anatomy.rest[3 * v + k]! / eye.vertices.length;
      meanPosed[k]! += posed[3 * v + k]! / eye.vertices.length;
    }
  }
  for (const v of eye.vertices) {
    for (let k = 0; k < 3; k++) {
      spreadRest += (anatomy.rest[3 * v + k]! - meanRest[k]!) ** 2;
      spreadPosed += (posed[3 * v + k]! - meanPosed[k]!) ** 2;
    }
  }
  const scale = Math.sqrt(spreadPosed / spreadRest);
  const r = camera.rotation;
  const axisModel = [0, 1, 2].map((k) => posed[3 * eye.apex + k]! - meanPosed[k]!);
  const length = Math.hypot(...axisModel);
  // The mean of the vertices lies off the centre along the axis, by the same share in both.
  const offset = [0, 1, 2].map((k) => meanRest[k]! - eye.center[k]!);
  const along = Math.hypot(...offset) * scale * Math.sign(offset[2]!);
  for (let k = 0; k < 3; k++) shift[k] = meanPosed[k]! - (axisModel[k]! / length) * along;
  const turn = (a: readonly number[]): [number, number, number] => [
    r[0]! * a[0]! + r[1]! * a[1]! + r[2]! * a[2]!,
    r[3]! * a[0]! + r[4]! * a[1]! + r[5]! * a[2]!,
    r[6]! * a[0]! + r[7]! * a[1]! + r[8]! * a[2]!,
  ];
  const axis = turn(axisModel.map((a) => a / length));
  const center = turn(shift).map((c, k) => c + camera.translation[k]!) as [number, number, number];
  const upModel = turn([0, 1, 0]);
  const dot = upModel[0] * axis[0] + upModel[1] * axis[1] + upModel[2] * axis[2];
  const upRaw = upModel.map((u, k) => u - dot * axis[k]!);
  const upLength = Math.hypot(...upRaw);
  const up = upRaw.map((u) => u / upLength) as [number, number, number];
  const side: [number, number, number] = [
    up[1] * axis[2] - up[2] * axis[1],
    up[2] * axis[0] - up[0] * axis[2],
    up[0] * axis[1] - up[1] * axis[0],
  ];
  return { center, radius: eye.radius * scale, axis, side, up };
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

interface Lamp {
  readonly d: readonly [number, number, number];
  readonly rgb: readonly [number, number, number];
  /** Widens highlights by the size of the light. */
  readonly spread: number;
}

function lampOf(light: SoftLight): Lamp {
  const length = Math.hypot(...light.direction);
  const d = light.direction.map((v) => v / length) as [number, number, number];
  return { d, rgb: light.rgb, spread: Math.sin((light.halfAngleDeg * Math.PI) / 180) };
}

/** How far each channel of the light reaches past the terminator in skin: red wanders furthest. */
const SKIN_WRAP = [0.3, 0.13, 0.08] as const;

/** Shades one sample: triangle, weights, ray; writes linear RGB. */
function createShader(
  scene: PortraitScene,
  world: World,
): (t: number, w1: number, w2: number, rayX: number, rayY: number, rgb: Float64Array) => void {
  const { look, studio } = scene;
  const { triangles, kind, normals, rest, ambient, lit, position } = world;
  const skin = createSkin(look, world.anatomy);
  const sample: SkinSample = { r: 0, g: 0, b: 0, gloss: 0, bumpX: 0, bumpY: 0, bumpZ: 0, lip: 0 };
  const lamps = [lampOf(studio.key), lampOf(studio.fill), lampOf(studio.rim)];
  const bumpScale = Math.min(1, 0.25 + scene.detail);

  return (t, w1, w2, rayX, rayY, rgb) => {
    const a = 3 * triangles[3 * t]!;
    const b = 3 * triangles[3 * t + 1]!;
    const c = 3 * triangles[3 * t + 2]!;
    const w0 = 1 - w1 - w2;
    const k = kind[t]!;
    const restX = w0 * rest[a]! + w1 * rest[b]! + w2 * rest[c]!;
    const restY = w0 * rest[a + 1]! + w1 * rest[b + 1]! + w2 * rest[c + 1]!;
    const restZ = w0 * rest[a + 2]! + w1 * rest[b + 2]! + w2 * rest[c + 2]!;
    let nx = w0 * normals[a]! + w1 * normals[b]! + w2 * normals[c]!;
    let ny = w0 * normals[a + 1]! + w1 * normals[b + 1]! + w2 * normals[c + 1]!;
    let nz = w0 * normals[a + 2]! + w1 * normals[b + 2]! + w2 * normals[c + 2]!;
    const ambientR = w0 * ambient[a]! + w1 * ambient[b]! + w2 * ambient[c]!;
    const ambientG = w0 * ambient[a + 1]! + w1 * ambient[b + 1]! + w2 * ambient[c + 1]!;
    const ambientB = w0 * ambient[a + 2]! + w1 * ambient[b + 2]! + w2 * ambient[c + 2]!;
    const view = 1 / Math.sqrt(rayX * rayX + rayY * rayY + 1);
    const vx = -rayX * view;
    const vy = -rayY * view;
    const vz = -view;

    if (k === STRAND) {
      shadeStrand(restX, restY, restZ, nx, ny, nz, ambientR, ambientG, ambientB);
      return;
    }
    let albedoR = 0.5;
    let albedoG = 0.5;
    let albedoB = 0.5;
    let gloss = 0.3;
    let roughness = 0.45;
    let isSkin = false;
    if (k === SKIN) {
      skin(restX, restY, restZ, sample);
      albedoR = sample.r;
      albedoG = sample.g;
      albedoB = sample.b;
      gloss = sample.gloss;
      roughness = 0.5 - 0.14 * sample.lip;
      nx += sample.bumpX * bumpScale;
      ny += sample.bumpY * bumpScale;
      nz += sample.bumpZ * bumpScale;
      isSkin = true;
    } else if (k === MOUTH) {
      albedoR = 0.3;
      albedoG = 0.09;
      albedoB = 0.085;
      gloss = 0.7;
      roughness = 0.3;
      isSkin = true;
    } else if (k === TEETH) {
      const stain = 0.5 + 0.5 * noise3(restX * 0.4, restY * 0.4, restZ * 0.4, 131);
      albedoR = 0.66 - 0.04 * stain;
      albedoG = 0.6 - 0.06 * stain;
      albedoB = 0.5 - 0.08 * stain;
      gloss = 0.8;
      roughness = 0.2;
    } else if (k === SHIRT) {
      const rib = restY < 10 ? 0.75 + 0.25 * Math.sin(restX * 2 * Math.PI * 150) : 1;
      const fibre = noise3(restX * 900, restY * 14, 0, 151);
      const knit = 1 + 0.1 * fibre + 0.06 * noise3(restX * 300, restY * 4, 1, 153);
      albedoR = look.shirtColor[0] * knit * (0.8 + 0.2 * rib);
      albedoG = look.shirtColor[1] * knit * (0.8 + 0.2 * rib);
      albedoB = look.shirtColor[2] * knit * (0.8 + 0.2 * rib);
      nx += 0.08 * fibre;
      ny += 0.08 * noise3(restX * 900, restY * 14, 3, 155);
      gloss = 0.04;
      roughness = 0.8;
    }
    let length = 1 / Math.sqrt(nx * nx + ny * ny + nz * nz + 1e-20);
    // Faces seen from behind (inside of the mouth, rim of the shirt) are lit as their front.
    if (nx * vx + ny * vy + nz * vz < 0 && k !== SKIN) length = -length;
    nx *= length;
    ny *= length;
    nz *= length;

    if (k === EYE) {
      shadeEye(a, b, c, w0, w1, w2, nx, ny, nz, vx, vy, vz, rayX, rayY, ambientR, ambientG, ambientB);
      return;
    }
    let lightR = ambientR;
    let lightG = ambientG;
    let lightB = ambientB;
    let shineR = 0;
    let shineG = 0;
    let shineB = 0;
    const facingEye = Math.max(0.02, nx * vx + ny * vy + nz * vz);
    for (let i = 0; i < 3; i++) {
      const lamp = lamps[i]!;
      const [lx, ly, lz] = lamp.d;
      const seen = w0 * lit[a + i]! + w1 * lit[b + i]! + w2 * lit[c + i]!;
      const facing = nx * lx + ny * ly + nz * lz;
      if (isSkin) {
        // Light wanders in the skin: the terminator is soft, most in red, and shadows have warm edges.
        const open = seen;
        const r = Math.max(0, (facing + SKIN_WRAP[0]) / (1 + SKIN_WRAP[0]));
        const g = Math.max(0, (facing + SKIN_WRAP[1]) / (1 + SKIN_WRAP[1]));
        const bl = Math.max(0, (facing + SKIN_WRAP[2]) / (1 + SKIN_WRAP[2]));
        // Visibility is gathered only where the surface faces the light; past the terminator it counts as at its edge.
        const shadowR = open ** 0.75;
        const shadow = open;
        lightR += lamp.rgb[0] * r * r ** 0.15 * shadowR;
        lightG += lamp.rgb[1] * g * shadow;
        lightB += lamp.rgb[2] * bl * shadow;
      } else {
        const lambert = Math.max(0, facing) * seen;
        lightR += lamp.rgb[0] * lambert;
        lightG += lamp.rgb[1] * lambert;
        lightB += lamp.rgb[2] * lambert;
      }
      if (facing > 0 && seen > 0) {
        const hx = lx + vx;
        const hy = ly + vy;
        const hz = lz + vz;
        const half = 1 / Math.sqrt(hx * hx + hy * hy + hz * hz);
        const nh = (nx * hx + ny * hy + nz * hz) * half;
        const vh = (vx * hx + vy * hy + vz * hz) * half;
        const fresnel = 0.028 + 0.972 * (1 - vh) ** 5;
        // Two lobes: oily and dry skin (Donner and Jensen 2006 fit one; two read better).
        const shine =
          seen *
          facing *
          fresnel *
          gloss *
          (0.75 * lobe(nh, facing, facingEye, roughness + 0.35 * lamp.spread) +
            0.35 * lobe(nh, facing, facingEye, roughness * 0.55 + 0.35 * lamp.spread));
        shineR += lamp.rgb[0] * shine;
        shineG += lamp.rgb[1] * shine;
        shineB += lamp.rgb[2] * shine;
      }
    }
    // Bright surroundings mirrored at grazing angles.
    const grazing = (1 - facingEye) ** 5 * gloss * 0.35;
    rgb[0] = albedoR * lightR + shineR + grazing * ambientR;
    rgb[1] = albedoG * lightG + shineG + grazing * ambientG;
    rgb[2] = albedoB * lightB + shineB + grazing * ambientB;

    function shadeStrand(
      share: number,
      shade: number,
      kindOfHair: number,
      tx0: number,
      ty0: number,
      tz0: number,
      aR: number,
      aG: number,
      aB: number,
    ): void {
      const inverse = 1 / Math.sqrt(tx0 * tx0 + ty0 * ty0 + tz0 * tz0 + 1e-20);
      const tx = tx0 * inverse;
      const ty = ty0 * inverse;
      const tz = tz0 * inverse;
      const isHead = kindOfHair < 0.5;
      const isLash = kindOfHair > 1.5 && kindOfHair < 2.5;
      const tone = (isHead ? 0.72 + 0.6 * shade : 0.7 + 0.4 * shade) * (isHead ? 0.75 + 0.4 * share : 1) * (isLash ? 0.35 : 1);
      const grey = isHead || kindOfHair < 1.5 ? 0 : 0;
      const hr = look.hairColor[0] * tone + grey;
      const hg = look.hairColor[1] * tone + grey;
      const hb = look.hairColor[2] * tone + grey;
      let r = aR * 1.1;
      let g = aG * 1.1;
      let bl = aB * 1.1;
      let shineRed = 0;
      let shineGreen = 0;
      let shineBlue = 0;
      const tv = tx * vx + ty * vy + tz * vz;
      for (let i = 0; i < 3; i++) {
        const lamp = lamps[i]!;
        const seen = w0 * lit[a + i]! + w1 * lit[b + i]! + w2 * lit[c + i]!;
        if (seen <= 0) continue;
        const tl = tx * lamp.d[0] + ty * lamp.d[1] + tz * lamp.d[2];
        const sinL = Math.sqrt(Math.max(0, 1 - tl * tl));
        const sinV = Math.sqrt(Math.max(0, 1 - tv * tv));
        // Kajiya and Kay 1989: diffuse by the sine to the light; two highlights, the second tinted and shifted along the hair (Marschner 2003).
        const diffuse = sinL * 0.75 * seen;
        const cosine = sinL * sinV - tl * tv;
        const shift = (shade - 0.5) * 0.12;
        const first = Math.max(0, cosine + shift) ** 60 * 0.16 * seen;
        const second = Math.max(0, cosine - 0.1 + shift) ** 14 * 0.55 * seen;
        r += lamp.rgb[0] * diffuse;
        g += lamp.rgb[1] * diffuse;
        bl += lamp.rgb[2] * diffuse;
        const strength = isHead ? 1 : 0.35;
        shineRed += lamp.rgb[0] * strength * (first * 0.5 + second * hr);
        shineGreen += lamp.rgb[1] * strength * (first * 0.5 + second * hg);
        shineBlue += lamp.rgb[2] * strength * (first * 0.5 + second * hb);
      }
      rgb[0] = hr * r + shineRed;
      rgb[1] = hg * g + shineGreen;
      rgb[2] = hb * bl + shineBlue;
    }

    function shadeEye(
      ia: number,
      ib: number,
      ic: number,
      e0: number,
      e1: number,
      e2: number,
      mx: number,
      my: number,
      mz: number,
      ux: number,
      uy: number,
      uz: number,
      _rx: number,
      _ry: number,
      aR: number,
      aG: number,
      aB: number,
    ): void {
      const px = e0 * position[ia]! + e1 * position[ib]! + e2 * position[ic]!;
      const py = e0 * position[ia + 1]! + e1 * position[ib + 1]! + e2 * position[ic + 1]!;
      const pz = e0 * position[ia + 2]! + e1 * position[ib + 2]! + e2 * position[ic + 2]!;
      const first = world.eyes[0]!;
      const second = world.eyes[1]!;
      const isFirst =
        Math.abs(px - first.center[0]) + Math.abs(py - first.center[1]) < Math.abs(px - second.center[0]) + Math.abs(py - second.center[1]);
      const eye = isFirst ? first : second;
      const { axis, side, up, center, radius } = eye;
      const dx = px - center[0];
      const dy = py - center[1];
      const dz = pz - center[2];
      const distance = Math.sqrt(dx * dx + dy * dy + dz * dz);
      const along = (dx * axis[0] + dy * axis[1] + dz * axis[2]) / distance;
      const irisRadius = radius * 0.41;
      const planeAt = Math.sqrt(radius * radius - irisRadius * irisRadius) - 0.2;
      const limbusCos = planeAt / radius;

      let r = 0.66;
      let g = 0.6;
      let bl = 0.555;
      const seenKey = e0 * lit[ia]! + e1 * lit[ib]! + e2 * lit[ic]!;
      const seenFill = e0 * lit[ia + 1]! + e1 * lit[ib + 1]! + e2 * lit[ic + 1]!;
      let keyFacing = Math.max(0, (mx * lamps[0]!.d[0] + my * lamps[0]!.d[1] + mz * lamps[0]!.d[2] + 0.25) / 1.25);
      let fillFacing = Math.max(0, (mx * lamps[1]!.d[0] + my * lamps[1]!.d[1] + mz * lamps[1]!.d[2] + 0.25) / 1.25);

      // Sclera: not white; pink and veined toward the corners.
      const sx = (dx * side[0] + dy * side[1] + dz * side[2]) / radius;
      const sy = (dx * up[0] + dy * up[1] + dz * up[2]) / radius;
      const corner = smoothstep(0.45, 0.95, Math.abs(sx));
      const vein = veins(sx * 9, sy * 9, isFirst ? 171 : 173) * (0.25 + 0.75 * corner);
      r *= 1 - 0.1 * corner - 0.04 * vein;
      g *= 1 - 0.26 * corner - 0.22 * vein;
      bl *= 1 - 0.28 * corner - 0.22 * vein;

      // Iris: the ray is bent by the cornea (n = 1.376) and meets the plane of the iris.
      const cosIn = mx * ux + my * uy + mz * uz;
      const eta = 1 / 1.376;
      const cosOut = Math.sqrt(Math.max(0, 1 - eta * eta * (1 - cosIn * cosIn)));
      const bend = eta * cosIn - cosOut;
      const fx = -eta * ux + bend * mx;
      const fy = -eta * uy + bend * my;
      const fz = -eta * uz + bend * mz;
      const fall = fx * axis[0] + fy * axis[1] + fz * axis[2];
      const height = dx * axis[0] + dy * axis[1] + dz * axis[2];
      const limbus = smoothstep(limbusCos - 0.012, limbusCos + 0.022, along);
      if (limbus > 0 && fall < -0.05) {
        const s = (planeAt - height) / fall;
        const qx = dx + fx * s;
        const qy = dy + fy * s;
        const qz = dz + fz * s;
        const ix = qx * side[0] + qy * side[1] + qz * side[2];
        const iy = qx * up[0] + qy * up[1] + qz * up[2];
        const rr = Math.hypot(ix, iy) / irisRadius;
        const angle = Math.atan2(iy, ix);
        const cx = Math.cos(angle);
        const cy = Math.sin(angle);
        const seed = isFirst ? 181 : 183;
        const fibre = noise3(cx * 16, cy * 16, rr * 2.2, seed) * 0.6 + noise3(cx * 34, cy * 34, rr * 3.5, seed + 1) * 0.4;
        const crypt = Math.max(0, noise3(cx * 5, cy * 5, rr * 5, seed + 2) - 0.1);
        const collarette = Math.exp(-(((rr - 0.5 - 0.04 * noise3(cx * 6, cy * 6, 0, seed + 3)) / 0.1) ** 2));
        let light = 0.8 + 0.55 * fibre - 0.55 * crypt + 0.5 * collarette;
        light *= 1 - 0.78 * smoothstep(0.78, 1.0, rr);
        const warm = smoothstep(0.66, 0.36, rr);
        let irisR = look.irisColor[0] * light * (1 + 0.7 * warm);
        let irisG = look.irisColor[1] * light * (1 + 0.22 * warm);
        let irisB = look.irisColor[2] * light * (1 - 0.3 * warm);
        const pupil = smoothstep(0.345, 0.31, rr + 0.012 * fibre);
        irisR += (0.004 - irisR) * pupil;
        irisG += (0.004 - irisG) * pupil;
        irisB += (0.004 - irisB) * pupil;
        r += (Math.max(0, irisR) - r) * limbus;
        g += (Math.max(0, irisG) - g) * limbus;
        bl += (Math.max(0, irisB) - bl) * limbus;
        // Light enters on one side and brightens the other (caustic of the cornea).
        const lightX = lamps[0]!.d[0] * side[0] + lamps[0]!.d[1] * side[1] + lamps[0]!.d[2] * side[2];
        const lightY = lamps[0]!.d[0] * up[0] + lamps[0]!.d[1] * up[1] + lamps[0]!.d[2] * up[2];
        const across = (ix * lightX + iy * lightY) / irisRadius;
        const caustic = 1 - 0.75 * across;
        const flat = Math.max(0, axis[0] * lamps[0]!.d[0] + axis[1] * lamps[0]!.d[1] + axis[2] * lamps[0]!.d[2]);
        keyFacing += (Math.max(0.1, flat * caustic * 1.3) - keyFacing) * limbus;
        fillFacing += (0.8 - fillFacing) * limbus;
      }
      // Shadow of the upper lid and its lashes.
      const lidShadow = 0.55 + 0.45 * smoothstep(0.42, 0.12, sy);
      let outR = r * (aR + lamps[0]!.rgb[0] * keyFacing * seenKey * lidShadow + lamps[1]!.rgb[0] * fillFacing * seenFill);
      let outG = g * (aG + lamps[0]!.rgb[1] * keyFacing * seenKey * lidShadow + lamps[1]!.rgb[1] * fillFacing * seenFill);
      let outB = bl * (aB + lamps[0]!.rgb[2] * keyFacing * seenKey * lidShadow + lamps[1]!.rgb[2] * fillFacing * seenFill);

      // The wet front mirrors the softboxes: a crisp window of light, and the room faintly.
      const mirror = 2 * cosIn;
      const wx = mirror * mx - ux;
      const wy = mirror * my - uy;
      const wz = mirror * mz - uz;
      const fresnel = 0.03 + 0.97 * (1 - Math.max(0, cosIn)) ** 5;
      for (let i = 0; i < 2; i++) {
        const lamp = lamps[i]!;
        const to = wx * lamp.d[0] + wy * lamp.d[1] + wz * lamp.d[2];
        if (to <= 0) continue;
        // Square window about the direction of the light.
        const offX = Math.abs(wx * lamp.d[2] - wz * lamp.d[0]);
        const offY = Math.abs(wy * lamp.d[2] - wz * lamp.d[1]);
        const size = Math.max(0.09, lamp.spread * 0.75);
        const window = smoothstep(size * 1.12, size * 0.88, offX) * smoothstep(size * 1.25, size * 0.95, offY);
        const seen = i === 0 ? Math.max(seenKey, 0.35) : seenFill;
        const power = i === 0 ? 26 : 3.2;
        outR += fresnel * window * power * lamp.rgb[0] * seen;
        outG += fresnel * window * power * lamp.rgb[1] * seen;
        outB += fresnel * window * power * lamp.rgb[2] * seen;
      }
      const sky = 0.5 - 0.5 * wy;
      outR += fresnel * sky * (aR + 0.15) * 0.8;
      outG += fresnel * sky * (aG + 0.15) * 0.8;
      outB += fresnel * sky * (aB + 0.15) * 0.8;
      rgb[0] = outR;
      rgb[1] = outG;
      rgb[2] = outB;
    }
  };
}

/** GGX distribution times a merged visibility term, without pi. */
function lobe(nh: number, nl: number, nv: number, roughness: number): number {
  const a2 = roughness ** 4;
  const d = nh * nh * (a2 - 1) + 1;
  const k = (roughness * roughness) / 2;
  return a2 / (d * d) / (4 * (nl * (1 - k) + k) * (nv * (1 - k) + k) + 1e-3);
}

/** Thin branching lines, 0..1. */
function veins(x: number, y: number, seed: number): number {
  const wx = x + 1.2 * noise3(x * 0.5, y * 0.5, 0, seed);
  const wy = y + 1.2 * noise3(x * 0.5, y * 0.5, 5, seed);
  const ridge = 1 - Math.abs(noise3(wx * 0.6, wy * 1.5, 2, seed)) * 7;
  const fine = 1 - Math.abs(noise3(wx * 1.4, wy * 2.6, 3, seed)) * 7;
  return Math.max(0, ridge) + 0.5 * Math.max(0, fine);
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

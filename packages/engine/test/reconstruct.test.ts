/** @module Whole reconstructions of rendered people, of whom everything is known: pose, camera, shape, expression, skin. */
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { project } from '../src/camera/project.ts';
import { createEngine, type Engine } from '../src/create-engine.ts';
import { applySimilarity, estimateSimilarity } from '../src/math/similarity.ts';
import type { FaceModel } from '../src/models/face-model.ts';
import { loadFaceModel } from '../src/models/load-face-model.ts';
import type { Raster } from '../src/photo/raster.ts';
import type { Reconstruction } from '../src/reconstruction.ts';
import { computeVertexNormals } from '../src/render/compute-vertex-normals.ts';
import { landmarkAt, turnPicture } from './portraits/compose-pictures.ts';
import { createPortrait, encodeJpeg, type Portrait } from './portraits/create-portrait.ts';
import { PORTRAITS, type PortraitSpec } from './portraits/portraits.ts';

/** Pictures of 384 x 480 px, faces of about 170 px: enough for a sharp skin of 512 texels, and quick to render. */
const CASES = {
  frontal: PORTRAITS.frontal,
  right: { ...PORTRAITS.turnedRight, yawDeg: 22 },
  leftDown: { ...PORTRAITS.turnedLeftDown, yawDeg: -20, pitchDeg: -10 },
  smile: PORTRAITS.smile,
  closedEyes: PORTRAITS.closedEyes,
  openMouth: PORTRAITS.openMouth,
  wideAngle: PORTRAITS.wideAngle,
} as const satisfies Record<string, PortraitSpec>;
type CaseName = keyof typeof CASES;
const NAMES = Object.keys(CASES) as CaseName[];
/** Heads turned and nodded further: for pose and places alone. */
const STEEP_CASES: Readonly<Record<string, PortraitSpec>> = {
  right35: { ...PORTRAITS.turnedRight, yawDeg: 35 },
  up20: { ...PORTRAITS.frontal, identity: PORTRAITS.smile.identity, pitchDeg: 20, seed: 21 },
  down20: { ...PORTRAITS.hardSideLight, yawDeg: 6, pitchDeg: -20, seed: 22 },
};
const SIZE = { width: 384, height: 480 } as const;
const TEXTURE_SIZE = 512;

interface Made {
  readonly portrait: Portrait;
  readonly jpeg: Buffer;
  readonly result: Reconstruction;
}

let engine: Engine;
let model: FaceModel;
const made = new Map<string, Made>();
const of = (name: string): Made => made.get(name)!;

beforeAll(async () => {
  [engine, model] = await Promise.all([createEngine({ textureSize: TEXTURE_SIZE }), loadFaceModel('head')]);
  for (const [name, portraitCase] of Object.entries({ ...CASES, ...STEEP_CASES })) {
    const spec: PortraitSpec = { ...portraitCase, ...SIZE };
    const portrait = await createPortrait(model, spec);
    const jpeg = await encodeJpeg(portrait.raster, { focal35Mm: spec.focal35Mm });
    made.set(name, { portrait, jpeg, result: await engine.reconstruct(jpeg) });
  }
}, 300_000);
afterAll(() => engine.close());

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const rootMeanSquare = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);

const skinOf = (result: Reconstruction) => result.maps.surfaces.find((s) => s.materials.includes('skin'))!.albedo!;
const bytesOf = (a: Float32Array): Buffer => Buffer.from(a.buffer, a.byteOffset, a.byteLength);
const weightOf = (result: Reconstruction, name: string): number => result.blendshapes.find((b) => b.name === name)!.weight;

/** Places that can be pointed at: corners of the eyes and middles of the lids, irises, corners and middle of the lips, nose tip and root. */
const MARKED_LANDMARKS = [33, 133, 263, 362, 159, 145, 386, 374, 468, 473, 61, 291, 13, 14, 1, 4, 168];

/** Distances of the found landmarks from the true ones, per cent of the distance between the outer eye corners. */
function landmarkErrors({ portrait: { truth }, result }: Made, numbers: ArrayLike<number>): number[] {
  const { points } = result.landmarks;
  return Array.from(numbers, (n) => {
    const [x, y] = landmarkAt(truth, n);
    return (100 * Math.hypot(points[3 * n]! - x, points[3 * n + 1]! - y)) / result.face.eyeDistancePx;
  });
}

describe('camera and pose', () => {
  it.each(NAMES)('the focal length comes from EXIF, the pose from the landmarks: %s', (name) => {
    const { portrait, result } = of(name);
    const { truth } = portrait;
    const { intrinsics, pose } = result.face;
    // EXIF has whole millimetres, and so have the portraits.
    expect(intrinsics.focalPx / truth.focalPx).toBeCloseTo(1, 6);
    expect(intrinsics.source).toBe('exif');
    // What is promised. Measured up to 1.3, also where the mouth is wide open. Of people at large a quarter to a third are beyond
    // (docs/decisions/face-readout.md).
    expect(Math.abs(pose.yawDeg - truth.yawDeg)).toBeLessThan(2);
    expect(Math.abs(pose.pitchDeg - truth.pitchDeg)).toBeLessThan(2);
    // Roll is seen in the picture itself.
    expect(Math.abs(pose.rollDeg - truth.rollDeg)).toBeLessThan(1.5);
    // With the focal length known, the distance is as uncertain as the size of the head: 4 % among people (one deviation).
    expect(Math.abs(pose.translation[2]! / truth.translation[2]! - 1)).toBeLessThan(0.08);
  });

  it('the pose is right within 2 degrees, up to yaw 35 and pitch 20', () => {
    const errors = [...made.values()].flatMap(({ portrait, result }) => {
      const { truth } = portrait;
      return [result.face.pose.yawDeg - truth.yawDeg, result.face.pose.pitchDeg - truth.pitchDeg];
    });
    // Measured 0.8; over people at large it is 1.0 in yaw and 1.6 to 1.9 in pitch.
    expect(rootMeanSquare(errors)).toBeLessThan(1.4);
  });

  it.each(Object.keys(STEEP_CASES))('turned and nodded further: %s', (name) => {
    const { portrait, result } = of(name);
    const { pose } = result.face;
    // As for the others. Measured up to 1.7. (By the landmarks alone a pitch of 20 is read as 17.)
    expect(Math.abs(pose.yawDeg - portrait.truth.yawDeg)).toBeLessThan(2.5);
    expect(Math.abs(pose.pitchDeg - portrait.truth.pitchDeg)).toBeLessThan(2);
    expect(Math.abs(pose.rollDeg - portrait.truth.rollDeg)).toBeLessThan(1.5);
  });

  it('a focal length given goes before that of EXIF; without any one is assumed, with a warning', async () => {
    const { jpeg, portrait } = of('wideAngle');
    expect((await engine.reconstruct(jpeg, { focalPx: 700 })).face.intrinsics).toMatchObject({ focalPx: 700, source: 'option' });
    const bare = await engine.reconstruct(await encodeJpeg(portrait.raster));
    expect(bare.face.intrinsics.source).toBe('default');
    expect(bare.warnings.map((w) => w.code)).toContain('CAMERA_FOCAL_ASSUMED');
    expect(of('wideAngle').result.warnings.map((w) => w.code)).not.toContain('CAMERA_FOCAL_ASSUMED');
    // What the eye corners look like does not depend on the camera that is assumed.
    expect(bare.face.eyeDistancePx).toBe(of('wideAngle').result.face.eyeDistancePx);
  });
});

describe('landmarks', () => {
  it('lie where they should', () => {
    const marked = NAMES.map((name) => median(landmarkErrors(of(name), MARKED_LANDMARKS)));
    // 1.5 % is one millimetre on a face. Single portraits are up to 1.9 %.
    expect(median(marked)).toBeLessThan(1.5);
    for (const [i, name] of NAMES.entries()) {
      expect(marked[i], name).toBeLessThan(2.2);
      // All 478: most lie on cheeks, forehead and contour, where nothing marks a place and the network has habits of its own (docs of the
      // fit: network-mean.ts). Measured 1.5 to 2.5 %; a shift of the whole by one pixel would be 0.9 %.
      expect(median(landmarkErrors(of(name), of(name).portrait.truth.landmark)), name).toBeLessThan(3);
    }
  });
});

describe('the fitted face', () => {
  /** Distances of the landmarks' places on the fitted face, projected, from the true ones, per cent of the distance between the outer eye corners. */
  function placeErrors({ portrait: { truth }, result }: Made): number[] {
    const { positions, pose, intrinsics, eyeDistancePx } = result.face;
    const { triangle, barycentric, count } = model.landmarks;
    const places = new Float64Array(3 * count);
    for (let i = 0; i < places.length; i++) {
      const l = Math.floor(i / 3);
      for (let c = 0; c < 3; c++) places[i]! += barycentric[3 * l + c]! * positions[3 * model.triangles[3 * triangle[l]! + c]! + (i % 3)]!;
    }
    const found = project(places, pose, intrinsics, new Float64Array(2 * count));
    return Array.from(
      { length: count },
      (_, l) =>
        (100 * Math.hypot(found[2 * l]! - truth.landmarkPoints[2 * l]!, found[2 * l + 1]! - truth.landmarkPoints[2 * l + 1]!)) /
        eyeDistancePx,
    );
  }

  it('has its points where those of the person are', () => {
    const errors = [...made].map(([name, one]) => [name, placeErrors(one)] as const);
    // All 478 within 1.5 %, a millimetre and a third: cheeks and forehead as well, because what the network does to them by habit is known. Measured 1.2.
    expect(median(errors.flatMap(([, error]) => error))).toBeLessThan(1.5);
    // Single ones: the median of seven portraits in ten is below 1.3; a wide angle and heads turned or nodded by 20 degrees are the worst, 1.67.
    expect(median(errors.map(([, error]) => median(error)))).toBeLessThan(1.5);
    for (const [name, error] of errors) expect(median(error), name).toBeLessThan(2);
  });
});

describe('shape', () => {
  /** Root mean square distance from the true neutral face over the face region, best similarity taken out, millimetres. */
  function shapeError(positions: Float32Array, { portrait }: Made): number {
    const truth = Float64Array.from(model.evaluate(portrait.truth.identity, []));
    const weights = Float64Array.from(model.regions.face);
    const source = Float64Array.from(positions);
    const placed = applySimilarity(estimateSimilarity(source, truth, weights)!, source);
    let squares = 0;
    let sum = 0;
    for (let v = 0; v < weights.length; v++) {
      sum += weights[v]!;
      for (let k = 0; k < 3; k++) squares += weights[v]! * (placed[3 * v + k]! - truth[3 * v + k]!) ** 2;
    }
    return Math.sqrt(squares / sum);
  }

  it('of the neutral face is near the truth, whatever the expression in the photo', () => {
    const errors = NAMES.map((name) => shapeError(of(name).result.face.neutralPositions, of(name)));
    // Vertex to vertex, so slips along the surface count too. One photo leaves the depth of nose, chin and brow open: 2 mm is about the
    // thickness of what a landmark's 2 % explains (1.3 mm) and the unseen depth together. Measured 1.3 to 2.3.
    for (const [i, name] of NAMES.entries()) expect(errors[i], name).toBeLessThan(2.7);
    expect(rootMeanSquare(errors)).toBeLessThan(2);
  });

  it.each(['right', 'leftDown'] as const)('of a person unlike the mean is nearer than the mean face: %s', (name) => {
    // Measured 1.6 to 1.7 mm instead of 2.1.
    expect(shapeError(of(name).result.face.neutralPositions, of(name))).toBeLessThan(0.95 * shapeError(model.neutral, of(name)));
  });
});

describe('expression', () => {
  it('closed eyes are a blink on both sides, and on no other portrait', () => {
    for (const name of NAMES) {
      for (const side of ['Left', 'Right']) {
        const weight = weightOf(of(name).result, `eyeBlink${side}`);
        // The truth is 1; measured from the lids' opening alone.
        if (name === 'closedEyes') expect(weight).toBeGreaterThan(0.9);
        else expect(weight, `${name} ${side}`).toBeLessThan(0.3);
      }
    }
  });
  it('an open mouth is an open jaw, and on no other portrait', () => {
    for (const name of NAMES) {
      const weight = weightOf(of(name).result, 'jawOpen');
      // The truth is 0.7; a longer chin looks much the same, and the identity takes its share. Measured 0.57.
      if (name === 'openMouth') expect(weight).toBeGreaterThan(0.5);
      else expect(weight, name).toBeLessThan(0.25);
    }
  });
  it('brows are raised on no portrait whose brows are calm', () => {
    for (const name of NAMES) {
      for (const side of ['Left', 'Right']) {
        // Where brows sit differs from person to person by more than a calm face moves them. Measured up to 0.16; with as little proof as other shapes need 0.27.
        expect(weightOf(of(name).result, `browOuterUp${side}`), `${name} ${side}`).toBeLessThan(0.22);
      }
    }
  });
  it('a smile is a smile on both sides, and on no other portrait', () => {
    for (const name of NAMES) {
      for (const side of ['Left', 'Right']) {
        const weight = weightOf(of(name).result, `mouthSmile${side}`);
        // The truth is 0.85; a wider mouth looks much the same, and the identity takes its share. Measured 0.68 and 0.71.
        if (name === 'smile') expect(weight).toBeGreaterThan(0.6);
        else expect(weight, `${name} ${side}`).toBeLessThan(0.25);
      }
    }
  });
});

describe('texture', () => {
  /** Mean colour of a square of pixels. */
  function meanColor(data: Uint8Array, width: number, x: number, y: number, reach: number): number[] {
    const sum = [0, 0, 0];
    for (let row = Math.floor(y) - reach; row <= Math.floor(y) + reach; row++) {
      for (let column = Math.floor(x) - reach; column <= Math.floor(x) + reach; column++) {
        for (let k = 0; k < 3; k++) sum[k]! += data[3 * (row * width + column) + k]!;
      }
    }
    return sum.map((s) => s / (2 * reach + 1) ** 2);
  }

  /** UV of a landmark on the model. */
  function landmarkUv(number: number): [number, number] {
    const l = model.landmarks.landmark.indexOf(number);
    const uv: [number, number] = [0, 0];
    for (let k = 0; k < 3; k++) {
      const corner = model.triangleUvs[3 * model.landmarks.triangle[l]! + k]!;
      for (let c = 0; c < 2; c++) uv[c]! += model.landmarks.barycentric[3 * l + k]! * model.uvs[2 * corner + c]!;
    }
    return uv;
  }

  it.each(NAMES)('has the colour of the skin on the cheeks: %s', (name) => {
    const { portrait, result } = of(name);
    const skin = skinOf(result);
    expect([skin.width, skin.channels]).toEqual([TEXTURE_SIZE, 3]);
    // Under the eyes, on the cheekbones, beside nose and mouth.
    const differences = [117, 346, 50, 280, 205, 425, 187].flatMap((number) => {
      const [u, v] = landmarkUv(number);
      // The true place in the picture, not the one that was found. Both squares are about 4 mm wide.
      const wanted = meanColor(portrait.raster.rgb, portrait.raster.width, ...landmarkAt(portrait.truth, number), 2);
      const got = meanColor(skin.data, skin.width, u * skin.width, v * skin.height, 4);
      return got.map((value, k) => Math.abs(value - wanted[k]!));
    });
    // The face lies 2 % of the eye distance off the truth, and shading and blush change by a few levels on that way. Light is taken out by three tenths
    // in the middle of the face and by more beside it: up to half a stop of shade (30 levels) on the outer ones. A wrong gamma, profile or
    // channel order is 20 levels and more everywhere.
    expect(median(differences)).toBeLessThan(12);
    expect(Math.max(...differences)).toBeLessThan(36);
  });

  it.each(NAMES)('comes from the photo where the face was seen, and not where it was turned away: %s', (name) => {
    const { portrait, result } = of(name);
    const { truth } = portrait;
    const { observed } = result.maps;
    const normals = computeVertexNormals(truth.positions, model.triangles);
    const { rotation: r, translation: t } = truth;
    const seen = { facing: [0, 0], away: [0, 0] };
    for (const part of model.parts.filter((p) => p.material === 'skin')) {
      for (let corner = 3 * part.firstTriangle; corner < 3 * (part.firstTriangle + part.triangleCount); corner++) {
        const v = model.triangles[corner]!;
        // The forehead may be under hair.
        if (!(model.regions.face[v]! > 0.8) || truth.positions[3 * v + 1]! > 15) continue;
        let along = 0;
        let distance = 0;
        for (let k = 0; k < 3; k++) {
          let p = t[k]!;
          let n = 0;
          for (let c = 0; c < 3; c++) {
            p += r[3 * k + c]! * truth.positions[3 * v + c]!;
            n += r[3 * k + c]! * normals[3 * v + c]!;
          }
          along -= p * n;
          distance += p * p;
        }
        const cosine = along / Math.sqrt(distance);
        const group = cosine > 0.6 ? seen.facing : cosine < -0.1 ? seen.away : null;
        if (group === null) continue;
        const uv = model.triangleUvs[corner]!;
        const column = Math.min(observed.size - 1, Math.floor(model.uvs[2 * uv]! * observed.size));
        const row = Math.min(observed.size - 1, Math.floor(model.uvs[2 * uv + 1]! * observed.size));
        group[1]!++;
        if (observed.data[row * observed.size + column]! > 127) group[0]!++;
      }
    }
    expect(seen.facing[1]).toBeGreaterThan(1000);
    expect(seen.away[1]).toBeGreaterThan(500);
    // What faces the camera may still be hidden (nostrils, inside of the lips, behind the nose): a tenth. Measured 0.875 to 0.92.
    expect(seen.facing[0]! / seen.facing[1]!).toBeGreaterThan(0.82);
    // Beyond the outline nothing can come from the photo; a hundredth for an outline that is a millimetre off.
    expect(seen.away[0]! / seen.away[1]!).toBeLessThan(0.01);
  });
});

describe('the same face in another picture', () => {
  /** Root mean square difference of the neutral faces in the face region, millimetres. */
  function shapeDifference(a: Reconstruction, b: Reconstruction): number {
    const p = a.face.neutralPositions;
    const q = b.face.neutralPositions;
    const w = model.regions.face;
    let squares = 0;
    let sum = 0;
    for (let v = 0; v < w.length; v++) {
      sum += w[v]!;
      for (let k = 0; k < 3; k++) squares += w[v]! * (p[3 * v + k]! - q[3 * v + k]!) ** 2;
    }
    return Math.sqrt(squares / sum);
  }

  /** Median distance of the landmarks of `b` from those of `a` moved by `move`, per cent of the eye distance of `b`. */
  function landmarkDifference(a: Reconstruction, b: Reconstruction, move: (x: number, y: number) => readonly [number, number]): number {
    const distances = Array.from({ length: 478 }, (_, n) => {
      const [x, y] = move(a.landmarks.points[3 * n]!, a.landmarks.points[3 * n + 1]!);
      return Math.hypot(b.landmarks.points[3 * n]! - x, b.landmarks.points[3 * n + 1]! - y);
    });
    return (100 * median(distances)) / b.face.eyeDistancePx;
  }

  const sharpOf = ({ width, height, rgb }: Raster) => sharp(rgb, { raw: { width, height, channels: 3 } });

  it('mirrored: yaw and roll change sides, pitch stays, left and right change places', async () => {
    const { portrait, result } = of('right');
    const { width, height } = portrait.raster;
    const flopped = new Uint8Array(await sharpOf(portrait.raster).flop().raw().toBuffer());
    const jpeg = await encodeJpeg({ width, height, rgb: flopped }, { focal35Mm: CASES.right.focal35Mm });
    const mirrored = await engine.reconstruct(jpeg);
    const [a, b] = [result.face.pose, mirrored.face.pose];
    // The networks are not quite mirror images of themselves: 0.8 degrees to each side, measured 20.7 and -22.3 of 22, pitch likewise.
    expect(Math.abs(b.yawDeg + a.yawDeg)).toBeLessThan(2.5);
    expect(Math.abs(b.pitchDeg - a.pitchDeg)).toBeLessThan(2.5);
    expect(Math.abs(b.rollDeg + a.rollDeg)).toBeLessThan(1.5);
    for (const { name, weight } of result.blendshapes) {
      const other = name.replace(/Left$|Right$/, (side) => (side === 'Left' ? 'Right' : 'Left'));
      // The gaze is as exact as the irises: half their radius is 0.25 of the range.
      expect(Math.abs(weightOf(mirrored, other) - weight), name).toBeLessThan(name.startsWith('eyeLook') ? 0.3 : 0.2);
    }
    // Identity is mirror-symmetric; the network's noise of a millimetre comes through a little enlarged, as its damping is undone. Measured 1.07.
    expect(shapeDifference(result, mirrored)).toBeLessThan(1.3);
  });

  it.each([1, 2, 3])('lying by %d quarter turns: landmarks and roll turn along, the face stays the same', async (turns) => {
    const { portrait, result } = of('right');
    const { width, height } = portrait.raster;
    const turned = await engine.reconstruct(
      await encodeJpeg(turnPicture(portrait.raster, turns), { focal35Mm: CASES.right.focal35Mm, quality: 95 }),
    );
    const move = (x: number, y: number): [number, number] => {
      if (turns === 1) return [height - y, x];
      return turns === 2 ? [width - x, height - y] : [y, width - x];
    };
    // The region that the network reads is cut anew: its own noise between regions is 0.7 %.
    expect(landmarkDifference(result, turned, move)).toBeLessThan(1);
    const roll = turned.face.pose.rollDeg - result.face.pose.rollDeg - 90 * turns;
    expect(Math.abs(roll - 360 * Math.round(roll / 360))).toBeLessThan(1.5);
    expect(Math.abs(turned.face.pose.yawDeg - result.face.pose.yawDeg)).toBeLessThan(1.5);
    expect(shapeDifference(result, turned)).toBeLessThan(1);
    expect(turned.warnings.map((w) => w.code)).toContain('FACE_TURNED_PHOTO');
  });

  it.each([0.6, 3])('%d times as large', async (scale) => {
    const { portrait, result } = of('right');
    const { width } = portrait.raster;
    const image = sharpOf(portrait.raster).resize(Math.round(width * scale));
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    const raster: Raster = { width: info.width, height: info.height, rgb: new Uint8Array(data) };
    const other = await engine.reconstruct(await encodeJpeg(raster, { focal35Mm: CASES.right.focal35Mm, quality: 95 }));
    const s = info.width / width;
    // Fewer pixels are other pixels: as above, and 0.3 % for blur.
    expect(landmarkDifference(result, other, (x, y) => [s * x, s * y])).toBeLessThan(1.3);
    expect(Math.abs(other.face.pose.yawDeg - result.face.pose.yawDeg)).toBeLessThan(1.5);
    expect(Math.abs(other.face.pose.pitchDeg - result.face.pose.pitchDeg)).toBeLessThan(1.5);
    expect(other.face.intrinsics.focalPx / result.face.intrinsics.focalPx).toBeCloseTo(s, 2);
    expect(shapeDifference(result, other)).toBeLessThan(1);
  });

  it('stored in another format', async () => {
    const { portrait } = of('right');
    const focal = { focalPx: portrait.truth.focalPx };
    const image = sharpOf(portrait.raster);
    const png = await engine.reconstruct(await image.clone().png().toBuffer(), focal);
    const same = (x: number, y: number): [number, number] => [x, y];
    const webp = await engine.reconstruct(await image.clone().webp({ lossless: true }).toBuffer(), focal);
    // Without loss the pixels are the same, and so is everything that comes of them.
    expect(webp.landmarks.points).toEqual(png.landmarks.points);
    // Compared as bytes: the element-wise comparison of large arrays takes seconds.
    expect(Buffer.compare(bytesOf(webp.face.positions), bytesOf(png.face.positions))).toBe(0);
    expect(Buffer.compare(skinOf(webp).data, skinOf(png).data)).toBe(0);
    const jpeg = await engine.reconstruct(await image.clone().jpeg({ quality: 80 }).toBuffer(), focal);
    // Colour at half size and coarse edges: less than the network's own noise between two regions, 0.7 %.
    expect(landmarkDifference(png, jpeg, same)).toBeLessThan(0.6);
    expect(shapeDifference(png, jpeg)).toBeLessThan(0.5);
  });
});

/**
 * Renders heads of the model and writes what the landmark network reports of them: the samples of measure-landmark-habits.ts and measure-face-readout.ts.
 * Goes on where a file ends.
 *
 *   npx tsx --conditions=@facewright/source benchmarks/fidelity/measure-landmark-samples.ts <out> painted --heads 1500 [--seed 1]
 *   npx tsx --conditions=@facewright/source benchmarks/fidelity/measure-landmark-samples.ts <out> textured --heads 12000 [--seed 2] <portrait>…
 *
 * `painted`: the portraits of the tests, other people, lights and lenses each time; one to two seconds each. `textured`: heads with the textures that the
 * engine makes of the portraits given; 25 a second. Identity N(0, 1), half of the heads anywhere within yaw 52 and pitch 26 degrees, seven in ten with
 * expressions. The same seed gives the same heads.
 *
 * `--features`: also each picture's mirror image, and beside the file another, `<out>.features`, with the features of each face found (32-bit floats).
 * `--painted-skins N`: N skins more, of painted portraits, whose features lie exactly where they belong on the head.
 */
import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createPose, rotationFromAngles } from '../../packages/engine/src/camera/pose-angles.ts';
import { project } from '../../packages/engine/src/camera/project.ts';
import { createEngine } from '../../packages/engine/src/create-engine.ts';
import { createRandom, type Random } from '../../packages/engine/src/math/random.ts';
import { loadFaceModel } from '../../packages/engine/src/models/load-face-model.ts';
import { mirrorExpressions } from '../../packages/engine/src/models/mirror-expressions.ts';
import { loadFaceNetworks } from '../../packages/engine/src/nets/load-face-networks.ts';
import type { Raster } from '../../packages/engine/src/photo/raster.ts';
import { renderMesh } from '../../packages/engine/src/render/render-mesh.ts';
import { createTextureBaker } from '../../packages/engine/src/texture/create-texture-baker.ts';
import type { SurfaceMaterial } from '../../packages/engine/src/texture/face-maps.ts';
import { computeTextureTables } from '../../packages/engine/src/texture/texture-tables.ts';
import { createPortrait, encodeJpeg } from '../../packages/engine/test/portraits/create-portrait.ts';
import type { PersonLook } from '../../packages/engine/test/portraits/person.ts';
import { PORTRAITS } from '../../packages/engine/test/portraits/portraits.ts';
import { HARD_SIDE_LIGHT, OVERCAST, SOFT_STUDIO, type Studio } from '../../packages/engine/test/portraits/studio.ts';
import { countRowNumbers, formatSample, type SampleRecord } from './landmark-samples.ts';

/** Texture of a skin, texels. */
const SKIN_SIZE = 512;
/** As in landmark-samples.ts. */
const MIN_PRESENCE = 0.5;
const WIDTH = 320;
const HEIGHT = 400;
/** Height of a face from chin to hairline, millimetres: sets its size in the picture. */
const FACE_MM = 190;
/** Shapes that portraits show most, by how often they are drawn. */
const COMMON =
  'jawOpen jawOpen mouthSmile mouthSmile browDown browDown browInnerUp browOuterUp eyeBlink mouthFrown eyeSquint eyeWide mouthPucker mouthUpperUp mouthLowerDown'.split(
    ' ',
  );

/** What is drawn at random of every head. */
interface Draw {
  readonly random: Random;
  readonly identity: number[];
  readonly expression: Record<string, number>;
  readonly yawDeg: number;
  readonly pitchDeg: number;
  readonly rollDeg: number;
  readonly distanceMm: number;
  readonly focalPx: number;
  /** As in PortraitSpec. */
  readonly eyesAt: readonly [number, number];
}

type Shot = Omit<SampleRecord, 'presence' | 'points'> & { readonly picture: Raster };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    heads: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    features: { type: 'boolean', default: false },
    'painted-skins': { type: 'string', default: '0' },
  },
});
const [out, kind, ...photos] = positionals;
if (!out || (kind !== 'painted' && kind !== 'textured')) throw new Error('usage: <out> painted | textured <portrait>…');
const model = await loadFaceModel('head');
const networks = await loadFaceNetworks({});
const { expressionNames } = model;
const allShapes = [...new Set(expressionNames.filter((n) => !/^(gaze|eyeLook|tongue)/.test(n)).map((n) => n.replace(/_[LR]$/, '')))];
const looks: PersonLook[] = Object.values(PORTRAITS).map((p) => p.look);
const skins = kind === 'textured' ? await makeSkins(photos, Number(values['painted-skins'])) : [];

const views = values.features ? 2 : 1;
const known = existsSync(out) ? Math.floor(statSync(out).size / 4 / countRowNumbers(model) / views) : 0;
const mirrorExpression = mirrorExpressions(expressionNames);
for (let head = known; head < Number(values.heads); head++) {
  const drawn = draw(createRandom(Number(values.seed) * 1_000_003 + head));
  const shot = kind === 'painted' ? await paint(drawn, head) : texture(drawn, head % skins.length);
  for (const { picture, ...truth } of values.features ? [shot, mirrorShot(shot)] : [shot]) {
    const detection = (await networks.detectFaces(picture, { thorough: false }))[0];
    const found = detection ? await networks.findLandmarks(picture, detection) : null;
    appendFileSync(out, formatSample(model, { ...truth, presence: found?.presence ?? 0, points: found?.points ?? [] }));
    // readSamples leaves out what is no face; so do the features.
    if (values.features && found && found.presence >= MIN_PRESENCE)
      appendFileSync(`${out}.features`, Buffer.from(found.features!.slice().buffer));
  }
}
await networks.close();

/** The picture in a mirror, and the truth about it. (Identity modes are the same on both sides, but for a few tenths of a millimetre.) */
function mirrorShot(shot: Shot): Shot {
  const { width, height, rgb } = shot.picture;
  const mirrored = new Uint8Array(rgb.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 3 * (y * width + width - 1 - x);
      mirrored.set(rgb.subarray(from, from + 3), 3 * (y * width + x));
    }
  }
  return {
    ...shot,
    rotation: Float64Array.from(shot.rotation, (v, i) => ((i % 3 === 0) === i < 3 ? v : -v)),
    translation: Float64Array.from(shot.translation, (v, i) => (i === 0 ? -v : v)),
    expression: Float64Array.from(mirrorExpression, (e) => shot.expression[e]!),
    picture: { width, height, rgb: mirrored },
  };
}

function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random.uniform();
}

function clippedNormal(random: Random, sigma: number, most: number): number {
  return Math.max(-most, Math.min(most, sigma * random.normal()));
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random.uniform() * list.length)];
}

function draw(random: Random): Draw {
  const yawDeg = random.uniform() < 0.55 ? between(random, -52, 52) : clippedNormal(random, 14, 40);
  const pitchDeg = random.uniform() < 0.5 ? between(random, -26, 26) : clippedNormal(random, 9, 25);
  const rollDeg = clippedNormal(random, 8, 25);
  // A readout shrinks what it tells toward the mean of what it was measured on, so some people are less unusual.
  const spread = values.features ? between(random, 0.6, 1.1) : 1;
  const identity = Array.from({ length: model.identityCount }, () => spread * clippedNormal(random, 1, 2.5));
  const expression = drawExpression(random);
  const distanceMm = 450 * (1700 / 450) ** random.uniform();
  const focalPx = (between(random, 0.36, 0.56) * HEIGHT * distanceMm) / FACE_MM;
  const eyesAt = [0.5 + clippedNormal(random, 0.03, 0.06), 0.43 + clippedNormal(random, 0.03, 0.06)] as const;
  return { random, identity, expression, yawDeg, pitchDeg, rollDeg, distanceMm, focalPx, eyesAt };
}

/** Nothing, one to three common shapes, or two of all shapes as well; both sides alike as a rule. */
function drawExpression(random: Random): Record<string, number> {
  const expression: Record<string, number> = {};
  const amountOf = (shape: string): number => (shape in expression ? expression[shape] : 0);
  const put = (shape: string, amount: number): void => {
    const sides = [`${shape}_L`, `${shape}_R`].filter((name) => expressionNames.includes(name));
    if (sides.length === 0) {
      expression[shape] = amount;
      return;
    }
    const lop = random.uniform();
    for (const [side, name] of sides.entries()) {
      if (lop < 0.75) expression[name] = Math.min(1, amount * between(random, 0.85, 1.15));
      else if (lop < 0.95) expression[name] = side === (lop < 0.85 ? 0 : 1) ? amount : 0;
      else expression[name] = amount * random.uniform();
    }
  };
  const much = random.uniform();
  if (much > 0.3) for (let n = Math.floor(random.uniform() * 3); n >= 0; n--) put(pick(random, COMMON), between(random, 0.15, 1));
  if (much > 0.6) for (let n = 0; n < 2; n++) put(pick(random, allShapes), between(random, 0, 0.6));
  // Lips close over an open jaw only; a lid does not close and open wide.
  if (amountOf('jawOpen') <= amountOf('mouthClose')) delete expression.mouthClose;
  for (const side of ['L', 'R']) if (expression[`eyeBlink_${side}`]) delete expression[`eyeWide_${side}`];
  return expression;
}

/** A portrait of the tests' generator. */
async function paint(drawn: Draw, head: number): Promise<Shot> {
  const { random, identity, expression, yawDeg, pitchDeg, rollDeg, distanceMm, focalPx, eyesAt } = drawn;
  const look = drawLook(random);
  const portrait = await createPortrait(
    model,
    {
      ...PORTRAITS.frontal,
      look,
      identity,
      expression,
      gaze: random.uniform() < 0.7 ? 'camera' : 'ahead',
      yawDeg,
      pitchDeg,
      rollDeg,
      focal35Mm: (focalPx / Math.hypot(WIDTH, HEIGHT)) * Math.hypot(36, 24),
      distanceMm,
      eyesAt,
      width: WIDTH,
      height: HEIGHT,
      studio: drawStudio(random),
      grain: between(random, 0.01, 0.1),
      blurPx: random.uniform() < 0.3 ? between(random, 0.3, 0.9) : 0,
      seed: head + 17,
    },
    { samples: 1 + (head % 2), detail: 0.06 },
  );
  const { truth } = portrait;
  return { ...truth, isPainted: true, picture: portrait.raster };
}

/** A person between two of the tests' own. */
function drawLook(random: Random): PersonLook {
  const look = mix(pick(random, looks), pick(random, looks), random.uniform()) as { -readonly [K in keyof PersonLook]: PersonLook[K] };
  look.melanin = Math.max(0.05, Math.min(0.95, look.melanin + clippedNormal(random, 0.12, 0.3)));
  look.brows *= between(random, 0.6, 1.3);
  look.lips = Math.max(0, Math.min(1, look.lips + clippedNormal(random, 0.2, 0.5)));
  if (random.uniform() < 0.6) look.stubble = 0;
  if (random.uniform() < 0.2) Object.assign(look, { hairTopMm: between(random, 3, 15), hairSideMm: between(random, 2, 8) });
  return look;
}

function drawStudio(random: Random): Studio {
  const studios = [SOFT_STUDIO, HARD_SIDE_LIGHT, OVERCAST];
  const studio = mix(pick(random, studios), pick(random, studios), random.uniform()) as Studio;
  const side = random.uniform() < 0.5 ? -1 : 1;
  const turn = (light: Studio['key']): Studio['key'] => ({
    ...light,
    direction: [side * light.direction[0], light.direction[1], light.direction[2]],
  });
  const exposure = studio.exposure * between(random, 0.75, 1.25);
  return { ...studio, key: turn(studio.key), fill: turn(studio.fill), rim: turn(studio.rim), exposure };
}

/** A head with the textures of a real portrait. */
function texture(drawn: Draw, skin: number): Shot {
  const surfaces = skins[skin]!;
  const { random, identity, yawDeg, pitchDeg, rollDeg, distanceMm, focalPx, eyesAt } = drawn;
  const expression = expressionNames.map((name) => drawn.expression[name] ?? 0);
  const rotation = rotationFromAngles(yawDeg, pitchDeg, rollDeg);
  const translation = [
    (((eyesAt[0] - 0.5) * WIDTH) / focalPx) * distanceMm,
    (((eyesAt[1] - 0.5) * HEIGHT) / focalPx) * distanceMm,
    distanceMm,
  ] as const;
  const grey = between(random, 0.45, 0.95);
  const lamp = between(random, 0, 0.6);
  const backdrop = (): [number, number, number] => [between(random, 40, 220), between(random, 40, 220), between(random, 40, 220)];
  const camera = { focalPx, centerX: WIDTH / 2, centerY: HEIGHT / 2, rotation, translation };
  const { triangles, uvs, triangleUvs, parts } = model;
  const picture = renderMesh({
    mesh: { positions: model.evaluate(identity, expression), triangles, uvs, triangleUvs, parts },
    surfaces,
    camera,
    size: { width: WIDTH, height: HEIGHT },
    light: {
      lights: [{ toLight: [random.normal(), 0.5 * random.normal() - 0.5, -1.2], rgb: [lamp, lamp, lamp] }],
      sky: [grey + 0.1, grey + 0.1, grey + 0.1],
      ground: [grey - 0.1, grey - 0.1, grey - 0.1],
    },
    background: { top: backdrop(), bottom: backdrop() },
  });
  return { ...camera, identity, expression, isPainted: false, picture, ...(skin < photos.length && { photoSkin: skin }) };
}

async function makeSkins(paths: readonly string[], paintedCount: number): Promise<SurfaceMaterial[][]> {
  const engine = await createEngine({ textureSize: SKIN_SIZE });
  const baker = createTextureBaker(model, computeTextureTables(model, SKIN_SIZE));
  const made: SurfaceMaterial[][] = [];
  for (const path of paths) made.push([...(await engine.reconstruct(readFileSync(path))).maps.surfaces]);
  for (let i = 0; i < paintedCount; i++) {
    const random = createRandom(77 * Number(values.seed) + i);
    const identity = Array.from({ length: model.identityCount }, () => 0.7 * clippedNormal(random, 1, 2.5));
    const { raster, truth } = await createPortrait(
      model,
      {
        ...PORTRAITS.frontal,
        look: drawLook(random),
        identity,
        yawDeg: clippedNormal(random, 3, 6),
        studio: drawStudio(random),
        seed: 900 + i,
      },
      { samples: 1, detail: 0.35 },
    );
    const { face, view, landmarks } = await engine.reconstruct(await encodeJpeg(raster), { focalPx: truth.focalPx });
    const { positions, rotation, translation } = truth;
    // The textures are baked from where the face is, not from where it was found.
    const pose = createPose(rotation, translation);
    const imagePoints = project(positions, pose, face.intrinsics);
    const neutralPositions = model.evaluate(identity, []);
    const placed = { ...face, pose, positions, neutralPositions, imagePoints, identity: Float64Array.from(identity) };
    made.push([...(await baker.bake({ face: placed, view, landmarks })).surfaces]);
  }
  await engine.close();
  if (made.length === 0) throw new Error('textured heads need portraits');
  return made;
}

/** Between two objects of the same form, number by number; words are the first's. */
function mix(a: unknown, b: unknown, t: number): unknown {
  if (typeof a === 'number') return a + ((b as number) - a) * t;
  if (Array.isArray(a)) return a.map((x, i) => mix(x, (b as unknown[])[i], t));
  if (typeof a !== 'object' || a === null) return a;
  return Object.fromEntries(Object.entries(a).map(([key, x]) => [key, mix(x, (b as Record<string, unknown>)[key], t)]));
}

/**
 * Measures where the landmark network reports the landmarks of the mean face, on renders of random heads of the model, and prints the table
 * of packages/engine/src/fit/network-mean.ts: half of that, half of MediaPipe's canonical face (docs/decisions/network-mean.md).
 *
 *   npx tsx --conditions=@facewright/source benchmarks/fidelity/measure-network-mean.ts <portrait>… [--heads 2000] [--seed 12]
 *
 * Skin comes from the portraits: each is fitted and laid over the random heads by its texture points. Deterministic; about a tenth of a second per head.
 */
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { chooseIntrinsics } from '../../packages/engine/src/camera/choose-intrinsics.ts';
import { rotationFromAngles } from '../../packages/engine/src/camera/pose-angles.ts';
import { fitFace } from '../../packages/engine/src/fit/fit-face.ts';
import { SHAPE_TRUST } from '../../packages/engine/src/fit/landmark-trust.ts';
import { unprojectLandmarks } from '../../packages/engine/src/fit/unproject-landmarks.ts';
import { createRandom } from '../../packages/engine/src/math/random.ts';
import { applySimilarity, estimateSimilarity } from '../../packages/engine/src/math/similarity.ts';
import { loadFaceModel } from '../../packages/engine/src/models/load-face-model.ts';
import { loadFaceNetworks } from '../../packages/engine/src/nets/load-face-networks.ts';
import { readCanonicalMesh } from '../../packages/engine/src/nets/read-canonical-mesh.ts';
import { renderMesh } from '../../packages/engine/src/render/render-mesh.ts';

const SIDE_PX = 384;
/** Height of a face from chin to hairline, millimetres: sets its size in the picture. */
const FACE_MM = 190;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { heads: { type: 'string', default: '2000' }, seed: { type: 'string', default: '12' } },
});
const model = await loadFaceModel('head');
const networks = await loadFaceNetworks({});
const random = createRandom(Number(values.seed));
const normal = (sigma: number, most: number): number => Math.max(-most, Math.min(most, sigma * random.normal()));
const skins = await Promise.all(positionals.map(readSkin));
const drawn = new Set(['skin', 'scalp', 'sclera', 'iris', 'teeth', 'mouth']);
const parts = model.parts.filter((p) => drawn.has(p.material)).map((p) => ({ ...p, material: 'skin' as const }));

const { landmark, mean, mirror, count } = model.landmarks;
const trust = Float64Array.from(landmark, (l, i) => SHAPE_TRUST[l] * model.landmarks.confidence[i]);
const offset = new Float64Array(3 * count);
let used = 0;
for (let head = 0; head < Number(values.heads); head++) {
  const skin = skins[Math.floor(random.uniform() * skins.length)];
  const identity = Float64Array.from({ length: model.identityCount }, () => normal(1, 2.5));
  const expression = new Float64Array(model.expressionNames.length);
  if (random.uniform() > 0.45) {
    for (let e = 0; e < expression.length; e++) {
      const chance = random.uniform();
      const amount = Math.min(0.9, Math.abs(0.25 * random.normal()));
      if (chance < 0.08 && !/^(gaze|eyeLook|tongue)/.test(model.expressionNames[e])) expression[e] = amount;
    }
  }
  const distance = 500 * 3 ** random.uniform();
  const size = 0.42 + 0.2 * random.uniform();
  const focalPx = (size * SIDE_PX * distance) / FACE_MM;
  const shift = (0.03 * FACE_MM) / size;
  const grey = 0.55 + 0.35 * random.uniform();
  const lamp = 0.5 * random.uniform();
  const background = [0, 1, 2].map(() => Math.floor(40 + 180 * random.uniform())) as [number, number, number];
  const picture = renderMesh({
    mesh: {
      positions: model.evaluate(identity, expression),
      triangles: model.triangles,
      uvs: skin.uvs,
      triangleUvs: model.triangles,
      parts,
    },
    surfaces: [
      {
        name: 'skin',
        materials: ['skin'],
        albedo: skin.albedo,
        baseColor: [1, 1, 1, 1],
        roughness: 1,
        alphaMode: 'OPAQUE',
        doubleSided: false,
      },
    ],
    camera: {
      focalPx,
      centerX: SIDE_PX / 2,
      centerY: SIDE_PX / 2,
      rotation: rotationFromAngles(normal(14, 35), normal(9, 20), normal(4, 10)),
      translation: [shift * random.normal(), shift * random.normal() - 20, distance],
    },
    size: { width: SIDE_PX, height: SIDE_PX },
    light: {
      lights: [{ toLight: [random.normal(), 0.5 * random.normal() - 0.5, -1.2], rgb: [lamp, lamp, lamp] }],
      sky: [grey + 0.1, grey + 0.1, grey + 0.1],
      ground: [grey, grey, grey],
    },
    background: { top: background, bottom: background },
  });
  const detection = (await networks.detectFaces(picture, { thorough: false }))[0];
  if (!detection) continue;
  const { points } = await networks.findLandmarks(picture, detection);
  const seen = unprojectLandmarks(points, landmark, { focalPx, centerX: SIDE_PX / 2, centerY: SIDE_PX / 2, source: 'option' });
  const truth = trueLandmarks(identity, expression);
  const placed = alignRobustly(seen, truth);
  for (let m = 0; m < placed.length; m++) offset[m] += placed[m] - truth[m];
  used++;
}
await networks.close();

// The canonical face over the model, as the renders' landmarks over their truth; then half of each, both mirror-averaged.
const canonical = await readCanonicalMesh();
const source = mean.slice();
for (let l = 0; l < count; l++) {
  if (landmark[l] < 468) for (let k = 0; k < 3; k++) source[3 * l + k] = 10 * canonical.positionsCm[3 * landmark[l] + k];
}
const placed = alignRobustly(source, mean);
const table = new Float64Array(3 * 468);
for (let l = 0; l < count; l++) {
  if (landmark[l] >= 468) continue;
  for (let k = 0; k < 3; k++) {
    const sign = k === 0 ? -1 : 1;
    const measured = (offset[3 * l + k] + sign * offset[3 * mirror[l] + k]) / 2 / used;
    table[3 * landmark[l] + k] = (placed[3 * l + k] + mean[3 * l + k] + measured) / 2;
  }
}
process.stderr.write(`${used} of ${values.heads} heads\n`);
process.stdout.write(`${[...table].map((x) => Number(x.toFixed(1)) + 0).join(', ')}\n`);

/** A portrait as a texture: the picture, small enough for the renders, and where each vertex of the model is in it. */
async function readSkin(path: string) {
  const read = async (options: { width: number; height: number }) => {
    const { data, info } = await sharp(path)
      .rotate()
      .resize({ ...options, fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, rgb: new Uint8Array(data) };
  };
  const photo = await read({ width: 1600, height: 1600 });
  const detection = (await networks.detectFaces(photo))[0];
  if (!detection) throw new Error(`${path}: no face`);
  const landmarks = await networks.findLandmarks(photo, detection);
  const face = fitFace({ model, landmarks, intrinsics: chooseIntrinsics({ ...photo, landmarks }) });
  const scale = Math.min(1, 130 / face.eyeDistancePx);
  const { width, height, rgb } = await read({ width: Math.round(photo.width * scale), height: Math.round(photo.height * scale) });
  const inside = (x: number): number => Math.min(0.999, Math.max(0.001, x));
  const uvs = face.imagePoints.map((x, i) => inside(x / (i % 2 === 0 ? photo.width : photo.height)));
  return { uvs, albedo: { name: path, width, height, channels: 3 as const, data: rgb } };
}

function trueLandmarks(identity: Float64Array, expression: Float64Array): Float64Array {
  const out = mean.slice();
  for (const [amounts, rows] of [
    [identity, model.landmarks.identity],
    [expression, model.landmarks.expression],
  ] as const) {
    amounts.forEach((amount, k) => {
      if (amount !== 0) for (let m = 0; m < out.length; m++) out[m] += amount * rows[k * out.length + m];
    });
  }
  return out;
}

/** Least squares with Cauchy weights of 6 mm, four rounds. */
function alignRobustly(points: Float64Array, target: Float64Array): Float64Array {
  const weights = trust.slice();
  let out = points;
  for (let round = 0; round < 4; round++) {
    const s = estimateSimilarity(points, target, weights);
    if (s === null) throw new Error('the landmarks are degenerate');
    out = applySimilarity(s, points);
    for (let l = 0; l < count; l++) {
      const squared = [0, 1, 2].reduce((sum, k) => sum + (out[3 * l + k] - target[3 * l + k]) ** 2, 0);
      weights[l] = trust[l] / (1 + squared / 36);
    }
  }
  return out;
}

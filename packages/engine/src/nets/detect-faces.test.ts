import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireShared } from '../../test/shared-files.ts';
import type { Raster } from '../photo/raster.ts';
import { assessLandmarks } from './assess-landmarks.ts';
import type { DetectOptions, FaceDetection, FaceNetworks } from './face-networks.ts';
import { loadFaceNetworks } from './load-face-networks.ts';
import { readCanonicalMesh } from './read-canonical-mesh.ts';

/** The bounds that the pipeline asks for. */
const BELIEVED = { score: 0.7, presence: 0.5 };

const portraitPath = fileURLToPath(new URL('../../../../examples/portrait.jpg', import.meta.url));

let dir: string;
let networks: FaceNetworks;
let portrait: Raster;
let face: FaceDetection;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'facewright-'));
  networks = await loadFaceNetworks({ cacheDir: dir });
  portrait = await rasterOf(sharp(portraitPath).resize(640));
  face = (await networks.detectFaces(portrait))[0]!;
});
afterAll(async () => {
  await networks.close();
  await rm(dir, { recursive: true });
});

async function rasterOf(picture: Sharp): Promise<Raster> {
  const { data, info } = await picture.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: new Uint8Array(data) };
}

const pictureOf = ({ width, height, rgb }: Raster): Sharp => sharp(rgb, { raw: { width, height, channels: 3 } });

const believed = async (raster: Raster): Promise<FaceDetection[]> => {
  const faces: FaceDetection[] = [];
  for (const f of await networks.detectFaces(raster)) {
    if (f.score >= BELIEVED.score && (await networks.findLandmarks(raster, f)).presence >= BELIEVED.presence) faces.push(f);
  }
  return faces;
};

/** A point of the raster after it was turned clockwise by quarters. */
function turnPoint(x: number, y: number, { width, height }: Raster, turns: number): [number, number] {
  if (turns === 0) return [x, y];
  return turnPoint(height - y, x, { width: height, height: width } as Raster, turns - 1);
}

describe('detectFaces', () => {
  it('finds the portrait at all four quarter turns, with the landmarks turned along', async () => {
    const upright = await networks.findLandmarks(portrait, face);
    const eyes = Math.abs(upright.points[3 * 33]! - upright.points[3 * 263]!);
    for (const turns of [1, 2, 3]) {
      const raster = await rasterOf(pictureOf(portrait).rotate(90 * turns));
      const [turned, ...others] = await networks.detectFaces(raster, { minScore: BELIEVED.score });
      expect(others).toEqual([]);
      expect(turned!.quarterTurns).toBe((4 - turns) % 4);
      const { points } = await networks.findLandmarks(raster, turned!);
      for (const i of [1, 33, 263, 61, 291, 152, 468, 473]) {
        const [x, y] = turnPoint(upright.points[3 * i]!, upright.points[3 * i + 1]!, portrait, turns);
        // 2 %: which look was the most certain may differ, and with it the region by a few per cent.
        expect(Math.hypot(points[3 * i]! - x, points[3 * i + 1]! - y) / eyes).toBeLessThan(0.02);
      }
    }
  });

  it('gives the box and the keypoints of the plain search for an upright portrait', async () => {
    expect((await networks.detectFaces(portrait, { thorough: false }))[0]).toEqual(face);
  });

  it.each([40, 60, 100])('finds a face of %i pixels in a corner of a picture of 1500', async (sizePx) => {
    const small = await pictureOf(portrait)
      .resize(Math.round((portrait.width * sizePx) / face.box.width))
      .png()
      .toBuffer();
    const raster = await rasterOf(
      pictureOf(
        await rasterOf(
          sharp({ create: { width: 1500, height: 1000, channels: 3, background: '#7a8a6a' } })
            .composite([{ input: small, left: 1100, top: 700 }])
            .png(),
        ),
      ),
    );
    const [found, ...others] = await believed(raster);
    expect(others).toEqual([]);
    expect(found!.box.width).toBeGreaterThan(0.8 * sizePx);
    expect(found!.box.width).toBeLessThan(1.2 * sizePx);
    const scale = sizePx / face.box.width;
    expect(Math.abs(found!.box.x - 1100 - face.box.x * scale)).toBeLessThan(0.15 * sizePx);
    expect(Math.abs(found!.box.y - 700 - face.box.y * scale)).toBeLessThan(0.15 * sizePx);
  });

  it.each([1, 0.8])('finds a face of which %f of the width is in the picture, which it fills', async (ratio) => {
    const size = Math.round(ratio * face.box.width);
    const left = Math.round(face.box.x + (face.box.width - size) / 2);
    const top = Math.round(face.box.y + (face.box.height - size) / 2);
    const raster = await rasterOf(pictureOf(portrait).extract({ left, top, width: size, height: size }));
    const [found] = await networks.detectFaces(raster, { minScore: BELIEVED.score });
    expect(found!.quarterTurns).toBe(0);
    expect(found!.box.width / face.box.width).toBeGreaterThan(0.85);
    expect(found!.box.width / face.box.width).toBeLessThan(1.15);
  });

  it('finds two faces of different size once each', async () => {
    const half = await pictureOf(portrait)
      .resize(portrait.width >> 1)
      .png()
      .toBuffer();
    const raster = await rasterOf(
      pictureOf(
        await rasterOf(
          pictureOf(portrait)
            .extend({ right: portrait.width >> 1 })
            .composite([{ input: half, left: portrait.width, top: 0 }])
            .png(),
        ),
      ),
    );
    const faces = await believed(raster);
    expect(faces.map((f) => Math.round(f.box.width / face.box.width / 0.25) * 0.25).sort()).toEqual([0.5, 1]);
  });

  it('sees no face in noise, a gradient or a flat raster', async () => {
    const width = 400;
    let seed = 1;
    const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 24;
    const make = (value: (i: number) => number): Raster => ({
      width,
      height: width,
      rgb: Uint8Array.from({ length: 3 * width * width }, (_, i) => value(i)),
    });
    for (const raster of [make(random), make((i) => ((i / 3) % width) * 0.6), make(() => 90)]) expect(await believed(raster)).toEqual([]);
  });

  describe('on the shared photos', () => {
    const FACES = {
      'f_angry_bw_hard_expression.jpg': 1,
      'f_astronaut.png': 1,
      'f_baby_happy.jpeg': 1,
      'f_man_heavyset.png': 1,
      'f_man_smile.jpg': 1,
      'f_obama_official.jpg': 1,
      'f_woman_3q_sun.jpg': 1,
      'f_woman_bangs.jpg': 1,
      'f_woman_neutral_white_bg.jpeg': 1,
      't_man_glasses_115px.png': 1,
      'x_baby_sleeping_sideways.jpg': 1,
      'x_partial_half_face.jpg': 1,
      'm_two_people.jpg': 2,
      'n_child_from_behind.jpg': 0,
      'n_dog.jpg': 0,
      'n_landscape.jpg': 0,
    };
    it('finds as many as there are, whichever way up the photo is', async (ctx) => {
      const photos = requireShared(ctx, 'photos');
      for (const [name, count] of Object.entries(FACES)) {
        const photo = await rasterOf(
          sharp(join(photos, name)).resize({ width: 640, height: 640, fit: 'inside', withoutEnlargement: true }),
        );
        const upright = await believed(photo);
        expect(upright.length, name).toBe(count);
        for (const turns of [1, 2, 3]) {
          const faces = await believed(await rasterOf(pictureOf(photo).rotate(90 * turns)));
          expect(faces.length, `${name} turned ${turns}`).toBe(count);
          const expected = upright.map((f) => (f.quarterTurns + 4 - turns) % 4).sort();
          expect(faces.map((f) => f.quarterTurns).sort(), `${name} turned ${turns}`).toEqual(expected);
        }
      }
    });

    it('knows which way up the photos are', async (ctx) => {
      const photos = requireShared(ctx, 'photos');
      for (const name of Object.keys(FACES).filter((n) => /^(f_|t_|m_)/.test(n))) {
        for (const f of await believed(await rasterOf(sharp(join(photos, name))))) expect(f.quarterTurns, name).toBe(0);
      }
      // Lying on the right cheek.
      expect((await believed(await rasterOf(sharp(join(photos, 'x_baby_sleeping_sideways.jpg'))))).map((f) => f.quarterTurns)).toEqual([1]);
    });
  });
});

describe('assessLandmarks', () => {
  it('is zero for the mean face itself', async () => {
    const mesh = await readCanonicalMesh();
    const points = new Float64Array(478 * 3);
    for (let i = 0; i < 468; i++) {
      points.set([10 * mesh.positionsCm[3 * i]! + 300, 200 - 10 * mesh.positionsCm[3 * i + 1]!, -10 * mesh.positionsCm[3 * i + 2]!], 3 * i);
    }
    const landmarks = { points, presence: 1, region: { centerX: 0, centerY: 0, sizePx: 1, rotationRad: 0 } };
    const assessed = assessLandmarks(landmarks, mesh, landmarks);
    // 1e-4: the mesh is symmetric to the precision of its 32-bit floats.
    expect(assessed.instabilityRatio).toBe(0);
    expect(assessed.asymmetryRatio).toBeLessThan(1e-4);
  });

  it('measures how far one half is from the other', async () => {
    const mesh = await readCanonicalMesh();
    const scale = 10;
    const points = new Float64Array(478 * 3);
    for (let i = 0; i < 468; i++)
      points.set(
        [0, 1, 2].map((k) => (k === 0 ? scale : -scale) * mesh.positionsCm[3 * i + k]!),
        3 * i,
      );
    // One cheek's vertex, of no weight in the alignment, moves: it and its mirror image are that far apart, the other 466 not at all.
    const cheek = 50;
    expect(mesh.procrustesWeights[cheek]).toBe(0);
    const shiftCm = 2;
    points[3 * cheek + 1]! += scale * shiftCm;
    const landmarks = { points, presence: 1, region: { centerX: 0, centerY: 0, sizePx: 1, rotationRad: 0 } };
    const eyesCm = mesh.positionsCm[3 * 263]! - mesh.positionsCm[3 * 33]!;
    expect(assessLandmarks(landmarks, mesh).asymmetryRatio).toBeCloseTo((Math.sqrt(2 / 468) * shiftCm) / eyesCm, 4);
  });

  it('tells people from what is not a face', async (ctx) => {
    const photos = requireShared(ctx, 'photos');
    const mesh = await readCanonicalMesh();
    const instability = async (name: string, options: DetectOptions) => {
      const raster = await rasterOf(sharp(join(photos, name)));
      const values: number[] = [];
      for (const f of await networks.detectFaces(raster, options)) {
        const landmarks = await networks.findLandmarks(raster, f);
        values.push(assessLandmarks(landmarks, mesh, await networks.findLandmarks(raster, f, { passes: 2 })).instabilityRatio!);
      }
      expect(values.length).toBeGreaterThan(0);
      return values;
    };
    // Measured: people 0.006 to 0.020 (0.042 where strongly blurred), a dog's features taken for faces 0.057 to 0.111.
    for (const name of ['f_man_smile.jpg', 'f_woman_3q_sun.jpg', 't_man_glasses_115px.png']) {
      for (const value of await instability(name, {})) expect(value, name).toBeLessThan(0.03);
    }
    for (const value of await instability('n_dog.jpg', { thorough: false, minScore: 0.4 })) expect(value).toBeGreaterThan(0.045);
  });
});

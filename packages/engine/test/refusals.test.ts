/** @module What the engine refuses and what it warns of, and that it goes on working afterwards. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ERRORS, isFacewrightError } from '@facewright/protocol';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../src/create-engine.ts';
import type { ReconstructOptions } from '../src/engine-options.ts';
import { loadFaceModel } from '../src/models/load-face-model.ts';
import type { Raster } from '../src/photo/raster.ts';
import type { Reconstruction } from '../src/reconstruction.ts';
import { type ExampleTruth, readExampleRaster } from './example-portrait.ts';
import { type BadInput, createBadInputs } from './photo-fixtures.ts';
import { coverMouth, drawAfter, padPicture, placeSideBySide } from './portraits/compose-pictures.ts';
import { createPortrait, encodeJpeg, type Portrait } from './portraits/create-portrait.ts';
import { PORTRAITS } from './portraits/portraits.ts';

let engine: Engine;
let example: { readonly raster: Raster; readonly truth: ExampleTruth };
let good: Buffer;
let expected: Reconstruction;
let badInputs: BadInput[];

beforeAll(async () => {
  engine = await createEngine({ textureSize: 512 });
  example = await readExampleRaster(512);
  good = await encodeJpeg(example.raster, { focal35Mm: PORTRAITS.example.focal35Mm });
  expected = await engine.reconstruct(good);
  badInputs = await createBadInputs(new Uint8Array(good));
}, 120_000);
afterAll(() => engine.close());

const codesOf = (result: Pick<Reconstruction, 'warnings'>): string[] => result.warnings.map((w) => w.code);

/** The code with which a photo is refused, having checked that the error is one of the table with text and hint. */
async function refusalOf(photo: Uint8Array, options: ReconstructOptions = {}, of: Engine = engine): Promise<string> {
  try {
    await of.reconstruct(photo, options);
  } catch (e) {
    if (!isFacewrightError(e)) throw e;
    expect(e.hint).toBe(ERRORS[e.code].hint);
    expect(e.message).not.toMatch(/undefined|NaN|\[object|\n/);
    return e.code;
  }
  return 'accepted';
}

const toSharp = ({ width, height, rgb }: Raster) => sharp(rgb, { raw: { width, height, channels: 3 } });

/** The example without the left `share` of the picture. */
function cutLeft(share: number): Promise<Buffer> {
  const { width, height } = example.raster;
  const left = Math.round(share * width);
  return toSharp(example.raster)
    .extract({ left, top: 0, width: width - left, height })
    .jpeg()
    .toBuffer();
}

describe('a file that is no photo of a face', () => {
  // What the photo layer takes (with or without a warning) has no face in it, but for the example under another name.
  it('is refused with its own code', async () => {
    for (const { name, bytes, fileName, error, warning } of badInputs) {
      const code = await refusalOf(bytes, { fileName });
      if (error !== null) expect(code, name).toBe(error);
      else expect(code, name).toBe(warning === 'PHOTO_EXTENSION' ? 'accepted' : 'FW_FACE_NOT_FOUND');
    }
    expect(badInputs.length).toBeGreaterThan(15);
  });

  it('or a photo with a wrong extension, or an animated one: taken, with a warning', async () => {
    const renamed = await engine.reconstruct(good, { fileName: 'portrait.png' });
    expect(codesOf(renamed)).toEqual([...codesOf(expected), 'PHOTO_EXTENSION'].sort());
    const frame = await toSharp(example.raster).png().toBuffer();
    const other = await toSharp(example.raster).negate().png().toBuffer();
    const animated = await sharp([frame, other], { join: { animated: true } })
      .webp({ lossless: true, effort: 0 })
      .toBuffer();
    const result = await engine.reconstruct(animated);
    expect(codesOf(result)).toContain('PHOTO_ANIMATED');
    // The first frame was read, which is the example without the losses of JPEG.
    expect(Math.abs(result.face.pose.yawDeg - expected.face.pose.yawDeg)).toBeLessThan(1);
  });

  it('noise has no face', async () => {
    let state = 1;
    const rgb = Uint8Array.from({ length: 3 * 300 * 300 }, () => (state = (state * 48271) % 2147483647) >> 16);
    expect(await refusalOf(await encodeJpeg({ width: 300, height: 300, rgb }))).toBe('FW_FACE_NOT_FOUND');
  });
});

describe('a face', () => {
  it('of 35 px is too small, in a small picture and in a large one; of 43 px it is taken with a warning', async () => {
    const { raster } = await readExampleRaster(80);
    expect(await refusalOf(await encodeJpeg(raster))).toBe('FW_FACE_TOO_SMALL');
    expect(await refusalOf(await encodeJpeg(padPicture(raster, 6)))).toBe('FW_FACE_TOO_SMALL');
    const { raster: larger } = await readExampleRaster(100);
    const result = await engine.reconstruct(await encodeJpeg(larger));
    expect(codesOf(result)).toContain('FACE_LOW_RESOLUTION');
    // One pixel is 3 degrees here.
    expect(Math.abs(result.face.pose.yawDeg - example.truth.yawDeg)).toBeLessThan(6);
  });

  it('cut by the border: a little with a warning, much is refused, half is no face', async () => {
    expect(codesOf(await engine.reconstruct(await cutLeft(0.36)))).toContain('FACE_NEAR_BORDER');
    expect(await refusalOf(await cutLeft(0.42))).toBe('FW_FACE_CUT');
    expect(['FW_FACE_CUT', 'FW_FACE_NOT_FOUND']).toContain(await refusalOf(await cutLeft(0.5)));
  });

  it('of 45 px in a 12 MP photo is found, alone and beside a large one', async () => {
    const [widest] = (await engine.findFaces(good)).faces;
    const face = (px: number): Promise<Buffer> =>
      toSharp(example.raster)
        .resize({ width: Math.round((px * example.raster.width) / widest!.box.width) })
        .png()
        .toBuffer();
    const paper = { create: { width: 4000, height: 3000, channels: 3, background: '#8a8f96' } } as const;
    const alone = await sharp(paper)
      .composite([{ input: await face(45), left: 2900, top: 1700 }])
      .jpeg({ quality: 92 })
      .toBuffer();
    expect((await engine.findFaces(alone)).faces).toHaveLength(1);
    const both = await sharp(alone)
      .composite([{ input: await face(700), left: 300, top: 300 }])
      .jpeg({ quality: 92 })
      .toBuffer();
    const { faces } = await engine.findFaces(both);
    expect(faces).toHaveLength(2);
    expect(faces[1]!.box.width).toBeLessThan(80);
  });

  it('in profile is refused', async () => {
    const model = await loadFaceModel('head');
    const { raster } = await createPortrait(model, { ...PORTRAITS.nearProfile, width: 320, height: 400 });
    expect(await refusalOf(await encodeJpeg(raster))).toBe('FW_FACE_PROFILE');
  });

  it('beside another of its size must be chosen', async () => {
    const both = await encodeJpeg(placeSideBySide(example.raster, example.raster), { quality: 95 });
    const refused = await engine.reconstruct(both).catch((e: unknown) => e);
    expect(refused).toMatchObject({ code: 'FW_FACE_SEVERAL' });
    const { faces } = (refused as { params: { faces: { index: number; box: { x: number; width: number } }[] } }).params;
    expect(faces.map((f) => f.index)).toEqual([1, 2]);

    const largest = await engine.reconstruct(both, { face: 'largest' });
    expect([largest.faceIndex, largest.faceCount]).toEqual([1, 2]);
    expect(codesOf(largest)).toContain('FACE_SEVERAL');
    const centers = [];
    for (const face of faces) {
      const chosen = await engine.reconstruct(both, { face: face.index });
      expect(chosen.faceIndex).toBe(face.index);
      // The nose tip is in the box that was offered.
      const noseX = chosen.landmarks.points[3]!;
      expect(noseX).toBeGreaterThan(face.box.x);
      expect(noseX).toBeLessThan(face.box.x + face.box.width);
      centers.push(noseX);
    }
    expect(Math.abs(centers[0]! - centers[1]!)).toBeGreaterThan(0.9 * example.raster.width);
    for (const face of [0, 3, 1.5, -1]) expect(await refusalOf(both, { face })).toBe('FW_FACE_INDEX');
  });

  it('with a hand before the mouth is taken with a warning', async () => {
    const covered = coverMouth({ raster: example.raster, truth: example.truth } as unknown as Portrait);
    const result = await engine.reconstruct(await encodeJpeg(covered));
    expect(codesOf(result)).toContain('FACE_UNCERTAIN');
    const frontal = await createPortrait(await loadFaceModel('head'), { ...PORTRAITS.frontal, width: 320, height: 400 });
    expect(codesOf(await engine.reconstruct(await encodeJpeg(coverMouth(frontal))))).toContain('FACE_UNCERTAIN');
    // Eyes and forehead still tell where it looks.
    expect(Math.abs(result.face.pose.yawDeg - example.truth.yawDeg)).toBeLessThan(6);
  });

  it('that is drawn, or of stone, is taken with a warning', async () => {
    expect(codesOf(await engine.reconstruct(await encodeJpeg(drawAfter(example.raster))))).toContain('FACE_NOT_A_PHOTO');
    const { studio } = PORTRAITS.statue;
    const park = { ...studio, backdrop: { middle: [70, 120, 200], corner: [40, 80, 150] } as const };
    const statue = await createPortrait(await loadFaceModel('head'), { ...PORTRAITS.statue, studio: park, width: 320, height: 400 });
    expect(codesOf(await engine.reconstruct(await encodeJpeg(statue.raster)))).toContain('FACE_NOT_A_PHOTO');
    expect(codesOf(expected)).toEqual([]);
  });

  it('without colour is taken with a warning', async () => {
    const grey = await toSharp(example.raster).greyscale().jpeg().toBuffer();
    expect(codesOf(await engine.reconstruct(grey))).toEqual(['PHOTO_GREY', 'CAMERA_FOCAL_ASSUMED']);
  });
});

describe('the engine after a refusal', () => {
  it('makes the same face as before: one of every stage', async () => {
    const { raster: small } = await readExampleRaster(80);
    const bad: readonly (readonly [code: string, photo: Uint8Array, options?: ReconstructOptions])[] = [
      ['FW_PHOTO_EMPTY', new Uint8Array(0)],
      ['FW_PHOTO_TRUNCATED', good.subarray(0, good.length >> 1)],
      ['FW_PHOTO_TOO_MANY_PIXELS', badInputs.find((b) => b.name === 'PNG bomb')!.bytes],
      ['FW_FACE_NOT_FOUND', badInputs.find((b) => b.name === 'animated')!.bytes],
      ['FW_FACE_TOO_SMALL', await encodeJpeg(small)],
      ['FW_FACE_CUT', await cutLeft(0.42)],
      ['FW_MODEL_UNKNOWN', good, { model: 'no such model' }],
      ['FW_ARG_INVALID', good, { textureSize: 100 }],
      ['FW_FACE_INDEX', good, { face: 2 }],
    ];
    for (const [code, photo, options] of bad) {
      expect(await refusalOf(photo, options)).toBe(code);
      const again = await engine.reconstruct(good);
      expect(Buffer.compare(bytesOf(again.face.positions), bytesOf(expected.face.positions)), code).toBe(0);
      for (const [i, surface] of again.maps.surfaces.entries()) {
        const before = expected.maps.surfaces[i]!.albedo;
        if (before === null) expect(surface.albedo).toBeNull();
        else expect(Buffer.compare(surface.albedo!.data, before.data), `${code} ${surface.name}`).toBe(0);
      }
    }
  });

  it('also when refusals and faces are asked for at once', async () => {
    const text = new TextEncoder().encode('This is not a photo.');
    const photos = [good, new Uint8Array(0), good, text, await cutLeft(0.42), good];
    const results = await Promise.allSettled(photos.map((photo) => engine.reconstruct(photo)));
    expect(results.map((r) => (r.status === 'fulfilled' ? 'made' : (r.reason as { code: string }).code))).toEqual([
      'made',
      'FW_PHOTO_EMPTY',
      'made',
      'FW_PHOTO_NOT_IMAGE',
      'FW_FACE_CUT',
      'made',
    ]);
    for (const r of results) {
      if (r.status === 'fulfilled') expect(Buffer.compare(bytesOf(r.value.face.positions), bytesOf(expected.face.positions))).toBe(0);
    }
  });
});

describe('limits', () => {
  it('are options of the engine', async () => {
    const strict = await createEngine({ textureSize: 512, model: 'canonical', limits: { maxBytes: good.length - 1 } });
    expect(await refusalOf(good, {}, strict)).toBe('FW_PHOTO_TOO_MANY_BYTES');
    await strict.close();
  });
});

describe('the cache of networks', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'facewright-cache-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it('that is damaged is made anew, with the same faces', async () => {
    const cacheDir = join(dir, 'new', 'folder');
    const first = await createEngine({ textureSize: 512, cacheDir });
    expect(first.networks).toMatchObject({ cache: 'made', cacheDir });
    await first.close();
    const names = await readdir(cacheDir);
    expect(names).toHaveLength(2);
    for (const [i, name] of names.entries()) {
      const bytes = await readFile(join(cacheDir, name));
      // One with a changed byte in the middle, one cut off.
      await writeFile(
        join(cacheDir, name),
        i === 0 ? bytes.fill(bytes[bytes.length >> 1]! ^ 1, bytes.length >> 1, (bytes.length >> 1) + 1) : bytes.subarray(0, 1000),
      );
    }
    const second = await createEngine({ textureSize: 512, cacheDir });
    expect(second.networks.cache).toBe('made');
    expect(second.warnings).toEqual([]);
    const result = await second.reconstruct(good);
    expect(result.landmarks.points).toEqual(expected.landmarks.points);
    await second.close();
  });

  it('that cannot be written costs a warning and nothing else', async () => {
    // Below a file, so that it holds for an administrator too.
    const file = join(dir, 'file');
    await writeFile(file, '');
    const cacheless = await createEngine({ textureSize: 512, cacheDir: join(file, 'cache') });
    expect(cacheless.networks.cache).toBe('off');
    expect(codesOf(cacheless)).toEqual(['CACHE_NOT_WRITABLE']);
    const result = await cacheless.reconstruct(good);
    expect(codesOf(result)).toEqual(['CACHE_NOT_WRITABLE']);
    expect(result.landmarks.points).toEqual(expected.landmarks.points);
    await cacheless.close();
  });
});

const bytesOf = (a: Float32Array): Buffer => Buffer.from(a.buffer, a.byteOffset, a.byteLength);

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readExampleRaster } from '../test/example-portrait.ts';
import { createFlatJpeg } from '../test/photo-fixtures.ts';
import { padPicture, placeSideBySide } from '../test/portraits/compose-pictures.ts';
import { encodeJpeg } from '../test/portraits/create-portrait.ts';
import { createEngine, type Engine } from './create-engine.ts';
import type { Raster } from './photo/raster.ts';

let engine: Engine;
let raster: Raster;
beforeAll(async () => {
  engine = await createEngine({ textureSize: 512 });
  ({ raster } = await readExampleRaster(400));
}, 60_000);
afterAll(() => engine.close());

describe('findFaces', () => {
  it('measures what reconstruct measures', async () => {
    const photo = await encodeJpeg(raster, { focal35Mm: 105 });
    const { photo: about, faces, view, warnings } = await engine.findFaces(photo, { fileName: 'portrait.png' });
    expect(about).toMatchObject({ width: 400, height: 500, format: 'jpeg' });
    expect(warnings.map((w) => w.code)).toEqual(['PHOTO_EXTENSION']);
    expect([view.raster.width, view.raster.height]).toEqual([400, 500]);
    expect(faces).toHaveLength(1);
    const [face] = faces;
    const made = await engine.reconstruct(photo);
    expect(face).toMatchObject({ index: 1, refusal: null, residualRmsPx: made.face.residualRmsPx, eyeDistancePx: made.face.eyeDistancePx });
    expect(face!.landmarks.points).toEqual(made.landmarks.points);
    expect(face!.pose).toEqual(made.face.pose);
    expect(about.exifFocalPx).toBe(made.face.intrinsics.focalPx);
    // Given by hand, the focal length changes the pose here too.
    const near = await engine.findFaces(photo, { focalPx: 300 });
    expect(near.faces[0]!.pose.translation[2]).toBeLessThan(0.5 * face!.pose.translation[2]!);
  });

  it('numbers several faces, the largest first, each with landmarks inside its box', async () => {
    const { raster: half } = await readExampleRaster(200);
    const { faces } = await engine.findFaces(await encodeJpeg(placeSideBySide(padPicture(half, 2), raster)));
    expect(faces.map((f) => f.index)).toEqual([1, 2]);
    expect(faces[0]!.box.width / faces[1]!.box.width).toBeGreaterThan(1.7);
    // The large one is on the right.
    expect(faces[0]!.box.x).toBeGreaterThan(400);
    for (const { box, landmarks } of faces) {
      for (const eyeCorner of [33, 263]) {
        expect(landmarks.points[3 * eyeCorner]).toBeGreaterThan(box.x);
        expect(landmarks.points[3 * eyeCorner]).toBeLessThan(box.x + box.width);
      }
    }
  });

  it('lists a face that reconstruct refuses, with the reason', async () => {
    const photo = await encodeJpeg((await readExampleRaster(80)).raster);
    const refused = (await engine.reconstruct(photo).catch((e: unknown) => e)) as { code: string; message: string; hint: string };
    const { faces } = await engine.findFaces(photo);
    expect(faces).toHaveLength(1);
    const { code, message, hint } = refused;
    expect(faces[0]!.refusal).toEqual({ code, message, hint });
    expect(code).toBe('FW_FACE_TOO_SMALL');
  });

  it('finds none where there is none, which is no error', async () => {
    const { faces, photo, view } = await engine.findFaces(await createFlatJpeg(320, 240));
    expect(faces).toEqual([]);
    expect([photo.width, photo.height, view.raster.width]).toEqual([320, 240, 320]);
  });

  it('refuses what is no photo, as reconstruct does', async () => {
    await expect(engine.findFaces(new Uint8Array(0))).rejects.toMatchObject({ code: 'FW_PHOTO_EMPTY' });
    await expect(engine.findFaces(new TextEncoder().encode('no photo'))).rejects.toMatchObject({ code: 'FW_PHOTO_NOT_IMAGE' });
  });
});

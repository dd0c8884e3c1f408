import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine } from './create-engine.ts';
import { preparePhoto } from './prepare-photo.ts';

const PORTRAIT = new URL('../../../examples/portrait.jpg', import.meta.url);

describe('preparePhoto', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine({ textureSize: 512 });
  }, 60_000);
  afterAll(() => engine.close());

  it('makes the same face as the bytes, as often as it is asked', async () => {
    const bytes = await readFile(PORTRAIT);
    const expected = (await engine.reconstruct(bytes)).face;
    const prepared = preparePhoto(bytes, { fileName: 'portrait.jpg' });
    for (let time = 1; time <= 2; time++) {
      const { face } = await engine.reconstruct(prepared, { face: 1 });
      expect(Buffer.compare(Buffer.from(face.positions.buffer), Buffer.from(expected.positions.buffer))).toBe(0);
    }
  });

  it('tells what is wrong with a photo where it is used, under the limits that it was given', async () => {
    const noPhoto = preparePhoto(new TextEncoder().encode('Dear diary'));
    const tooLarge = preparePhoto(await readFile(PORTRAIT), { limits: { maxPixels: 1000 } });
    await expect(engine.reconstruct(noPhoto)).rejects.toMatchObject({ code: 'FW_PHOTO_NOT_IMAGE' });
    await expect(engine.reconstruct(tooLarge)).rejects.toMatchObject({ code: 'FW_PHOTO_TOO_MANY_PIXELS' });
  });
});

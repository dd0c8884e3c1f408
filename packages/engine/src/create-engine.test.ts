import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readExampleRaster } from '../test/example-portrait.ts';
import { encodeJpeg } from '../test/portraits/create-portrait.ts';
import { createEngine, type Engine } from './create-engine.ts';
import type { EngineOptions, ReconstructOptions } from './engine-options.ts';

let engine: Engine;
let photo: Buffer;
beforeAll(async () => {
  engine = await createEngine({ textureSize: 512, model: 'canonical' });
  photo = await encodeJpeg((await readExampleRaster(400)).raster);
}, 60_000);
afterAll(() => engine.close());

describe('createEngine', () => {
  it.each<[code: string, options: object]>([
    ['FW_ARG_INVALID', { textureSize: 511 }],
    ['FW_ARG_INVALID', { textureSize: 4097 }],
    ['FW_ARG_INVALID', { textureSize: 1024.5 }],
    ['FW_ARG_INVALID', { textureSize: '1024' }],
    ['FW_MODEL_UNKNOWN', { model: 'bfm' }],
    ['FW_PROVIDER_UNAVAILABLE', { provider: 'abacus' }],
  ])('refuses with %s: %o', async (code, options) => {
    await expect(createEngine(options as EngineOptions)).rejects.toMatchObject({ code });
  });

  it('tells what runs', () => {
    expect(engine.provider).toBe('cpu');
    expect(engine.warnings).toEqual([]);
    expect(engine.networks.onnxruntime).toMatch(/^\d+\.\d+\.\d+/);
    expect(engine.networks.cacheDir).not.toBe('');
  });

  it('may be closed twice', async () => {
    const other = await createEngine({ model: 'canonical' });
    await other.close();
    await other.close();
    await expect(other.findFaces(photo)).rejects.toMatchObject({ code: 'FW_ARG_INVALID' });
    await expect(other.reconstruct(photo)).rejects.toMatchObject({ code: 'FW_ARG_INVALID' });
    // The networks of one engine are its own.
    expect((await engine.findFaces(photo)).faces).toHaveLength(1);
  });
});

describe('what a call may ask for', () => {
  const identity = Float64Array.from({ length: 100 * 100 }, (_, i) => (i % 101 === 0 ? 1 : 0));

  it.each<[code: string, options: object]>([
    ['FW_ARG_INVALID', { textureSize: Number.NaN }],
    ['FW_ARG_INVALID', { textureSize: 8192 }],
    ['FW_ARG_INVALID', { focalPx: -1 }],
    ['FW_ARG_INVALID', { focalPx: Number.NaN }],
    ['FW_ARG_INVALID', { focal35mm: 0 }],
    ['FW_ARG_INVALID', { identityPrior: { mean: new Float64Array(3), covariance: new Float64Array(9) } }],
    ['FW_ARG_INVALID', { identityPrior: { mean: new Float64Array(100).fill(Number.NaN), covariance: identity } }],
    ['FW_ARG_INVALID', { identityPrior: { mean: new Float64Array(100), covariance: new Float64Array(100 * 100) } }],
    ['FW_MODEL_UNKNOWN', { model: '' }],
    ['FW_FACE_INDEX', { face: Number.NaN }],
  ])('is refused with %s where it cannot be: %#', async (code, options) => {
    await expect(engine.reconstruct(photo, { model: 'head', ...options } as ReconstructOptions)).rejects.toMatchObject({ code });
  });

  it.each(['photo.jpg', null, undefined, [255, 216], new ArrayBuffer(8)])('a photo must be bytes: %#', async (notBytes: unknown) => {
    await expect(engine.reconstruct(notBytes as Uint8Array)).rejects.toMatchObject({ code: 'FW_ARG_INVALID' });
    await expect(engine.findFaces(notBytes as Uint8Array)).rejects.toMatchObject({ code: 'FW_ARG_INVALID' });
  });

  it('another model and another size than those of the engine, and back again', async () => {
    const own = await engine.reconstruct(photo);
    expect([own.face.model.id, own.maps.observed.size]).toEqual(['canonical', 512]);
    const other = await engine.reconstruct(photo, { model: 'head', textureSize: 600 });
    expect([other.face.model.id, other.maps.observed.size]).toEqual(['head', 600]);
    const again = await engine.reconstruct(photo);
    expect([again.face.model.id, again.maps.observed.size]).toEqual(['canonical', 512]);
    expect(again.face.positions).toEqual(own.face.positions);
  });

  it('a narrow belief about the identity outweighs the landmarks, a wide one does not', async () => {
    const free = await engine.reconstruct(photo, { model: 'head' });
    const mean = new Float64Array(100);
    mean[0] = 2;
    const sure = await engine.reconstruct(photo, { model: 'head', identityPrior: { mean, covariance: identity.map((v) => 1e-6 * v) } });
    // A deviation of a thousandth: the landmarks can move it by no more than a few of those.
    expect(Math.abs(sure.face.identity[0]! - 2)).toBeLessThan(0.01);
    const open = await engine.reconstruct(photo, { model: 'head', identityPrior: { mean: new Float64Array(100), covariance: identity } });
    expect(Math.abs(open.face.identity[0]! - free.face.identity[0]!)).toBeLessThan(0.5);
  });
});

/** @module Same photo and options, same bytes: from another engine, with and without a cache, alone and among other calls. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../src/create-engine.ts';
import { encodeFiles, OUTPUT_FORMATS } from '../src/encode-files.ts';
import type { ReconstructOptions } from '../src/engine-options.ts';
import { readExampleRaster } from './example-portrait.ts';
import { turnPicture } from './portraits/compose-pictures.ts';
import { encodeJpeg } from './portraits/create-portrait.ts';

/** Photos and options that take different ways through the pipeline. */
let jobs: { readonly name: string; readonly photo: Buffer; readonly options: ReconstructOptions }[];
let engine: Engine;

beforeAll(async () => {
  engine = await createEngine({ textureSize: 512 });
  const { raster } = await readExampleRaster(400);
  const { raster: small } = await readExampleRaster(160);
  const jpeg = await encodeJpeg(raster, { focal35Mm: 105 });
  jobs = [
    { name: 'as it is', photo: jpeg, options: {} },
    { name: 'small', photo: await encodeJpeg(small), options: {} },
    { name: 'lying', photo: await encodeJpeg(turnPicture(raster, 1)), options: {} },
    { name: 'other focal length and size', photo: jpeg, options: { focalPx: 900, textureSize: 640 } },
    { name: 'other model', photo: jpeg, options: { model: 'canonical' } },
  ];
}, 120_000);
afterAll(() => engine.close());

/** SHA-256 of every file; report.json without its timings. */
function digestFiles(files: Map<string, Uint8Array>): Record<string, string> {
  const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex');
  return Object.fromEntries(
    [...files].map(([name, bytes]) => {
      if (name !== 'report.json') return [name, sha256(bytes)];
      const report = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
      expect(report).toHaveProperty('timingsMs');
      return [name, sha256(JSON.stringify({ ...report, timingsMs: null }))];
    }),
  );
}

/** The GLB of one job, as a digest. */
async function glbOf(of: Engine, job: (typeof jobs)[number]): Promise<string> {
  const files = await encodeFiles(await of.reconstruct(job.photo, job.options), { formats: ['glb'] });
  return digestFiles(files)['face.glb']!;
}

describe('the same input', () => {
  it('gives the same bytes of every file, from an engine that loaded its networks another way', async () => {
    const { photo } = jobs[0]!;
    const digests = digestFiles(await encodeFiles(await engine.reconstruct(photo), { formats: OUTPUT_FORMATS }));
    expect(Object.keys(digests).length).toBeGreaterThan(8);
    // Without a cache the networks are converted and optimised in memory instead of being read as they were optimised before.
    const other = await createEngine({ textureSize: 512, cacheDir: null });
    expect(other.networks.cache).toBe('off');
    expect(digestFiles(await encodeFiles(await other.reconstruct(photo), { formats: OUTPUT_FORMATS }))).toEqual(digests);
    // A clock that stands still: only timings may know of it.
    const frozen = await createEngine({ textureSize: 512, now: () => 0 });
    const result = await frozen.reconstruct(photo);
    expect(Object.values(result.timings)).toEqual([0, 0, 0, 0, 0]);
    expect(digestFiles(await encodeFiles(result, { formats: ['glb'] }))['face.glb']).toBe(digests['face.glb']);
    await Promise.all([other.close(), frozen.close()]);
  });

  it('gives the same compact file', async () => {
    const result = await engine.reconstruct(jobs[0]!.photo);
    const twice = [];
    for (let i = 0; i < 2; i++) twice.push(digestFiles(await encodeFiles(result, { compact: true })));
    expect(twice[1]).toEqual(twice[0]);
  });

  it('gives the same bytes whatever was made before, and while other photos are made on the same engine', async () => {
    const alone: string[] = [];
    for (const job of jobs) alone.push(await glbOf(engine, job));
    // All different, or the rest would say nothing.
    expect(new Set(alone).size).toBe(jobs.length);
    const backwards: string[] = [];
    for (const job of [...jobs].reverse()) backwards.unshift(await glbOf(engine, job));
    expect(backwards).toEqual(alone);
    const together = await Promise.all([...jobs, ...jobs].map((job) => glbOf(engine, job)));
    expect(together).toEqual([...alone, ...alone]);
  });

  it('is left as it was', async () => {
    const photo = Uint8Array.from(jobs[0]!.photo);
    const before = createHash('sha256').update(photo).digest('hex');
    const result = await engine.reconstruct(photo);
    expect(createHash('sha256').update(photo).digest('hex')).toBe(before);
    // Nor is the result bound to it.
    const files = digestFiles(await encodeFiles(result));
    photo.fill(0);
    expect(digestFiles(await encodeFiles(result))).toEqual(files);
  });
});

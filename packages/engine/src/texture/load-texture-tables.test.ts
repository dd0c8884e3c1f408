import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTables, type TableValue } from '../cache/table-file.ts';
import type { FaceModel } from '../models/face-model.ts';
import { identifyModel } from '../models/identify-model.ts';
import { loadFaceModel } from '../models/load-face-model.ts';
import { loadTextureTables } from './load-texture-tables.ts';

import { computeTextureTables, TABLES_VERSION, type TextureTables } from './texture-tables.ts';

const SIZE = 128;
let head: FaceModel;
let made: TextureTables;
let dir: string;
beforeAll(async () => {
  head = await loadFaceModel('head');
  made = computeTextureTables(head, SIZE);
  dir = await mkdtemp(join(tmpdir(), 'facewright-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('loadTextureTables', () => {
  it('makes tables once and reads the same ones afterwards', async () => {
    expectSame(await loadTextureTables(head, identifyModel(head), SIZE, dir), made);
    const names = await readdir(dir);
    expect(names).toEqual([expect.stringMatching(new RegExp(`^texture-[0-9a-f]{16}-v${TABLES_VERSION}-${SIZE}\\.tables$`))]);
    const read = await loadTextureTables(head, identifyModel(head), SIZE, dir);
    expectSame(read, made);
    // Read, not made anew: all arrays lie in the one file.
    expect(read.skin.map.triangle.buffer).toBe(read.details.teeth!.data.buffer);
  });

  it('makes damaged tables anew', async () => {
    const file = join(dir, (await readdir(dir))[0]!);
    await truncate(file, 100_000);
    expectSame(await loadTextureTables(head, identifyModel(head), SIZE, dir), made);
  });

  it('takes no tables of another model or size', async () => {
    const wider: FaceModel = { ...head, neutral: head.neutral.map((x, i) => (i % 3 === 0 ? 1.1 * x : x)) };
    const other = await loadTextureTables(wider, identifyModel(wider), SIZE, dir);
    expect(other.layout.outsideMm.some((x, v) => x !== made.layout.outsideMm[v])).toBe(true);
    expect((await loadTextureTables(head, identifyModel(head), 130, dir)).size).toBe(130);
    expect(await readdir(dir)).toHaveLength(3);
  });

  it('works without a folder', async () => {
    expectSame(await loadTextureTables(head, identifyModel(head), SIZE, null), made);
  });
});

describe('TABLES_VERSION', () => {
  /**
   * Mean of every array of version 3 with some weight on where the values lie. If this fails because the tables were changed on purpose: raise the version
   * and take the numbers that are printed. Tolerance: sines and roots may differ in the last digit between versions of V8.
   */
  it('belongs to these tables', () => {
    expect(TABLES_VERSION).toBe(3);
    const found = Object.fromEntries(listArrays(made).map(([name, array]) => [name, describeArray(array)]));
    expect(Object.keys(found)).toEqual(Object.keys(RECORDED));
    for (const [name, value] of Object.entries(found)) expect(value, `${name} of ${JSON.stringify(found)}`).toBeCloseTo(RECORDED[name]!, 2);
  });
});

function expectSame(a: TextureTables, b: TextureTables): void {
  const [x, y] = [a, b].map((tables) => formatTables(tables as unknown as TableValue));
  expect(Buffer.compare(x!, y!)).toBe(0);
}

function describeArray(array: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < array.length; i++) sum += Math.max(-1000, Math.min(1000, array[i]!)) * (1 + 0.1 * Math.sin(i));
  return Number((sum / Math.max(1, array.length)).toFixed(4));
}

function listArrays(value: unknown, name = ''): [string, ArrayLike<number>][] {
  if (ArrayBuffer.isView(value)) return [[name, value as Uint8Array]];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, part]) => listArrays(part, name === '' ? key : `${name}.${key}`));
}

const RECORDED: Readonly<Record<string, number>> = {
  'layout.outsideMm': 0.2163,
  'layout.hairlineMm': -508.4336,
  'layout.scalpMap': 27.2819,
  'layout.lidRimMm': 13.5439,
  'layout.lipRimMm': 13.5671,
  'layout.openness': 0.7947,
  'layout.core': 0.0132,
  'skin.map.triangle': 974.2736,
  'skin.map.triangles': 972.8824,
  'skin.map.frames': 0.8667,
  'skin.field.triangle': 974.5294,
  'skin.field.triangles': 972.8824,
  'skin.field.frames': 0.8667,
  'skin.texels': 993.1028,
  'skin.corners': 947.8664,
  'skin.weights': 0.3378,
  'skin.mirrorTexel': 992.3635,
  'skin.outsideMm': 23.9511,
  'skin.hairlineMm': -89.0466,
  'skin.lidRimMm': 30.455,
  'skin.lipRimMm': 30.4017,
  'skin.openness': 0.8649,
  'skin.core': 0.041,
  'skin.lining': 0,
  'skin.cuts': 0,
  'skin.emptyRuns': 0.5093,
  'skin.strands': -1.2914,
  'scalp.map.triangle': 924.6209,
  'scalp.map.triangles': 1000.0001,
  'scalp.map.frames': 0.5462,
  'scalp.field.triangle': 930.6271,
  'scalp.field.triangles': 1000.0001,
  'scalp.field.frames': 0.5462,
  'scalp.texels': 998.7498,
  'scalp.corners': 1000.0012,
  'scalp.weights': 0.3422,
  'scalp.mirrorTexel': 992.3634,
  'scalp.outsideMm': 426.516,
  'scalp.hairlineMm': -351.8497,
  'scalp.lidRimMm': 364.0265,
  'scalp.lipRimMm': 364.0265,
  'scalp.openness': 0.9109,
  'scalp.core': 0,
  'scalp.lining': 0.0969,
  'scalp.cuts': 1000.4264,
  'scalp.emptyRuns': 0.7947,
  'scalp.strands': 0.4293,
  'seam.skinTexel': 873.1049,
  'seam.scalpTexel': 997.3813,
  grainTile: 0.0148,
  'details.eye.shade': 145.5478,
  'details.eye.redness': 82.6876,
  'details.eye.iris': 10.7312,
  'details.eye.fibre': 4.0765,
  'details.teeth.data': 109.9111,
  'details.mouth.data': 74.0456,
  'details.lashes.data': 197.1759,
  'details.occlusion.data': 202.5837,
  'details.blend.data': 202.3963,
};

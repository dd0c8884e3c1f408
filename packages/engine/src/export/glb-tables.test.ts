import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderSyntheticPortrait } from '../../test/synthetic-portrait.ts';
import { formatTables, type TableValue } from '../cache/table-file.ts';
import type { FaceModel } from '../models/face-model.ts';
import { identifyModel } from '../models/identify-model.ts';
import { loadFaceModel } from '../models/load-face-model.ts';
import { createTextureBaker } from '../texture/create-texture-baker.ts';
import { computeTextureTables } from '../texture/texture-tables.ts';
import { computeGlbTables, GLB_TABLES_VERSION, type GlbTables, loadGlbTables, nameGrouping } from './glb-tables.ts';

let head: FaceModel;
let made: GlbTables;
let dir: string;
beforeAll(async () => {
  head = await loadFaceModel('head');
  made = computeGlbTables(head);
  dir = await mkdtemp(join(tmpdir(), 'facewright-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('loadGlbTables', () => {
  it('makes tables once and reads the same ones afterwards', async () => {
    for (let k = 0; k < 2; k++) {
      const loaded = await loadGlbTables(head, identifyModel(head), dir);
      const [x, y] = [loaded, made].map((tables) => formatTables(tables as unknown as TableValue));
      expect(Buffer.compare(x!, y!)).toBe(0);
    }
    expect(await readdir(dir)).toHaveLength(1);
  });

  it.each(['head', 'canonical'])('knows beforehand which surfaces a face of the model %s has', async (id) => {
    const model = await loadFaceModel(id);
    const portrait = renderSyntheticPortrait(model, () => [200, 150, 120]);
    const maps = await createTextureBaker(model, computeTextureTables(model, 128)).bake(portrait);
    expect(computeGlbTables(model).grouping).toBe(nameGrouping(maps.surfaces));
  });
});

describe('GLB_TABLES_VERSION', () => {
  /** If this fails because the tables were changed on purpose: raise the version and take the numbers found. */
  it('belongs to these tables', () => {
    const { plain, plans, grouping } = made;
    const { staticBytes, ...rest } = plain;
    let sum = 0;
    for (let i = 0; i < staticBytes.length; i++) sum = (sum * 31 + staticBytes[i]!) % 1_000_003;
    const words = JSON.stringify([grouping, rest, plans.map(({ primitives }) => primitives.map((p) => p.modelVertex.length))]).length;
    expect([GLB_TABLES_VERSION, staticBytes.length, sum, words]).toEqual([1, 4330960, 119775, 91298]);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NETWORK_ASSETS, readNetworkAsset } from './read-network-asset.ts';

const LOADER = 'face_mesh_solution_packed_assets_loader.js';
const ARCHIVE = 'face_mesh_solution_packed_assets.data';

let dir: string;
let mesh: Uint8Array;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'facewright-'));
  mesh = await readNetworkAsset('canonical-mesh');
});
afterEach(() => rm(dir, { recursive: true }));

/** A package of which the archive holds seven bytes and then the mesh, and the loader is `script` about the table of it. */
async function writePackage(script: (table: string) => string, range = { start: 7, end: 7 + mesh.length }): Promise<void> {
  const files = [
    { filename: '/odd/"});{".bin', start: 0, end: 7 },
    { filename: `/some/where/${NETWORK_ASSETS['canonical-mesh'].file}`, ...range },
  ];
  await writeFile(join(dir, LOADER), script(JSON.stringify({ files, more: { a: {} } })));
  await writeFile(join(dir, ARCHIVE), Buffer.concat([Buffer.alloc(7), mesh]));
}

describe('readNetworkAsset', () => {
  it.each<[string, (table: string) => string]>([
    ['as an argument', (table) => `function loadPackage(a) {}\n loadPackage(${table});\n loadPackage({});`],
    ['as a value', (table) => `const table = ${table}\nexport { table }`],
    ['alone', (table) => table],
  ])('finds the table in the script: %s', async (_, script) => {
    await writePackage(script);
    expect(Buffer.from(await readNetworkAsset('canonical-mesh', dir)).equals(mesh)).toBe(true);
  });

  it.each<[string, (table: string) => string, string]>([
    ['no table', () => 'loadPackage({});', 'missing'],
    ['a table that is cut off', (table) => `loadPackage(${table.slice(0, -1)});`, 'missing'],
    ['a table without the file', (table) => table.replaceAll('landmarks', 'lost'), 'damaged'],
  ])('refuses %s', async (_, script, reason) => {
    await writePackage(script);
    await expect(readNetworkAsset('canonical-mesh', dir)).rejects.toMatchObject({
      code: 'FW_NETWORK_CORRUPT',
      message: expect.stringContaining(reason),
    });
  });

  it.each([[{ start: -1, end: 50 }], [{ start: 50, end: 50 }], [{ start: 0, end: 2 ** 40 }]])(
    'refuses the range %j without reading it',
    async (range) => {
      await writePackage((table) => table, range);
      await expect(readNetworkAsset('canonical-mesh', dir)).rejects.toMatchObject({ message: expect.stringContaining('damaged') });
    },
  );
});

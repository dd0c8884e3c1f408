/** @module The example project in a process of its own, with the packages as they were built. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebIO } from '@gltf-transform/core';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { validateGlb } from '../../packages/engine/test/validate-glb.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const portrait = join(root, 'examples/portrait.jpg');

let folder: string;
beforeAll(async () => {
  // A copy elsewhere, so that nothing is found by lying in the repository but the packages that are "installed".
  folder = await mkdtemp(join(tmpdir(), 'use as library '));
  for (const name of ['package.json', 'index.mjs']) await cp(join(here, name), join(folder, name));
  await mkdir(join(folder, 'node_modules/@facewright'), { recursive: true });
  // As npm does it for "file:" dependencies.
  await symlink(join(root, 'packages/engine'), join(folder, 'node_modules/@facewright/engine'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function requireBuild(ctx: TestContext): void {
  if (!existsSync(join(root, 'packages/engine/dist/index.js'))) ctx.skip('needs the packages built: npm run build (npm test does it)');
}

function runExample(...args: readonly string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    // Without the conditions and loaders of the test run.
    const { NODE_OPTIONS: _, ...env } = process.env;
    const child = spawn(process.execPath, ['index.mjs', ...args], { cwd: folder, env });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}

describe('the example project', () => {
  it('depends on the engine only, and imports nothing else', async () => {
    const { dependencies } = JSON.parse(await readFile(join(here, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
    expect(Object.keys(dependencies)).toEqual(['@facewright/engine']);
    const source = await readFile(join(here, 'index.mjs'), 'utf8');
    const imported = [...source.matchAll(/from '([^']+)'/g)].map((m) => m[1]!);
    expect(imported.filter((name) => !name.startsWith('node:'))).toEqual(['@facewright/engine']);
  });

  it('makes a valid GLB of a photo', async (ctx) => {
    requireBuild(ctx);
    const { status, stdout, stderr } = await runExample(portrait, 'result.glb');
    expect(stderr).toContain('5/6 texture');
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^result\.glb: \d+ vertices, 52 blendshapes\nThe head is turned by -\d+, /);
    const glb = await readFile(join(folder, 'result.glb'));
    expect((await validateGlb(glb)).faults).toEqual([]);
    const document = await new WebIO().readBinary(glb);
    const targets = document
      .getRoot()
      .listMeshes()
      .map((mesh) => mesh.listPrimitives()[0]!.listTargets().length);
    expect(Math.max(...targets)).toBe(52);
    expect(document.getRoot().listTextures().length).toBeGreaterThan(0);
  });

  it('says what is wrong with a photo in two lines, and ends with status 1', async (ctx) => {
    requireBuild(ctx);
    await writeFile(join(folder, 'bad.jpg'), 'This is not a photo.');
    const { status, stdout, stderr } = await runExample('bad.jpg', 'bad.glb');
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.replace(/^\d\/6 .*\n/gm, '')).toMatch(/^FW_PHOTO_NOT_IMAGE: .*\n.*JPEG.*\n$/);
    expect(existsSync(join(folder, 'bad.glb'))).toBe(false);
  });
});

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const engine = 'packages/engine/src';

/** Imports that the rules must refuse: file, imported module. One file each, so that no finding hides another. */
const FORBIDDEN: readonly (readonly [path: string, module: string])[] = [
  ['packages/protocol/src/a.ts', '@facewright/engine'],
  ['packages/protocol/src/b.ts', 'node:fs'],
  ['packages/head-model/src/a.ts', '@facewright/engine'],
  ['packages/head-model/src/b.ts', '@facewright/cli'],
  ['packages/head-model/src/c.ts', '../../engine/src/index.ts'],
  ['packages/head-model/src/d.ts', 'sharp'], // not in its package.json
  [`${engine}/a.ts`, '@facewright/cli'],
  [`${engine}/b.ts`, '../../cli/src/index.ts'],
  [`${engine}/c.ts`, 'node:http'],
  [`${engine}/d.ts`, 'sharp'],
  [`${engine}/e.ts`, 'onnxruntime-node'],
  [`${engine}/f.ts`, 'commander'], // declared by cli only
  [`${engine}/g.ts`, '@facewright/protocol/dist/errors.js'],
  [`${engine}/math/a.ts`, '../camera/camera.ts'],
  [`${engine}/math/b.ts`, 'node:os'],
  [`${engine}/math/c.ts`, '@facewright/protocol'],
  [`${engine}/math/d.ts`, 'sharp'],
  [`${engine}/camera/a.ts`, 'node:fs'],
  [`${engine}/fit/a.ts`, 'node:fs/promises'],
  [`${engine}/fit/b.ts`, 'sharp'],
  [`${engine}/texture/a.ts`, 'node:https'],
  [`${engine}/texture/b.ts`, 'sharp'],
  [`${engine}/render/a.ts`, 'node:worker_threads'],
  [`${engine}/render/b.ts`, 'onnxruntime-node'],
  [`${engine}/export/a.ts`, 'node:fs'],
  [`${engine}/export/b.ts`, 'onnxruntime-node'],
  [`${engine}/photo/a.ts`, 'onnxruntime-node'],
  [`${engine}/photo/b.ts`, 'node:fs'],
  [`${engine}/nets/a.ts`, 'sharp'],
  [`${engine}/nets/b.ts`, 'node:net'],
  ['packages/cli/src/a.ts', 'meshoptimizer'], // not in its package.json
  ['packages/cli/src/b.ts', '../../engine/src/index.ts'],
  ['packages/cli/src/c.ts', '../../service/src/index.ts'],
  ['packages/cli/src/d.ts', 'fastify'], // declared by service only
  ['packages/service/src/a.ts', '@facewright/engine'],
  ['packages/service/src/http/b.ts', '@facewright/engine'],
  ['packages/service/src/workers/c.ts', '@facewright/engine'],
  ['packages/service/src/d.ts', '@facewright/cli'],
  ['packages/service/src/e.ts', '@facewright/client'],
  ['packages/service/src/f.ts', 'onnxruntime-node'],
  ['packages/service/src/g.ts', '../../engine/src/index.ts'],
  ['packages/client/src/a.ts', '@facewright/service'],
  ['packages/client/src/b.ts', '@facewright/engine'],
  ['packages/client/src/c.ts', 'node:fs'],
  ['packages/client/src/d.ts', 'undici'], // not in its package.json
  ['packages/studio/src/a.ts', '@facewright/service'],
  ['packages/studio/src/b.ts', '@facewright/cli'],
  ['packages/studio/src/c.ts', 'node:path'],
];

/** Imports that the rules must let pass. */
const ALLOWED: readonly (readonly [path: string, module: string])[] = [
  ['packages/protocol/src/y.ts', 'zod'],
  ['packages/head-model/src/y.ts', 'node:fs/promises'],
  ['packages/head-model/src/z.ts', '@facewright/protocol'],
  [`${engine}/y.ts`, '@facewright/head-model'],
  [`${engine}/math/y.ts`, './rotation.ts'],
  [`${engine}/fit/y.ts`, '../math/rotation.ts'],
  [`${engine}/fit/z.ts`, '@facewright/protocol'],
  [`${engine}/photo/y.ts`, 'sharp'],
  [`${engine}/export/y.ts`, 'sharp'],
  [`${engine}/export/z.ts`, 'node:zlib'],
  [`${engine}/nets/y.ts`, 'onnxruntime-node'],
  [`${engine}/nets/z.ts`, 'node:fs/promises'],
  ['packages/cli/src/y.ts', '@facewright/engine'],
  ['packages/cli/src/z.ts', 'node:fs'],
  ['packages/cli/src/x.ts', '@facewright/service'],
  ['packages/service/src/workers/process/y.ts', '@facewright/engine'],
  ['packages/service/src/http/y.ts', '@facewright/engine/sniff-image-format'],
  ['packages/service/src/http/z.ts', 'node:http'],
  ['packages/service/src/http/x.ts', '@facewright/protocol/api'],
  ['packages/client/src/y.ts', '@facewright/protocol'],
  ['packages/client/src/z.ts', '@facewright/protocol/api'],
  ['packages/studio/src/y.ts', '@facewright/client'],
];

/** Every way to import: a rule that only sees static imports would be easy to walk around. */
const WAYS: readonly ((module: string) => string)[] = [
  (m) => `import { x } from '${m}';\nexport const y = x;\n`,
  (m) => `import type { X } from '${m}';\nexport type Y = X;\n`,
  (m) => `export { x } from '${m}';\n`,
  (m) => `export const y = await import('${m}');\n`,
];

describe('import rules between packages and inside the engine', () => {
  let folder: string;
  let findings: Map<string, string[]>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'import rules '));
    const config = JSON.parse(await readFile(join(root, 'biome.json'), 'utf8'));
    await writeFile(join(folder, 'biome.json'), JSON.stringify({ ...config, $schema: undefined, vcs: { enabled: false } }));
    for (const name of ['protocol', 'head-model', 'engine', 'client', 'service', 'studio', 'cli']) {
      await mkdir(join(folder, 'packages', name), { recursive: true });
      await cp(join(root, 'packages', name, 'package.json'), join(folder, 'packages', name, 'package.json'));
    }
    for (const [path, module] of [...FORBIDDEN, ...ALLOWED]) {
      for (const [i, way] of WAYS.entries()) {
        const file = join(folder, path.replace('.ts', `-${i}.ts`));
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, way(module));
      }
    }
    findings = await lint(folder);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(FORBIDDEN)('%s must not import %s', (path) => {
    for (const i of WAYS.keys()) {
      expect(findings.get(path.replace('.ts', `-${i}.ts`)), WAYS[i]('…')).toEqual(
        expect.arrayContaining([expect.stringMatching(IMPORT_RULE)]),
      );
    }
  });

  it.each(ALLOWED)('%s may import %s', (path) => {
    for (const i of WAYS.keys()) {
      const found = findings.get(path.replace('.ts', `-${i}.ts`)) ?? [];
      expect(found.filter((rule) => IMPORT_RULE.test(rule))).toEqual([]);
    }
  });
});

const IMPORT_RULE = /noRestrictedImports|noUndeclaredDependencies/;

/** Rules that each file breaks, by its path from the folder. */
async function lint(folder: string): Promise<Map<string, string[]>> {
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const output = await new Promise<string>((resolve, reject) => {
    const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '--diagnostic-level=error'];
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
      // Findings are an exit status of 1 and a report; anything else went wrong.
      if (stdout.startsWith('{')) resolve(stdout);
      else reject(new Error(`biome gave no report: ${stderr}`, { cause: error }));
    });
  });
  const report: { diagnostics: { category: string; location: { path: string | { file: string } } }[] } = JSON.parse(output);
  const findings = new Map<string, string[]>();
  for (const { category, location } of report.diagnostics) {
    const path = typeof location.path === 'string' ? location.path : location.path.file;
    findings.set(path, [...(findings.get(path) ?? []), category]);
  }
  return findings;
}

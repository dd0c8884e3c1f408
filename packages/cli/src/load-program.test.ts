import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const COMPILED = fileURLToPath(new URL('../dist/load-program.js', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'load program '));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('loadProgram', () => {
  it('takes the bundle unless a package was compiled after it', (context) => {
    if (!existsSync(COMPILED)) return context.skip('needs the packages built: npm run build (npm test does it)');
    const dist = join(folder, 'packages/cli/dist');
    const record = join(folder, 'packages/engine/dist/.tsbuildinfo');
    mkdirSync(dist, { recursive: true });
    mkdirSync(join(folder, 'packages/engine/dist'), { recursive: true });
    writeFileSync(join(dist, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(dist, 'main.js'), "export const from = 'modules';\n");
    cpSync(COMPILED, join(dist, 'load-program.js'));
    const load = (): string => {
      const code = "import('./load-program.js').then((m) => m.loadProgram()).then((m) => process.stdout.write(m.from))";
      return execFileSync(process.execPath, ['-e', code], { cwd: dist, encoding: 'utf8' });
    };
    expect(load()).toBe('modules');

    const bundle = join(dist, 'bundle/main.js');
    mkdirSync(join(dist, 'bundle'));
    writeFileSync(bundle, "export const from = 'bundle';\n");
    expect(load()).toBe('bundle');
    writeFileSync(record, '');
    utimesSync(bundle, 1000, 1000);
    utimesSync(record, 2000, 2000);
    expect(load()).toBe('modules');
    utimesSync(record, 1000, 1000);
    expect(load()).toBe('bundle');
  });
});

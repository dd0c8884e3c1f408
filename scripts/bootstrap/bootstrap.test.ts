import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildPackages, isBuilt } from './build-packages.mjs';
import { bundleProgram, isBundled } from './bundle-program.mjs';
import { MIN_NODE } from './check-node.mjs';
import { isInstalled } from './install-dependencies.mjs';
import { spawnNode } from './spawn-node.mjs';
import { withLock } from './with-lock.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const here = (name: string): string => pathToFileURL(join(root, 'scripts/bootstrap', name)).href;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'boot strap '));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('checkNode', () => {
  const check = (version: string): string => {
    const code = `import { checkNode } from '${here('check-node.mjs')}'; checkNode('${version}'); console.log('fine');`;
    try {
      return execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', stdio: 'pipe' }).trim();
    } catch (e) {
      const { status, stderr } = e as { status: number; stderr: string };
      return `${status}: ${stderr.split('\n')[0]}`;
    }
  };

  it.each(['20.19.0', '20.20.2', '22.0.0', '24.1.0'])('takes Node %s', (version) => {
    expect(check(version)).toBe('fine');
  });

  it.each(['18.20.8', '20.18.3'])('says what is needed on Node %s', (version) => {
    expect(check(version)).toBe(`1: Facewright needs Node 20.19 or later; this is Node ${version}.`);
  });

  it('asks for what package.json asks for', () => {
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(engines.node).toBe(`>=${MIN_NODE.join('.')}.0`);
  });
});

describe('isInstalled', () => {
  const lock = (version: string) => ({
    packages: { '': {}, 'node_modules/a': { version, integrity: 'x' }, 'node_modules/other-os': { version, optional: true } },
  });
  const write = (path: string, value: unknown): void =>
    writeFileSync(join(folder, path), typeof value === 'string' ? value : JSON.stringify(value));

  it('is false before the first installation, and after the lock file changed', () => {
    write('package-lock.json', lock('1.0.0'));
    expect(isInstalled(folder)).toBe(false);
    mkdirSync(join(folder, 'node_modules'));
    expect(isInstalled(folder)).toBe(false);
    write('node_modules/.package-lock.json', { packages: { 'node_modules/a': { version: '1.0.0', integrity: 'x' } } });
    expect(isInstalled(folder)).toBe(true); // somebody ran npm by hand
    write('package-lock.json', lock('1.0.1'));
    expect(isInstalled(folder)).toBe(false);
  });

  it('looks only at its stamp when nothing changed', () => {
    write('package-lock.json', lock('1.0.0'));
    mkdirSync(join(folder, 'node_modules'));
    write('node_modules/.package-lock.json', { packages: { 'node_modules/a': { version: '1.0.0', integrity: 'x' } } });
    expect(isInstalled(folder)).toBe(true);
    rmSync(join(folder, 'node_modules/.package-lock.json'));
    expect(isInstalled(folder)).toBe(true);
  });
});

describe('buildPackages', () => {
  /** A workspace with one package, and the compiler of this one. */
  function createWorkspace(): void {
    mkdirSync(join(folder, 'packages/a/src'), { recursive: true });
    mkdirSync(join(folder, 'node_modules'));
    // A small stand-in, so that the path of the compiler holds; it loads the real one.
    mkdirSync(join(folder, 'node_modules/typescript/bin'), { recursive: true });
    const tsc = pathToFileURL(join(root, 'node_modules/typescript/bin/tsc')).href;
    writeFileSync(join(folder, 'node_modules/typescript/package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'node_modules/typescript/bin/tsc'), `import '${tsc}';\n`);
    cpSync(join(root, 'tsconfig.base.json'), join(folder, 'tsconfig.base.json'));
    writeFileSync(join(folder, 'package-lock.json'), '{}');
    writeFileSync(join(folder, 'tsconfig.json'), '{ "files": [], "references": [{ "path": "packages/a" }] }');
    const options = '{ "rootDir": "src", "outDir": "dist", "tsBuildInfoFile": "dist/.tsbuildinfo", "types": [] }';
    writeFileSync(
      join(folder, 'packages/a/tsconfig.json'),
      `{ "extends": "../../tsconfig.base.json", "compilerOptions": ${options}, "include": ["src"] }`,
    );
    writeFileSync(join(folder, 'packages/a/package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'packages/a/src/index.ts'), 'export const a: number = 1;\n');
  }

  it('builds once, and again when a source or the result changed', async () => {
    createWorkspace();
    expect(isBuilt(folder)).toBe(false);
    await buildPackages(folder);
    expect(readFileSync(join(folder, 'packages/a/dist/index.js'), 'utf8')).toContain('export const a = 1;');
    expect(isBuilt(folder)).toBe(true);

    writeFileSync(join(folder, 'packages/a/src/index.ts'), 'export const a: number = 2;\n');
    utimesSync(join(folder, 'packages/a/src/index.ts'), 1e9, 1e9);
    expect(isBuilt(folder)).toBe(false);
    await buildPackages(folder);
    expect(isBuilt(folder)).toBe(true);

    rmSync(join(folder, 'packages/a/dist'), { recursive: true });
    expect(isBuilt(folder)).toBe(false);
  });

  it('does not count a failed build as done', async () => {
    createWorkspace();
    writeFileSync(join(folder, 'packages/a/src/index.ts'), "export const a: number = 'text';\n");
    await expect(buildPackages(folder)).rejects.toThrow('do not compile');
    expect(isBuilt(folder)).toBe(false);
  });
});

describe('bundleProgram', () => {
  function createProgram(): void {
    for (const name of ['protocol', 'head-model', 'engine', 'cli/src', 'cli/dist/deep'])
      mkdirSync(join(folder, 'packages', name), { recursive: true });
    writeFileSync(join(folder, 'packages/cli/src/main.ts'), '');
    writeFileSync(join(folder, 'packages/cli/asset.txt'), 'beside the modules');
    writeFileSync(join(folder, 'packages/cli/dist/main.js'), "export { readAsset } from './deep/read-asset.js';\n");
    writeFileSync(
      join(folder, 'packages/cli/dist/deep/read-asset.js'),
      "import { readFileSync } from 'node:fs';\nexport const readAsset = () => readFileSync(new URL('../../asset.txt', import.meta.url), 'utf8');\n",
    );
  }
  const bundle = (): string => join(folder, 'packages/cli/dist/bundle/main.js');

  it('puts modules into one file, from which they find what lies beside them', async () => {
    createProgram();
    await bundleProgram(folder);
    rmSync(join(folder, 'packages/cli/dist/deep'), { recursive: true });
    rmSync(join(folder, 'packages/cli/dist/main.js'));
    const { readAsset } = (await import(pathToFileURL(bundle()).href)) as { readAsset: () => string };
    expect(readAsset()).toBe('beside the modules');
  });

  it('leaves the pieces of the last bundle to processes that are starting from it, for an hour', async () => {
    createProgram();
    await bundleProgram(folder);
    const [fresh, old] = ['chunk-FRESH.js', 'chunk-OLD.js'].map((name) => join(folder, 'packages/cli/dist/bundle', name)) as [
      string,
      string,
    ];
    for (const path of [fresh, old]) writeFileSync(path, '');
    utimesSync(old, 1e9, 1e9);
    await bundleProgram(folder);
    expect([fresh, old].map((path) => existsSync(path))).toEqual([true, false]);
    expect(readdirSync(join(folder, 'packages/cli/dist/bundle')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('has a program of its own for the worker of the service, which shares the pieces', async () => {
    createProgram();
    mkdirSync(join(folder, 'packages/service/dist/workers/process'), { recursive: true });
    writeFileSync(
      join(folder, 'packages/service/dist/workers/process/worker.js'),
      "export { readAsset } from '../../../../cli/dist/deep/read-asset.js';\n",
    );
    await bundleProgram(folder);
    rmSync(join(folder, 'packages/cli/dist/deep'), { recursive: true });
    const { readAsset } = (await import(pathToFileURL(join(folder, 'packages/cli/dist/bundle/worker.js')).href)) as {
      readAsset: () => string;
    };
    expect(readAsset()).toBe('beside the modules');
  });

  it('is old once a package was compiled after it', async () => {
    createProgram();
    expect(isBundled(folder)).toBe(false);
    await bundleProgram(folder);
    expect(isBundled(folder)).toBe(true);
    mkdirSync(join(folder, 'packages/engine/dist'));
    const compiled = join(folder, 'packages/engine/dist/.tsbuildinfo');
    writeFileSync(compiled, '');
    utimesSync(compiled, 4e9, 4e9);
    expect(isBundled(folder)).toBe(false);
    utimesSync(compiled, 1e9, 1e9);
    expect(isBundled(folder)).toBe(true);
  });

  it('has nothing to do where there is no program', async () => {
    await bundleProgram(folder);
    expect(isBundled(folder)).toBe(true);
  });
});

describe('withLock', () => {
  it('lets one process at a time in', async () => {
    const log = join(folder, 'log');
    const code = `
      import { appendFileSync } from 'node:fs';
      import { setTimeout as sleep } from 'node:timers/promises';
      import { withLock } from '${here('with-lock.mjs')}';
      await withLock(${JSON.stringify(join(folder, 'lock'))}, async () => {
        appendFileSync(${JSON.stringify(log)}, 'in ');
        await sleep(60);
        appendFileSync(${JSON.stringify(log)}, 'out ');
      });`;
    const statuses = await Promise.all([1, 2, 3].map(() => spawnNode(['--input-type=module', '-e', code])));
    expect(statuses).toEqual([0, 0, 0]);
    expect(readFileSync(log, 'utf8')).toBe('in out in out in out ');
    expect(existsSync(join(folder, 'lock'))).toBe(false);
  });

  it('takes over what a killed process left behind', async () => {
    const code = `
      import { withLock } from '${here('with-lock.mjs')}';
      await withLock(${JSON.stringify(join(folder, 'lock'))}, async () => process.kill(process.pid, 'SIGKILL'));`;
    expect(await spawnNode(['--input-type=module', '-e', code])).toBe(128 + 9);
    expect(existsSync(join(folder, 'lock'))).toBe(true);
    let waited = false;
    expect(
      await withLock(
        join(folder, 'lock'),
        async () => 'done',
        () => (waited = true),
      ),
    ).toBe('done');
    expect(waited).toBe(false);
  });

  it('is released when the work fails', async () => {
    await expect(withLock(join(folder, 'lock'), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(existsSync(join(folder, 'lock'))).toBe(false);
  });
});

describe('spawnNode', () => {
  it('gives the exit status, and 128 + the number of a signal', async () => {
    expect(await spawnNode(['-e', 'process.exit(7)'])).toBe(7);
    expect(await spawnNode(['-e', 'process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 1e5)'])).toBe(128 + 15);
  });

  it('outlives Ctrl-C until the child has ended, and reports its status', async () => {
    const inner = "process.on('SIGINT', () => setTimeout(() => process.exit(5), 50)); console.log('ready'); setTimeout(() => {}, 1e5)";
    const outer = `import { spawnNode } from '${here('spawn-node.mjs')}'; process.exitCode = await spawnNode(['-e', ${JSON.stringify(inner)}]);`;
    // A group of its own, as a shell makes one: Ctrl-C goes to all in it.
    const child = spawn(process.execPath, ['--input-type=module', '-e', outer], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.once('data', () => process.kill(-child.pid!, 'SIGINT'));
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(5);
  });
});

describe('run.mjs', () => {
  it('lists the commands where there is no such one, and they are those of package.json', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    let text = '';
    try {
      execFileSync(process.execPath, [join(root, 'scripts/run.mjs'), 'nonsense'], { stdio: 'pipe' });
    } catch (e) {
      const { status, stderr } = e as { status: number; stderr: Buffer };
      expect(status).toBe(64);
      text = stderr.toString();
    }
    const listed = [...text.matchAll(/npm run (\S+)/g)].map((m) => m[1]);
    expect(listed.sort()).toEqual(Object.keys(scripts).sort());
    for (const [name, script] of Object.entries(scripts)) expect(script).toBe(`node scripts/run.mjs ${name}`);
  });
});

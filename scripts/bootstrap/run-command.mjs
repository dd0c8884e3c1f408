import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildPackages, isBuilt } from './build-packages.mjs';
import { installDependencies, isInstalled } from './install-dependencies.mjs';
import { SetupError } from './setup-error.mjs';
import { spawnNode } from './spawn-node.mjs';
import { withLock } from './with-lock.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Workspace packages are then read from their sources instead of dist/ (see "exports" in their package.json). */
const FROM_SOURCE = ['--conditions=@facewright/source', '--import', 'tsx'];

/** @typedef {{ description: string, needsBuild: boolean, run: (args: string[]) => Promise<number> }} Command */

/** @type {Record<string, Command>} */
const COMMANDS = {
  start: {
    description: 'serve the API and the page on http://localhost:8080',
    needsBuild: true,
    run: (args) => runProgram(['serve', ...args]),
  },
  face: { description: 'make a face from a photo (without one: from the example)', needsBuild: true, run: runFace },
  facewright: {
    description: 'any command of the program: make, inspect, serve, keys, models, doctor, ...',
    needsBuild: true,
    run: runProgram,
  },
  test: { description: 'run the tests; arguments go to vitest', needsBuild: true, run: runTests },
  check: { description: 'everything that must hold before a change lands (--static: without the tests)', needsBuild: false, run: runCheck },
  fix: { description: 'format, and apply safe lint fixes', needsBuild: false, run: (args) => runBiome(['check', '--write', ...args]) },
  build: { description: 'compile the packages', needsBuild: true, run: async () => 0 },
  'build:kernels': {
    description: 'compile the hot loops of the engine to WebAssembly (needed after a change of packages/engine/kernels)',
    needsBuild: false,
    run: (args) => runScript('scripts/build-kernels.ts', args),
  },
  bench: { description: 'measure speed and memory', needsBuild: true, run: (args) => runScript('benchmarks/run.ts', args) },
  'bench:fidelity': {
    description: 'measure likeness against scans',
    needsBuild: true,
    run: (args) => runScript('benchmarks/fidelity.ts', args),
  },
  'bench:service': {
    description: 'measure throughput and latency of the service at several loads',
    needsBuild: true,
    run: (args) => runScript('benchmarks/service.ts', args),
  },
  'bench:studio': {
    description: 'measure size and start of the page',
    needsBuild: true,
    run: (args) => runScript('benchmarks/studio.ts', args),
  },
  chaos: {
    description: 'kill processes of the service at random points (--rounds 50 --seed N)',
    needsBuild: true,
    run: (args) => runScript('e2e/chaos/main.ts', args),
  },
  crowd: {
    description: 'send mixed traffic of many clients at once (--clients 200 --seconds 60)',
    needsBuild: true,
    run: (args) => runScript('e2e/crowd/main.ts', args),
  },
  'fuzz:service': {
    description: 'send malformed requests and photos to the service (--cases 10000 --seed N)',
    needsBuild: true,
    run: (args) => runScript('e2e/fuzz/main.ts', args),
  },
  docs: {
    description: 'write the generated pages (--check: compare only)',
    needsBuild: false,
    run: writePages,
  },
};

/**
 * Installs and builds what the command needs, then runs it.
 *
 * @param {readonly string[]} args name of the command, then what belongs to it
 * @returns {Promise<number>} exit status
 */
export async function runCommand([name = '', ...args]) {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const list = Object.entries(COMMANDS).map(([n, c]) => `  npm run ${n.padEnd(16)}${c.description}\n`);
    process.stderr.write(`There is no command "${name}". There are:\n${list.join('')}`);
    return 64;
  }
  try {
    await prepare(command.needsBuild);
    return await command.run(args);
  } catch (e) {
    if (!(e instanceof SetupError)) throw e;
    process.stderr.write(`${e.message}\n`);
    return e.status;
  }
}

/** @param {boolean} needsBuild */
async function prepare(needsBuild) {
  if (isInstalled(root) && (!needsBuild || isBuilt(root))) return;
  const lock = join(root, '.facewright', 'setup.lock');
  await withLock(
    lock,
    async () => {
      // Looked at again: another process may have done the work while this one waited.
      if (!isInstalled(root)) await installDependencies(root);
      if (needsBuild && !isBuilt(root)) await buildPackages(root);
    },
    (owner) => process.stderr.write(`Waiting for another set-up of this folder to end (process ${owner || 'unknown'}; ${lock}) …\n`),
  );
}

/** Where the user called: `npm run` changes to the project folder, but paths on the command line are meant from there. */
function callersFolder() {
  const { INIT_CWD, npm_package_json } = process.env;
  return INIT_CWD !== undefined && npm_package_json === join(root, 'package.json') ? INIT_CWD : process.cwd();
}

/**
 * Options of `facewright make` that take a value: what follows them is not a photo. Only used to tell whether a photo was named.
 */
const VALUE_OPTIONS = /^(-o|--output|--model|--texture-size|--format|--face|--focal|--provider|--concurrency|--max-[a-z-]+)$/;

/** @param {string[]} args */
function runFace(args) {
  const hasPhoto = args.some((arg, i) => !arg.startsWith('-') && !VALUE_OPTIONS.test(args[i - 1] ?? ''));
  const asksForHelp = args.some((arg) => arg === '--help' || arg === '-h');
  const photos = hasPhoto || asksForHelp ? [] : [join(root, 'examples', 'portrait.jpg')];
  return runProgram(['make', ...photos, ...args]);
}

/** @param {string[]} args */
async function runProgram(args) {
  process.chdir(callersFolder());
  // In this process, because starting another Node would take as long as the rest of the set-up.
  const bin = join(root, 'packages', 'cli', 'dist', 'bin.js');
  process.argv = [process.execPath, bin, ...args];
  await import(pathToFileURL(bin).href);
  return Number(process.exitCode ?? 0);
}

/** @param {string[]} args */
function runTests(args) {
  return spawnNode([join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], { cwd: root, env: withShared() });
}

/** Tests find photos and scans that are not part of the project beside the checkout, unless told otherwise. */
function withShared() {
  const { FACEWRIGHT_SHARED = resolve(root, '../shared') } = process.env;
  return { ...process.env, FACEWRIGHT_SHARED: resolve(callersFolder(), FACEWRIGHT_SHARED) };
}

/** @param {string} path script from the root @param {string[]} args */
function runScript(path, args) {
  if (!existsSync(join(root, path))) throw new SetupError(`${path} is missing.`);
  // Relative paths in NODE options are resolved from the working folder, which is the caller's: tsx is named by its place.
  const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/loader.mjs')).href;
  return spawnNode([...FROM_SOURCE.map((a) => (a === 'tsx' ? tsx : a)), join(root, path), ...args], {
    cwd: callersFolder(),
    env: withShared(),
  });
}

/** That the schemas are up to date is a test's business; here they are only written. @param {string[]} args */
async function writePages(args) {
  const status = await runScript('scripts/write-error-docs.ts', args);
  if (status !== 0 || args.includes('--check')) return status;
  return (
    (await runScript('packages/protocol/generator/build-output-schemas.ts', [])) ||
    (await runScript('packages/service/generator/build-setting-list.ts', [])) ||
    runBiome(['check', '--write', join('docs', 'schemas'), join('packages', 'service', 'src', 'config', 'setting-list.ts')])
  );
}

/** @param {string[]} args */
function runBiome(args) {
  const colors = process.stdout.isTTY ? [] : ['--colors=off'];
  return spawnNode([join(root, 'node_modules/@biomejs/biome/bin/biome'), ...args, ...colors], { cwd: root });
}

/** @param {string[]} args */
async function runCheck(args) {
  const bin = (/** @type {string} */ path) => join(root, 'node_modules', path);
  const tsc = bin('typescript/bin/tsc');
  /** @type {[name: string, run: () => Promise<number>][]} */
  const steps = [
    ['format, lint, import rules', () => runBiome(['ci', '--error-on-warnings'])],
    ['types of the packages', () => buildPackages(root).then(() => 0)],
    ['types of tests and scripts', () => spawnNode([tsc, '-p', join(root, 'tsconfig.tests.json')], { cwd: root })],
    ['unused code and dependencies', () => spawnNode([bin('knip/bin/knip.js')], { cwd: root })],
    ['generated pages', () => writePages(['--check'])],
  ];
  if (!args.includes('--static')) steps.push(['tests', () => runTests([])]);
  for (const [name, run] of steps) {
    const start = performance.now();
    const status = await run();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    process.stderr.write(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`);
    if (status !== 0) return status;
  }
  return 0;
}

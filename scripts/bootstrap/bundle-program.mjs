import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, sep } from 'node:path';

/** Packages whose compiled modules go into the bundle; of the service only its worker. */
const BUNDLED = ['protocol', 'head-model', 'engine', 'service', 'cli'];

/** What is left to be loaded as it is: native libraries with their paths, data, and the service. */
const EXTERNAL = ['onnxruntime-node', '@mediapipe/face_mesh', '@img/sharp-*', '@facewright/service'];

/**
 * True where the program's bundle is younger than the modules that it was made of, or there is no program.
 *
 * @param {string} root
 */
export function isBundled(root) {
  if (!existsSync(join(root, 'packages', 'cli', 'src', 'main.ts'))) return true;
  const modifiedMs = (/** @type {string} */ path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const bundledMs = modifiedMs(join(root, 'packages/cli/dist/bundle/main.js'));
  return bundledMs > 0 && BUNDLED.every((name) => modifiedMs(join(root, 'packages', name, 'dist/.tsbuildinfo')) <= bundledMs);
}

/**
 * Writes the program as a few files beside its modules (packages/cli/dist/bundle): Node takes a millisecond for each module that it
 * loads, and there are some 250.
 *
 * @param {string} root
 */
export async function bundleProgram(root) {
  if (!existsSync(join(root, 'packages', 'cli', 'src', 'main.ts'))) return;
  const { build } = await import('esbuild');
  const outdir = join(root, 'packages/cli/dist/bundle');
  const { outputFiles } = await build({
    write: false,
    absWorkingDir: root,
    entryPoints: { main: join(root, 'packages/cli/dist/main.js'), ...findWorker(root) },
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    legalComments: 'none',
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'warning',
    external: canBundleSharp(root) ? EXTERNAL : [...EXTERNAL, 'sharp'],
    plugins: [keepOwnUrls(outdir)],
    // Libraries in the old module format ask for Node's own modules by `require`.
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
    },
  });
  writeBundle(outdir, outputFiles);
}

/**
 * The service's worker, which loads the same engine; its other modules are not bundled.
 *
 * @param {string} root
 */
function findWorker(root) {
  const worker = join(root, 'packages/service/dist/workers/process/worker.js');
  return existsSync(worker) ? { worker } : {};
}

/** A piece of a bundle that was replaced this long ago is of no process that is just starting. Milliseconds. */
const STALE_MS = 3600_000;

/**
 * Puts the files into their folder such that a process which starts meanwhile finds all pieces of one bundle: names of pieces come from their content,
 * and the files that processes start with, which name them, come last; main.js is the very last, because its time is taken for that of all.
 *
 * @param {string} outdir
 * @param {readonly import('esbuild').OutputFile[]} files
 */
function writeBundle(outdir, files) {
  mkdirSync(outdir, { recursive: true });
  const rank = (/** @type {import('esbuild').OutputFile} */ { path }) => ['worker.js', 'main.js'].indexOf(basename(path));
  for (const { path, contents } of [...files].sort((a, b) => rank(a) - rank(b))) {
    const temporary = `${path}.${process.pid}.tmp`;
    writeFileSync(temporary, contents);
    renameSync(temporary, path);
  }
  const names = new Set(files.map(({ path }) => basename(path)));
  for (const name of readdirSync(outdir)) {
    const path = join(outdir, name);
    if (!names.has(name) && Date.now() - statSync(path).mtimeMs > STALE_MS) rmSync(path, { force: true });
  }
}

/**
 * A module that looks for a file beside itself finds it from the bundle, too: its address there is the one it would have had.
 *
 * @param {string} outdir
 * @returns {import('esbuild').Plugin}
 */
function keepOwnUrls(outdir) {
  return {
    name: 'keep-own-urls',
    setup(build) {
      build.onLoad({ filter: /[\\/]packages[\\/][^\\/]+[\\/]dist[\\/].*\.js$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        if (!text.includes('import.meta.url')) return null;
        const own = JSON.stringify(relative(outdir, path).split(sep).join('/'));
        return { contents: text.replaceAll('import.meta.url', `new URL(${own}, import.meta.url).href`), loader: 'js' };
      });
    },
  };
}

/** sharp finds its native part by name: from the bundle as well where that is installed in the same place for both. @param {string} root */
function canBundleSharp(root) {
  const { resolve } = createRequire(join(root, 'packages/cli/dist/main.js'));
  try {
    const sharp = join(dirname(resolve('sharp')), '..');
    const natives = readdirSync(join(sharp, '..', '@img')).filter((name) => name.startsWith('sharp-'));
    for (const name of natives) resolve(`@img/${name}/package`);
    return natives.length > 0 && !existsSync(join(sharp, 'node_modules'));
  } catch {
    return false;
  }
}

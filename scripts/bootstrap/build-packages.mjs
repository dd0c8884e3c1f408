import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleProgram, isBundled } from './bundle-program.mjs';
import { SetupError } from './setup-error.mjs';
import { spawnNode } from './spawn-node.mjs';

/**
 * True where packages/*\/dist was built from the sources as they are now, by names, sizes and times of change.
 *
 * @param {string} root
 */
export function isBuilt(root) {
  try {
    if (readFileSync(stampPath(root), 'utf8') !== computeSourceStamp(root)) return false;
  } catch {
    return false;
  }
  return (
    isBundled(root) && listPackages(root).every((folder) => existsSync(join(folder, 'dist', isPage(folder) ? 'index.html' : 'index.js')))
  );
}

/**
 * `tsc -b`, the program's bundle and the page, then the stamp of the sources as they were before: a source that changes meanwhile leads to another build.
 *
 * @param {string} root
 */
export async function buildPackages(root) {
  const stamp = computeSourceStamp(root);
  const status = await spawnNode([join(root, 'node_modules/typescript/bin/tsc'), '-b', root], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new SetupError('The sources do not compile (messages above).', status);
  await bundleProgram(root);
  for (const folder of listPackages(root).filter(isPage)) await buildPage(root, folder);
  mkdirSync(join(root, '.facewright'), { recursive: true });
  writeFileSync(stampPath(root), stamp);
}

/**
 * `vite build`, unless the page was built from the same sources before: it takes seconds, and most changes are not of the page.
 *
 * @param {string} root
 * @param {string} folder
 */
async function buildPage(root, folder) {
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const own = listPackages(root).filter((other) => {
    const { name } = JSON.parse(readFileSync(join(other, 'package.json'), 'utf8'));
    return other === folder || Object.hasOwn(dependencies, name);
  });
  const stamp = computeSourceStamp(root, own);
  const stampPath = join(root, '.facewright', 'page-stamp');
  if (existsSync(join(folder, 'dist', 'index.html')) && existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) return;
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const status = await spawnNode([vite, 'build', '--logLevel', 'warn'], { cwd: folder, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new SetupError('The page could not be built (messages above).', status);
  mkdirSync(join(root, '.facewright'), { recursive: true });
  writeFileSync(stampPath, stamp);
}

/** @param {string} folder */
function isPage(folder) {
  return existsSync(join(folder, 'vite.config.ts'));
}

/** @param {string} root */
function stampPath(root) {
  return join(root, '.facewright', 'build-stamp');
}

/** @param {string} root */
function listPackages(root) {
  const packages = join(root, 'packages');
  const folders = readdirSync(packages)
    .sort()
    .map((name) => join(packages, name));
  return folders.filter((folder) => existsSync(join(folder, 'tsconfig.json')));
}

/** What a build reads: code, styles, pages, and the pictures that a page bundles. */
const SOURCE = /\.(tsx?|json|css|html|svg|webp|jpg)$/;

/** @param {string} root @param {readonly string[]} [folders] */
function computeSourceStamp(root, folders = listPackages(root)) {
  const hash = createHash('sha256');
  /** @param {string} path */
  const add = (path) => {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  };
  for (const name of ['package-lock.json', 'tsconfig.json', 'tsconfig.base.json']) add(join(root, name));
  for (const folder of folders) {
    add(join(folder, 'tsconfig.json'));
    add(join(folder, 'package.json'));
    if (isPage(folder)) for (const name of ['vite.config.ts', 'index.html']) add(join(folder, name));
    const sources = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' });
    for (const source of sources.sort()) if (SOURCE.test(source) && !source.endsWith('.test.ts')) add(join(folder, 'src', source));
  }
  return hash.digest('hex');
}

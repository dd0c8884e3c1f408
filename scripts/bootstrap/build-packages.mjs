import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
  return listPackages(root).every((folder) => existsSync(join(folder, 'dist', 'index.js')));
}

/**
 * `tsc -b`, then the stamp of the sources as they were before: a source that changes meanwhile leads to another build.
 *
 * @param {string} root
 */
export async function buildPackages(root) {
  const stamp = computeSourceStamp(root);
  const status = await spawnNode([join(root, 'node_modules/typescript/bin/tsc'), '-b', root], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new SetupError('The sources do not compile (messages above).', status);
  mkdirSync(join(root, '.facewright'), { recursive: true });
  writeFileSync(stampPath(root), stamp);
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

/** @param {string} root */
function computeSourceStamp(root) {
  const hash = createHash('sha256');
  /** @param {string} path */
  const add = (path) => {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  };
  for (const name of ['package-lock.json', 'tsconfig.json', 'tsconfig.base.json']) add(join(root, name));
  for (const folder of listPackages(root)) {
    add(join(folder, 'tsconfig.json'));
    add(join(folder, 'package.json'));
    const sources = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' });
    for (const source of sources.sort()) if (/\.(ts|json)$/.test(source) && !source.endsWith('.test.ts')) add(join(folder, 'src', source));
  }
  return hash.digest('hex');
}

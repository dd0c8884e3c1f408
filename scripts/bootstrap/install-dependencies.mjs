import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './setup-error.mjs';
import { spawnNode } from './spawn-node.mjs';

/**
 * True where node_modules holds what package-lock.json asks for. Costs one hash of the lock file; only where the stamp does not
 * match is npm's own record compared (then somebody ran npm by hand).
 *
 * @param {string} root
 */
export function isInstalled(root) {
  const stamp = computeInstallStamp(root);
  const stampPath = join(root, 'node_modules', '.facewright-install');
  if (readOrEmpty(stampPath) === stamp) return true;
  if (!isRecordedByNpm(root)) return false;
  writeFileSync(stampPath, stamp);
  return true;
}

/**
 * `npm ci`, then the stamp.
 *
 * @param {string} root
 */
export async function installDependencies(root) {
  process.stderr.write('Installing dependencies (npm ci) …\n');
  const npm = findNpm();
  // What npm says goes to stderr, so that the output of the command that was asked for stays clean.
  const status = await spawnNode([npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    // npm hands its settings on as npm_config_*; those of the outer call (a --prefix, a workspace) are not meant for this one.
    env: Object.fromEntries(Object.entries(process.env).filter(([k]) => !/^npm_config_(local_)?prefix$|^npm_config_workspace/i.test(k))),
  });
  if (status !== 0) {
    throw new SetupError(
      `The dependencies could not be installed (npm ci ended with status ${status}).\n` +
        'The first run needs the network, or a filled npm cache. Run the command again when there is one; nothing else needs it.',
      status,
    );
  }
  writeFileSync(join(root, 'node_modules', '.facewright-install'), computeInstallStamp(root));
}

/** @param {string} root */
function computeInstallStamp(root) {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  // Native packages differ by platform: a folder carried to another machine must be installed anew.
  return hash.update(`${process.platform} ${process.arch}`).digest('hex');
}

/**
 * Whether npm's record of what it installed names the same packages as the lock file. Packages for other platforms are
 * optional and not installed.
 *
 * @param {string} root
 */
function isRecordedByNpm(root) {
  const record = readOrEmpty(join(root, 'node_modules', '.package-lock.json'));
  if (record === '') return false;
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    const found = JSON.parse(record).packages;
    return Object.entries(wanted).every(([path, { version, integrity, optional, link }]) => {
      if (!path.startsWith('node_modules/')) return true;
      const installed = found[path];
      if (installed === undefined) return optional === true;
      if (link === true) return installed.link === true && existsSync(join(root, path));
      return installed.version === version && installed.integrity === integrity;
    });
  } catch {
    return false;
  }
}

/** npm's program file: the one that runs this script, or the one beside this Node. */
function findNpm() {
  const { npm_execpath } = process.env;
  if (npm_execpath !== undefined && /npm-cli\.c?js$/.test(npm_execpath)) return npm_execpath;
  const bin = join(process.execPath, '..');
  for (const path of [
    join(bin, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(bin, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ]) {
    if (existsSync(path)) return path;
  }
  throw new SetupError('npm was not found. Run `npm ci` in the project folder, then this command again.');
}

/** @param {string} path */
function readOrEmpty(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

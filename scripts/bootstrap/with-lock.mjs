import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A lock whose owner cannot be asked (another machine on a shared disk) counts as left behind after this long, milliseconds. */
const FOREIGN_STALE_MS = 20 * 60_000;
const POLL_MS = 100;

/**
 * Does `work` while no other process of this checkout does such work: several first runs at once must not install into the same
 * folder. A lock that a killed process left behind is taken over.
 *
 * @template T
 * @param {string} path folder that stands for the lock; its creation is atomic on every file system
 * @param {() => Promise<T>} work
 * @param {(owner: string) => void} [onWait] called once when another process has the lock
 * @returns {Promise<T>}
 */
export async function withLock(path, work, onWait = () => {}) {
  mkdirSync(dirname(path), { recursive: true });
  for (let hasWaited = false; !tryLock(path); ) {
    const owner = readOwner(path);
    if (isStale(path, owner)) {
      removeStale(path, owner);
      continue;
    }
    if (!hasWaited) onWait(owner);
    hasWaited = true;
    await sleep(POLL_MS);
  }
  const release = () => rmSync(path, { recursive: true, force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

/** @param {string} path */
function tryLock(path) {
  try {
    mkdirSync(path);
  } catch (e) {
    if (/** @type {NodeJS.ErrnoException} */ (e).code === 'EEXIST') return false;
    throw e;
  }
  writeFileSync(join(path, 'owner'), `${process.pid} ${hostname()}`);
  return true;
}

/** @param {string} path @returns {string} "pid host", or '' where the owner has not written it yet */
function readOwner(path) {
  try {
    return readFileSync(join(path, 'owner'), 'utf8');
  } catch {
    return '';
  }
}

/** @param {string} path @param {string} owner */
function isStale(path, owner) {
  const [pid, host] = owner.split(' ');
  if (owner !== '' && host === hostname()) {
    try {
      process.kill(Number(pid), 0);
      return false;
    } catch (e) {
      return /** @type {NodeJS.ErrnoException} */ (e).code === 'ESRCH';
    }
  }
  try {
    return Date.now() - statSync(path).mtimeMs > (owner === '' ? 10_000 : FOREIGN_STALE_MS);
  } catch {
    return false; // released meanwhile
  }
}

/**
 * Moves the lock aside before removing it: of several that find it stale only one succeeds, and one that is late and moved
 * a fresh lock puts it back.
 *
 * @param {string} path @param {string} owner
 */
function removeStale(path, owner) {
  const aside = `${path}.stale.${process.pid}.${Date.now()}`;
  try {
    renameSync(path, aside);
    if (readOwner(aside) !== owner) {
      renameSync(aside, path);
      return;
    }
  } catch {
    // another process was faster
  }
  rmSync(aside, { recursive: true, force: true });
}

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

export interface ScratchFolderOptions {
  /** Shared by the processes of this machine; each gets a folder in it. */
  readonly root: string;
  /** Files that are older belong to nobody any more, ms. Longer than any upload and any task may take. */
  readonly leftoverAgeMs?: number;
  readonly sweepEveryMs?: number;
  readonly now?: () => number;
}

/** A folder of this process for files on their way. */
export interface ScratchFolder {
  readonly dir: string;
  close(): Promise<void>;
}

const DEFAULT_LEFTOVER_AGE_MS = 2 * 3_600_000;
const DEFAULT_SWEEP_EVERY_MS = 600_000;
/** Readable by the service's user only: faces are biometric data. */
const DIR_MODE = 0o700;
const OWNER_PATTERN = /^of-([0-9a-f]{12})-(\d+)-(\d+)$/;

/**
 * Makes this process a scratch folder named after host, process and its start, and deletes what processes that died left behind: all
 * of it at once where it can be seen that the owner is dead (same host), else by age; now and then again. A living process touches its
 * folder, so that an old one has no owner.
 *
 * @throws what the file system throws where the folder cannot be made
 */
export async function createScratchFolder(options: ScratchFolderOptions): Promise<ScratchFolder> {
  const { root, leftoverAgeMs = DEFAULT_LEFTOVER_AGE_MS, sweepEveryMs = DEFAULT_SWEEP_EVERY_MS, now = Date.now } = options;
  const own = formatOwner(process.pid);
  const dir = join(root, own);

  const removeOld = async (folder: string): Promise<void> => {
    for (const name of await readdir(folder).catch(() => [])) {
      if (folder === root && name === own) continue;
      const path = join(folder, name);
      const age = await stat(path).then(
        (found) => now() - found.mtimeMs,
        () => -1,
      );
      if ((folder === root && isOfDead(name)) || age > leftoverAgeMs) await rm(path, { recursive: true, force: true }).catch(() => {});
    }
  };
  const sweep = async (): Promise<void> => {
    await mkdir(dir, { recursive: true, mode: DIR_MODE });
    await utimes(dir, now() / 1000, now() / 1000);
    await removeOld(root);
    await removeOld(dir);
  };

  await mkdir(dir, { recursive: true, mode: DIR_MODE });
  let sweeping = sweep().catch(() => {});
  const timer = setInterval(() => {
    sweeping = sweeping.then(sweep).catch(() => {});
  }, sweepEveryMs);
  timer.unref();
  return {
    dir,
    async close() {
      clearInterval(timer);
      await sweeping;
    },
  };
}

const hostHash = (): string => createHash('sha256').update(hostname()).digest('hex').slice(0, 12);
const formatOwner = (pid: number): string => `of-${hostHash()}-${pid}-${startOf(pid) ?? 0}`;

/** Whether the owner of a folder was a process of this host that is no more. Another host's cannot be seen. */
function isOfDead(name: string): boolean {
  const [, host, pid, start] = OWNER_PATTERN.exec(name) ?? [];
  if (host !== hostHash()) return false;
  const now = startOf(Number(pid));
  if (now !== null) return Number(start) !== now;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (e) {
    // EPERM: it lives and is another user's.
    return (e as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** When a process began, in ticks since the machine did: tells processes of one number apart. null where the system does not say. */
function startOf(pid: number): number | null {
  try {
    // Field 22; the name of the program before it may hold spaces and brackets.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return null;
  }
}

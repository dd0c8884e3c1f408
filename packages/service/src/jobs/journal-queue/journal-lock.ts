import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { link, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { FacewrightError } from '@facewright/protocol';

/** The holder touches its lock this often. */
const BEAT_MS = 2000;
/** A lock of another machine that was not touched for this long, seen by our own clock, has no holder any more. */
const STALE_MS = 12_000;

interface Holder {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** Start time of the process, so that a later process of the same number is not taken for it; null where the system does not tell. */
  readonly started: string | null;
}

/**
 * Sees to it that one process alone uses a journal: a file that names the process. A holder on this machine that is gone is noticed at
 * once; one on another machine (a shared volume), when it has not touched its lock for {@link STALE_MS}.
 */
export class JournalLock {
  readonly #path: string;
  readonly #id: string;
  readonly #timer: NodeJS.Timeout;
  #isLost: boolean = false;

  private constructor(path: string, id: string) {
    this.#path = path;
    this.#id = id;
    this.#timer = setInterval(() => void this.#beat(), BEAT_MS);
    this.#timer.unref();
  }

  /** @throws FW_QUEUE_UNAVAILABLE when another process holds it */
  static async take(path: string, staleMs = STALE_MS): Promise<JournalLock> {
    const holder: Holder = { id: randomUUID(), host: hostname(), pid: process.pid, started: startTimeOf(process.pid) };
    const own = `${path}.${holder.id}`;
    const file = await open(own, 'wx');
    try {
      await file.writeFile(JSON.stringify(holder));
      await file.close();
      for (;;) {
        // A link appears with its whole content and fails where the name is taken.
        if (await linked(own, path)) return new JournalLock(path, holder.id);
        const other = await readHolder(path);
        if (other === null) continue;
        const isThere = other.host === holder.host ? isAlive(other) : await isTouched(path, staleMs);
        if (isThere) throw inUse(other);
        await evict(path, other, own, staleMs);
      }
    } finally {
      await rm(own, { force: true });
    }
  }

  /** @throws FW_QUEUE_UNAVAILABLE when somebody else took the lock because this process did not touch it for too long */
  check(): void {
    if (this.#isLost) throw new FacewrightError('FW_QUEUE_UNAVAILABLE', { reason: 'another process took over the journal' });
  }

  release(): void {
    clearInterval(this.#timer);
    if (!this.#isLost && holderOf(readText(this.#path)).id === this.#id) rmSync(this.#path, { force: true });
    this.#isLost = true;
  }

  async #beat(): Promise<void> {
    const holder = await readHolder(this.#path).catch(() => null);
    if (holder !== null && holder.id !== this.#id) this.#isLost = true;
    else await utimes(this.#path, new Date(), new Date()).catch(() => {});
  }
}

const inUse = (holder: Holder): FacewrightError =>
  new FacewrightError('FW_QUEUE_UNAVAILABLE', {
    reason: `the journal is in use by process ${holder.pid}${holder.host === hostname() ? '' : ' of another machine'}`,
  });

/** Watches for a while whether the holder touches its lock. */
async function isTouched(path: string, staleMs: number): Promise<boolean> {
  const timeOf = (): Promise<number | null> =>
    stat(path).then(
      (s) => s.mtimeMs,
      () => null,
    );
  const first = await timeOf();
  for (const begin = performance.now(); performance.now() - begin < staleMs; ) {
    await sleep(Math.min(250, staleMs / 4));
    const now = await timeOf();
    if (now === null) return false;
    if (now !== first) return true;
  }
  return false;
}

/**
 * Removes the lock of `holder`, which is gone, unless that was done already. Of all who want to, one alone may: who links its own file under a name
 * made of the holder's id. Without that a slow one would remove what a quicker one has taken meanwhile.
 *
 * @param own - file that names this process
 */
async function evict(path: string, holder: Holder, own: string, staleMs: number): Promise<void> {
  for (let turn = 0; ; turn++) {
    const right = rightToEvict(path, holder, turn);
    if (await linked(own, right)) {
      if ((await readHolder(path))?.id === holder.id) await rm(path, { force: true });
      // From here on nobody finds that lock any more, whoever takes the right anew.
      for (let k = 0; k <= turn; k++) await rm(rightToEvict(path, holder, k), { force: true });
      return;
    }
    const other = await readHolder(right);
    if (other === null) return;
    const isThere = other.host === hostname() ? isAlive(other) : await isTouched(right, staleMs);
    if (isThere) {
      await sleep(EVICTION_MS);
      return;
    }
    // Killed in the middle of it: the next turn.
  }
}

/** Name of the right to remove a lock; the turn counts those who died while they had it. */
const rightToEvict = (path: string, { id }: Holder, turn: number): string => `${path}.evict-${id.replace(/[^\w-]/g, '')}-${turn}`;

/** Removing a lock takes about as long; whoever does not may look again then. */
const EVICTION_MS = 5;

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw e;
  }
}

/** Null when there is no lock. */
async function readHolder(path: string): Promise<Holder | null> {
  try {
    return holderOf(await readFile(path, 'utf8'));
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw e;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function holderOf(text: string): Holder {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return { id: '', host: '', pid: 0, started: null };
  }
}

function isAlive(holder: Holder): boolean {
  // Our own number with another id: an earlier process had it (every container's first process is number 1).
  const started = startTimeOf(holder.pid);
  if (started !== null && holder.started !== null) return started === holder.started;
  if (holder.pid === process.pid) return false;
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Ticks since boot at which the process started, with the boot's id; null where there is no /proc or no such process. */
function startTimeOf(pid: number): string | null {
  const line = readText(`/proc/${pid}/stat`);
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return fields.length > 19 ? `${readText('/proc/sys/kernel/random/boot_id').trim()} ${fields[19]}` : null;
}

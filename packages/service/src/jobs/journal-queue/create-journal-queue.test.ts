import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mountTmpfs } from '../../../../cli/test/mount-tmpfs.ts';
import type { Job } from '../job.ts';
import { describeJobQueue } from '../job-queue.test-support.ts';
import type { JobQueue, Lease } from '../job-queue.ts';
import { makeJob, OUTCOME, T0, WIDE } from '../test-jobs.test-support.ts';
import { createJournalQueue } from './create-journal-queue.ts';

describeJobQueue(
  'journal queue',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'facewright-journal-'));
    return {
      open: (options) => createJournalQueue({ dir, ...options }),
      restart: 'leases-void',
      quietMs: 20,
      dispose: () => rm(dir, { recursive: true, force: true }),
    };
  },
  25,
);

describe('journal', () => {
  const makeDir = async (): Promise<string> => {
    const dir = await mkdtemp(join(tmpdir(), 'facewright-journal-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    return dir;
  };
  const openIn = async (dir: string, now = () => T0): Promise<JobQueue> => {
    const queue = await createJournalQueue({ dir, shareOf: () => ({ weight: 1, maxProcessing: 1000 }), now });
    onTestFinished(() => queue.close());
    return queue;
  };
  const take = async (queue: JobQueue): Promise<Lease> => (await queue.take('test', AbortSignal.timeout(5000)))!;
  const stateOf = async (queue: JobQueue): Promise<readonly Job[]> => (await queue.list('a', { limit: 10_000 })).jobs;
  const journalOf = (dir: string): string => join(dir, 'jobs.journal');

  /** A journal with `lines` submissions, one to a line, closed. */
  const writeSubmissions = async (dir: string, lines: number): Promise<void> => {
    const queue = await openIn(dir);
    for (let i = 0; i < lines; i++) await queue.submit(makeJob('a', `j${i}`), WIDE);
    await queue.close();
  };

  it('cuts off a torn tail, wherever it was torn', async () => {
    const dir = await makeDir();
    await writeSubmissions(dir, 3);
    const whole = await readFile(journalOf(dir));
    const lastLine = whole.lastIndexOf(10, whole.length - 2) + 1;
    for (let length = lastLine; length < whole.length; length += 37) {
      await writeFile(journalOf(dir), whole.subarray(0, length));
      const queue = await openIn(dir);
      expect((await stateOf(queue)).map((j) => j.id)).toEqual(['j1', 'j0']);
      expect((await queue.submit(makeJob('a', 'after'), WIDE)).kind).toBe('accepted');
      await queue.close();
      const again = await openIn(dir);
      expect((await stateOf(again)).map((j) => j.id)).toEqual(['after', 'j1', 'j0']);
      await again.close();
    }
    // Not even the first line was written.
    await writeFile(journalOf(dir), whole.subarray(0, 5));
    expect(await stateOf(await openIn(dir))).toEqual([]);
  });

  it('cuts off a last line that the disk did not keep as it was written', async () => {
    const dir = await makeDir();
    await writeSubmissions(dir, 3);
    const whole = await readFile(journalOf(dir));
    const lastLine = whole.lastIndexOf(10, whole.length - 2) + 1;
    await writeFile(journalOf(dir), whole.fill(0, lastLine + 20, lastLine + 60));
    expect((await stateOf(await openIn(dir))).map((j) => j.id)).toEqual(['j1', 'j0']);
  });

  it('does not start on a journal that is damaged in the middle, and leaves it as it is', async () => {
    const dir = await makeDir();
    await writeSubmissions(dir, 5);
    const damaged = await readFile(journalOf(dir));
    const second = damaged.indexOf(10, damaged.indexOf(10) + 1) + 1;
    damaged[second + 100] ^= 1;
    await writeFile(journalOf(dir), damaged);
    await expect(createJournalQueue({ dir, shareOf: () => ({ weight: 1, maxProcessing: 1 }) })).rejects.toMatchObject({
      code: 'FW_QUEUE_UNAVAILABLE',
      params: { reason: `journal damaged at byte ${second} of ${damaged.length}` },
    });
    expect(await readFile(journalOf(dir))).toEqual(damaged);
  });

  it('does not take another file for a journal', async () => {
    const dir = await makeDir();
    await writeFile(journalOf(dir), 'something else that somebody keeps here\n');
    await expect(openIn(dir)).rejects.toMatchObject({ code: 'FW_QUEUE_UNAVAILABLE' });
    expect(await readFile(journalOf(dir), 'utf8')).toBe('something else that somebody keeps here\n');
  });

  it('writes what is asked at the same time with one line', async () => {
    const dir = await makeDir();
    const queue = await openIn(dir);
    await Promise.all(Array.from({ length: 200 }, (_, i) => queue.submit(makeJob('a', `j${i}`), WIDE)));
    const lines = (await readFile(journalOf(dir), 'utf8')).split('\n').length - 1;
    // The header, whatever the first write took along, the rest.
    expect(lines).toBeLessThanOrEqual(4);
  });

  it('stays small however long it runs, and remembers the same', async () => {
    const dir = await makeDir();
    let now = T0;
    const queue = await openIn(dir, () => now);
    await queue.submit(makeJob('a', 'waits'), WIDE);
    await queue.submit(makeJob('a', 'stays', { ttlMs: 10 ** 9 }), WIDE);
    const first = await take(queue);
    await queue.handBack(first);
    let largest = 0;
    for (let round = 0; round < 30; round++) {
      await Promise.all(Array.from({ length: 100 }, (_, i) => queue.submit(makeJob('b', `r${round}-${i}`, { ttlMs: 10 }), WIDE)));
      for (let i = 0; i < 100; i++) await queue.cancel('b', `r${round}-${i}`);
      now += 10;
      await queue.removeExpired(1000);
      largest = Math.max(largest, (await stat(journalOf(dir))).size);
    }
    // 3000 jobs of a good kilobyte each went through it.
    expect(largest).toBeLessThan(2 * 2 ** 20);
    const before = await stateOf(queue);
    await queue.close();
    // A rewriting that a crash interrupted leaves this.
    await writeFile(`${journalOf(dir)}.new`, 'half');
    const again = await openIn(dir, () => now);
    expect(await stateOf(again)).toEqual(before);
    expect((await take(again)).job.id).toBe('waits');
  });

  it('does not grow from restart to restart', async () => {
    const dir = await makeDir();
    let now = T0;
    const comeAndGo = async (queue: JobQueue): Promise<number> => {
      await Promise.all(Array.from({ length: 100 }, (_, k) => queue.submit(makeJob('b', `r${k}`, { ttlMs: 10 }), WIDE)));
      await Promise.all(Array.from({ length: 100 }, (_, k) => queue.cancel('b', `r${k}`)));
      now += 10;
      await queue.removeExpired(1000);
      return (await stat(journalOf(dir))).size;
    };
    const first = await openIn(dir, () => now);
    // Closed before it is rewritten for the first time.
    while ((await comeAndGo(first)) < 0.8 * 2 ** 20);
    await first.close();
    const second = await openIn(dir, () => now);
    let largest = 0;
    for (let i = 0; i < 20; i++) largest = Math.max(largest, await comeAndGo(second));
    // Nothing is live: 2 ** 20 before it is rewritten, and one round of what the test does at once.
    expect(largest).toBeLessThan(1.5 * 2 ** 20);
  });

  it('keeps outcomes through restarts and rewritings, which are done in small bits', async () => {
    const dir = await makeDir();
    let now = T0;
    const queue = await openIn(dir, () => now);
    const ids = Array.from({ length: 300 }, (_, i) => `j${i}`);
    await Promise.all(ids.map((id) => queue.submit(makeJob('a', id, { ttlMs: 10 ** 9 }), WIDE)));
    for (const _ of ids) await queue.complete(await take(queue), OUTCOME);
    // Packed after a minute.
    now += 120_000;
    await queue.sweep();
    const before = await stateOf(queue);
    expect(before.every((job) => job.outcome?.files.length === 1)).toBe(true);
    await queue.close();
    const again = await openIn(dir, () => now);
    expect(await stateOf(again)).toEqual(before);
    // Told: a change of packed records, which the journal gets without their outcomes.
    const size = (await stat(journalOf(dir))).size;
    const told: string[] = [];
    await again.watchFinished((job) => told.push(job.id));
    await expect.poll(async () => (await stat(journalOf(dir))).size, { timeout: 5000 }).toBeGreaterThan(size);
    await again.check();
    expect(told.length).toBe(300);
    expect((await stat(journalOf(dir))).size - size).toBeLessThan(300 * 100);
    // Enough that comes and goes to have it rewritten.
    for (let round = 0; round < 25; round++) {
      await Promise.all(Array.from({ length: 100 }, (_, i) => again.submit(makeJob('b', `r${round}-${i}`, { ttlMs: 10 }), WIDE)));
      await Promise.all(Array.from({ length: 100 }, (_, i) => again.cancel('b', `r${round}-${i}`)));
      now += 10;
      await again.removeExpired(1000);
    }
    await again.close();
    // A rewritten one has what it was rewritten with in lines of 32.
    const lines = (await readFile(journalOf(dir), 'utf8')).split('\n').slice(1, 10);
    expect(lines.map((line) => (JSON.parse(line.slice(line.indexOf('['))) as unknown[]).length)).toEqual(Array(9).fill(32));
    expect(await stateOf(await openIn(dir, () => now))).toEqual(before);
  });

  it('opens a file that is larger than a buffer, without keeping what is no line', async () => {
    const dir = await makeDir();
    await writeSubmissions(dir, 3);
    const { size } = await stat(journalOf(dir));
    // A hole, as a crash may leave it.
    await truncate(journalOf(dir), 2 ** 31 + 4096);
    const queue = await openIn(dir);
    expect((await stateOf(queue)).map((j) => j.id)).toEqual(['j2', 'j1', 'j0']);
    expect((await stat(journalOf(dir))).size).toBe(size);
  }, 60_000);

  it('refuses work while the disk is full, keeps what it has, and goes on when there is room', async (context) => {
    const dir = await makeDir();
    const disk = mountTmpfs(join(dir, 'disk'), '1m');
    if (typeof disk === 'string') return context.skip(disk);
    onTestFinished(disk.unmount);
    const queue = await openIn(join(dir, 'disk'));
    onTestFinished(() => queue.close());
    const accepted: string[] = [];
    let refused: unknown;
    for (let i = 0; i < 5000 && refused === undefined; i++) {
      // Some of every batch are refused together.
      const ids = Array.from({ length: 7 }, (_, k) => `j${i}-${k}`);
      const results = await Promise.allSettled(ids.map((id) => queue.submit(makeJob('a', id), WIDE)));
      for (const [k, result] of results.entries()) {
        if (result.status === 'fulfilled') accepted.push(ids[k]);
        else refused = result.reason;
      }
    }
    expect(refused).toMatchObject({ code: 'FW_STORAGE_FULL' });
    expect((await stateOf(queue)).map((j) => j.id).reverse()).toEqual(accepted);
    expect((await queue.counts()).queued).toBe(accepted.length);
    // The last bytes of the disk, so that not even a start can be written down.
    const filler = await open(join(dir, 'disk', 'filler'), 'w');
    for (let size = 4096; size >= 1; size = Math.floor(size / 2)) {
      for (;;) if (!(await filler.write(Buffer.alloc(size)).catch(() => null))) break;
    }
    await filler.close();
    // There is room in the last page still: at most as often as its 4096 bytes hold the shortest line.
    let full: unknown = null;
    for (let i = 0; i < 500 && full === null; i++) full = (await queue.check().catch((e: unknown) => e)) ?? null;
    expect(full).toMatchObject({ code: 'FW_STORAGE_FULL' });
    const waiting = queue.take('test', AbortSignal.timeout(20_000));
    await sleep(100);
    expect((await queue.get('a', accepted[0]))?.state).toBe('queued');
    disk.remount('size=4m');
    const lease = (await waiting)!;
    expect(lease.job).toMatchObject({ id: accepted[0], attempt: 1 });
    expect(await queue.complete(lease, OUTCOME)).toBe('held');
    expect((await queue.submit(makeJob('a', 'after'), WIDE)).kind).toBe('accepted');
    const before = await stateOf(queue);
    await queue.close();
    expect(await stateOf(await openIn(join(dir, 'disk')))).toEqual(before);
  });

  it('belongs to one process at a time', async () => {
    const dir = await makeDir();
    const queue = await openIn(dir);
    await expect(openIn(dir)).rejects.toMatchObject({
      code: 'FW_QUEUE_UNAVAILABLE',
      params: { reason: expect.stringContaining('in use') },
    });
    await queue.close();
    await (await openIn(dir)).close();
    // A process that is gone, with a number that nobody has.
    const gone = spawn('true');
    await once(gone, 'exit');
    const lock = { id: 'x', host: (await import('node:os')).hostname(), pid: gone.pid, started: null };
    await writeFile(join(dir, 'jobs.lock'), JSON.stringify(lock));
    await (await openIn(dir)).close();
    // A later process has the number: it started at another time.
    await writeFile(join(dir, 'jobs.lock'), JSON.stringify({ ...lock, pid: process.pid, started: 'before' }));
    await openIn(dir);
  });

  it('keeps everything acknowledged when its process is killed at random moments', async () => {
    const seed = Number(process.env.FACEWRIGHT_SEED ?? Date.now() % 1_000_000);
    const dir = await makeDir();
    const accepted = new Set<string>();
    const completed = new Set<string>();
    for (let round = 0; round < 5; round++) {
      const program = fileURLToPath(new URL('./submit-until-killed.test-support.ts', import.meta.url));
      const child = spawn(process.execPath, ['--import', 'tsx', '--conditions', '@facewright/source', program, dir, `${round}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (data: Buffer) => (output += data.toString()));
      const closed = once(child, 'close');
      await expect.poll(() => output.includes('open'), { timeout: 20_000, interval: 5 }).toBe(true);
      // Spread over 5 to 150 ms by the seed.
      await sleep(5 + ((seed * (round + 1) * 7919) % 146));
      child.kill('SIGKILL');
      await closed;
      // The last line may be cut; all before were acknowledged.
      for (const [, what, id] of output.matchAll(/^(accepted|completed) (\S+)\n/gm)) (what === 'accepted' ? accepted : completed).add(id);

      const queue = await openIn(dir, Date.now);
      const jobs = new Map((await queue.list('a', { limit: 10 ** 6 })).jobs.map((job) => [job.id, job]));
      const why = `FACEWRIGHT_SEED=${seed}, round ${round}`;
      for (const id of accepted) expect(jobs.has(id), `${why}: ${id} was accepted`).toBe(true);
      for (const id of completed) expect(jobs.get(id)?.state, `${why}: ${id} was completed`).toBe('succeeded');
      for (const job of jobs.values()) {
        expect(job.attempt, why).toBeLessThanOrEqual(2);
        expect(job.state, why).not.toBe('processing');
        expect(job.outcome === null, why).toBe(job.state !== 'succeeded');
      }
      await queue.close();
    }
    expect(accepted.size).toBeGreaterThan(10);
    expect(completed.size).toBeGreaterThan(0);
  });
});

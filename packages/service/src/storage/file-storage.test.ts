import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createFileStorage } from './file-storage.ts';
import { describeObjectStorage } from './object-storage.test-support.ts';
import type { ObjectStorage } from './object-storage.ts';

const dirs: string[] = [];
const mounts: string[] = [];
const freshDir = async (): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'fw-storage-'));
  dirs.push(dir);
  return dir;
};
afterAll(async () => {
  for (const mount of mounts) execFileSync('umount', [mount]);
  for (const dir of dirs) await rm(dir, { recursive: true, force: true });
});

const type = { contentType: 'image/jpeg' };
const HOUR_MS = 3_600_000;
const MIB = 2 ** 20;

/** Every file below a folder, relative. */
async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1));
}

/** Mounts a memory file system, or tells why it cannot. */
async function mountTmpfs(size: string): Promise<{ readonly dir: string } | { readonly missing: string }> {
  const dir = await freshDir();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', dir], { stdio: 'ignore' });
  } catch {
    return { missing: 'mounting a small file system needs root' };
  }
  mounts.push(dir);
  return { dir };
}

describeObjectStorage('directory', async () => {
  const dir = await freshDir();
  return { open: () => createFileStorage({ dir, usageRefreshMs: 50 }) };
});

describe('directory storage', () => {
  it('closes faces to other users of the machine', async () => {
    const dir = join(await freshDir(), 'new');
    const storage = await createFileStorage({ dir });
    await storage.put('t/jobs/j/photo', randomBytes(10), type);
    const path = join(storage.scratchDir, 'result');
    await writeFile(path, 'abc', { mode: 0o666 });
    await storage.adopt('t/jobs/j/k/face.glb', path, {
      contentType: 'model/gltf-binary',
      sha256: createHash('sha256').update('abc').digest('hex'),
      bytes: 3,
    });
    await storage.close();
    const entries = await readdir(dir, { recursive: true, withFileTypes: true });
    expect(entries.filter((entry) => entry.isFile())).toHaveLength(2);
    for (const entry of entries) {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      expect((mode & 0o777).toString(8), entry.name).toBe(entry.isDirectory() ? '700' : '600');
    }
    expect(((await stat(dir)).mode & 0o777).toString(8)).toBe('700');
  });

  it('keeps only the latest file of an object, and no folder without one', async () => {
    const dir = await freshDir();
    const storage = await createFileStorage({ dir });
    for (let i = 0; i < 5; i++) await storage.put('t/jobs/j/photo', randomBytes(10 + i), type);
    expect(await filesBelow(dir)).toHaveLength(1);
    await storage.delete('t/jobs/j/photo');
    expect(await readdir(join(dir, 'objects'))).toEqual([]);
    await storage.put('t/jobs/j/photo', randomBytes(10), type);
    await storage.deleteAll('t/jobs/j');
    expect(await filesBelow(dir)).toEqual([]);
    await storage.close();
  });

  it('a later write wins although the clock went back', async () => {
    const dir = await freshDir();
    let time = Date.now();
    const storage = await createFileStorage({ dir, now: () => time });
    await storage.put('t/jobs/j/photo', Buffer.from('first'), type);
    time -= HOUR_MS;
    await storage.put('t/jobs/j/photo', Buffer.from('second'), type);
    expect(String(await buffer((await storage.get('t/jobs/j/photo'))!.stream))).toBe('second');
    await storage.close();
  });

  it('a crash between a write and the deletion of what it replaced shows the later one, and deletes both', async () => {
    const dir = await freshDir();
    const storage = await createFileStorage({ dir });
    await storage.put('t/jobs/j/photo', Buffer.from('first'), type);
    const folder = join(dir, 'objects/t/jobs/j');
    const [first] = await readdir(folder);
    const kept = await readFile(join(folder, first!));
    await storage.put('t/jobs/j/photo', Buffer.from('second'), type);
    await writeFile(join(folder, first!), kept);
    expect(String(await buffer((await storage.get('t/jobs/j/photo'))!.stream))).toBe('second');
    const listed: unknown[] = [];
    for await (const object of storage.list('t')) listed.push(object);
    expect(listed).toMatchObject([{ key: 't/jobs/j/photo', bytes: 6 }]);
    await storage.delete('t/jobs/j/photo');
    expect(await filesBelow(dir)).toEqual([]);
    await storage.close();
  });

  it('a process that is killed while it writes leaves no object, and what it left is swept by age', async () => {
    const dir = await freshDir();
    const source = fileURLToPath(new URL('./file-storage.ts', import.meta.url));
    const script = `
      import { Readable } from 'node:stream';
      import { createFileStorage } from ${JSON.stringify(source)};
      const storage = await createFileStorage({ dir: ${JSON.stringify(dir)} });
      await storage.put('t/jobs/done/photo', Buffer.alloc(1000, 1), { contentType: 'image/jpeg' });
      const endless = new Readable({ read() { setTimeout(() => this.push(Buffer.alloc(65536, 1)), 2); } });
      setTimeout(() => process.stdout.write('writing'), 50);
      await storage.put('t/jobs/half/photo', endless, { contentType: 'image/jpeg' });
    `;
    const child: ChildProcess = spawn(
      process.execPath,
      ['--conditions=@facewright/source', '--import', 'tsx', '--input-type=module', '-e', script],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const exited = new Promise((resolve) => child.once('exit', resolve));
    await Promise.race([new Promise((resolve) => child.stdout!.once('data', resolve)), exited]);
    await delay(50);
    child.kill('SIGKILL');
    await exited;

    const leftovers = await readdir(join(dir, 'tmp'));
    expect(leftovers).toHaveLength(1);
    let storage = await createFileStorage({ dir });
    const keys: string[] = [];
    for await (const object of storage.list('')) keys.push(object.key);
    expect(keys).toEqual(['t/jobs/done/photo']);
    expect(await storage.usedBytes('t')).toBe(1000);
    // It could be a live write of another machine on the same volume.
    expect(await readdir(join(dir, 'tmp'))).toEqual(leftovers);
    await storage.close();
    await mkdir(join(dir, 'scratch', 'old-task'));
    const old = new Date(Date.now() - 3 * HOUR_MS);
    await utimes(join(dir, 'tmp', leftovers[0]!), old, old);
    await utimes(join(dir, 'scratch', 'old-task'), old, old);
    await mkdir(join(dir, 'tmp', 'trash-of-a-crash'));
    storage = await createFileStorage({ dir });
    await storage.close();
    expect(await readdir(join(dir, 'tmp'))).toEqual([]);
    expect(await readdir(join(dir, 'scratch'))).toEqual([]);
  });

  it('never follows a link', async () => {
    const dir = await freshDir();
    const storage = await createFileStorage({ dir });
    const secret = join(await freshDir(), 'secret');
    await writeFile(secret, 'secret');
    const link = join(storage.scratchDir, 'link');
    await symlink(secret, link);
    await expect(storage.adopt('t/jobs/j/face.glb', link, { ...type, sha256: 'ab'.repeat(32), bytes: 6 })).rejects.toMatchObject({
      code: 'FW_INTERNAL',
    });
    expect(await storage.stat('t/jobs/j/face.glb')).toBeNull();
    await storage.put('t/jobs/j/photo', Buffer.from('photo!'), type);
    const folder = join(dir, 'objects/t/jobs/j');
    const [file] = await readdir(folder);
    await rm(join(folder, file!));
    await symlink(secret, join(folder, file!));
    await expect(storage.get('t/jobs/j/photo')).rejects.toMatchObject({ code: 'FW_STORAGE_UNAVAILABLE', params: { reason: 'ELOOP' } });
    await storage.close();
  });

  it('ignores files that are none of its own', async () => {
    const dir = await freshDir();
    const storage = await createFileStorage({ dir });
    await storage.put('t/jobs/j/photo', Buffer.from('photo'), type);
    for (const name of ['.DS_Store', 'photo', 'photo@', 'photo@x.1.y.z', '.nfs000000012'])
      await writeFile(join(dir, 'objects/t/jobs/j', name), 'x');
    const keys: string[] = [];
    for await (const object of storage.list('t')) keys.push(object.key);
    expect(keys).toEqual(['t/jobs/j/photo']);
    expect(await storage.usedBytes('t')).toBe(5);
    expect((await storage.stat('t/jobs/j/photo'))?.bytes).toBe(5);
    await storage.close();
  });

  it('learns what another process stored', async () => {
    const dir = await freshDir();
    const [a, b] = [await createFileStorage({ dir, usageRefreshMs: 10 }), await createFileStorage({ dir })];
    expect(await a.usedBytes('t')).toBe(0);
    await b.put('t/jobs/j/photo', randomBytes(700), type);
    await expect.poll(() => a.usedBytes('t'), { timeout: 5_000 }).toBe(700);
    await Promise.all([a.close(), b.close()]);
  });

  it('writers to a folder that others delete all the time get through whole', async () => {
    const dir = await freshDir();
    const [a, b] = [await createFileStorage({ dir }), await createFileStorage({ dir })];
    const written = new AbortController();
    const deleting = (async () => {
      while (!written.signal.aborted) await b.deleteAll('t/jobs/j');
    })();
    for (let i = 0; i < 40; i++) await a.put('t/jobs/j/photo', Buffer.alloc(100, i), type);
    written.abort();
    await deleting;
    await a.put('t/jobs/j/photo', Buffer.alloc(100, 7), type);
    expect(await buffer((await b.get('t/jobs/j/photo'))!.stream)).toEqual(Buffer.alloc(100, 7));
    await b.deleteAll('t');
    expect(await filesBelow(dir)).toEqual([]);
    await Promise.all([a.close(), b.close()]);
  });

  it('says in fixed words what the disk refused, never where', async () => {
    const file = join(await freshDir(), 'a-file');
    await writeFile(file, '');
    const failure = await createFileStorage({ dir: join(file, 'storage') }).then(
      () => null,
      (e: Error) => e,
    );
    expect(failure).toMatchObject({ code: 'FW_STORAGE_UNAVAILABLE', params: { reason: 'ENOTDIR' } });
    expect(failure?.message).not.toContain(file);
  });

  it('a full disk: a clear error, nothing half-written, and it goes on when there is room', async (context) => {
    const mount = await mountTmpfs('2m');
    if ('missing' in mount) return context.skip(mount.missing);
    const storage = await createFileStorage({ dir: mount.dir });
    await storage.check();
    await storage.put('t/jobs/a/photo', randomBytes(MIB), type);
    const big = (): Readable => Readable.from(Array.from({ length: 32 }, () => randomBytes(65_536)));
    for (let i = 0; i < 3; i++) {
      await expect(storage.put('t/jobs/b/photo', big(), type)).rejects.toMatchObject({ code: 'FW_STORAGE_FULL' });
      expect(await storage.stat('t/jobs/b/photo')).toBeNull();
      expect(await readdir(join(mount.dir, 'tmp'))).toEqual([]);
    }
    // What is there can be read, and the service can tell that it is full.
    expect((await buffer((await storage.get('t/jobs/a/photo'))!.stream)).byteLength).toBe(MIB);
    await writeFile(join(mount.dir, 'filler'), randomBytes(4 * MIB)).catch(() => {});
    await expect(storage.check()).rejects.toMatchObject({ code: 'FW_STORAGE_FULL' });
    expect(await storage.usedBytes('t')).toBe(MIB);
    expect(await storage.deleteAll('t/jobs/a')).toBe(MIB);
    await rm(join(mount.dir, 'filler'));
    await storage.check();
    await storage.put('t/jobs/b/photo', randomBytes(MIB), type);
    expect(await storage.usedBytes('t')).toBe(MIB);
    await storage.close();
  });

  it('adopts a file of another file system', async (context) => {
    const mount = await mountTmpfs('2m');
    if ('missing' in mount) return context.skip(mount.missing);
    const storage: ObjectStorage = await createFileStorage({ dir: await freshDir() });
    const path = join(mount.dir, 'face.glb');
    const data = randomBytes(10_000);
    await writeFile(path, data);
    const sha256 = createHash('sha256').update(data).digest('hex');
    expect(await storage.adopt('t/jobs/j/face.glb', path, { contentType: 'model/gltf-binary', sha256, bytes: 10_000 })).toMatchObject({
      sha256,
    });
    expect(await buffer((await storage.get('t/jobs/j/face.glb'))!.stream)).toEqual(data);
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
    await storage.close();
  });
});

/** @module The built program, as people run it: real processes, the real engine, the example portrait. */

import { execFileSync, fork, type SpawnOptions, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reportOutputSchema } from '@facewright/protocol/outputs';
import sharp from 'sharp';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createFolder, listFiles } from '../test/run-cli.ts';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const BIN = join(PACKAGE, 'dist/bin.js');
const PORTRAIT = fileURLToPath(new URL('../../../examples/portrait.jpg', import.meta.url));
const RESULT = ['face.glb', 'report.json'];
/** As little work as gives a whole result; the first test makes everything of the full head. */
const QUICK = ['--model', 'canonical', '--format', 'glb', '--texture-size', '512'];

// Each starts several processes with the engine: seconds on a free machine, far more on a busy one.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the program; `onStdout` sees each piece as it comes. */
function start(argv: readonly string[], options: SpawnOptions & { readonly node?: readonly string[] } = {}) {
  const { node = [], ...spawnOptions } = options;
  const child = spawn(process.execPath, [...node, BIN, ...argv], { stdio: ['ignore', 'pipe', 'pipe'], ...spawnOptions });
  const written = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  const ended = new Promise<Ended>((resolve) => child.on('close', (status) => resolve({ status, ...written })));
  return { child, ended, written };
}

const runBin = (argv: readonly string[], options: Parameters<typeof start>[1] = {}): Promise<Ended> => start(argv, options).ended;

/** GLB and report without what the clock says. */
function readResult(folder: string): { glb: Buffer; report: Record<string, unknown> } {
  const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Record<string, unknown>;
  return { glb: readFileSync(join(folder, 'face.glb')), report: { ...report, timingsMs: null } };
}

beforeAll(() => {
  // The test is of the program as it is in the sources now.
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  try {
    execFileSync(process.execPath, [tsc, '-b', PACKAGE], { encoding: 'utf8' });
  } catch (error) {
    throw new Error(`The program does not compile:\n${(error as { stdout?: string }).stdout}`);
  }
});

describe('the program', () => {
  it('makes a face of the example portrait', async () => {
    const cwd = createFolder();
    const { status, stdout, stderr } = await runBin(['make', PORTRAIT], { cwd });
    expect({ status, stderr: stderr.replace(/warning: .*\n {2}.*\n/g, '') }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^portrait {2}[\d.]+ m?s/);
    const files = listFiles(join(cwd, 'portrait'));
    expect(files).toEqual(expect.arrayContaining(['albedo.png', 'face.glb', 'preview.png', 'report.json']));
    expect(readFileSync(join(cwd, 'portrait/face.glb')).subarray(0, 4).toString('latin1')).toBe('glTF');
    const report = JSON.parse(readFileSync(join(cwd, 'portrait/report.json'), 'utf8'));
    expect(reportOutputSchema.parse(report).run?.photoSha256).toBe(createHash('sha256').update(readFileSync(PORTRAIT)).digest('hex'));
    expect(JSON.stringify(report)).not.toContain('portrait');
    // Everything but the report itself is listed in it.
    expect(
      report.files
        .map((f: { name: string }) => f.name)
        .concat('report.json')
        .sort(),
    ).toEqual(files);
  });

  it('answers questions about itself without loading the engine, image or network libraries', async () => {
    const spy = `import{register}from"node:module";register("data:text/javascript,export async function resolve(s,c,n){process._rawDebug(s);return n(s,c)}")`;
    const node = ['--import', `data:text/javascript,${spy}`];
    // In the bundle, the engine is a file that names the networks.
    const bundle = join(PACKAGE, 'dist/bundle');
    const engineFiles = (existsSync(bundle) ? readdirSync(bundle) : []).filter((name) =>
      readFileSync(join(bundle, name), 'utf8').includes('face_landmark_with_attention'),
    );
    for (const argv of [['--help'], ['--version'], ['make', '--help'], ['completion', 'bash'], ['make', '--nope']]) {
      const { stderr } = await runBin(argv, { node });
      expect(stderr).toMatch(/commander|bundle\/main\.js/);
      expect(stderr).not.toMatch(/sharp|onnxruntime|@facewright\/engine(?!\/default-cache-dir)|tinyglobby|\bzod\b/);
      for (const name of engineFiles) expect(stderr).not.toContain(name);
    }
  });

  it('is not upset when the reader of its output goes away', async () => {
    const cwd = createFolder();
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) writeFileSync(join(cwd, name), '');
    const { child, ended } = start(['make', '.', '--concurrency', '1'], { cwd });
    child.stdout?.destroy();
    const { status, stderr } = await ended;
    expect(status).toBe(1);
    expect(stderr).not.toMatch(/EPIPE|Error|at /);
  });

  it('answers even a stray error of a library in two lines, and leaves nothing behind', async () => {
    const cwd = createFolder();
    // As soon as the program is ready for it, whatever the machine is busy with: the face takes far longer than that.
    const throwStray = 'setTimeout(() => Promise.reject(new RangeError("stray")), 20)';
    const whenReady = `const t = setInterval(() => process.listenerCount("unhandledRejection") > 0 && (clearInterval(t), ${throwStray}), 5)`;
    const stray = `data:text/javascript,${encodeURIComponent(whenReady)}`;
    const { status, stderr } = await runBin(['make', PORTRAIT], { cwd, node: ['--import', stray] });
    expect(status).toBe(70);
    expect(stderr).toMatch(/^facewright: .*RangeError: stray \[FW_INTERNAL\]\n {2}Run again with --debug.*\n$/);
    expect(listFiles(cwd)).toEqual([]);
  });

  it('makes a batch in processes of its own with the same bytes as one by one, and goes on after a stop with Ctrl-C', async () => {
    const cwd = createFolder();
    mkdirSync(join(cwd, 'in'));
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) copyFileSync(PORTRAIT, join(cwd, 'in', name));
    writeFileSync(join(cwd, 'in/d.jpg'), 'no photo');
    const argv = ['make', 'in', '-o', 'out', ...QUICK, '--concurrency', '2'];

    // A terminal sends Ctrl-C to the workers as well: a process group of its own stands for it.
    const { child, ended } = start(argv, { cwd, detached: true });
    child.stdout?.once('data', () => process.kill(-child.pid!, 'SIGINT'));
    const stopped = await ended;
    expect(stopped.status).toBe(130);
    expect(stopped.stderr).toContain('[FW_CANCELED]');
    expect(stopped.stderr.trimEnd().split('\n')).toHaveLength(2);
    const kept = existsSync(join(cwd, 'out')) ? listFiles(join(cwd, 'out')) : [];
    // Whole results only.
    expect(kept.length % RESULT.length).toBe(0);
    expect(kept.filter((name) => !RESULT.includes(name.slice(2)))).toEqual([]);

    const finished = await runBin([...argv, '--json'], { cwd });
    expect(finished.status).toBe(1);
    const lines = finished.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ type: 'summary', photos: 4, failed: 1, skipped: kept.length / RESULT.length });
    expect(lines.find((line) => !line.ok && line.type === 'photo').error.code).toBe('FW_PHOTO_NOT_IMAGE');
    expect(listFiles(join(cwd, 'out'))).toEqual(['a', 'b', 'c'].flatMap((name) => RESULT.map((file) => `${name}/${file}`)));

    await runBin(['make', 'in/a.jpg', '-o', 'alone', ...QUICK], { cwd });
    const alone = readResult(join(cwd, 'alone'));
    const together = readResult(join(cwd, 'out/a'));
    expect(together.glb.equals(alone.glb)).toBe(true);
    expect(together.report).toEqual(alone.report);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('tells by its exit status that %s stopped it (%i)', async (signal, status) => {
    const cwd = createFolder();
    mkdirSync(join(cwd, 'in'));
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) copyFileSync(PORTRAIT, join(cwd, 'in', name));
    const { child, ended } = start(['make', 'in', '-o', 'out', '--json', '--concurrency', '1', ...QUICK], { cwd });
    child.stdout?.once('data', () => child.kill(signal));
    const stopped = await ended;
    expect(stopped.status).toBe(status);
    expect(JSON.parse(stopped.stdout.trimEnd().split('\n').at(-1)!)).toMatchObject({ exitStatus: status, error: { exitStatus: status } });
  });

  it('leaves it to the command when its workers stop: a closed terminal or a signal to all of them ends none in the middle', async () => {
    const worker = fork(join(PACKAGE, 'dist/make/make-worker.js'), { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [] });
    const ended = new Promise((resolve) => worker.once('exit', (status, signal) => resolve({ status, signal })));
    const answer = async (): Promise<unknown> => {
      const answered = new Promise((resolve) => worker.once('message', resolve));
      worker.send({ type: 'make', job: { photo: 'a.jpg', target: 'a' } });
      return Promise.race([answered, ended]);
    };
    expect(await answer()).toMatchObject({ type: 'failed' });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) worker.kill(signal);
    expect(await answer()).toMatchObject({ type: 'failed' });
    // Without the command it goes by itself.
    worker.disconnect();
    expect(await ended).toEqual({ status: 0, signal: null });
  });

  it('keeps its word when the home folder cannot be written: a warning, and the face', async () => {
    const cwd = createFolder({ 'a-file': '' });
    const env = { ...process.env, FACEWRIGHT_CACHE_DIR: join(cwd, 'a-file/cache') };
    const { status, stderr } = await runBin(['make', PORTRAIT, ...QUICK], { cwd, env });
    expect(status).toBe(0);
    expect(stderr).toContain('[CACHE_NOT_WRITABLE]');
    expect(listFiles(join(cwd, 'portrait'))).toEqual(RESULT);
  });

  it('answers in two lines when the folder one is in has been removed', async () => {
    const cwd = createFolder({ 'gone/x': '' });
    // The shell stands in the folder, removes it and starts the program there.
    const command = `cd gone && rm -r ../gone && "${process.execPath}" "${BIN}" make "${PORTRAIT}"`;
    const child = spawn('sh', ['-c', command], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect({ status, stderr }).toEqual({
      status: 66,
      stderr: expect.stringMatching(/^facewright: .*has been removed \[FW_PHOTO_UNREADABLE\]\n {2}.*\n$/),
    });
  });

  it('refuses what the user may not read or write', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('only root can start it as somebody else; the tests of writeFolder stand for it');
    const cwd = createFolder({ 'secret.jpg': 'photo', 'out/keep': '' });
    chmodSync(cwd, 0o755);
    chmodSync(join(cwd, 'secret.jpg'), 0o600);
    copyFileSync(PORTRAIT, join(cwd, 'portrait.jpg'));
    const nobody = { cwd, uid: 65534, gid: 65534, env: { PATH: process.env.PATH, HOME: '/' } };
    const unreadable = await runBin(['make', 'secret.jpg', '-o', '/tmp/x'], nobody);
    if (unreadable.status === null || /Cannot find module|EACCES.*dist/.test(unreadable.stderr)) {
      return context.skip('nobody may not read this checkout');
    }
    expect(unreadable).toMatchObject({ status: 66, stderr: expect.stringMatching(/Cannot read .*secret.jpg: permission denied/) });
    const unwritable = await runBin(['make', 'portrait.jpg', '-o', 'out/face'], nobody);
    expect(unwritable).toMatchObject({ status: 73, stderr: expect.stringMatching(/permission denied \[FW_OUTPUT_NOT_WRITABLE\]\n/) });
    expect(listFiles(cwd)).toEqual(['out/keep', 'portrait.jpg', 'secret.jpg']);
  });
});

describe('the program with bad photos', () => {
  /** Every bad photo, what it is refused with, and how it is made. */
  const BAD: readonly (readonly [name: string, code: string, make: (path: string) => unknown])[] = [
    ['empty.jpg', 'FW_PHOTO_EMPTY', (path) => writeFileSync(path, '')],
    ['text.jpg', 'FW_PHOTO_NOT_IMAGE', (path) => writeFileSync(path, 'Dear diary,')],
    ['page.png', 'FW_PHOTO_NOT_IMAGE', (path) => writeFileSync(path, '<html><body>404</body></html>')],
    [
      'truncated.jpg',
      'FW_PHOTO_TRUNCATED',
      (path) => {
        copyFileSync(PORTRAIT, path);
        truncateSync(path, Math.round(statSync(path).size / 3));
      },
    ],
    ['pixel.png', 'FW_PHOTO_TOO_SMALL', (path) => sharp({ create: { width: 1, height: 1, channels: 3, background: 'red' } }).toFile(path)],
    ['bomb.png', 'FW_PHOTO_TOO_MANY_PIXELS', (path) => writeFileSync(path, declarePng(60_000, 60_000))],
    [
      'wall.png',
      'FW_FACE_NOT_FOUND',
      (path) => sharp({ create: { width: 640, height: 480, channels: 3, background: '#b09a80' } }).toFile(path),
    ],
    ['tiny.jpg', 'FW_FACE_', (path) => sharp(PORTRAIT).resize(48).toFile(path)],
  ];

  it('refuses each with its own code in two lines, never a stack, never a mesh; and warns of a wrong ending', async () => {
    const cwd = createFolder({ 'in/note.txt': '' });
    for (const [name, , make] of BAD) await make(join(cwd, 'in', name));
    // A good photo among them, with a wrong ending and without the camera's notes.
    await sharp(PORTRAIT).png().toFile(join(cwd, 'in/portrait.png'));
    renameSync(join(cwd, 'in/portrait.png'), join(cwd, 'in/portrait.gif'));
    const { status, stdout, stderr } = await runBin(['make', 'in', '-o', 'out', ...QUICK, '--json'], {
      cwd,
    });
    expect(status).toBe(1);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const [name, code] of BAD) {
      const line = lines.find((l) => l.photo === join(cwd, 'in', name));
      expect({ name, ok: line?.ok, code: line?.error?.code }).toEqual({ name, ok: false, code: expect.stringContaining(code) });
      expect(line.error.hint.length).toBeGreaterThan(10);
    }
    const good = lines.find((l) => l.photo === join(cwd, 'in/portrait.gif'));
    const warnings = good.faces[0].warnings.map(({ code }: { code: string }) => code);
    expect(warnings).toEqual(expect.arrayContaining(['PHOTO_EXTENSION', 'CAMERA_FOCAL_ASSUMED']));
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(listFiles(join(cwd, 'out'))).toEqual(RESULT.map((name) => `portrait/${name}`));

    // Alone, the status is the error's own.
    const alone = await runBin(['make', 'in/text.jpg'], { cwd });
    expect(alone).toMatchObject({ status: 65, stdout: '' });
    expect(alone.stderr.trimEnd().split('\n')).toHaveLength(2);
  });

  /** A PNG that only says how large it is; a decoder would need 10 GB. */
  function declarePng(width: number, height: number): Buffer {
    const header = Buffer.alloc(13);
    header.writeUInt32BE(width, 0);
    header.writeUInt32BE(height, 4);
    header.set([8, 2, 0, 0, 0], 8);
    return Buffer.concat([
      Buffer.from('89504e470d0a1a0a', 'hex'),
      chunk('IHDR', header),
      chunk('IDAT', Buffer.alloc(100)),
      chunk('IEND', Buffer.alloc(0)),
    ]);
  }

  function chunk(type: string, data: Buffer): Buffer {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, crc]);
  }

  /** CRC-32 of PNG (ISO 3309), bit by bit. */
  function crc32(data: Buffer): number {
    let crc = 0xffffffff;
    for (const byte of data) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
    }
    return (crc ^ 0xffffffff) >>> 0;
  }
});

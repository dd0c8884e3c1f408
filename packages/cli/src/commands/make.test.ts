import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_PHOTO_LIMITS } from '@facewright/engine';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFakeEngine } from '../../test/fake-engine.ts';
import { mountTmpfs } from '../../test/mount-tmpfs.ts';
import { createFolder, listFiles, runCli } from '../../test/run-cli.ts';

/** The lines of `--json`. */
const parseLines = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const RESULT = ['albedo.png', 'face.glb', 'preview.png', 'report.json'];

describe('facewright make with one photo', () => {
  it('writes glb, textures, preview and report into a folder named after the photo', async () => {
    const cwd = createFolder({ 'in/portrait.jpg': 'photo' });
    const { status, stdout, stderr, engine } = await runCli(['make', 'in/portrait.jpg'], { cwd });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(listFiles(cwd)).toEqual(['in/portrait.jpg', ...RESULT.map((name) => `portrait/${name}`)]);
    expect(stdout).toContain('portrait  ');
    expect(stdout).toContain('yaw 1, pitch 2, roll 3 degrees; 50 % of the texture seen; confidence 0.80');
    expect(engine.calls).toEqual(['createEngine', 'reconstruct only portrait.jpg', 'close']);
  });

  it('records in report.json what the result was made of', async () => {
    const cwd = createFolder({ 'portrait.jpg': 'photo' });
    await runCli(['make', 'portrait.jpg', '--focal', '50mm'], { cwd });
    const report = JSON.parse(readFileSync(join(cwd, 'portrait/report.json'), 'utf8'));
    expect(report.schema).toBe('facewright/report@1');
    expect(report.run).toMatchObject({
      photoSha256: createHash('sha256').update('photo').digest('hex'),
      options: { model: 'head', focal35mm: 50, face: 'only', formats: ['glb', 'maps', 'preview'] },
    });
    expect(report.run.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    // Reports are passed on with the face; the name of a photo may be that of a person.
    expect(JSON.stringify(report)).not.toContain('portrait');
  });

  it('hands the options to the engine', async () => {
    const cwd = createFolder({ 'portrait.jpg': 'photo faces=3' });
    const argv = ['make', 'portrait.jpg', '-o', 'out/me', '--format', 'obj', '--face', '2', '--provider', 'auto', '--texture-size', '2048'];
    const { status, engine } = await runCli([...argv, '--max-pixels', '1000', '--max-decode-ms', '20', '--max-bytes', '3000'], { cwd });
    expect(status).toBe(0);
    expect(listFiles(join(cwd, 'out'))).toEqual(['me/face.obj', 'me/report.json']);
    expect(engine.createdWith).toEqual([
      { provider: 'auto', textureSize: 2048, limits: { maxPixels: 1000, maxDecodeMs: 20, maxBytes: 3000 } },
    ]);
    expect(engine.calls).toContain('reconstruct 2 portrait.jpg');
  });

  it('prints exactly one JSON object on stdout with --json, also when it fails', async () => {
    const cwd = createFolder({ 'a.jpg': 'photo warn', 'b.jpg': 'fail=FW_FACE_NOT_FOUND' });
    const good = await runCli(['make', 'a.jpg', '--json'], { cwd });
    expect(good.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(good.stdout)).toMatchObject({
      type: 'photo',
      ok: true,
      state: 'made',
      photo: join(cwd, 'a.jpg'),
      output: join(cwd, 'a'),
      provider: 'cpu',
      faces: [{ face: 1, pose: { yawDeg: 1 }, confidence: 0.8, warnings: [{ code: 'PHOTO_GREY' }] }],
    });
    expect(good.stderr).toContain('[PHOTO_GREY]');
    const bad = await runCli(['make', 'b.jpg', '--json'], { cwd });
    expect(bad.status).toBe(65);
    expect(JSON.parse(bad.stdout)).toMatchObject({ type: 'photo', ok: false, error: { code: 'FW_FACE_NOT_FOUND', exitStatus: 65 } });
    expect(bad.stderr).toContain('[FW_FACE_NOT_FOUND]');
  });

  it('prints nothing with --quiet but errors', async () => {
    const cwd = createFolder({ 'a.jpg': 'photo warn', 'b.jpg': 'fail=FW_FACE_NOT_FOUND' });
    expect(await runCli(['make', 'a.jpg', '-q'], { cwd })).toMatchObject({ status: 0, stdout: '', stderr: '' });
    const bad = await runCli(['make', 'b.jpg', '-q'], { cwd });
    expect(bad).toMatchObject({ status: 65, stdout: '' });
    expect(bad.stderr.trimEnd().split('\n')).toHaveLength(2);
  });

  it('makes a photo that is named by itself again, over its old result', async () => {
    const cwd = createFolder({ 'a.jpg': 'photo' });
    await runCli(['make', 'a.jpg', '--format', 'obj'], { cwd });
    const { status } = await runCli(['make', 'a.jpg'], { cwd });
    expect(status).toBe(0);
    expect(listFiles(join(cwd, 'a'))).toEqual(RESULT);
  });

  it('shows the stage on a terminal and wipes it away; no colours and no progress elsewhere', async () => {
    const cwd = createFolder({ 'a.jpg': 'photo' });
    const live = await runCli(['make', 'a.jpg'], { cwd, isTTY: true });
    expect(live.stderr).toContain('a.jpg  decode (1/6)');
    // As many stages as the engine says.
    expect(live.stderr).toContain('a.jpg  export (7/7)');
    expect(live.stderr.endsWith('\r\u001b[2K')).toBe(true);
    expect(live.stdout).toContain('\u001b[32ma\u001b[39m');
    const plain = await runCli(['make', 'a.jpg'], { cwd, isTTY: true, env: { NO_COLOR: '1' } });
    expect(plain.stdout).not.toContain('\u001b');
    const piped = await runCli(['make', 'a.jpg'], { cwd });
    expect(piped.stdout + piped.stderr).not.toContain('\u001b');
  });

  it.each([
    ['FW_FACE_NOT_FOUND', 65],
    ['FW_NETWORK_CORRUPT', 69],
    ['FW_INTERNAL', 70],
  ])('answers %s in two lines with status %i and leaves nothing behind', async (code, status) => {
    const cwd = createFolder({ 'a.jpg': `fail=${code}` });
    const result = await runCli(['make', 'a.jpg'], { cwd });
    expect(result.status).toBe(status);
    expect(result.stdout).toBe('');
    const lines = result.stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^facewright: a\.jpg: .*\[FW_/);
    expect(lines[0]).toContain(`[${code}]`);
    expect(listFiles(cwd)).toEqual(['a.jpg']);
  });

  it('shows the stack and its cause only with --debug', async () => {
    const cwd = createFolder({ 'a.jpg': 'fail=FW_INTERNAL' });
    const quiet = await runCli(['make', 'a.jpg'], { cwd });
    expect(quiet.stderr).toContain('TypeError: boom');
    expect(quiet.stderr).not.toContain('    at ');
    const loud = await runCli(['make', 'a.jpg', '--debug'], { cwd });
    expect(loud.stderr).toContain('caused by: TypeError: boom');
    expect(loud.stderr).toContain('    at ');
  });

  it('refuses several faces with their numbers, takes the one that was asked for, and no other', async () => {
    const cwd = createFolder({ 'two.jpg': 'faces=2' });
    const refused = await runCli(['make', 'two.jpg'], { cwd });
    expect(refused.status).toBe(65);
    expect(refused.stderr).toContain('1: 60 px wide at (10, 10); 2: 30 px wide at (20, 10)');
    expect((await runCli(['make', 'two.jpg', '--face', '3'], { cwd })).stderr).toContain('[FW_FACE_INDEX]');
    expect(listFiles(cwd)).toEqual(['two.jpg']);
    expect((await runCli(['make', 'two.jpg', '--face', 'largest'], { cwd })).status).toBe(0);
  });

  it('makes one folder per face with --face all', async () => {
    const cwd = createFolder({ 'two.jpg': 'faces=2' });
    const { status, stdout } = await runCli(['make', 'two.jpg', '--face', 'all', '--format', 'glb'], { cwd });
    expect(status).toBe(0);
    expect(stdout).toContain('face-2: yaw');
    expect(stdout).toContain('  face-1/  face-2/  report.json\n');
    expect(listFiles(join(cwd, 'two'))).toEqual([
      'face-1/face.glb',
      'face-1/report.json',
      'face-2/face.glb',
      'face-2/report.json',
      'report.json',
    ]);
    const report = JSON.parse(readFileSync(join(cwd, 'two/report.json'), 'utf8'));
    expect(report).toMatchObject({ schema: 'facewright/faces@1', faces: [{ folder: 'face-1' }, { folder: 'face-2' }], refused: [] });
  });

  it('reads a photo once for each face with --face all, refused ones too, and looks for no more', async () => {
    const cwd = createFolder({ 'three.jpg': 'faces=3 refuse=2', 'first.jpg': 'faces=2 refuse=1', 'one.jpg': 'faces=1' });
    const three = await runCli(['make', 'three.jpg', '--face', 'all'], { cwd });
    expect(three.engine.calls.slice(1, -1)).toEqual([1, 2, 3].map((face) => `reconstruct ${face} three.jpg`));
    const first = await runCli(['make', 'first.jpg', '--face', 'all'], { cwd });
    expect(first.engine.calls.slice(1, -1)).toEqual(['reconstruct 1 first.jpg', 'findFaces', 'reconstruct 2 first.jpg']);
    const one = await runCli(['make', 'one.jpg', '--face', 'all'], { cwd });
    expect(one.engine.calls.slice(1, -1)).toEqual(['reconstruct 1 one.jpg']);
  });

  it.each(['faces=0', 'fail=FW_FACE_NOT_FOUND'])('never writes a result without a face with --face all (%s)', async (photo) => {
    const cwd = createFolder({ 'none.jpg': photo });
    const { status, stderr } = await runCli(['make', 'none.jpg', '--face', 'all'], { cwd });
    expect({ status, stderr }).toEqual({ status: 65, stderr: expect.stringContaining('[FW_FACE_NOT_FOUND]') });
    expect(listFiles(cwd)).toEqual(['none.jpg']);
  });

  it('keeps the faces that can be made, says which cannot, and ends with status 1', async () => {
    const cwd = createFolder({ 'two.jpg': 'faces=2 refuse=2', 'none.jpg': 'faces=1 refuse=1' });
    const some = await runCli(['make', 'two.jpg', '--face', 'all', '--json'], { cwd });
    expect(some.status).toBe(1);
    expect(some.stderr).toContain('two.jpg: face 2: The face is 20 pixels wide');
    expect(JSON.parse(some.stdout)).toMatchObject({ ok: true, refused: [{ face: 2, code: 'FW_FACE_TOO_SMALL' }] });
    expect(listFiles(join(cwd, 'two'))).toContain('face-1/face.glb');
    const none = await runCli(['make', 'none.jpg', '--face', 'all'], { cwd });
    expect(none).toMatchObject({ status: 65, stderr: expect.stringContaining('[FW_FACE_TOO_SMALL]') });
  });

  it('stops when it is told to, and leaves nothing behind', async () => {
    const cwd = createFolder({ 'a.jpg': 'wait=10000' });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    const { status, stderr } = await runCli(['make', 'a.jpg'], { cwd, signal: abort.signal });
    expect(status).toBe(130);
    expect(stderr).toContain('[FW_CANCELED]');
    expect(listFiles(cwd)).toEqual(['a.jpg']);
  });
});

describe('facewright make with bad paths', () => {
  it.each([
    ['a photo that is not there', 'nope.jpg', 66, 'Cannot read .*nope.jpg: there is no such file'],
    ['a folder without photos', 'empty', 66, 'the folder holds no photos'],
    ['a pattern that matches nothing', '*.webp', 66, 'no photo matches this pattern'],
    ['a device', '/dev/null', 66, 'it is not a file'],
    ['what comes through a pipe', '-', 66, 'not read from standard input'],
  ])('refuses %s', async (_, arg, status, message) => {
    const cwd = createFolder({ 'empty/note.txt': '' });
    const result = await runCli(['make', arg], { cwd });
    expect(result.stderr).toMatch(new RegExp(`${message}.*\\[FW_PHOTO_UNREADABLE\\]\n  .`));
    // No table of nothing.
    expect(result).toMatchObject({ status, stdout: '' });
    expect(result.stderr.trimEnd().split('\n')).toHaveLength(2);
    expect(listFiles(cwd)).toEqual(['empty/note.txt']);
  });

  it('ends with status 66 when none of several arguments leads to a photo, and says so in JSON too', async () => {
    const cwd = createFolder({ 'empty/note.txt': '' });
    const { status, stdout, stderr } = await runCli(['make', 'empty', 'gone.jpg', '*.webp', '--json'], { cwd });
    expect(status).toBe(66);
    expect(stderr.trimEnd().split('\n')).toHaveLength(6);
    const lines = parseLines(stdout);
    expect(lines.map(({ type, ok }) => ({ type, ok }))).toEqual(
      ['photo', 'photo', 'photo', 'summary'].map((type) => ({ type, ok: false })),
    );
    expect(lines.at(-1)).toMatchObject({ made: 0, failed: 3, exitStatus: 66, error: { code: 'FW_PHOTO_UNREADABLE', exitStatus: 66 } });
  });

  it('refuses a file that is too large without reading it, with the limit of the engine', async () => {
    const cwd = createFolder({ 'big.jpg': '' });
    // A sparse file: it takes no room.
    truncateSync(join(cwd, 'big.jpg'), DEFAULT_PHOTO_LIMITS.maxBytes + 1);
    const { status, stderr, engine } = await runCli(['make', 'big.jpg'], { cwd });
    expect({ status, calls: engine.calls }).toEqual({ status: 65, calls: [] });
    expect(stderr).toContain(`the limit is ${DEFAULT_PHOTO_LIMITS.maxBytes}`);
    // The limit itself is allowed.
    writeFileSync(join(cwd, 'small.jpg'), 'photo');
    expect((await runCli(['make', 'small.jpg', '--max-bytes', '5'], { cwd })).status).toBe(0);
    expect((await runCli(['make', 'small.jpg', '--max-bytes', '4'], { cwd })).stderr).toContain('has 5 bytes; the limit is 4');
  });

  it('refuses an output that is a file or somebody else’s folder before the engine is loaded', async () => {
    const cwd = createFolder({ 'a.jpg': 'photo', file: '', 'mine/diary.txt': '' });
    for (const output of ['file', 'file/below', 'mine']) {
      const { status, stderr, engine } = await runCli(['make', 'a.jpg', '-o', output], { cwd });
      expect({ status, calls: engine.calls }).toEqual({ status: 73, calls: [] });
      expect(stderr).toContain('[FW_OUTPUT_NOT_WRITABLE]');
    }
    expect(listFiles(cwd)).toEqual(['a.jpg', 'file', 'mine/diary.txt']);
    expect((await runCli(['make', 'a.jpg', '-o', 'mine', '--force'], { cwd })).status).toBe(0);
    expect(listFiles(join(cwd, 'mine'))).toContain('diary.txt');
  });
});

describe('facewright make with several photos', () => {
  it('is not kept from a place by what lies there under another name', async () => {
    const cwd = createFolder({ 'a.jpg': 'photo', 'b.jpg': 'photo', '.facewright/build-stamp': 'of something else' });
    expect((await runCli(['make', 'a.jpg', 'b.jpg'], { cwd })).status).toBe(0);
  });

  it('goes on past bad photos, prints a line for each, a table, and ends with status 1', async () => {
    const cwd = createFolder({
      'in/a.jpg': 'photo warn',
      'in/b.jpg': 'fail=FW_FACE_NOT_FOUND',
      'in/c.png': 'fail=FW_INTERNAL',
      'in/d.jpg': 'photo',
    });
    const { status, stdout, stderr } = await runCli(['make', 'in', '-o', 'out', '--concurrency', '1', 'gone.jpg'], { cwd });
    expect(status).toBe(1);
    expect(stdout.split('\n')[0]).toMatch(/^\[1\/5\] in\/a\.jpg -> out\/a {2}[\d.]+ m?s {2}PHOTO_GREY$/);
    expect(stdout).toMatch(/\[2\/5\] in\/b\.jpg -> FW_FACE_NOT_FOUND\n/);
    expect(stdout).toMatch(/\nphoto +result +time +warnings\n-+/);
    expect(stdout).toMatch(/\nin\/c\.png +FW_INTERNAL/);
    expect(stdout).toMatch(/\ngone\.jpg +FW_PHOTO_UNREADABLE/);
    expect(stdout).toMatch(/\n2 made, 3 failed in [\d.]+ m?s\n$/);
    expect(stderr).toMatch(/facewright: 3 of 5 photos could not be reconstructed \[FW_BATCH_FAILED\]\n {2}.*table.*\n$/);
    // Two lines for each of the three, two for all.
    expect(stderr.trimEnd().split('\n')).toHaveLength(8);
    expect(listFiles(join(cwd, 'out'))).toEqual([...RESULT.map((n) => `a/${n}`), ...RESULT.map((n) => `d/${n}`)]);
  });

  it('says once below the table what is said of nearly every photo', async () => {
    const cwd = createFolder({ 'in/a.jpg': 'photo nofocal', 'in/b.jpg': 'photo nofocal warn', 'in/c.jpg': 'photo' });
    const { status, stdout, stderr } = await runCli(['make', 'in', '-o', 'out', '--concurrency', '1'], { cwd });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.match(/CAMERA_FOCAL_ASSUMED/g)).toHaveLength(1);
    expect(stdout).toMatch(/\nin\/a\.jpg +out\/a +[\d.]+ m?s\n/);
    expect(stdout).toMatch(/\nin\/b\.jpg +out\/b +[\d.]+ m?s {2}PHOTO_GREY\n/);
    expect(stdout).toMatch(/3 made in [\d.]+ m?s\nnote: 2 photos: no focal length .*\[CAMERA_FOCAL_ASSUMED\]\n {2}Give --focal .*\n$/);
    // JSON has it with each face.
    const json = parseLines((await runCli(['make', 'in', '-o', 'json', '--json', '-q'], { cwd })).stdout);
    expect(json.filter((line) => JSON.stringify(line).includes('CAMERA_FOCAL_ASSUMED'))).toHaveLength(2);
    // One photo by itself: in full, but not as a warning.
    const one = await runCli(['make', 'in/a.jpg'], { cwd });
    expect(one.stderr).toMatch(/^note: The photo names no focal length; 1\.5 .*\[CAMERA_FOCAL_ASSUMED\]\n {2}Give .*\n$/);
  });

  it('takes names as long as the file system allows, and keeps the table readable', async () => {
    // 251 bytes and an ending: as long as a name may be. Two of them that differ only in the end.
    const names = ['a', 'b'].map((end) => `${'ü'.repeat(125)}${end}`);
    const cwd = createFolder(Object.fromEntries(names.map((name) => [`in/${name}.jpg`, 'photo'])));
    const { status, stdout } = await runCli(['make', 'in', '-o', 'out'], { cwd });
    expect(status).toBe(0);
    expect(listFiles(join(cwd, 'out'))).toEqual(names.flatMap((name) => RESULT.map((file) => `${name}/${file}`)));
    expect(stdout).toMatch(/\nin\/ü+…ü+a\.jpg +out\/ü+…ü+a +[\d.]+ m?s\n/);
    const again = await runCli(['make', 'in', '-o', 'out', '--force'], { cwd });
    expect(again.status).toBe(0);
    expect(listFiles(join(cwd, 'out'))).toHaveLength(2 * RESULT.length);
  });

  it('does not do finished photos again, unless something has changed or --force is given', async () => {
    const cwd = createFolder({ 'in/a.jpg': 'photo', 'in/b.jpg': 'photo' });
    const again = async (...more: string[]) => {
      const { stdout, engine } = await runCli(['make', 'in', '-o', 'out', ...more], { cwd });
      const made = engine.calls.filter((call) => call.startsWith('reconstruct')).map((call) => call.slice(-5, -4));
      return {
        made: made.sort().join(''),
        summary: stdout
          .trimEnd()
          .split('\n')
          .at(-1)
          ?.replace(/ in .*/, ''),
      };
    };
    expect(await again()).toEqual({ made: 'ab', summary: '2 made' });
    const { ino } = statSync(join(cwd, 'out/a'));
    expect(await again()).toEqual({ made: '', summary: '0 made, 2 finished before' });
    expect(statSync(join(cwd, 'out/a')).ino).toBe(ino);
    writeFileSync(join(cwd, 'in/a.jpg'), 'another photo');
    expect(await again()).toEqual({ made: 'a', summary: '1 made, 1 finished before' });
    rmSync(join(cwd, 'out/b/face.glb'));
    expect(await again()).toEqual({ made: 'b', summary: '1 made, 1 finished before' });
    expect(await again('--texture-size', '2048')).toEqual({ made: 'ab', summary: '2 made' });
    expect(await again('--texture-size', '2048', '--force')).toEqual({ made: 'ab', summary: '2 made' });
    expect(await again('--texture-size', '2048', '--quiet')).toEqual({ made: '', summary: '' });
  });

  it('puts back what a killed run left aside and skips it', async () => {
    const cwd = createFolder({ 'in/a.jpg': 'photo' });
    await runCli(['make', 'in', '-o', 'out'], { cwd });
    renameSync(join(cwd, 'out/a'), join(cwd, 'out/.a.facewright-abc-old'));
    expect((await runCli(['make', 'in', '-o', 'out'], { cwd })).stdout).toContain('0 made, 1 finished before');
    expect(listFiles(join(cwd, 'out'))).toEqual(RESULT.map((name) => `a/${name}`));
  });

  it('tells the truth about refused faces again when the photo is skipped', async () => {
    const cwd = createFolder({ 'in/a.jpg': 'faces=2 refuse=2', 'in/b.jpg': 'faces=2' });
    const argv = ['make', 'in', '--face', 'all', '-o', 'out'];
    const first = await runCli(argv, { cwd });
    expect(first.status).toBe(1);
    expect(first.stderr).toContain('facewright: 1 face could not be reconstructed [FW_BATCH_FAILED]');
    const second = await runCli(argv, { cwd });
    expect(second.status).toBe(1);
    expect(second.stdout).toContain('0 made, 2 finished before');
    expect(second.stdout).toMatch(/in\/a\.jpg +out\/a +finished before +1 face refused/);
  });

  it('prints JSON lines and a summary with --json, and nothing else on stdout', async () => {
    const cwd = createFolder({ 'in/a.jpg': 'photo', 'in/b.jpg': 'fail=FW_FACE_NOT_FOUND' });
    const { status, stdout, stderr } = await runCli(['make', 'in', '--json', '--concurrency', '1'], { cwd });
    expect(status).toBe(1);
    const lines = parseLines(stdout);
    expect(lines.map(({ type, ok, state }) => ({ type, ok, state }))).toEqual([
      { type: 'photo', ok: true, state: 'made' },
      { type: 'photo', ok: false, state: undefined },
      { type: 'summary', ok: false, state: undefined },
    ]);
    expect(lines.at(-1)).toMatchObject({
      photos: 2,
      made: 1,
      failed: 1,
      skipped: 0,
      untried: 0,
      exitStatus: 1,
      error: { code: 'FW_BATCH_FAILED' },
    });
    expect(stderr).toMatch(/photo +result/);
    expect(parseLines((await runCli(['make', 'in/a.jpg', 'in/a.jpg', '--json', '-q'], { cwd })).stdout)).toHaveLength(2);
  });

  it('shows a bar with the time left on a terminal, and no line for each photo', async () => {
    const cwd = createFolder({ 'in/a.jpg': 'wait=60', 'in/b.jpg': 'wait=60', 'in/c.jpg': 'wait=60' });
    const { stdout, stderr } = await runCli(['make', 'in', '--concurrency', '1'], { cwd, isTTY: true, env: { NO_COLOR: '1' } });
    expect(stderr).toMatch(/\[#{10}\.{20}\] 1\/3 {2}ETA 0:01 {2}in\/b\.jpg/);
    expect(stderr.endsWith('\r\u001b[2K')).toBe(true);
    expect(stdout).not.toContain('[1/3]');
    expect(stdout).toContain('3 made');
  });

  it('stops when every other photo would fail in the same way', async () => {
    const cwd = createFolder({ 'in/a.jpg': 'photo', 'in/b.jpg': 'fail=FW_NETWORK_CORRUPT', 'in/c.jpg': 'photo' });
    const { status, stdout, stderr } = await runCli(['make', 'in', '-o', 'out', '--concurrency', '1'], { cwd });
    expect(status).toBe(69);
    expect(stdout).toContain('1 made, 1 failed, 1 not tried');
    expect(stderr).toContain('stopped with 1 of 3 photos not tried [FW_NETWORK_CORRUPT]');
    expect(listFiles(join(cwd, 'out'))).toEqual(RESULT.map((name) => `a/${name}`));
  });

  it('goes on when the engine objects to an argument of one photo, and refuses wrong options before any', async () => {
    const cwd = createFolder({ 'in/a.jpg': 'fail=FW_ARG_INVALID', 'in/b.jpg': 'photo' });
    const { status, stdout } = await runCli(['make', 'in', '-o', 'out', '--concurrency', '1'], { cwd });
    expect(status).toBe(1);
    expect(stdout).toContain('1 made, 1 failed');
    expect(stdout).toMatch(/in\/a\.jpg +FW_ARG_INVALID/);
    const wrong = await runCli(['make', 'in', '--focal', '0mm'], { cwd });
    expect(wrong).toMatchObject({ status: 64, stdout: '', stderr: expect.stringContaining('[FW_ARG_INVALID]') });
    expect(wrong.engine.calls).toEqual([]);
  });

  it('stops with the finished results kept when the disk is full', async (context) => {
    const cwd = createFolder({ 'in/a.jpg': 'photo', 'in/b.jpg': 'big=3000000', 'in/c.jpg': 'photo' });
    const disk = mountTmpfs(join(cwd, 'out'), '1m');
    if (typeof disk === 'string') return context.skip(disk);
    onTestFinished(disk.unmount);
    const { status, stderr } = await runCli(['make', 'in', '-o', 'out', '--concurrency', '1'], { cwd });
    expect(status).toBe(74);
    expect(stderr).toContain('The disk is full');
    expect(listFiles(join(cwd, 'out'))).toEqual(RESULT.map((name) => `a/${name}`));
  });

  it('does not start when nothing can be written', async (context) => {
    const cwd = createFolder({ 'in/a.jpg': 'photo', 'in/b.jpg': 'photo' });
    const disk = mountTmpfs(join(cwd, 'out'), '1m');
    if (typeof disk === 'string') return context.skip(disk);
    onTestFinished(disk.unmount);
    disk.remount('ro');
    const { status, stderr, engine } = await runCli(['make', 'in', '-o', 'out'], { cwd });
    expect({ status, calls: engine.calls }).toEqual({ status: 73, calls: [] });
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
  });

  it('keeps what is finished when it is stopped, and goes on from there', async () => {
    const cwd = createFolder({ 'in/a.jpg': 'photo', 'in/b.jpg': 'wait=10000', 'in/c.jpg': 'photo' });
    const abort = new AbortController();
    const engine = createFakeEngine();
    // While the second photo is made, whatever the machine is busy with.
    const timer = setInterval(() => engine.calls.includes('reconstruct only b.jpg') && abort.abort(), 5);
    onTestFinished(() => clearInterval(timer));
    const argv = ['make', 'in', '-o', 'out', '--concurrency', '1'];
    const { status, stdout, stderr } = await runCli(argv, { cwd, engine, signal: abort.signal });
    expect(status).toBe(130);
    expect(stdout).toContain('1 made, 2 not tried');
    expect(stderr).toContain('canceled with 1 of 3 photos finished [FW_CANCELED]');
    expect(listFiles(join(cwd, 'out'))).toEqual(RESULT.map((name) => `a/${name}`));
    writeFileSync(join(cwd, 'in/b.jpg'), 'photo');
    expect((await runCli(argv, { cwd })).stdout).toContain('2 made, 1 finished before');
  });

  it('makes as many at once as --concurrency says, with the same results', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const cwd = createFolder(Object.fromEntries(names.map((name) => [`in/${name}.jpg`, `photo ${name}`])));
    mkdirSync(join(cwd, 'x'));
    const engine = createFakeEngine();
    await runCli(['make', 'in', '-o', 'one', '--concurrency', '1'], { cwd, engine });
    expect(engine.createdWith).toHaveLength(1);
    await runCli(['make', 'in', '-o', 'three', '--concurrency', '3'], { cwd, engine });
    expect(engine.createdWith).toHaveLength(4);
    expect(listFiles(join(cwd, 'three'))).toEqual(listFiles(join(cwd, 'one')));
    for (const name of listFiles(join(cwd, 'one'))) {
      expect(readFileSync(join(cwd, 'three', name), 'utf8')).toBe(readFileSync(join(cwd, 'one', name), 'utf8'));
    }
  });
});

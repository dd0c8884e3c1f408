import { describe, expect, it } from 'vitest';
import { runCli } from '../test/run-cli.ts';
import { readVersion } from './version.ts';

describe('the command line', () => {
  it('prints its version', async () => {
    const { status, stdout, stderr } = await runCli(['--version']);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${readVersion()}\n`, stderr: '' });
  });

  it('prints help with examples, exit statuses and every command', async () => {
    const { status, stdout, stderr } = await runCli(['--help']);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    for (const word of ['make', 'inspect', 'models', 'doctor', 'completion', 'Exit status', '65', 'Start with'])
      expect(stdout).toContain(word);
  });

  it('tells in the help of make the options, what a folder means, where results go, and examples', async () => {
    const { status, stdout } = await runCli(['make', '--help']);
    expect(status).toBe(0);
    for (const word of ['--texture-size', '--face', '--focal', '--max-pixels', 'Photos:', 'Output:', 'Examples:', 'face-1']) {
      expect(stdout).toContain(word);
    }
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
  });

  it('prints help on stderr and fails when there is no command', async () => {
    const { status, stdout, stderr } = await runCli([]);
    expect(status).toBe(64);
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: facewright');
  });

  it.each([
    [['mkae', 'a.jpg'], "unknown command 'mkae' (Did you mean make?)"],
    [['make'], "missing required argument 'photo'"],
    [['make', 'a.jpg', '--outptu', 'x'], "unknown option '--outptu' (Did you mean --output?)"],
    [['make', 'a.jpg', '--face', 'biggest'], 'largest, all or a number from 1 on'],
    [['make', 'a.jpg', '--face', '0'], '--face'],
    [['make', 'a.jpg', '--texture-size', '100'], 'a whole number from 512 to 4096'],
    [['make', 'a.jpg', '--texture-size', '1024.5'], '--texture-size'],
    [['make', 'a.jpg', '--format', 'glb,fbx'], 'one of glb, obj, maps, preview, json'],
    [['make', 'a.jpg', '--focal', '50cm'], 'full-frame equivalent'],
    [['make', 'a.jpg', '--focal', '0'], '--focal'],
    [['make', 'a.jpg', '--focal', '1'], '0.7 to 3 times the longer side'],
    [['make', '-x.jpg'], 'is given as ./-x.jpg'],
    [['make', 'a.jpg', '--provider', 'gpu'], 'one of cpu, webgpu, cuda, auto'],
    [['make', 'a.jpg', '--concurrency', '0'], '--concurrency'],
    [['make', 'a.jpg', '--max-bytes', '-1'], '--max-bytes'],
    [['completion', 'tcsh'], 'bash, zsh, fish'],
    [['inspect', 'a.jpg', '-o', 'a.bmp'], '.png, .jpg or .webp'],
    [['models', 'frobnicate'], 'frobnicate'],
  ])('answers the mistake %j in two lines with status 64', async (argv, message) => {
    const { status, stdout, stderr } = await runCli(argv);
    expect(status).toBe(64);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(stderr).toContain('[FW_ARG_INVALID]');
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
  });

  it('gives a mistake in the arguments as JSON too when JSON was asked for', async () => {
    for (const argv of [
      ['make', 'a.jpg', '--json', '--nope'],
      ['make', '--json', 'a.jpg', '--face', 'x'],
    ]) {
      const { status, stdout } = await runCli(argv);
      expect(status).toBe(64);
      expect(JSON.parse(stdout)).toMatchObject({ type: 'error', ok: false, error: { code: 'FW_ARG_INVALID', exitStatus: 64 } });
    }
  });

  it('says what to type when a photo is given without a command', async () => {
    const { status, stderr } = await runCli(['package.json'], { cwd: new URL('..', import.meta.url).pathname });
    expect(status).toBe(64);
    expect(stderr).toContain('did you mean: facewright make package.json');
  });
});

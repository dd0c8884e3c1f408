import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createFolder, runCli } from '../../test/run-cli.ts';

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

describe('facewright completion bash', () => {
  let script = '';
  beforeAll(async () => {
    script = (await runCli(['completion', 'bash'])).stdout;
  });

  /** What bash offers after these words, the last of which is being typed. */
  function complete(words: string[], cwd: string): string[] {
    const program = `${script}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _facewright; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const text = execFileSync('bash', ['--norc', '--noprofile', '-c', program], { cwd, encoding: 'utf8' });
    return text.split('\n').filter((line) => line !== '');
  }

  it('offers commands, subcommands, options, values and files', (context) => {
    if (!has('bash')) return context.skip('there is no bash here');
    const cwd = createFolder({ 'port rait.jpg': '', 'other.jpg': '' });
    expect(complete(['facewright', ''], cwd)).toEqual([
      'make',
      'inspect',
      'models',
      'doctor',
      'serve',
      'api',
      'worker',
      'config',
      'keys',
      'completion',
      'help',
    ]);
    expect(complete(['facewright', 'keys', ''], cwd)).toEqual(['create', 'list', 'revoke']);
    expect(complete(['facewright', 'serve', '--log-level', ''], cwd)).toEqual(['debug', 'info', 'warn', 'error', 'silent']);
    expect(complete(['facewright', 'ma'], cwd)).toEqual(['make']);
    expect(complete(['facewright', 'models', ''], cwd)).toEqual(['list', 'verify']);
    expect(complete(['facewright', 'completion', ''], cwd)).toEqual(['bash', 'zsh', 'fish']);
    expect(complete(['facewright', 'make', '--te'], cwd)).toEqual(['--texture-size']);
    expect(complete(['facewright', 'make', '--provider', ''], cwd)).toEqual(['cpu', 'webgpu', 'cuda', 'auto']);
    expect(complete(['facewright', 'make', '--face', 'l'], cwd)).toEqual(['largest']);
    expect(complete(['facewright', 'make', 'po'], cwd)).toEqual(['port rait.jpg']);
    expect(complete(['facewright', 'make', 'other.jpg', '--model', 'head', '--qu'], cwd)).toEqual(['--quiet']);
    expect(complete(['facewright', 'make', '-o', 'o'], cwd)).toEqual(['other.jpg']);
    expect(complete(['facewright', 'models', 'list', '--j'], cwd)).toEqual(['--json']);
  });

  it('offers every option of make that its help names', (context) => {
    if (!has('bash')) return context.skip('there is no bash here');
    return runCli(['make', '--help']).then(({ stdout }) => {
      const named = new Set(stdout.match(/--[a-z][a-z-]+/g));
      const offered = complete(['facewright', 'make', '--'], createFolder());
      expect(new Set(offered)).toEqual(named);
    });
  });
});

describe.each(['zsh', 'fish'] as const)('facewright completion %s', (shell) => {
  it('names every command and option', async () => {
    const { status, stdout } = await runCli(['completion', shell]);
    expect(status).toBe(0);
    for (const word of ['make', 'inspect', 'models', 'verify', 'doctor', 'texture-size', 'largest', 'webgpu', 'bash zsh fish']) {
      expect(stdout).toContain(word);
    }
    // Quotes come in pairs, or the shell would not get far.
    expect(stdout.replaceAll("'\\''", '').split("'").length % 2).toBe(1);
  });

  it('is accepted by the shell', async (context) => {
    if (!has(shell)) return context.skip(`there is no ${shell} here`);
    const file = join(createFolder(), `completion.${shell}`);
    writeFileSync(file, (await runCli(['completion', shell])).stdout);
    expect(spawnSync(shell, ['-n', file], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });
});

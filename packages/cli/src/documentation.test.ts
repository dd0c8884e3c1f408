import { readFileSync } from 'node:fs';
import { DEFAULT_PHOTO_LIMITS, FACE_MODEL_IDS, OUTPUT_FORMATS, TEXTURE_SIZE_RANGE } from '@facewright/engine';
import { ERRORS } from '@facewright/protocol';
import { describe, expect, it } from 'vitest';
import { runCli } from '../test/run-cli.ts';
import { FORMATS } from './engine-port.ts';

const page = readFileSync(new URL('../../../docs/command-line.md', import.meta.url), 'utf8');
const optionsIn = (text: string): Set<string> => new Set(text.match(/(?<![\w-])--[a-z][a-z-]+/g));

describe('docs/command-line.md and --help', () => {
  it('name the same options of make', async () => {
    const table = page.slice(page.indexOf('| option'), page.indexOf('### Which photos'));
    const { stdout } = await runCli(['make', '--help']);
    const offered = optionsIn(stdout.slice(stdout.indexOf('Options:'), stdout.indexOf('Photos:')));
    offered.delete('--help');
    expect(optionsIn(table)).toEqual(offered);
  });

  it('name no option that does not exist', async () => {
    const helps = await Promise.all(
      ['make', 'inspect', 'doctor', 'completion', 'serve', 'keys create', 'config'].map((name) => runCli([...name.split(' '), '--help'])),
    );
    const known = optionsIn(helps.map(({ stdout }) => stdout).join('\n'));
    expect([...optionsIn(page)].filter((option) => !known.has(option))).toEqual([]);
  });

  it('name every exit status that an error has', async () => {
    const { stdout } = await runCli(['--help']);
    const statuses = [...new Set(Object.values(ERRORS).map((spec) => spec.exit))];
    for (const status of statuses) {
      expect(stdout, 'the help').toMatch(new RegExp(`(^|\\s)${status}\\s`));
      expect(page, 'the page').toMatch(new RegExp(`\\n\\| ${status} +\\|`));
    }
  });

  it('tell the defaults and limits that the engine has', async () => {
    const { stdout } = await runCli(['make', '--help']);
    const help = stdout.replace(/\s+/g, ' ');
    expect(help).toContain(`(default: ${DEFAULT_PHOTO_LIMITS.maxBytes})`);
    expect(help).toContain(`(default: ${DEFAULT_PHOTO_LIMITS.maxPixels})`);
    expect(help).toContain(`(default: ${DEFAULT_PHOTO_LIMITS.maxDecodeMs})`);
    expect(help).toContain(`${TEXTURE_SIZE_RANGE.min} to ${TEXTURE_SIZE_RANGE.max} (default: ${TEXTURE_SIZE_RANGE.default})`);
    expect(help).toContain(`(default: ${FACE_MODEL_IDS[0]})`);
    expect([...FORMATS]).toEqual([...OUTPUT_FORMATS]);
    expect(page).toContain(`${DEFAULT_PHOTO_LIMITS.maxBytes / 2 ** 20} MiB, ${DEFAULT_PHOTO_LIMITS.maxPixels / 1e6} million`);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FacewrightError } from '@facewright/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeSettings } from './describe-settings.ts';
import { type ReadConfigInput, readConfig } from './read-config.ts';
import { SETTING_LIST } from './setting-list.ts';

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'config '));
  return () => rm(cwd, { recursive: true });
});
const read = (input: Partial<ReadConfigInput>) => readConfig({ flags: {}, env: {}, cwd, ...input });
const problemsOf = (input: Partial<ReadConfigInput>): Record<string, string> => {
  try {
    read(input);
  } catch (error) {
    const { code, params } = error as FacewrightError<'FW_CONFIG_INVALID'>;
    expect(code).toBe('FW_CONFIG_INVALID');
    return Object.fromEntries(params.problems.map((p) => [p.field, p.problem]));
  }
  throw new Error('no problem');
};
const write = async (name: string, text: string): Promise<string> => {
  await writeFile(join(cwd, name), text);
  return name;
};

describe('SETTING_LIST', () => {
  it('is what the schema says (npm run docs writes it)', () => {
    expect(SETTING_LIST).toEqual(describeSettings());
    expect(SETTING_LIST.filter((s) => s.isSecret).map((s) => s.name)).toEqual([
      'redisUrl',
      's3AccessKeyId',
      's3SecretAccessKey',
      'linkSecret',
      'webhookSecret',
    ]);
    for (const { description, name } of SETTING_LIST) expect(description, name).toMatch(/\.$/);
  });
});

describe('readConfig', () => {
  it('takes flags before variables before PORT before the file before defaults, and remembers which', async () => {
    const file = await write('a.json', '{"port": 1, "waitS": 7, "host": "127.0.0.9", "gradio": false}');
    const env = { FACEWRIGHT_CONFIG: file, PORT: '2', FACEWRIGHT_WAIT_S: '8', FACEWRIGHT_S3_PATH_STYLE: 'false', FACEWRIGHT_HOST: '' };
    const { config, settings } = read({ flags: { waitS: '9' }, env });
    expect([config.port, config.waitS, config.host, config.gradio, config.s3PathStyle, config.maxWaitS]).toEqual([
      2,
      9,
      '127.0.0.9',
      false,
      false,
      120,
    ]);
    const sourceOf = (name: string) => settings.find((s) => s.name === name)?.sourceName;
    expect(['port', 'waitS', 'host', 's3PathStyle', 'maxWaitS'].map(sourceOf)).toEqual([
      'PORT',
      '--wait-s',
      'a.json',
      'FACEWRIGHT_S3_PATH_STYLE',
      '',
    ]);
    expect(read({ env: { ...env, FACEWRIGHT_PORT: '3' } }).config.port).toBe(3);
    expect(read({}).config.port).toBe(8080);
  });

  it('reads relative folders from where one stands', () => {
    expect(read({}).config.dataDir).toBe(join(cwd, 'facewright-data'));
    expect(read({ flags: { keysFile: 'k.json' }, env: { FACEWRIGHT_CACHE_DIR: 'c' } }).config).toMatchObject({
      keysFile: join(cwd, 'k.json'),
      cacheDir: join(cwd, 'c'),
    });
  });

  it('tells all problems at once, with what set each', async () => {
    const file = await write('b.json', '{"prot": 1, "logLevel": "loud", "webhookSecret": "short"}');
    const problems = problemsOf({ flags: { config: file, port: '70000' }, env: { FACEWRIGHT_WORKERS: 'many', FACEWRIGHT_WAIT_S: '500' } });
    expect(Object.keys(problems).sort()).toEqual(['logLevel', 'port', 'prot', 'webhookSecret', 'workers']);
    expect(problems.port).toContain('--port');
    expect(problems.workers).toContain('FACEWRIGHT_WORKERS');
    expect(problems.prot).toContain('b.json');
    // Not even a wrong secret is repeated.
    expect(JSON.stringify(problems)).not.toContain('short"');
  });

  it('refuses what does not go together', () => {
    expect(problemsOf({ env: { FACEWRIGHT_WAIT_S: '500' } })).toHaveProperty('waitS');
    expect(problemsOf({ env: { FACEWRIGHT_REDIS_URL: 'http://x' } })).toHaveProperty('redisUrl');
    expect(problemsOf({ env: { FACEWRIGHT_S3_ACCESS_KEY_ID: 'x' } })).toHaveProperty('s3SecretAccessKey');
    expect(problemsOf({ env: { FACEWRIGHT_S3_ENDPOINT: 'http://127.0.0.1:1' } })).toHaveProperty('s3Bucket');
    expect(problemsOf({ flags: { port: '9090' } })).toHaveProperty('adminPort');
    expect(problemsOf({ flags: { port: ' ', host: '' } })).toEqual({ port: 'is empty (from --port)', host: 'is empty (from --host)' });
  });

  it('says what is wrong with the file', async () => {
    expect(problemsOf({ flags: { config: 'none.json' } }).config).toContain('ENOENT');
    expect(problemsOf({ flags: { config: await write('c.json', '{') } }).config).toContain('not JSON');
    expect(problemsOf({ flags: { config: await write('d.json', '[]') } }).config).toContain('JSON object');
  });

  it('never shows a secret, and names variables that are no settings', () => {
    const secret = 'x'.repeat(40);
    const env = {
      FACEWRIGHT_LINK_SECRET: secret,
      FACEWRIGHT_WEBHOOK_SECRET: secret,
      FACEWRIGHT_REDIS_URL: `redis://u:${secret}@127.0.0.1`,
      FACEWRIGHT_S3_ACCESS_KEY_ID: secret,
      FACEWRIGHT_S3_SECRET_ACCESS_KEY: secret,
      FACEWRIGHT_PROT: '1',
      FACEWRIGHT_SHARED: '/x',
    };
    const { settings, unknownVariables, config } = read({ env });
    expect(JSON.stringify(settings)).not.toContain(secret);
    expect(settings.filter((s) => s.value === '[hidden]')).toHaveLength(5);
    expect(config.linkSecret).toBe(secret);
    expect(unknownVariables).toEqual(['FACEWRIGHT_PROT']);
  });
});

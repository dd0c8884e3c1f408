import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFolder, runCli } from '../../test/run-cli.ts';

describe('facewright config', () => {
  it('prints every setting with its value and where it comes from, and no secret', async () => {
    const cwd = createFolder({ 'a.json': '{"maxQueued": 5}' });
    const secret = 's'.repeat(40);
    const env = { FACEWRIGHT_LINK_SECRET: secret, PORT: '9999', FACEWRIGHT_TYPO: '1' };
    const { status, stdout, stderr } = await runCli(['config', '--config', 'a.json', '--wait-s', '3'], { cwd, env });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^maxQueued +5 +file a\.json$/m);
    expect(stdout).toMatch(/^port +9999 +environment PORT$/m);
    expect(stdout).toMatch(/^waitS +3 +flag --wait-s$/m);
    expect(stdout).toMatch(/^linkSecret +\[hidden\] +environment FACEWRIGHT_LINK_SECRET$/m);
    expect(stdout).not.toContain(secret);
    expect(stderr).toContain('FACEWRIGHT_TYPO');
    const json = JSON.parse((await runCli(['config', '--json'], { cwd, env })).stdout);
    expect(json.settings.find((s: { name: string }) => s.name === 'port')).toMatchObject({ value: 9999, source: 'environment' });
    expect(JSON.stringify(json)).not.toContain(secret);
  });

  it('tells all mistakes at once in two lines, status 78', async () => {
    const { status, stderr } = await runCli(['config', '--port', 'x', '--workers', '0']);
    expect(status).toBe(78);
    expect(stderr.trim().split('\n')).toHaveLength(2);
    expect(stderr).toContain('FW_CONFIG_INVALID');
    expect(stderr).toMatch(/port.*workers/);
  });
});

describe('facewright keys', () => {
  it('creates a key that is shown once and kept as a hash, lists and revokes it', async () => {
    const cwd = createFolder();
    const none = await runCli(['keys', 'list'], { cwd });
    expect(none.stdout).toContain('no keys');
    const { status, stdout } = await runCli(['keys', 'create', 'acme', '--note', 'their app', '--rate', '30', '--weight', '2'], { cwd });
    expect(status).toBe(0);
    const key = stdout.trim();
    const file = join(cwd, 'facewright-data', 'keys.json');
    expect(readFileSync(file, 'utf8')).not.toContain(key);
    expect(statSync(file).mode & 0o077).toBe(0);
    const listed = await runCli(['keys', 'list'], { cwd });
    expect(listed.stdout).toMatch(/acme .*valid +their app/);
    expect(listed.stdout).not.toContain(key);
    const json = JSON.parse((await runCli(['keys', 'list', '--json'], { cwd })).stdout);
    expect(json.keys).toMatchObject([{ tenant: 'acme', limits: { ratePerMinute: 30, weight: 2 } }]);
    const revoked = await runCli(['keys', 'revoke', json.keys[0].id], { cwd });
    expect(revoked.stdout).toContain('acme');
    expect((await runCli(['keys', 'list'], { cwd })).stdout).toContain('revoked');
    expect((await runCli(['keys', 'revoke', 'unknown'], { cwd })).status).toBe(66);
  });

  it('refuses names and limits that are not allowed', async () => {
    const cwd = createFolder();
    expect((await runCli(['keys', 'create', 'Acme Inc'], { cwd })).status).toBe(64);
    expect((await runCli(['keys', 'create', 'acme', '--rate', '0'], { cwd })).status).toBe(64);
    expect((await runCli(['keys', 'create', 'acme'], { cwd, env: { FACEWRIGHT_KEYS_FILE: 'other.json' } })).status).toBe(0);
  });
});

describe('facewright api and worker', () => {
  it('want a queue that they can share', async () => {
    for (const role of ['api', 'worker']) {
      const { status, stderr } = await runCli([role], { cwd: createFolder() });
      expect(status).toBe(78);
      expect(stderr).toContain('redisUrl');
    }
  });

  it('explain themselves', async () => {
    const { stdout } = await runCli(['serve', '--help']);
    for (const word of ['--port', '--redis-url', '--drain-grace-s', '--config', 'SIGTERM', 'facewright keys create']) {
      expect(stdout).toContain(word);
    }
    // Fifty flags would hide the ten that matter; `config` tells the others.
    expect(stdout).not.toContain('--webhook-attempts');
  });
});

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateApiKey, parseApiKey } from './api-key.ts';
import { checkListenAddress, isLoopbackName } from './check-listen-address.ts';
import { loadSecret } from './load-secret.ts';
import { createKey, listKeys, revokeKey } from './manage-keys.ts';
import { openTenants, type Tenants } from './open-tenants.ts';

const DEFAULTS = { ratePerMinute: 60, maxPending: 10, maxProcessing: 2, storageBytes: 1e9, weight: 1 };
let dir: string;
let keysFile: string;
let tenants: Tenants | undefined;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'facewright-tenants-'));
  keysFile = join(dir, 'data', 'keys.json');
});
afterEach(async () => {
  tenants?.close();
  tenants = undefined;
  await rm(dir, { recursive: true, force: true });
});
const open = async () => (tenants = await openTenants({ keysFile, defaults: DEFAULTS, reloadMs: 10 }));
/** Looks again until it is so; the time limit of the test is the limit. */
const until = async (isSo: () => boolean) => {
  while (!isSo()) await sleep(5);
};

describe('keys', () => {
  it('a created key opens its tenant with its limits, and is nowhere in the file', async () => {
    const { key, listed } = await createKey(keysFile, { tenant: 'acme', note: 'build farm', limits: { ratePerMinute: 5 } });
    expect(key).toMatch(/^fw_[a-z0-9]{12}_[A-Za-z0-9]{43}$/);
    expect(listed).toMatchObject({ tenant: 'acme', note: 'build farm', limits: { ratePerMinute: 5 } });
    const text = await readFile(keysFile, 'utf8');
    expect(text).not.toContain(key.split('_')[2]);
    expect((await stat(keysFile)).mode & 0o777).toBe(0o600);
    const found = (await open()).authenticate(key);
    expect(found).toEqual({ name: 'acme', limits: { ...DEFAULTS, ratePerMinute: 5 } });
  });

  it('no other key opens anything', async () => {
    const { key } = await createKey(keysFile, { tenant: 'acme' });
    const { authenticate } = await open();
    const [, id, secret = ''] = key.split('_');
    const other = generateApiKey().key;
    const wrong = [
      '',
      'fw_',
      key.slice(0, -1),
      `${key}A`,
      `fw_${id}_${other.split('_')[2]}`,
      `fw_${other.split('_')[1]}_${secret}`,
      other,
      ` ${key}`,
    ];
    for (const attempt of wrong) expect(authenticate(attempt), attempt).toBeNull();
  });

  it('a revoked key stops working while the service runs, and a new one works', async () => {
    const first = await createKey(keysFile, { tenant: 'acme' });
    const { authenticate } = await open();
    const second = await createKey(keysFile, { tenant: 'beta' });
    await until(() => authenticate(second.key) !== null);
    await revokeKey(keysFile, first.listed.id);
    await until(() => authenticate(first.key) === null);
    expect(authenticate(second.key)?.name).toBe('beta');
    expect(await listKeys(keysFile)).toMatchObject([{ tenant: 'acme', revokedAt: expect.any(String) }, { tenant: 'beta' }]);
  });

  it('a tenant is active as long as one of its keys is', async () => {
    const alone = await open();
    expect([alone.isActive('local'), alone.isActive('acme')]).toEqual([true, false]);
    const first = await createKey(keysFile, { tenant: 'acme' });
    const second = await createKey(keysFile, { tenant: 'acme' });
    await until(() => alone.isActive('acme'));
    expect(alone.isActive('local')).toBe(false);
    await revokeKey(keysFile, first.listed.id);
    await until(() => alone.authenticate(first.key) === null);
    expect(alone.isActive('acme')).toBe(true);
    await revokeKey(keysFile, second.listed.id);
    await until(() => !alone.isActive('acme'));
  });

  it('a key may be revoked by itself, twice, but not an unknown one', async () => {
    const { key } = await createKey(keysFile, { tenant: 'acme' });
    const once = await revokeKey(keysFile, key);
    expect((await revokeKey(keysFile, key)).revokedAt).toBe(once.revokedAt);
    await expect(revokeKey(keysFile, 'nothing')).rejects.toMatchObject({ code: 'FW_NOT_FOUND' });
  });

  it('keys created at the same time are all kept', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, (_, i) => createKey(keysFile, { tenant: `t${i}` })));
    expect((await listKeys(keysFile)).map((k) => k.id).sort()).toEqual(made.map((m) => m.listed.id).sort());
  });

  it('the service never falls back to a single user once there was a key, nor to other keys when the file is damaged', async () => {
    const { key } = await createKey(keysFile, { tenant: 'acme' });
    await open();
    await writeFile(keysFile, '{"version":1,"keys":[],');
    await sleep(100);
    expect(tenants!.authenticate(key)?.name).toBe('acme');
    await writeFile(keysFile, '{"version":1,"keys":[],"tenants":{}}');
    await until(() => tenants!.authenticate(key) === null);
    expect(tenants!.singleUser).toBe(false);
  });

  it('a damaged file at the start is an error, not an open service', async () => {
    await createKey(keysFile, { tenant: 'acme' });
    await writeFile(keysFile, '{"keys":[]}');
    await expect(open()).rejects.toMatchObject({ code: 'FW_CONFIG_INVALID' });
  });

  it('names that could not be folders, and limits that are none, are refused', async () => {
    for (const tenant of ['', 'A', '../x', 'a/b', 'a'.repeat(41), '1a', 'local', 'a.b']) {
      await expect(createKey(keysFile, { tenant }), tenant).rejects.toMatchObject({ code: 'FW_ARG_INVALID' });
    }
    for (const value of [0, -1, Number.NaN]) {
      await expect(createKey(keysFile, { tenant: 'a', limits: { maxPending: value } })).rejects.toMatchObject({ code: 'FW_ARG_INVALID' });
    }
  });

  it('keys are different, and of letters and digits of equal weight', () => {
    const keys = Array.from({ length: 400 }, generateApiKey);
    expect(new Set(keys.map((k) => k.key)).size).toBe(400);
    const counts = new Map<string, number>();
    for (const { key } of keys) for (const c of parseApiKey(key)!.secret) counts.set(c, (counts.get(c) ?? 0) + 1);
    expect(counts.size).toBe(62);
    // 400 x 43 characters: 277 of each expected, standard deviation 17; a modulo bias would give some 20 % more (333).
    for (const n of counts.values()) expect(Math.abs(n - 277)).toBeLessThan(6 * 17);
  });
});

describe('without keys', () => {
  it('there is one user', async () => {
    expect((await open()).singleUser).toBe(true);
    expect(tenants!.shareOf('local')).toEqual({ weight: 1, maxProcessing: 2 });
  });

  it('only loopback may be listened on', () => {
    for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '::1', '[::1]']) {
      expect(isLoopbackName(host), host).toBe(true);
      checkListenAddress(host, true);
    }
    for (const host of ['0.0.0.0', '::', '192.168.1.2', 'example.org', '127.0.0.1.example.org', 'localhost.example.org', '']) {
      expect(() => checkListenAddress(host, true), host).toThrow(expect.objectContaining({ code: 'FW_CONFIG_INVALID' }));
      checkListenAddress(host, false);
    }
  });
});

describe('secret of the installation', () => {
  it('is made once, also by many at once, readable by its owner alone', async () => {
    const secrets = await Promise.all(Array.from({ length: 10 }, () => loadSecret(dir, 'links')));
    expect(new Set(secrets).size).toBe(1);
    expect(secrets[0]!.length).toBeGreaterThanOrEqual(43);
    expect(await loadSecret(dir, 'links')).toBe(secrets[0]);
    expect(await loadSecret(dir, 'webhooks')).not.toBe(secrets[0]);
    expect((await stat(join(dir, 'secrets', 'links'))).mode & 0o777).toBe(0o600);
  });
});

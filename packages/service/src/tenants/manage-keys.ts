import { FacewrightError } from '@facewright/protocol';
import { generateApiKey } from './api-key.ts';
import { readKeysFile, type StoredKey, type TenantOverrides, updateKeysFile } from './keys-file.ts';
import { SINGLE_USER_TENANT, TENANT_NAME_PATTERN } from './tenant.ts';

/** A key as it may be shown: without its hash. */
export type ListedKey = Omit<StoredKey, 'sha256'> & { readonly limits: TenantOverrides };

export interface NewKey {
  readonly tenant: string;
  readonly note?: string;
  /** Limits of the tenant, for all its keys; what is absent stays as it is. */
  readonly limits?: TenantOverrides;
}

/**
 * Creates an API key for a tenant (a new one, or one more for an old one). The key itself is returned and kept nowhere.
 *
 * @throws FW_ARG_INVALID for a name or limit that is not allowed, FW_CONFIG_INVALID for a damaged file
 */
export async function createKey(path: string, { tenant, note, limits = {} }: NewKey): Promise<{ key: string; listed: ListedKey }> {
  if (!TENANT_NAME_PATTERN.test(tenant) || tenant === SINGLE_USER_TENANT) {
    const expected = `1 to 40 lower-case letters, digits and "-", beginning with a letter (not "${SINGLE_USER_TENANT}")`;
    throw new FacewrightError('FW_ARG_INVALID', { name: 'tenant', expected, actual: tenant });
  }
  if (note !== undefined && note.length > 200) {
    throw new FacewrightError('FW_ARG_INVALID', { name: 'note', expected: 'at most 200 characters', actual: note });
  }
  for (const [name, value] of Object.entries(limits)) {
    if (value !== undefined && !(value > 0))
      throw new FacewrightError('FW_ARG_INVALID', { name, expected: 'a positive number', actual: value });
  }
  const { key, id, sha256 } = generateApiKey();
  const entry: StoredKey = { id, tenant, sha256, ...(note === undefined ? {} : { note }), createdAt: new Date().toISOString() };
  const file = await updateKeysFile(path, (before) => {
    const merged = { ...before.tenants[tenant], ...withoutUndefined(limits) };
    return {
      ...before,
      keys: [...before.keys, entry],
      tenants: Object.keys(merged).length === 0 ? before.tenants : { ...before.tenants, [tenant]: merged },
    };
  });
  return { key, listed: listKey(entry, file.tenants) };
}

/** All keys ever created, revoked ones too, oldest first. */
export async function listKeys(path: string): Promise<readonly ListedKey[]> {
  const file = await readKeysFile(path);
  return file.keys.map((key) => listKey(key, file.tenants));
}

/**
 * Revokes a key, given by its id or whole. Running services notice within two seconds. Revoking twice is no error.
 *
 * @throws FW_NOT_FOUND
 */
export async function revokeKey(path: string, idOrKey: string): Promise<ListedKey> {
  const id = idOrKey.startsWith('fw_') ? idOrKey.split('_')[1] : idOrKey;
  let revoked: StoredKey | undefined;
  const file = await updateKeysFile(path, (before) => {
    const keys = before.keys.map((key) => (key.id === id ? { ...key, revokedAt: key.revokedAt ?? new Date().toISOString() } : key));
    revoked = keys.find((key) => key.id === id);
    if (revoked === undefined) throw new FacewrightError('FW_NOT_FOUND', { what: 'key' });
    return { ...before, keys };
  });
  return listKey(revoked!, file.tenants);
}

function listKey({ sha256: _, ...key }: StoredKey, tenants: Readonly<Record<string, TenantOverrides>>): ListedKey {
  return { ...key, limits: tenants[key.tenant] ?? {} };
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}

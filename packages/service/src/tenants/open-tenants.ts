import { stat } from 'node:fs/promises';
import type { TenantShare } from '../jobs/job-queue.ts';
import { matchesSecret, parseApiKey } from './api-key.ts';
import { type KeysFile, readKeysFile } from './keys-file.ts';
import { SINGLE_USER_TENANT, type Tenant, type TenantLimits } from './tenant.ts';

/** Who may ask, and how much. */
export interface Tenants {
  /** There is no key: everybody who reaches the service is the one user. Never becomes true again once there was a key. */
  readonly singleUser: boolean;
  /** The tenant of a valid key, or null. Takes as long for a wrong key as for a right one. */
  authenticate(key: string): Tenant | null;
  /** A tenant by name, e.g. of a signed link; with the limits that hold now. */
  tenant(name: string): Tenant;
  /** Whether anybody may still act for a tenant: it has a key that is not revoked, or is the single user. */
  isActive(name: string): boolean;
  /** For the queue. */
  shareOf(name: string): TenantShare;
  close(): void;
}

export interface OpenTenantsOptions {
  readonly keysFile: string;
  /** For tenants whose keys do not say. */
  readonly defaults: TenantLimits;
  /** A changed file that cannot be read: the keys before stay valid. */
  readonly onError?: (error: unknown) => void;
  /** How often the file is looked at, milliseconds. */
  readonly reloadMs?: number;
}

/** A revoked key stops working after at most this and the time to read the file. */
const RELOAD_MS = 1000;
/** Compared with where there is no such key, so that the time does not tell. */
const NO_HASH = '0'.repeat(64);

/**
 * Reads the tenants of a file of keys and follows its changes.
 *
 * @throws FW_CONFIG_INVALID where the file is damaged
 */
export async function openTenants({ keysFile, defaults, onError, reloadMs = RELOAD_MS }: OpenTenantsOptions): Promise<Tenants> {
  let stamp = await stampOf(keysFile);
  let file = await readKeysFile(keysFile);
  let byId = indexKeys(file);
  let singleUser = file.keys.length === 0;

  const reload = async (): Promise<void> => {
    const now = await stampOf(keysFile);
    if (now === stamp) return;
    const next = await readKeysFile(keysFile);
    [stamp, file, byId] = [now, next, indexKeys(next)];
    if (file.keys.length > 0) singleUser = false;
  };
  let reloading = false;
  const timer = setInterval(() => {
    if (reloading) return;
    reloading = true;
    reload()
      .catch((error) => onError?.(error))
      .finally(() => {
        reloading = false;
      });
  }, reloadMs);
  timer.unref();

  const tenant = (name: string): Tenant => ({ name, limits: { ...defaults, ...file.tenants[name] } as TenantLimits });
  return {
    get singleUser() {
      return singleUser;
    },
    authenticate(key) {
      const parsed = parseApiKey(key);
      const entry = parsed === null ? undefined : byId.get(parsed.id);
      const matches = matchesSecret(parsed?.secret ?? '', entry?.sha256 ?? NO_HASH);
      return matches && entry !== undefined && entry.revokedAt === undefined ? tenant(entry.tenant) : null;
    },
    tenant,
    isActive: (name) =>
      singleUser ? name === SINGLE_USER_TENANT : file.keys.some((key) => key.tenant === name && key.revokedAt === undefined),
    shareOf(name) {
      const { weight, maxProcessing } = tenant(name).limits;
      return { weight, maxProcessing };
    },
    close: () => clearInterval(timer),
  };
}

function indexKeys(file: KeysFile): ReadonlyMap<string, KeysFile['keys'][number]> {
  return new Map(file.keys.map((key) => [key.id, key]));
}

/** Changes with every replacement of the file; the same while there is none. */
async function stampOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  return found === null ? '' : `${found.ino}:${found.mtimeNs}:${found.size}`;
}

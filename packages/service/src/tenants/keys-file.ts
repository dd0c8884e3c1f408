import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FacewrightError } from '@facewright/protocol';
import { z } from 'zod';
import { TENANT_NAME_PATTERN } from './tenant.ts';

const limitsSchema = z.strictObject({
  ratePerMinute: z.number().positive().optional(),
  maxPending: z.int().positive().optional(),
  maxProcessing: z.int().positive().optional(),
  storageBytes: z.int().positive().optional(),
  weight: z.number().positive().max(1000).optional(),
});
const nameSchema = z.string().regex(TENANT_NAME_PATTERN);

const keysFileSchema = z.strictObject({
  version: z.literal(1),
  keys: z.array(
    z.strictObject({
      id: z.string().regex(/^[a-z0-9]{12}$/),
      tenant: nameSchema,
      /** Of the secret part, lower-case hex. */
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      note: z.string().max(200).optional(),
      createdAt: z.iso.datetime(),
      revokedAt: z.iso.datetime().optional(),
    }),
  ),
  /** Limits of tenants that differ from the configuration's. */
  tenants: z.record(nameSchema, limitsSchema),
});

/** What the file of API keys holds: hashes, never keys. Revoked keys stay in it, so that a list shows them. */
export type KeysFile = z.output<typeof keysFileSchema>;
export type StoredKey = KeysFile['keys'][number];
/** Limits that a tenant's keys were created with; what is absent comes from the configuration. */
export type TenantOverrides = z.output<typeof limitsSchema>;

const EMPTY: KeysFile = { version: 1, keys: [], tenants: {} };
/** How long one writer may take; an older lock was left by a process that died. */
const LOCK_STALE_MS = 10_000;
const LOCK_RETRY_MS = 25;

/**
 * Reads the file of keys; an absent one has none.
 *
 * @throws FW_CONFIG_INVALID where it cannot be read or is not such a file
 */
export async function readKeysFile(path: string): Promise<KeysFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return EMPTY;
    throw invalid(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    return keysFileSchema.parse(JSON.parse(text));
  } catch (error) {
    throw invalid('is not a file of keys', error);
  }
}

/**
 * Changes the file of keys: one writer at a time, and readers see it before or after, never between. It belongs to its owner alone
 * (mode 0600).
 */
export async function updateKeysFile(path: string, change: (file: KeysFile) => KeysFile): Promise<KeysFile> {
  await mkdir(dirname(path), { recursive: true });
  const release = await lock(`${path}.lock`);
  try {
    const next = keysFileSchema.parse(change(await readKeysFile(path)));
    const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(next, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    return next;
  } finally {
    await release();
  }
}

async function lock(path: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      await (await open(path, 'wx', 0o600)).close();
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const held = await stat(path).catch(() => null);
      if (held !== null && Date.now() - held.mtimeMs > LOCK_STALE_MS) await rm(path, { force: true });
      else await sleep(LOCK_RETRY_MS);
    }
  }
}

function invalid(problem: string, cause?: unknown): FacewrightError {
  return new FacewrightError('FW_CONFIG_INVALID', { problems: [{ field: 'keysFile', problem }] }, { cause });
}

import { join } from 'node:path';
import type { CommandContext } from '../command-context.ts';
import { formatTable } from '../print/format-table.ts';
import type { ServiceFlags } from './service.ts';

export interface NewKeyOptions {
  readonly note?: string;
  readonly limits: Readonly<Partial<Record<'ratePerMinute' | 'maxPending' | 'maxProcessing' | 'storageBytes' | 'weight', number>>>;
}

/** `facewright keys create`: prints a new key once; only its hash is kept. */
export async function createApiKey(
  tenant: string,
  options: NewKeyOptions,
  flags: ServiceFlags,
  { json }: { readonly json: boolean },
  context: CommandContext,
): Promise<number> {
  const { io } = context;
  const { createKey } = await import('@facewright/service');
  const path = await keysFileOf(flags, context);
  const { key, listed } = await createKey(path, { tenant, ...options });
  if (json) io.stdout.write(`${JSON.stringify({ type: 'key', key, ...listed })}\n`);
  else {
    // The key alone on stdout, so that a script can take it.
    io.stdout.write(`${key}\n`);
    io.stderr.write(`Key ${listed.id} of tenant ${listed.tenant}. It is shown only now; ${path} has its hash.\n`);
  }
  return 0;
}

/** `facewright keys list`: all keys ever created, without the keys. */
export async function listApiKeys(flags: ServiceFlags, { json }: { readonly json: boolean }, context: CommandContext): Promise<number> {
  const { io } = context;
  const { listKeys } = await import('@facewright/service');
  const keys = await listKeys(await keysFileOf(flags, context));
  if (json) io.stdout.write(`${JSON.stringify({ type: 'keys', keys })}\n`);
  else if (keys.length === 0) io.stdout.write('There are no keys: whoever reaches the service on this machine is its one user.\n');
  else {
    const rows = keys.map(({ id, tenant, createdAt, revokedAt, note }) => [
      id,
      tenant,
      createdAt.slice(0, 10),
      revokedAt === undefined ? 'valid' : `revoked ${revokedAt.slice(0, 10)}`,
      note ?? '',
    ]);
    io.stdout.write(formatTable(['key', 'tenant', 'created', 'state', 'note'], rows));
  }
  return 0;
}

/** `facewright keys revoke`: by id or by the key itself. Running services notice within two seconds. */
export async function revokeApiKey(
  idOrKey: string,
  flags: ServiceFlags,
  { json }: { readonly json: boolean },
  context: CommandContext,
): Promise<number> {
  const { io } = context;
  const { revokeKey } = await import('@facewright/service');
  const revoked = await revokeKey(await keysFileOf(flags, context), idOrKey);
  if (json) io.stdout.write(`${JSON.stringify({ type: 'revoked', ...revoked })}\n`);
  else io.stdout.write(`Revoked key ${revoked.id} of tenant ${revoked.tenant}.\n`);
  return 0;
}

async function keysFileOf(flags: ServiceFlags, { io }: CommandContext): Promise<string> {
  const { readConfig } = await import('@facewright/service');
  const { config } = readConfig({ flags, env: io.env, cwd: io.cwd });
  return config.keysFile ?? join(config.dataDir, 'keys.json');
}

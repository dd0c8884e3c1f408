import type { ListedObject } from './object-storage.ts';

/** A change that this process made while a listing was under way. */
type Change = { readonly key: string; readonly bytes: number | null } | { readonly removedPrefix: string };

interface TenantUsage {
  /** Bytes by key. */
  sizes: Map<string, number>;
  totalBytes: number;
  /** When the last listing ended, by `now`; -Infinity before the first. */
  listedAt: number;
  /** How long it took, ms. */
  tookMs: number;
  /** The listing that is under way, and what this process changed since it began. */
  listing: { readonly done: Promise<void>; readonly changes: Change[] } | null;
}

export interface UsageIndexOptions {
  readonly list: (tenant: string) => AsyncIterable<ListedObject>;
  /** A listing that is older is made again in the background, to learn what other processes did. */
  readonly refreshMs: number;
  readonly now?: () => number;
}

/** A listing may take at most this share of the time: a tenant with very many objects is listed less often. */
const LISTING_SHARE = 0.02;

/**
 * How many bytes each tenant uses, without listing on every question: one listing when a tenant is first asked for, then the
 * changes of this process one by one, and listings in the background for those of others.
 *
 * Never behind this process: a change that is recorded while a listing runs is applied again to what the listing found, because
 * it may have passed that place before.
 */
export class UsageIndex {
  readonly #tenants = new Map<string, TenantUsage>();
  readonly #options: UsageIndexOptions;
  readonly #now: () => number;

  constructor(options: UsageIndexOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** To be called after an object was written (`bytes`) or deleted (null). */
  record(key: string, bytes: number | null): void {
    this.#change(tenantOf(key), { key, bytes });
  }

  /** To be called after everything below `prefix/` was deleted. */
  recordRemoval(prefix: string): void {
    this.#change(tenantOf(prefix), { removedPrefix: prefix });
  }

  /** Bytes of everything below `prefix/`. Throws what `list` throws, the first time. */
  async usedBytes(prefix: string): Promise<number> {
    const tenant = tenantOf(prefix);
    let usage = this.#tenants.get(tenant);
    if (usage === undefined) {
      usage = { sizes: new Map(), totalBytes: 0, listedAt: Number.NEGATIVE_INFINITY, tookMs: 0, listing: null };
      this.#tenants.set(tenant, usage);
    }
    const isFirst = usage.listedAt === Number.NEGATIVE_INFINITY;
    const age = this.#now() - usage.listedAt;
    if (usage.listing === null && age >= Math.max(this.#options.refreshMs, usage.tookMs / LISTING_SHARE)) {
      this.#startListing(tenant, usage);
    }
    if (isFirst && usage.listing !== null) await usage.listing.done;
    // Of a listing in the background nobody waits; when it fails the next question tries again.
    else usage.listing?.done.catch(() => {});
    if (prefix === tenant) return usage.totalBytes;
    let bytes = 0;
    for (const [key, size] of usage.sizes) if (key.startsWith(`${prefix}/`)) bytes += size;
    return bytes;
  }

  #startListing(tenant: string, usage: TenantUsage): void {
    const changes: Change[] = [];
    const startedAt = this.#now();
    const done = (async () => {
      try {
        const found = new Map<string, number>();
        for await (const object of this.#options.list(tenant)) found.set(object.key, object.bytes);
        usage.sizes = found;
        for (const change of changes) applyChange(found, change);
        usage.totalBytes = 0;
        for (const bytes of found.values()) usage.totalBytes += bytes;
        usage.listedAt = this.#now();
        usage.tookMs = usage.listedAt - startedAt;
      } finally {
        usage.listing = null;
      }
    })();
    usage.listing = { done, changes };
  }

  #change(tenant: string, change: Change): void {
    const usage = this.#tenants.get(tenant);
    if (usage === undefined) return;
    usage.totalBytes += applyChange(usage.sizes, change);
    usage.listing?.changes.push(change);
  }
}

/** Returns by how many bytes the total grew. */
function applyChange(sizes: Map<string, number>, change: Change): number {
  if ('removedPrefix' in change) {
    let grown = 0;
    for (const [key, bytes] of sizes) {
      if (!key.startsWith(`${change.removedPrefix}/`)) continue;
      grown -= bytes;
      sizes.delete(key);
    }
    return grown;
  }
  const grown = (change.bytes ?? 0) - (sizes.get(change.key) ?? 0);
  if (change.bytes === null) sizes.delete(change.key);
  else sizes.set(change.key, change.bytes);
  return grown;
}

const tenantOf = (key: string): string => key.slice(0, key.indexOf('/') < 0 ? key.length : key.indexOf('/'));

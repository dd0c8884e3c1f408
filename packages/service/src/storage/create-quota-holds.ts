import { randomBytes } from 'node:crypto';
import { FacewrightError } from '@facewright/protocol';
import type { Tenant } from '../tenants/tenant.ts';
import type { TenantCounters } from '../tenants/tenant-counters.ts';
import type { ObjectStorage } from './object-storage.ts';

/** What one upload takes of its tenant's storage before it lies there. */
export interface QuotaHold {
  /**
   * Says how many bytes are held now; asks the storage after every {@link STEP_BYTES} more, and where it is told that there are fewer.
   *
   * @throws FW_STORAGE_QUOTA
   */
  set(bytes: number): Promise<void>;
  release(): void;
}

/** How much arrives unasked. */
const STEP_BYTES = 2 ** 20;

/**
 * Counts what is being received against the quotas of tenants, in all processes that share `counters`: bodies need not say how long they
 * are, and count in the storage only when they lie there whole.
 */
export function createQuotaHolds(storage: ObjectStorage, counters: TenantCounters): (tenant: Tenant) => QuotaHold {
  return ({ name, limits }) => {
    const holder = randomBytes(9).toString('base64url');
    let held = 0;
    let told = 0;
    const tell = (bytes: number): Promise<number> => {
      told = bytes;
      return counters.hold(name, holder, bytes);
    };
    return {
      async set(bytes) {
        const isLess = bytes < held;
        held = bytes;
        if (!isLess && bytes - told < STEP_BYTES) return;
        const heldByAll = await tell(bytes);
        const usedBytes = (await storage.usedBytes(name)) + heldByAll;
        if (usedBytes > limits.storageBytes) throw new FacewrightError('FW_STORAGE_QUOTA', { usedBytes, maxBytes: limits.storageBytes });
      },
      release() {
        // What cannot be told now is forgotten by itself.
        if (told > 0) tell(0).catch(() => {});
      },
    };
  };
}

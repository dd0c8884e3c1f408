import { FacewrightError } from '@facewright/protocol';
import type { Tenant } from '../tenants/tenant.ts';
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
 * Counts what is being received against the quotas of tenants: bodies need not say how long they are, and count in the storage only
 * when they lie there whole. Of this process.
 */
export function createQuotaHolds(storage: ObjectStorage): (tenant: Tenant) => QuotaHold {
  const heldByTenant = new Map<string, number>();
  return ({ name, limits }) => {
    let held = 0;
    let asked = 0;
    const change = (bytes: number): void => {
      const sum = (heldByTenant.get(name) ?? 0) + bytes - held;
      if (sum === 0) heldByTenant.delete(name);
      else heldByTenant.set(name, sum);
      held = bytes;
    };
    return {
      async set(bytes) {
        const isLess = bytes < held;
        change(bytes);
        if (!isLess && bytes - asked < STEP_BYTES) return;
        asked = bytes;
        const usedBytes = (await storage.usedBytes(name)) + (heldByTenant.get(name) ?? 0);
        if (usedBytes > limits.storageBytes) throw new FacewrightError('FW_STORAGE_QUOTA', { usedBytes, maxBytes: limits.storageBytes });
      },
      release: () => change(0),
    };
  };
}

import type { TenantShare } from '../jobs/job-queue.ts';

/** What a tenant may do. */
export interface TenantLimits extends TenantShare {
  /** Requests that cost work (create, upload) per minute; bursts up to a quarter of it. */
  readonly ratePerMinute: number;
  /** Waiting and running jobs. */
  readonly maxPending: number;
  readonly storageBytes: number;
}

export interface Tenant {
  /** Also the first segment of its storage keys: lower-case letters, digits, `-`, 1 to 40 characters, begins with a letter. */
  readonly name: string;
  readonly limits: TenantLimits;
}

/** Name of the one tenant where no keys are used. */
export const SINGLE_USER_TENANT = 'local';
export const TENANT_NAME_PATTERN = /^[a-z][a-z0-9-]{0,39}$/;

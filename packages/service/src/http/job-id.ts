import { createHash, randomBytes } from 'node:crypto';

/** Id of a job whose caller chose none: 96 random bits, so that it is never guessed or given twice. */
export function createJobId(): string {
  return `r${randomBytes(12).toString('hex')}`;
}

/** Id that an Idempotency-Key stands for: the same key of the same tenant is the same job, in every instance. */
export function jobIdFromKey(tenant: string, idempotencyKey: string): string {
  return `k${createHash('sha256')
    .update(JSON.stringify(['facewright-idempotency', tenant, idempotencyKey]))
    .digest('hex')
    .slice(0, 40)}`;
}

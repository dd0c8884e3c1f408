import { createHash } from 'node:crypto';
import type { JobOptions } from '@facewright/protocol';

/** What two requests with the same id must have in common to be the same job: photo, options and webhook. Lower-case hex. */
export function computeFingerprint(photoSha256: string, options: JobOptions, webhookUrl: string | null): string {
  const named = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([photoSha256, named, webhookUrl]))
    .digest('hex');
}

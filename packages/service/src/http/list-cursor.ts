import { createHmac, timingSafeEqual } from 'node:crypto';
import { invalidRequest } from './error-from-request.ts';

/** A cursor of the queue as callers see it: bound to its tenant, so that it opens nothing elsewhere and cannot be made up. */
export function formatCursor(secret: string, tenant: string, cursor: string): string {
  return `${Buffer.from(cursor).toString('base64url')}.${sign(secret, tenant, cursor).toString('base64url')}`;
}

/** @throws FW_REQUEST_INVALID for anything that {@link formatCursor} did not make for this tenant */
export function parseCursor(secret: string, tenant: string, text: string): string {
  const [body = '', signature = ''] = text.split('.');
  const cursor = Buffer.from(body, 'base64url').toString('utf8');
  const wanted = sign(secret, tenant, cursor);
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw invalidRequest('after', 'is not a cursor that a list returned');
  }
  return cursor;
}

function sign(secret: string, tenant: string, cursor: string): Buffer {
  return createHmac('sha256', secret)
    .update(JSON.stringify(['facewright-cursor', tenant, cursor]))
    .digest()
    .subarray(0, 12);
}

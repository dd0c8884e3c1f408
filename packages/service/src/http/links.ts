import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a signed link opens: one path of one tenant, until a time. */
export interface LinkTarget {
  readonly tenant: string;
  /** Path below the service, without a leading slash and query, e.g. `v1/reconstructions/ID/files/NAME`. */
  readonly path: string;
  /** Unix seconds. */
  readonly expiresAtS: number;
}

/** Query parameters of a signed link. */
export interface LinkQuery {
  readonly tenant: string;
  readonly expires: string;
  readonly signature: string;
}

/** The link, relative to the address of the service. */
export function signLink(secret: string, target: LinkTarget): string {
  const query = new URLSearchParams({
    tenant: target.tenant,
    expires: String(target.expiresAtS),
    signature: computeSignature(secret, target).toString('base64url'),
  });
  return `${target.path}?${query}`;
}

/** Whether a link was made by {@link signLink} for this path and still holds. Takes as long for a wrong signature as for a right one. */
export function checkLink(secret: string, path: string, query: LinkQuery, nowMs: number): boolean {
  const expiresAtS = /^\d{1,12}$/.test(query.expires) ? Number(query.expires) : 0;
  const wanted = computeSignature(secret, { tenant: query.tenant, path, expiresAtS });
  const given = Buffer.from(query.signature.slice(0, 100), 'base64url');
  const padded = Buffer.alloc(wanted.length);
  given.copy(padded);
  return timingSafeEqual(wanted, padded) && given.length === wanted.length && expiresAtS * 1000 > nowMs;
}

/** HMAC-SHA-256 over the parts as JSON, so that no part can reach into the next. */
function computeSignature(secret: string, { tenant, path, expiresAtS }: LinkTarget): Buffer {
  return createHmac('sha256', secret)
    .update(JSON.stringify(['facewright-link', tenant, path, expiresAtS]))
    .digest();
}

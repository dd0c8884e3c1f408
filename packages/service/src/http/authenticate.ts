import { FacewrightError } from '@facewright/protocol';
import type { FastifyRequest } from 'fastify';
import { SINGLE_USER_TENANT, type Tenant } from '../tenants/tenant.ts';
import type { AppDeps } from './app-deps.ts';
import { checkLink } from './links.ts';

/** Authorization headers of one request that are looked at. */
const MAX_AUTHORIZATIONS = 3;

/**
 * The tenant that a request belongs to: by key, by signed link where the route takes one, or the single user.
 *
 * @throws FW_AUTH_REQUIRED, FW_AUTH_INVALID, FW_LINK_INVALID
 */
export function authenticate(
  request: FastifyRequest,
  deps: Pick<AppDeps, 'tenants' | 'linkSecret' | 'config'>,
  takesLinks: boolean,
): Tenant {
  const { tenants } = deps;
  const query = request.query as Record<string, unknown>;
  if (takesLinks && query.signature !== undefined) return authenticateLink(request, query, deps);
  if (tenants.singleUser) return tenants.tenant(SINGLE_USER_TENANT);
  // Some programs add a token of their own for another service (Gradio's client that of Hugging Face): whichever is a key of ours counts.
  const { headersDistinct } = request.raw as { headersDistinct?: NodeJS.Dict<string[]> };
  const sent = headersDistinct?.authorization ?? [request.headers.authorization ?? []].flat();
  if (sent.length === 0) throw new FacewrightError('FW_AUTH_REQUIRED', {});
  const tenant = sent
    .slice(0, MAX_AUTHORIZATIONS)
    .reduce<Tenant | null>((found, header) => found ?? tenants.authenticate(/^Bearer +(\S+) *$/i.exec(header)?.[1] ?? ''), null);
  if (tenant === null) throw new FacewrightError('FW_AUTH_INVALID', {});
  return tenant;
}

function authenticateLink(
  request: FastifyRequest,
  { tenant, expires, signature }: Record<string, unknown>,
  { tenants, linkSecret, config }: Pick<AppDeps, 'tenants' | 'linkSecret' | 'config'>,
): Tenant {
  const path = (request.raw.url ?? '').split('?')[0]!.slice(config.basePath.length + 1);
  const valid =
    typeof tenant === 'string' &&
    typeof expires === 'string' &&
    typeof signature === 'string' &&
    checkLink(linkSecret, path, { tenant, expires, signature }, Date.now()) &&
    // Who has lost its last key has lost what was made under it, too.
    tenants.isActive(tenant);
  if (!valid) throw new FacewrightError('FW_LINK_INVALID', {});
  return tenants.tenant(tenant as string);
}

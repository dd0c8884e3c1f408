import { FacewrightError } from '@facewright/protocol';
import type { FastifyRequest } from 'fastify';
import type { Config } from '../config/config.ts';
import { isLoopbackName } from '../tenants/check-listen-address.ts';

/**
 * Protects a service without keys from web pages: a page of somebody else must neither send requests to it (CSRF: its Origin is not
 * ours) nor read from it by a DNS name that it points here (rebinding: the Host is not ours). Programs send no Origin and a loopback
 * Host.
 *
 * @throws FW_ORIGIN_REFUSED
 */
export function checkBrowserHeaders(request: FastifyRequest, config: Pick<Config, 'publicUrl' | 'corsOrigins'>): void {
  const publicHost = config.publicUrl === undefined ? null : new URL(config.publicUrl).host;
  const host = (request.headers.host ?? '').toLowerCase();
  if (host !== publicHost && !isLoopbackName(host.replace(/:\d+$/, ''))) throw new FacewrightError('FW_ORIGIN_REFUSED', { header: 'Host' });
  const { origin } = request.headers;
  if (origin === undefined || config.corsOrigins.includes(origin)) return;
  // The port counts: another program of this machine may serve pages that its user does not trust.
  const own = /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1];
  if (own !== host && (own === undefined || own !== publicHost)) throw new FacewrightError('FW_ORIGIN_REFUSED', { header: 'Origin' });
}

import { FacewrightError } from '@facewright/protocol';
import { type HostRules, resolveWebhookHost } from './resolve-webhook-host.ts';

/** Ports below are those of other protocols, which a request could be smuggled into. */
const FIRST_FREE_PORT = 1024;
const WEB_PORTS = new Set(['', '443']);

/**
 * Checks an address before its job is accepted. The address is checked again at every delivery, when it is connected to.
 *
 * @throws FW_WEBHOOK_REFUSED
 */
export async function checkWebhookUrl(text: string, rules: HostRules): Promise<void> {
  await resolveWebhookHost(parseWebhookUrl(text, rules).hostname, rules);
}

/** @throws FW_WEBHOOK_REFUSED for what is refused whatever the name leads to */
export function parseWebhookUrl(text: string, { allowPrivate }: HostRules): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw refused('it is no http(s) address');
  if (url.username !== '' || url.password !== '') throw refused('it holds a user name or password');
  if (allowPrivate) return url;
  if (url.protocol !== 'https:') throw refused('it is not https');
  if (!WEB_PORTS.has(url.port) && Number(url.port) < FIRST_FREE_PORT) throw refused('its port belongs to another protocol');
  return url;
}

const refused = (reason: string): FacewrightError<'FW_WEBHOOK_REFUSED'> => new FacewrightError('FW_WEBHOOK_REFUSED', { reason });

import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { FacewrightError } from '@facewright/protocol';
import { isPublicAddress } from './is-public-address.ts';

/** Addresses of a host name. Throws where there are none. */
export type ResolveName = (name: string) => Promise<readonly string[]>;

export interface HostRules {
  /** Any address, and plain http. */
  readonly allowPrivate: boolean;
  /** For tests. */
  readonly resolveName?: ResolveName | undefined;
}

/** A name server that does not answer is asked twice for so long. */
const DNS_TIMEOUT_MS = 2_000;

/**
 * The address that a webhook's host stands for now. Where one of its addresses is not public, none is used: whoever answers for the name
 * could choose which is taken.
 *
 * @param hostname - of a URL; IPv6 in brackets
 * @throws FW_WEBHOOK_REFUSED - in the same words for a name that does not exist and for one that leads inside, so that nobody learns
 *   names of the network that the service runs in
 */
export async function resolveWebhookHost(
  hostname: string,
  rules: HostRules,
): Promise<{ readonly address: string; readonly family: 4 | 6 }> {
  const name = hostname.replace(/^\[(.*)\]$/, '$1');
  const addresses = isIP(name) !== 0 ? [name] : await (rules.resolveName ?? defaultResolver(rules.allowPrivate))(name).catch(() => []);
  const [address] = addresses;
  if (address === undefined || !(rules.allowPrivate || addresses.every(isPublicAddress))) {
    throw new FacewrightError('FW_WEBHOOK_REFUSED', { reason: 'it does not lead to a public address' });
  }
  return { address, family: isIP(address) === 6 ? 6 : 4 };
}

/**
 * Public names are asked of the name server directly: the system's resolver would take one of the few threads that files are read with,
 * for as long as a slow name server likes. Private names may stand in the hosts file, which only the system's resolver reads.
 */
const defaultResolver = (allowPrivate: boolean): ResolveName => (allowPrivate ? resolveBySystem : resolveByDns);

const resolveBySystem: ResolveName = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

const resolveByDns: ResolveName = async (name) => {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 2 });
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
};

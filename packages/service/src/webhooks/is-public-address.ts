import ipaddr from 'ipaddr.js';

/** Addresses that are public by number and lead to a cloud's own services: Azure's wire server, which gives out credentials. */
const CLOUD_SERVICES = new Set(['168.63.129.16']);
/** The one block of IPv6 that is given out for the Internet. */
const GLOBAL_V6: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/**
 * Whether an IP address (as text) is one of the Internet: no loopback, private, link-local (metadata services), carrier-grade NAT,
 * documentation, multicast or reserved one, and none in which such an address is hidden (mapped, NAT64, 6to4, Teredo).
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address) || address.includes('%')) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast' || CLOUD_SERVICES.has(parsed.toString())) return false;
  return parsed.kind() === 'ipv4' || (parsed as ipaddr.IPv6).match(GLOBAL_V6);
}

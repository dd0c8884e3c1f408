import { FacewrightError } from '@facewright/protocol';

/**
 * Refuses to serve more than this machine without keys: whoever reaches the port would be the user.
 *
 * @throws FW_CONFIG_INVALID
 */
export function checkListenAddress(host: string, singleUser: boolean): void {
  if (!singleUser || isLoopbackName(host)) return;
  const problem = 'without API keys only a loopback address is allowed; create a key first (facewright keys create NAME)';
  throw new FacewrightError('FW_CONFIG_INVALID', { problems: [{ field: 'host', problem }] });
}

/** Whether a host name or address (as in a Host header without its port, or a setting) means this machine whatever a DNS server says. */
export function isLoopbackName(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}

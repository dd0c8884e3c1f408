/**
 * No answer came: the network is down, the service is not running, the address is wrong, or the connection broke on the way.
 * Whether the service took the request is unknown; one with an id or an idempotency key may be sent again.
 */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';

  /** @param doing what was tried, for people: method and path, never a query (links are signed there) */
  constructor(doing: string, options?: ErrorOptions) {
    super(`No answer to ${doing}`, options);
  }
}

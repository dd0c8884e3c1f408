import type { FastifyReply, FastifyRequest } from 'fastify';

/** What pages of other origins may read of an answer. */
const EXPOSED = 'etag, location, preference-applied, ratelimit, ratelimit-policy, retry-after, x-request-id';

/**
 * Lets pages of the configured origins call the API. Answers preflight requests itself; then it returns true.
 */
export function setCorsHeaders(request: FastifyRequest, reply: FastifyReply, origins: readonly string[]): boolean {
  if (origins.length === 0) return false;
  reply.header('vary', 'origin');
  const { origin } = request.headers;
  if (origin === undefined || !origins.includes(origin)) return false;
  reply
    .header('access-control-allow-origin', origin)
    .header('access-control-expose-headers', EXPOSED)
    .header('cross-origin-resource-policy', 'cross-origin');
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false;
  reply
    .header('access-control-allow-methods', 'GET, HEAD, POST, PUT, DELETE')
    .header(
      'access-control-allow-headers',
      'authorization, content-type, idempotency-key, last-event-id, prefer, range, traceparent, x-request-id',
    )
    .header('access-control-max-age', '600')
    .code(204)
    .send();
  return true;
}

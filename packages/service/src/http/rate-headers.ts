import type { FastifyReply } from 'fastify';
import { burstOf, type RateDecision } from '../tenants/rate-limiter.ts';
import type { Tenant } from '../tenants/tenant.ts';

/** RateLimit fields of draft-ietf-httpapi-ratelimit-headers-10: what is allowed, and what is left of it. */
export function setRateHeaders(reply: FastifyReply, { limits }: Tenant, decision: RateDecision): void {
  reply.header('ratelimit-policy', `"photos";q=${Math.floor(limits.ratePerMinute)};w=60, "burst";q=${burstOf(limits.ratePerMinute)};w=15`);
  reply.header('ratelimit', `"burst";r=${decision.remaining};t=${decision.retryAfterS}`);
}

import type { RateDecision } from './rate-limiter.ts';

/**
 * What the processes of the API count together, so that limits of tenants hold over all of them: in memory where there is one, in
 * Redis where several share a queue.
 *
 * Methods throw FW_QUEUE_UNAVAILABLE where the store does not answer in bounded time.
 */
export interface TenantCounters {
  /** Takes one request from the tenant's rate, where one is left. */
  takeRate(tenant: string, ratePerMinute: number): Promise<RateDecision>;
  /**
   * Says how many bytes an upload of the tenant holds now; 0 ends it. What a process that died has said is forgotten within minutes.
   *
   * @param holder - names the upload
   * @returns bytes that all uploads of the tenant hold
   */
  hold(tenant: string, holder: string, bytes: number): Promise<number>;
  /**
   * Claims a name for this process, until the returned function is called; null where another holds it. The claim of a process that
   * died ends within a minute.
   */
  claim(name: string): Promise<(() => void) | null>;
  close(): Promise<void>;
}

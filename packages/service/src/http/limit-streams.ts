import { FacewrightError } from '@facewright/protocol';

/** Of all connections one tenant's streams may hold this share; the rest stays for everybody's short requests and health checks. */
const SHARE = 1 / 4;
/** A page with a few tabs is no reason to refuse, however few connections there are. */
const MIN_STREAMS = 16;
/** Streams end with their jobs, within seconds. */
const RETRY_AFTER_S = 5;

/** Counts the answers that stay open for long: streams of events, also those of Gradio clients, and requests that wait for their result. */
export interface StreamLimit {
  /**
   * Counts one more stream of a tenant until `answer` is closed.
   *
   * @throws FW_RATE_LIMITED
   */
  take(tenant: string, answer: StreamAnswer): void;
  /** The same for an answer that can do without: false, and not counted, where the tenant has enough. */
  tryTake(tenant: string, answer: StreamAnswer): boolean;
}

/** As much of a response as is needed to see its end. */
interface StreamAnswer {
  readonly destroyed: boolean;
  once(event: 'close', listener: () => void): unknown;
}

export function limitStreams(maxConnections: number): StreamLimit {
  const max = Math.max(MIN_STREAMS, Math.floor(maxConnections * SHARE));
  const open = new Map<string, number>();
  const tryTake: StreamLimit['tryTake'] = (tenant, answer) => {
    // Its end has been already.
    if (answer.destroyed) return true;
    const count = open.get(tenant) ?? 0;
    if (count >= max) return false;
    open.set(tenant, count + 1);
    answer.once('close', () => {
      const left = open.get(tenant)! - 1;
      if (left === 0) open.delete(tenant);
      else open.set(tenant, left);
    });
    return true;
  };
  return {
    tryTake,
    take(tenant, answer) {
      if (!tryTake(tenant, answer)) throw new FacewrightError('FW_RATE_LIMITED', { retryAfterS: RETRY_AFTER_S });
    },
  };
}

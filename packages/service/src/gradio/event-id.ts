import { createHmac, timingSafeEqual } from 'node:crypto';

/** What happens at one call of `/predict`: a job, or a refusal that is kept to be told. */
export interface GradioEvent {
  readonly tenant: string;
  readonly id: string;
}

/** 128 bits: not to be guessed. */
const MAC_BYTES = 16;

/**
 * The id of an event as clients get it. It says what it is of and is signed: clients cancel without their key, so the id must do, and
 * any instance must understand it.
 */
export function formatEventId(secret: string, event: GradioEvent): string {
  const payload = Buffer.from(JSON.stringify([event.tenant, event.id])).toString('base64url');
  return `${payload}.${macOf(secret, payload).toString('base64url')}`;
}

/** The event of an id that {@link formatEventId} made, or null. */
export function parseEventId(secret: string, text: unknown): GradioEvent | null {
  const [, payload, mac] = typeof text === 'string' ? (/^([\w-]{1,300})\.([\w-]{22})$/.exec(text) ?? []) : [];
  if (payload === undefined || mac === undefined) return null;
  if (!timingSafeEqual(macOf(secret, payload), Buffer.from(mac, 'base64url'))) return null;
  const [tenant, id] = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [string, string];
  return { tenant, id };
}

function macOf(secret: string, payload: string): Buffer {
  return createHmac('sha256', secret).update(`facewright-gradio-event ${payload}`).digest().subarray(0, MAC_BYTES);
}

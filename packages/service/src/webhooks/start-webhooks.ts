import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { ReconstructionView } from '@facewright/protocol';
import { isFacewrightError } from '@facewright/protocol';
import { z } from 'zod';
import { isFinished, type Job } from '../jobs/job.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import type { Log } from '../observability/create-log.ts';
import type { ObjectStorage } from '../storage/object-storage.ts';
import { checkWebhookUrl } from './check-webhook-url.ts';
import { postWebhook } from './post-webhook.ts';
import type { HostRules } from './resolve-webhook-host.ts';
import { deriveWebhookSecret, signWebhook } from './sign-webhook.ts';

export interface WebhookPauses {
  /** Before the second attempt; each further one waits five times as long. */
  readonly firstRetryMs: number;
  /** For one attempt. */
  readonly timeoutMs: number;
  /** Between looks for deliveries that another process left. */
  readonly lookMs: number;
  /** A delivery that is overdue for so long was left. */
  readonly overdueMs: number;
  /** For so long ahead a process says that it holds what is due and waits for its turn; said again when half of it is over. */
  readonly leaseMs: number;
}

export interface WebhookDeps {
  readonly queue: JobQueue;
  readonly storage: ObjectStorage;
  readonly log: Log;
  /** Of the service; each tenant's is derived from it. */
  readonly secret: string;
  /** Deliveries that are tried. */
  readonly attempts: number;
  readonly rules: HostRules;
  /** The reconstruction as its tenant sees it, with signed links. */
  readonly viewJob: (job: Job) => ReconstructionView;
  readonly pauses?: WebhookPauses;
}

export interface Webhooks {
  /** @throws FW_WEBHOOK_REFUSED */
  checkUrl(url: string): Promise<void>;
  stop(): Promise<void>;
}

/** 5 s, 25 s, 2 min, 10 min, 52 min: with the six attempts of the default a receiver may be away for an hour. */
const PAUSES: WebhookPauses = { firstRetryMs: 5_000, timeoutMs: 10_000, lookMs: 15_000, overdueMs: 30_000, leaseMs: 90_000 };
const RETRY_FACTOR = 5;
const MAX_RETRY_MS = 6 * 3_600_000;
/** Pauses differ by so much, so that receivers which come back are not overrun. */
const JITTER = 0.2;
/** Requests of this process at once, and of one tenant: receivers that hang hold up only their own tenant. */
const MAX_RUNNING = 32;
const MAX_RUNNING_PER_TENANT = 4;
/** Deliveries that are held in memory; more stay in the storage until there is room. */
const MAX_HELD = 10_000;
/** A queue that did not answer is no attempt. */
const QUEUE_RETRY_MS = 5_000;
/** Tries to write a delivery down before it is done from memory. */
const WRITE_TRIES = 3;
const HTTP_GONE = 410;

/** Outside of the tenants' folders: no tenant's name begins with `_`. */
const FOLDER = '_webhooks';
const JSON_TYPE = { contentType: 'application/json' };
/** `nextAt` lies in the future also while a process holds what is due: others leave it alone until then. */
const recordSchema = z.object({ attempt: z.int().min(0), nextAt: z.number() });
/** Objects that are written at once to keep deliveries held. */
const PARALLEL_LEASES = 16;

interface Delivery {
  readonly tenant: string;
  readonly id: string;
  /** Of the job, Unix ms: an id that is used again has an end of its own to tell. */
  readonly finishedAt: number;
  /** Attempts that were made. */
  attempt: number;
  /** Unix ms. */
  nextAt: number;
  /** Until when its object says that it is held. Unix ms. */
  heldUntil: number;
  /** Being sent, or its object being written. */
  running: boolean;
}

/**
 * Tells receivers that reconstructions have ended: signed (Standard Webhooks), retried with growing pauses, at least once. Every
 * delivery is an object in the storage from the end of its job until it succeeds or is given up, so that it survives the process; the
 * queue tells of an end again until that object is written.
 */
export function startWebhooks(deps: WebhookDeps): Webhooks {
  const { queue, storage, log, pauses = PAUSES, rules } = deps;
  const stopping = new AbortController();
  const { signal } = stopping;
  const held = new Map<string, Delivery>();
  const running = new Set<Promise<void>>();
  const runningByTenant = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;

  const keyOf = ({ tenant, id, finishedAt }: Pick<Delivery, 'tenant' | 'id' | 'finishedAt'>): string =>
    `${FOLDER}/${tenant}/${id}/${finishedAt}`;
  const write = async (delivery: Delivery): Promise<void> => {
    const { attempt } = delivery;
    const nextAt = Math.max(delivery.nextAt, delivery.heldUntil);
    await storage.put(keyOf(delivery), Buffer.from(JSON.stringify({ attempt, nextAt })), JSON_TYPE);
  };

  /** Written down before the queue learns that its end was heard of. */
  async function enqueue(job: Job): Promise<void> {
    const { tenant, id } = job;
    const now = Date.now();
    const delivery: Delivery = { tenant, id, finishedAt: job.finishedAt ?? 0, attempt: 0, nextAt: now, heldUntil: now, running: false };
    if (held.has(keyOf(delivery))) return;
    for (let attempt = 1; attempt <= WRITE_TRIES; attempt++) {
      try {
        await write(delivery);
        break;
      } catch (error) {
        log.warn({ error, tenant: job.tenant, jobId: job.id, attempt }, 'A webhook could not be written down');
        await pause(QUEUE_RETRY_MS);
      }
    }
    hold(delivery);
  }

  function hold(delivery: Delivery): void {
    if (signal.aborted || held.size >= MAX_HELD || held.has(keyOf(delivery))) return;
    held.set(keyOf(delivery), delivery);
    pump();
  }

  /** Starts what is due and allowed, and wakes up for what is next. */
  function pump(): void {
    clearTimeout(timer);
    if (signal.aborted) return;
    const now = Date.now();
    let next = Number.POSITIVE_INFINITY;
    for (const delivery of held.values()) {
      if (delivery.running) continue;
      if (delivery.nextAt > now) {
        next = Math.min(next, delivery.nextAt);
        continue;
      }
      const ofTenant = runningByTenant.get(delivery.tenant) ?? 0;
      if (running.size >= MAX_RUNNING || ofTenant >= MAX_RUNNING_PER_TENANT) continue;
      begin(delivery, ofTenant);
    }
    // One that is due and not allowed yet starts when another has ended.
    if (Number.isFinite(next)) timer = setTimeout(pump, Math.max(1, next - now)).unref();
  }

  function begin(delivery: Delivery, ofTenant: number): void {
    delivery.running = true;
    runningByTenant.set(delivery.tenant, ofTenant + 1);
    const work = deliver(delivery)
      .catch((error: unknown) => {
        if (!signal.aborted)
          log.error({ error, tenant: delivery.tenant, jobId: delivery.id }, 'A webhook waits because of an unexpected error');
        delivery.nextAt = Date.now() + QUEUE_RETRY_MS;
      })
      .finally(() => {
        running.delete(work);
        delivery.running = false;
        const left = (runningByTenant.get(delivery.tenant) ?? 1) - 1;
        if (left === 0) runningByTenant.delete(delivery.tenant);
        else runningByTenant.set(delivery.tenant, left);
        pump();
      });
    running.add(work);
  }

  const forget = async (delivery: Delivery): Promise<void> => {
    await storage.delete(keyOf(delivery));
    held.delete(keyOf(delivery));
  };

  /** One attempt. Throws where queue or storage do not answer. */
  async function deliver(delivery: Delivery): Promise<void> {
    const { tenant, id } = delivery;
    const job = await queue.get(tenant, id);
    // Deleted, expired or used again, which has an end of its own: there is nothing to tell any more.
    if (job === null || job.webhookUrl === null || !isFinished(job.state) || (job.finishedAt ?? 0) !== delivery.finishedAt)
      return await forget(delivery);
    const fields = { tenant, jobId: id, requestId: job.requestId, attempt: delivery.attempt + 1 };
    let failure: { readonly reason: string; readonly final: boolean; readonly retryAfterS: number | null };
    try {
      const { status, retryAfterS } = await send(job, job.webhookUrl);
      if (status >= 200 && status < 300) {
        log.debug(fields, 'Webhook delivered');
        return await forget(delivery);
      }
      failure = { reason: `answered ${status}`, final: status === HTTP_GONE, retryAfterS };
    } catch (error) {
      if (signal.aborted) throw error;
      failure = { reason: reasonOf(error), final: false, retryAfterS: null };
    }
    delivery.attempt++;
    if (failure.final || delivery.attempt >= deps.attempts) {
      log.warn({ ...fields, reason: failure.reason }, 'Webhook given up');
      return await forget(delivery);
    }
    log.info({ ...fields, reason: failure.reason }, 'Webhook failed; it is tried again');
    delivery.nextAt = Date.now() + computePauseMs(delivery.attempt, failure.retryAfterS, pauses.firstRetryMs);
    delivery.heldUntil = delivery.nextAt;
    await write(delivery);
  }

  /** Says of what is due and waits for its turn that it is held here, so that no other process takes it for left. */
  async function keepHeld(): Promise<void> {
    const now = Date.now();
    const due = [...held.values()].filter(({ nextAt, heldUntil }) => nextAt <= now && heldUntil < now + pauses.leaseMs / 2);
    for (let i = 0; i < due.length && !signal.aborted; i += PARALLEL_LEASES)
      await Promise.all(due.slice(i, i + PARALLEL_LEASES).map((delivery) => keepOne(delivery)));
  }

  async function keepOne(delivery: Delivery): Promise<void> {
    // What is being sent writes or deletes its object itself, and soon.
    if (delivery.running || !held.has(keyOf(delivery))) return;
    delivery.running = true;
    delivery.heldUntil = Date.now() + pauses.leaseMs;
    await write(delivery).catch((error: unknown) => log.warn({ error }, 'A webhook that waits could not be held'));
    delivery.running = false;
  }

  async function send(job: Job, url: string): Promise<Awaited<ReturnType<typeof postWebhook>>> {
    const body = JSON.stringify({
      type: `reconstruction.${job.state}`,
      timestamp: new Date(job.finishedAt ?? Date.now()).toISOString(),
      data: deps.viewJob(job),
    });
    // The same for every attempt, and another where the id is used again: by it receivers tell repetitions.
    const messageId = `msg_${job.id}_${job.finishedAt ?? 0}`;
    const headers = signWebhook(deriveWebhookSecret(deps.secret, job.tenant), messageId, Math.floor(Date.now() / 1000), body);
    return await postWebhook(url, rules, {
      body,
      headers: { ...headers, 'user-agent': 'Facewright-Webhooks/1', ...(job.traceparent === null ? {} : { traceparent: job.traceparent }) },
      timeoutMs: pauses.timeoutMs,
      signal,
    });
  }

  /** Takes up deliveries of processes that died, also of this one's predecessor. */
  async function lookForLeft(): Promise<void> {
    while (!signal.aborted) {
      try {
        await keepHeld();
        pump();
        for await (const { key } of storage.list(FOLDER)) {
          const [, tenant, id, end] = key.split('/');
          if (signal.aborted || tenant === undefined || id === undefined || end === undefined || held.size >= MAX_HELD) break;
          if (held.has(key)) continue;
          const record = await readRecord(key);
          if (record === null || record.nextAt + pauses.overdueMs > Date.now()) continue;
          hold({ tenant, id, finishedAt: Number(end), ...record, heldUntil: record.nextAt, running: false });
        }
      } catch (error) {
        log.warn({ error }, 'Webhooks that are due cannot be listed; it is tried again');
      }
      await pause(pauses.lookMs);
    }
  }

  async function readRecord(key: string): Promise<z.output<typeof recordSchema> | null> {
    const found = await storage.get(key);
    if (found === null) return null;
    const parsed = recordSchema.safeParse(JSON.parse((await buffer(found.stream)).toString('utf8')));
    return parsed.success ? parsed.data : { attempt: 0, nextAt: 0 };
  }

  const pause = (ms: number): Promise<void> => delay(ms, undefined, { signal, ref: false }).catch(() => {});
  const watching = queue
    .watchFinished((job) => (job.webhookUrl === null ? undefined : enqueue(job)))
    .catch((error: unknown) => {
      log.error({ error }, 'Ended jobs cannot be watched; webhooks of this process are not sent');
      return () => {};
    });
  const looking = lookForLeft();

  return {
    checkUrl: (url) => checkWebhookUrl(url, rules),
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      (await watching)();
      await looking;
      await Promise.all(running);
    },
  };
}

/** Milliseconds until the next attempt, after `attempt` were made. */
export function computePauseMs(attempt: number, retryAfterS: number | null, firstRetryMs: number, chance = Math.random()): number {
  const backoff = Math.min(MAX_RETRY_MS, firstRetryMs * RETRY_FACTOR ** (attempt - 1)) * (1 + JITTER * (2 * chance - 1));
  return Math.max(backoff, Math.min(MAX_RETRY_MS, (retryAfterS ?? 0) * 1000));
}

/** In fixed words or codes: messages name addresses. */
function reasonOf(error: unknown): string {
  if (isFacewrightError(error, 'FW_WEBHOOK_REFUSED')) return `refused: ${error.params.reason}`;
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (name === 'TimeoutError') return 'no answer in time';
  return typeof code === 'string' ? code : 'the connection failed';
}

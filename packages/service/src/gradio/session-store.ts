import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { jobPrefix } from '../storage/job-keys.ts';
import type { ObjectStorage } from '../storage/object-storage.ts';

/** How long an upload waits for its call, milliseconds. */
const UPLOAD_TTL_MS = 15 * 60_000;
/** How long a session or a refusal may be asked for, milliseconds. */
const SESSION_TTL_MS = 60 * 60_000;

export interface SessionEvent {
  readonly id: string;
  /** Unix ms. */
  readonly joinedAt: number;
}

/** What the routes must remember between requests, also between requests to different instances. */
export interface SessionStore {
  /** A new name for an upload; the job that is made of it gets the same. */
  createUploadId(): string;
  uploadKey(tenant: string, id: string): string;
  /** The upload is deleted after a while, used or not. */
  expireUpload(tenant: string, id: string): void;
  /** Keeps the text of a refusal. Returns its event's id. */
  refuse(tenant: string, text: string): Promise<string>;
  readRefusal(tenant: string, id: string): Promise<string | null>;
  /** Adds an event to a session of the tenant. */
  join(tenant: string, session: string, id: string): Promise<void>;
  /** Whether the event is in the session and was not told yet. */
  has(tenant: string, session: string, id: string): Promise<boolean>;
  /** The session's events, in no order. */
  list(tenant: string, session: string): Promise<readonly SessionEvent[]>;
  /** The event has been told. */
  forget(tenant: string, session: string, id: string): Promise<void>;
  /** Calls `listener` when this instance adds to the session. */
  onJoin(tenant: string, session: string, listener: () => void): () => void;
  close(): void;
}

/**
 * Keeps uploads, sessions and refusals in the storage, as objects of jobs that nobody knows: where an instance dies, the hourly round
 * deletes them. Names that clients choose are hashed before they become keys.
 */
export function createSessionStore(storage: ObjectStorage): SessionStore {
  const joins = new EventEmitter();
  joins.setMaxListeners(0);
  const timers = new Set<NodeJS.Timeout>();
  // What cannot be deleted now goes with the hourly round.
  const expire = (key: string, ttlMs: number): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      storage.delete(key).catch(() => {});
    }, ttlMs);
    timers.add(timer.unref());
  };
  const sessionPrefix = (tenant: string, session: string): string =>
    jobPrefix(tenant, `gs-${createHash('sha256').update(session).digest('hex').slice(0, 40)}`);
  const uploadKey = (tenant: string, id: string): string => `${jobPrefix(tenant, id)}/upload/photo`;
  const refusalKey = (tenant: string, id: string): string => `${jobPrefix(tenant, id)}/refusal`;
  return {
    createUploadId: () => `g${randomBytes(12).toString('hex')}`,
    uploadKey,
    expireUpload: (tenant, id) => expire(uploadKey(tenant, id), UPLOAD_TTL_MS),
    async refuse(tenant, text) {
      const id = `x${randomBytes(12).toString('hex')}`;
      await storage.put(refusalKey(tenant, id), Buffer.from(text), { contentType: 'text/plain' });
      expire(refusalKey(tenant, id), SESSION_TTL_MS);
      return id;
    },
    async readRefusal(tenant, id) {
      const found = await storage.get(refusalKey(tenant, id));
      if (found === null) return null;
      const chunks: Buffer[] = [];
      for await (const chunk of found.stream) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString();
    },
    async join(tenant, session, id) {
      const key = `${sessionPrefix(tenant, session)}/${id}`;
      await storage.put(key, Buffer.from('1'), { contentType: 'text/plain' });
      expire(key, SESSION_TTL_MS);
      joins.emit(`${tenant}/${session}`);
    },
    has: async (tenant, session, id) => (await storage.stat(`${sessionPrefix(tenant, session)}/${id}`)) !== null,
    async list(tenant, session) {
      const events: SessionEvent[] = [];
      for await (const { key, modifiedAt } of storage.list(sessionPrefix(tenant, session))) {
        events.push({ id: key.slice(key.lastIndexOf('/') + 1), joinedAt: modifiedAt });
      }
      return events;
    },
    async forget(tenant, session, id) {
      await storage.delete(`${sessionPrefix(tenant, session)}/${id}`);
      if (id.startsWith('x')) await storage.delete(refusalKey(tenant, id));
    },
    onJoin(tenant, session, listener) {
      const name = `${tenant}/${session}`;
      joins.on(name, listener);
      return () => void joins.off(name, listener);
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

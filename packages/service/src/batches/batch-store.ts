import { buffer } from 'node:stream/consumers';
import type { WireError } from '@facewright/protocol';
import { batchPrefix } from '../storage/job-keys.ts';
import type { ObjectStorage } from '../storage/object-storage.ts';
import { type BatchRecord, parseBatchRecord, parseWireError } from './batch-record.ts';

/** What lies in the storage of a batch, from one listing. */
export interface BatchContents {
  /** Keys of photos that wait for room in the queue. */
  readonly waiting: ReadonlySet<string>;
  /** Numbers of photos that were refused when their turn came. */
  readonly refused: ReadonlySet<number>;
  readonly canceled: boolean;
}

/** A batch of which something is known without reading it. */
export interface BatchMark {
  readonly tenant: string;
  readonly id: string;
  /** Unix ms: of an open batch the last sign of life of the process that feeds it, else when it began. */
  readonly markedAt: number;
}

/**
 * Batches in the object storage. Each object is written by one party only, so that processes need not agree: the record by whoever
 * took the batch in, `canceled` by whoever cancels it, refusals by whoever feeds it. Two marks outside of the tenants' folders (no
 * tenant's name begins with `_`) say which batches there are and which are not fed to their end.
 */
export interface BatchStore {
  read(tenant: string, id: string): Promise<BatchRecord | null>;
  /** Commits a batch: from here on it is one. */
  write(record: BatchRecord): Promise<void>;
  contents(tenant: string, id: string): Promise<BatchContents>;
  readRefusal(tenant: string, id: string, index: number): Promise<WireError | null>;
  refuse(tenant: string, id: string, index: number, error: WireError): Promise<void>;
  cancel(tenant: string, id: string): Promise<void>;
  isCanceled(tenant: string, id: string): Promise<boolean>;
  /** Says that the batch is being taken in or fed, now. */
  markOpen(tenant: string, id: string): Promise<void>;
  /** Says that there is a batch; before anything of it is stored, so that a crash leaves nothing unseen. */
  markKnown(tenant: string, id: string): Promise<void>;
  closeMark(tenant: string, id: string): Promise<void>;
  open(): AsyncIterable<BatchMark>;
  /** All, or those of one tenant. */
  known(tenant?: string): AsyncIterable<BatchMark>;
  /** Deletes everything of a batch but its jobs. */
  remove(tenant: string, id: string): Promise<void>;
  /**
   * Deletes what an upload that did not become a batch has stored, and the marks where nothing else is there: another process may have
   * taken in, or be taking in, a batch under the same id.
   */
  abandon(tenant: string, id: string, upload: string): Promise<void>;
}

const JSON_TYPE = { contentType: 'application/json' };
const OPEN = '_batches/open';
const KNOWN = '_batches/known';
const markKey = (kind: string, tenant: string, id: string): string => `${kind}/${tenant}/${id}`;
const recordKey = (tenant: string, id: string): string => `${batchPrefix(tenant, id)}/record`;
const cancelKey = (tenant: string, id: string): string => `${batchPrefix(tenant, id)}/canceled`;
const refusalKey = (tenant: string, id: string, index: number): string => `${batchPrefix(tenant, id)}/refused/${index}`;

const uploadPrefix = (tenant: string, id: string, upload: string): string => `${batchPrefix(tenant, id)}/in-${upload}`;

/** Where the photos of one upload wait; two uploads under one id do not mix. */
export const waitingKey = (tenant: string, id: string, upload: string, index: number): string =>
  `${uploadPrefix(tenant, id, upload)}/${index}`;

export function createBatchStore(storage: ObjectStorage): BatchStore {
  const readText = async (key: string): Promise<string | null> => {
    const found = await storage.get(key);
    return found === null ? null : (await buffer(found.stream)).toString('utf8');
  };
  async function* marks(kind: string, below = kind): AsyncIterable<BatchMark> {
    for await (const { key, modifiedAt } of storage.list(below)) {
      const [tenant, id, ...more] = key.slice(kind.length + 1).split('/');
      if (tenant !== undefined && id !== undefined && more.length === 0) yield { tenant, id, markedAt: modifiedAt };
    }
  }
  const mark = async (kind: string, tenant: string, id: string): Promise<void> => {
    await storage.put(markKey(kind, tenant, id), new Uint8Array(0), JSON_TYPE);
  };

  const read = async (tenant: string, id: string): Promise<BatchRecord | null> => {
    const text = await readText(recordKey(tenant, id));
    return text === null ? null : parseBatchRecord(text);
  };
  const remove = async (tenant: string, id: string): Promise<void> => {
    // The record first: whoever feeds the batch sees that it is gone. The mark last: what a crash leaves is found again.
    await storage.delete(recordKey(tenant, id));
    await storage.deleteAll(batchPrefix(tenant, id));
    await storage.delete(markKey(OPEN, tenant, id));
    await storage.delete(markKey(KNOWN, tenant, id));
  };

  return {
    read,
    async write(record) {
      await storage.put(recordKey(record.tenant, record.id), Buffer.from(JSON.stringify(record)), JSON_TYPE);
    },
    async contents(tenant, id) {
      const prefix = batchPrefix(tenant, id);
      const waiting = new Set<string>();
      const refused = new Set<number>();
      let canceled = false;
      for await (const { key } of storage.list(prefix)) {
        const rest = key.slice(prefix.length + 1);
        if (rest.startsWith('in-')) waiting.add(key);
        else if (rest.startsWith('refused/')) refused.add(Number(rest.slice('refused/'.length)));
        else if (rest === 'canceled') canceled = true;
      }
      return { waiting, refused, canceled };
    },
    async readRefusal(tenant, id, index) {
      const text = await readText(refusalKey(tenant, id, index));
      return text === null ? null : parseWireError(text);
    },
    async refuse(tenant, id, index, error) {
      await storage.put(refusalKey(tenant, id, index), Buffer.from(JSON.stringify({ ...error, params: error.params ?? {} })), JSON_TYPE);
    },
    async cancel(tenant, id) {
      await storage.put(cancelKey(tenant, id), new Uint8Array(0), JSON_TYPE);
    },
    isCanceled: async (tenant, id) => (await storage.stat(cancelKey(tenant, id))) !== null,
    markOpen: (tenant, id) => mark(OPEN, tenant, id),
    markKnown: (tenant, id) => mark(KNOWN, tenant, id),
    closeMark: (tenant, id) => storage.delete(markKey(OPEN, tenant, id)),
    open: () => marks(OPEN),
    known: (tenant) => marks(KNOWN, tenant === undefined ? KNOWN : `${KNOWN}/${tenant}`),
    remove,
    async abandon(tenant, id, upload) {
      const own = uploadPrefix(tenant, id, upload);
      const record = await read(tenant, id);
      // A write of the record that failed may have arrived all the same; its photos would be missing.
      if (record?.photos.some(({ key }) => key?.startsWith(`${own}/`))) return await remove(tenant, id);
      await storage.deleteAll(own);
      if (record !== null) return;
      // Photos of another upload that is on its way: it needs the marks, and takes care of them.
      for await (const _ of storage.list(batchPrefix(tenant, id))) return;
      await storage.delete(markKey(OPEN, tenant, id));
      await storage.delete(markKey(KNOWN, tenant, id));
      if ((await read(tenant, id)) === null) return;
      // Committed meanwhile.
      await mark(KNOWN, tenant, id);
      await mark(OPEN, tenant, id);
    },
  };
}

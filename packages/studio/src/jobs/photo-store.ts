import type { Thumbnail } from '../upload/create-thumbnail.ts';

/**
 * Small pictures of the photos that this browser sent, kept in its own database only, to show them beside their faces after a
 * reload. They never travel anywhere, and the reader can delete them.
 */

const DATABASE = 'facewright';
const STORE = 'photos';
/** More than this many are not kept: the oldest go first. */
const MAX_PHOTOS = 100;

interface StoredPhoto extends Thumbnail {
  readonly id: string;
  /** Unix ms. */
  readonly storedAt: number;
}

let opened: Promise<IDBDatabase | null> | null = null;

/** The database; null where the browser has none (private windows of some), then nothing is kept. */
function open(): Promise<IDBDatabase | null> {
  opened ??= new Promise((resolve) => {
    try {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' }).createIndex('storedAt', 'storedAt');
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
      request.onblocked = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
  return opened;
}

async function run<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | null> {
  const database = await open();
  if (database === null) return null;
  return new Promise((resolve) => {
    try {
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      // Only what is complete is there after a reload.
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => resolve(null);
      transaction.onabort = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
}

/** Resolves when the picture is there after a reload, or cannot be kept here. */
export async function keepPhoto(id: string, thumbnail: Thumbnail): Promise<void> {
  await run('readwrite', (store) => store.put({ ...thumbnail, id, storedAt: Date.now() } satisfies StoredPhoto));
  void dropOldest();
}

async function dropOldest(): Promise<void> {
  const keys = await run('readonly', (store) => store.index('storedAt').getAllKeys());
  for (const key of (keys ?? []).slice(0, -MAX_PHOTOS)) await run('readwrite', (store) => store.delete(key));
}

export async function findPhoto(id: string): Promise<Thumbnail | null> {
  return (await run<StoredPhoto | undefined>('readonly', (store) => store.get(id))) ?? null;
}

export async function forgetPhoto(id: string): Promise<void> {
  await run('readwrite', (store) => store.delete(id));
}

export async function countPhotos(): Promise<number> {
  return (await run('readonly', (store) => store.count())) ?? 0;
}

export async function forgetAllPhotos(): Promise<void> {
  await run('readwrite', (store) => store.clear());
}

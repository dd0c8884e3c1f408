import type { JobOptionsInput } from '@facewright/protocol';
import type { Thumbnail } from '../upload/create-thumbnail.ts';

/**
 * What this browser keeps in its own database only, and the reader can delete: small pictures of the photos that it sent, to show
 * them beside their faces after a reload; and a photo itself for as long as it is being sent, so that a reload does not stop that.
 */

const DATABASE = 'facewright';
type StoreName = 'photos' | 'uploads';
/** More than this many are not kept: the oldest go first. */
const MAX_PHOTOS = 100;

interface StoredPhoto extends Thumbnail {
  readonly id: string;
  /** Unix ms. */
  readonly storedAt: number;
}

/** A photo that the service has not got yet. */
export interface PendingUpload {
  readonly photo: Blob;
  readonly options: JobOptionsInput;
}

let opened: Promise<IDBDatabase | null> | null = null;

/** The database; null where the browser has none (private windows of some), then nothing is kept. */
function open(): Promise<IDBDatabase | null> {
  opened ??= new Promise((resolve) => {
    try {
      const request = indexedDB.open(DATABASE, 2);
      request.onupgradeneeded = ({ oldVersion }) => {
        if (oldVersion < 1) request.result.createObjectStore('photos', { keyPath: 'id' }).createIndex('storedAt', 'storedAt');
        request.result.createObjectStore('uploads', { keyPath: 'id' });
      };
      request.onsuccess = () => {
        // A later version of the page in another tab must not wait for this one.
        request.result.onversionchange = () => request.result.close();
        resolve(request.result);
      };
      request.onerror = () => resolve(null);
      request.onblocked = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
  return opened;
}

async function run<T>(name: StoreName, mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | null> {
  const database = await open();
  if (database === null) return null;
  return new Promise((resolve) => {
    try {
      const transaction = database.transaction(name, mode);
      const request = act(transaction.objectStore(name));
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
  await run('photos', 'readwrite', (store) => store.put({ ...thumbnail, id, storedAt: Date.now() } satisfies StoredPhoto));
  void dropOldest();
}

async function dropOldest(): Promise<void> {
  const keys = await run('photos', 'readonly', (store) => store.index('storedAt').getAllKeys());
  for (const key of (keys ?? []).slice(0, -MAX_PHOTOS)) await run('photos', 'readwrite', (store) => store.delete(key));
}

export async function findPhoto(id: string): Promise<Thumbnail | null> {
  return (await run<StoredPhoto | undefined>('photos', 'readonly', (store) => store.get(id))) ?? null;
}

export async function forgetPhoto(id: string): Promise<void> {
  await run('photos', 'readwrite', (store) => store.delete(id));
}

export async function countPhotos(): Promise<number> {
  return (await run('photos', 'readonly', (store) => store.count())) ?? 0;
}

export async function forgetAllPhotos(): Promise<void> {
  await run('photos', 'readwrite', (store) => store.clear());
}

/** Resolves when the photo would outlive a reload, or cannot be kept here. */
export async function keepUpload(id: string, { photo, options }: PendingUpload): Promise<void> {
  await run('uploads', 'readwrite', (store) => store.put({ id, photo, options }));
}

export async function findUpload(id: string): Promise<PendingUpload | null> {
  return (await run<PendingUpload | undefined>('uploads', 'readonly', (store) => store.get(id))) ?? null;
}

export async function dropUpload(id: string): Promise<void> {
  await run('uploads', 'readwrite', (store) => store.delete(id));
}

import { type Client, createClient } from '@facewright/client';
import { createStore } from './ui/create-store.ts';

const KEY_NAME = 'facewright.key';

/** The API key that the reader typed; kept for this tab only and forgotten with it. */
export const apiKey = createStore<string | null>(sessionStorage.getItem(KEY_NAME));

export function setApiKey(key: string | null): void {
  if (key === null) sessionStorage.removeItem(KEY_NAME);
  else sessionStorage.setItem(KEY_NAME, key);
  apiKey.set(key);
}

/** The service that served this page, under whatever path it did. */
export const service: Client = createClient({ baseUrl: './', apiKey: () => apiKey.get() });

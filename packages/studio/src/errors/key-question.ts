import { apiKey, setApiKey } from '../service.ts';
import { createStore } from '../ui/create-store.ts';
import type { Failure } from './failure.ts';

/** An open question for a key; `wrong` where one was given that is not known. */
export interface KeyQuestion {
  readonly wrong: boolean;
  /** What to do with the answer; null when the reader closed the question. */
  readonly answer: (key: string | null) => void;
}

export const keyQuestion = createStore<KeyQuestion | null>(null);

let pending: Promise<boolean> | null = null;

/** Asks the reader for a key, once for all that wait for one. Resolves to false when the question was closed. */
export function askForKey(failure: Failure): Promise<boolean> {
  pending ??= new Promise<boolean>((resolve) => {
    keyQuestion.set({
      wrong: failure.kind === 'service' && failure.code === 'FW_AUTH_INVALID' && apiKey.get() !== null,
      answer: (key) => {
        keyQuestion.set(null);
        pending = null;
        if (key !== null) setApiKey(key);
        resolve(key !== null);
      },
    });
  });
  return pending;
}

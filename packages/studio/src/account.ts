import type { AccountView } from '@facewright/protocol';
import { useEffect } from 'preact/hooks';
import { failureFrom, isKeyProblem } from './errors/failure.ts';
import { askForKey } from './errors/key-question.ts';
import { apiKey, service } from './service.ts';
import { createStore } from './ui/create-store.ts';
import { useStore } from './ui/use-store.ts';

/** Who asks and what is allowed; null until the service has told. */
const account = createStore<AccountView | null>(null);
/** The service did not answer when it was asked last. */
export const isServiceGone = createStore(false);
/** Between attempts to reach a service that does not answer yet, ms. */
const RETRY_MS = 4000;
let loading: Promise<void> | null = null;

async function load(): Promise<void> {
  for (;;) {
    try {
      account.set(await service.account());
      isServiceGone.set(false);
      return;
    } catch (e) {
      const failure = failureFrom(e);
      if (isKeyProblem(failure)) {
        if (await askForKey(failure)) continue;
        return;
      }
      isServiceGone.set(true);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** Asks again: after something was made or deleted. */
export function refreshAccount(): void {
  if (loading !== null) return;
  loading = load().finally(() => {
    loading = null;
  });
}

export function useAccount(): AccountView | null {
  const value = useStore(account);
  useEffect(() => {
    if (account.get() === null) refreshAccount();
  }, []);
  return value;
}

export function currentAccount(): AccountView | null {
  return account.get();
}

apiKey.subscribe(() => {
  account.set(null);
  if (apiKey.get() !== null) refreshAccount();
});

import { useEffect, useState } from 'preact/hooks';
import type { Store } from './create-store.ts';

/** The value of a store; the component is drawn again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [, redraw] = useState(0);
  useEffect(() => {
    const seen = store.get();
    const unsubscribe = store.subscribe(() => redraw((n) => n + 1));
    // It may have changed between drawing and subscribing.
    if (!Object.is(seen, store.get())) redraw((n) => n + 1);
    return unsubscribe;
  }, [store]);
  return store.get();
}

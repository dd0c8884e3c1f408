import { useEffect, useState } from 'preact/hooks';

export type Loaded<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'done'; readonly value: T }
  | { readonly state: 'failed'; readonly error: unknown };

/** What a promise gave; begun anew when `inputs` change, and what was begun before is then forgotten. */
export function usePromise<T>(start: (signal: AbortSignal) => Promise<T>, inputs: readonly unknown[]): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: 'loading' });
  useEffect(() => {
    const controller = new AbortController();
    setLoaded({ state: 'loading' });
    start(controller.signal).then(
      (value) => controller.signal.aborted || setLoaded({ state: 'done', value }),
      (error: unknown) => controller.signal.aborted || setLoaded({ state: 'failed', error }),
    );
    return () => controller.abort();
    // The caller says what it depends on.
  }, inputs);
  return loaded;
}

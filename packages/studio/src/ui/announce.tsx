import type { JSX } from 'preact';
import { createStore } from './create-store.ts';
import { useStore } from './use-store.ts';

const message = createStore('');

/** Tells readers of the screen something that is only seen otherwise. The same words twice are told once. */
export function announce(text: string): void {
  message.set(text);
}

/** Where {@link announce} speaks; once in the page. */
export function Announcer(): JSX.Element {
  return (
    <div class="visually-hidden" role="status" aria-live="polite">
      {useStore(message)}
    </div>
  );
}

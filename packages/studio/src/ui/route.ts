import { createStore } from './create-store.ts';
import { formatRoute, parseRoute, type Route } from './parse-route.ts';

/** Where the reader is now. */
export const currentRoute = createStore<Route>(parseRoute(location.hash));
addEventListener('hashchange', () => currentRoute.set(parseRoute(location.hash)));

export function goTo(route: Route, options: { readonly replace?: boolean } = {}): void {
  const hash = formatRoute(route);
  if (options.replace) {
    history.replaceState(null, '', hash);
    currentRoute.set(parseRoute(hash));
  } else {
    location.hash = hash;
  }
}

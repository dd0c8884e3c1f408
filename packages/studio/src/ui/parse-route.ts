/** Where in the page the reader is. It lives in the hash, so that a reload or a link comes back to it under any path. */
export type Route =
  | { readonly name: 'home' }
  | { readonly name: 'job'; readonly id: string }
  | { readonly name: 'batch'; readonly id: string }
  | { readonly name: 'history' }
  | { readonly name: 'compare'; readonly ids: readonly [string, string] };

const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** What a hash means; anything that is not known is home. */
export function parseRoute(hash: string): Route {
  const [name, ...rest] = hash.replace(/^#\/?/, '').split('/').filter(Boolean);
  const ids = rest.filter((id) => ID.test(id));
  if (name === 'history') return { name: 'history' };
  if ((name === 'face' || name === 'batch') && ids.length === 1) return { name: name === 'face' ? 'job' : 'batch', id: ids[0]! };
  if (name === 'compare' && ids.length === 2) return { name: 'compare', ids: [ids[0]!, ids[1]!] };
  return { name: 'home' };
}

export function formatRoute(route: Route): string {
  switch (route.name) {
    case 'home':
      return '#/';
    case 'history':
      return '#/history';
    case 'job':
      return `#/face/${route.id}`;
    case 'batch':
      return `#/batch/${route.id}`;
    case 'compare':
      return `#/compare/${route.ids.join('/')}`;
  }
}

/** Address of the service with a slash at its end, from what the user gave: absolute, or relative to the page. */
export function resolveBase(baseUrl: string): URL {
  const { location } = globalThis as { location?: { href: string } };
  let base: URL;
  try {
    base = new URL(baseUrl, location?.href);
  } catch {
    throw new TypeError(`Expected an absolute http(s) address for baseUrl but received ${JSON.stringify(baseUrl)}`);
  }
  base.search = '';
  base.hash = '';
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return base;
}

/**
 * Absolute address of a link that the service gave.
 *
 * Links are relative to the service, which does not always know the path under which a proxy shows it: a link that does not
 * begin with the path of `base` is meant below it.
 */
export function resolveLink(base: URL, link: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return link;
  const below = link.startsWith(base.pathname) ? link.slice(base.pathname.length) : link.replace(/^\/+/, '');
  return new URL(`./${below}`, base).href;
}

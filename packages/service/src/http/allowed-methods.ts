/** Methods of the routes whose pattern a path matches, HEAD where there is GET; empty where no route matches. */
export function allowedMethods(routes: readonly { readonly method: string; readonly url: string }[], path: string): readonly string[] {
  const segments = path.split('/');
  const methods = routes.filter(({ url }) => matches(url.split('/'), segments)).map(({ method }) => method);
  return methods.length === 0 ? [] : [...new Set([...methods, 'OPTIONS'])].sort();
}

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  const open = pattern.at(-1) === '*';
  if (open ? path.length < pattern.length : path.length !== pattern.length) return false;
  return pattern.every((part, i) => part === '*' || (part.startsWith(':') ? path[i] !== '' : part === path[i]));
}

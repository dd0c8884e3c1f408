/** What a request prefers (RFC 7240): how long it waits, and what of that is answered in Preference-Applied. */
export interface Preference {
  readonly waitMs: number;
  readonly applied: string | null;
}

/**
 * Reads `wait` and `respond-async`; other and malformed preferences are ignored, as the RFC wants. Both together mean: asynchronous
 * unless done within the wait (section 4.1, last paragraph).
 */
export function parsePrefer(
  header: string | readonly string[] | undefined,
  limits: { readonly defaultS: number; readonly maxS: number },
): Preference {
  let wait: number | undefined;
  let respondAsync = false;
  for (const part of [header ?? []].flat().join(',').split(',')) {
    const [name = '', value = ''] = (part.split(';')[0] ?? '').split('=').map((s) => s.trim());
    const key = name.toLowerCase();
    const seconds = /^"?(\d{1,9})"?$/.exec(value)?.[1];
    // The first one counts (section 2).
    if (key === 'wait' && seconds !== undefined) wait ??= Number(seconds);
    else if (key === 'respond-async' && value === '') respondAsync = true;
  }
  if (wait !== undefined) {
    const appliedS = Math.min(wait, limits.maxS);
    return { waitMs: appliedS * 1000, applied: respondAsync ? `respond-async, wait=${appliedS}` : `wait=${appliedS}` };
  }
  if (respondAsync) return { waitMs: 0, applied: 'respond-async' };
  return { waitMs: Math.min(limits.defaultS, limits.maxS) * 1000, applied: null };
}

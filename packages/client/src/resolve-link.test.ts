import { expect, it } from 'vitest';
import { parseRetryAfter } from './read-answer.ts';
import { resolveBase, resolveLink } from './resolve-link.ts';

it.each([
  ['http://h', '/v1/a?x=1', 'http://h/v1/a?x=1'],
  ['http://h/p', '/v1/a', 'http://h/p/v1/a'],
  ['http://h/p/', '/p/v1/a', 'http://h/p/v1/a'],
  ['http://h/p/?q#f', 'v1/a', 'http://h/p/v1/a'],
  ['http://h/p', 'https://cdn.test/a', 'https://cdn.test/a'],
  ['http://h/', 'v1/a:b', 'http://h/v1/a:b'],
])('%s + %s', (base, link, expected) => {
  expect(resolveLink(resolveBase(base), link)).toBe(expected);
});

it('reads Retry-After as seconds or a date, never less than a second', () => {
  const now = Date.UTC(2026, 0, 1);
  expect(parseRetryAfter('7')).toBe(7);
  expect(parseRetryAfter('0')).toBe(1);
  expect(parseRetryAfter('Thu, 01 Jan 2026 00:00:30 GMT', now)).toBe(30);
  expect(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(1);
  expect(parseRetryAfter('soon')).toBeNull();
  expect(parseRetryAfter(null)).toBeNull();
});

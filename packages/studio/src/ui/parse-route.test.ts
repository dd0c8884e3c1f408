import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatRoute, parseRoute } from './parse-route.ts';

it('every route comes back from its address', () => {
  for (const route of [
    { name: 'home' },
    { name: 'history' },
    { name: 'job', id: 'a_B-9' },
    { name: 'batch', id: 'x' },
    { name: 'compare', ids: ['a', 'b'] },
  ] as const) {
    expect(parseRoute(formatRoute(route))).toEqual(route);
  }
});

it('whatever stands in the hash, ids are safe in paths', () => {
  fc.assert(
    fc.property(fc.string(), (hash) => {
      const route = parseRoute(`#/face/${hash}`);
      expect(route.name === 'home' || (route.name === 'job' && /^[A-Za-z0-9][\w-]*$/.test(route.id))).toBe(true);
    }),
  );
  expect(parseRoute('#/face/../../v1')).toEqual({ name: 'job', id: 'v1' });
  expect(parseRoute('#/compare/a')).toEqual({ name: 'home' });
});

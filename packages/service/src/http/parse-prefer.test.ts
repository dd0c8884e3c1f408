import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePrefer } from './parse-prefer.ts';

const LIMITS = { defaultS: 30, maxS: 120 };

describe('Prefer', () => {
  it.each([
    [undefined, 30_000, null],
    ['wait=10', 10_000, 'wait=10'],
    ['wait=0', 0, 'wait=0'],
    ['wait=9999', 120_000, 'wait=120'],
    ['wait="5"', 5000, 'wait=5'],
    ['WAIT = 5', 5000, 'wait=5'],
    ['wait=5, wait=6', 5000, 'wait=5'],
    ['respond-async', 0, 'respond-async'],
    ['respond-async, wait=10', 10_000, 'respond-async, wait=10'],
    ['return=minimal; x=1, wait=3;foo', 3000, 'wait=3'],
    ['wait', 30_000, null],
    ['wait=-1', 30_000, null],
    ['wait=1e3', 30_000, null],
    ['respond-async=yes', 30_000, null],
  ])('%s', (header, waitMs, applied) => {
    expect(parsePrefer(header, LIMITS)).toEqual({ waitMs, applied });
  });

  it('bears anything', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        const { waitMs } = parsePrefer(header, LIMITS);
        expect(waitMs >= 0 && waitMs <= 120_000).toBe(true);
      }),
    );
  });
});

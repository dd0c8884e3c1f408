import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createVersion,
  folderFromSegment,
  formatObjectFileName,
  parseObjectFileName,
  segmentFromFolder,
  timeOfVersion,
} from './object-file-name.ts';

const segment = fc.stringMatching(/^[A-Za-z0-9._-]{1,100}$/);

describe('object file names', () => {
  it('say what was put into them, and fit a file name', () => {
    fc.assert(
      fc.property(
        fc.record({
          segment,
          version: fc
            .tuple(fc.integer({ min: 10 ** 12, max: 10 ** 14 }), fc.stringMatching(/^[0-9a-z]{6}$/))
            .map(([t, c]) => createVersion(t, null, c)),
          bytes: fc.integer({ min: 0, max: 10 ** 12 }),
          sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((b) => Buffer.from(b).toString('hex')),
          contentType: fc.constantFrom('image/jpeg', 'text/plain; charset=utf-8', 'model/gltf-binary', `application/${'x'.repeat(52)}`),
        }),
        (name) => {
          const file = formatObjectFileName(name);
          expect(Buffer.byteLength(file)).toBeLessThanOrEqual(255);
          expect(parseObjectFileName(file)).toEqual(name);
        },
      ),
    );
  });

  it('order versions by time, and always after the one before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10 ** 12, max: 10 ** 13 }), fc.integer({ min: 10 ** 12, max: 10 ** 13 }), (a, b) => {
        const first = createVersion(a, null, 'zzzzzz');
        const second = createVersion(b, first, '000000');
        expect(second > first).toBe(true);
        expect(timeOfVersion(first)).toBe(a);
        expect(timeOfVersion(second)).toBe(Math.max(b, a + 1));
      }),
    );
  });

  it('are nothing else', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => parseObjectFileName(text) === null));
  });
});

describe('folder names', () => {
  it('differ where segments differ, without capitals', () => {
    fc.assert(
      fc.property(segment, (name) => {
        const folder = folderFromSegment(name);
        expect(segmentFromFolder(folder)).toBe(name);
        expect(folder).toBe(folder.toLowerCase());
        expect(folder.length).toBeLessThanOrEqual(255);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkLink, type LinkQuery, signLink } from './links.ts';
import { formatCursor, parseCursor } from './list-cursor.ts';

const SECRET = 'x'.repeat(32);
const PATH = 'v1/reconstructions/r1/files/face.glb';
const target = { tenant: 'acme', path: PATH, expiresAtS: 1000 };
const queryOf = (link: string): LinkQuery => Object.fromEntries(new URLSearchParams(link.split('?')[1])) as unknown as LinkQuery;

describe('signed links', () => {
  it('open their path until they expire', () => {
    const query = queryOf(signLink(SECRET, target));
    expect(checkLink(SECRET, PATH, query, 999_999)).toBe(true);
    expect(checkLink(SECRET, PATH, query, 1_000_000)).toBe(false);
  });

  it('open nothing else: any change of path, tenant, time, signature or secret closes them', () => {
    const query = queryOf(signLink(SECRET, target));
    const text = fc.string({ maxLength: 60 });
    fc.assert(
      fc.property(
        fc.record({
          path: fc.option(text),
          tenant: fc.option(text),
          expires: fc.option(text),
          signature: fc.option(text),
          secret: fc.option(text),
        }),
        (change) => {
          const path = change.path ?? PATH;
          const secret = change.secret ?? SECRET;
          const changed = {
            tenant: change.tenant ?? query.tenant,
            expires: change.expires ?? query.expires,
            signature: change.signature ?? query.signature,
          };
          const same = path === PATH && secret === SECRET && JSON.stringify(changed) === JSON.stringify({ ...query });
          expect(checkLink(secret, path, changed, 0)).toBe(same);
        },
      ),
    );
    // Parts must not run into each other.
    const moved = queryOf(signLink(SECRET, { ...target, tenant: 'acme/v1', path: PATH.slice(3) }));
    expect(checkLink(SECRET, PATH, { ...moved, tenant: 'acme' }, 0)).toBe(false);
  });
});

describe('cursors of lists', () => {
  it('come back as they went, for their tenant alone', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (cursor, other) => {
        const text = formatCursor(SECRET, 'acme', cursor);
        expect(text).toMatch(/^[\w.-]*$/);
        expect(parseCursor(SECRET, 'acme', text)).toBe(Buffer.from(cursor).toString());
        expect(() => parseCursor(SECRET, 'beta', text)).toThrow(expect.objectContaining({ code: 'FW_REQUEST_INVALID' }));
        expect(() => parseCursor(SECRET, 'acme', other)).toThrow(expect.objectContaining({ code: 'FW_REQUEST_INVALID' }));
      }),
    );
  });
});

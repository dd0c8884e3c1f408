import { basename, dirname } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planOutputs } from './plan-outputs.ts';

const several = (photos: string[], output?: string) => planOutputs(photos, { isSingle: false, output, cwd: '/here' });

describe('planOutputs', () => {
  it('names the result of one photo after it, in the current folder, or takes -o as it is', () => {
    expect(planOutputs(['/in/portrait.jpg'], { isSingle: true, cwd: '/here' })).toEqual(['/here/portrait']);
    expect(planOutputs(['/in/portrait.jpg'], { isSingle: true, output: 'out/me', cwd: '/here' })).toEqual(['/here/out/me']);
  });

  it('gives each of several photos a folder of its own below -o', () => {
    expect(several(['/in/a.jpg', '/in/b.png'], 'out')).toEqual(['/here/out/a', '/here/out/b']);
  });

  it('tells photos of one name apart by their endings, then by their folders, then by number', () => {
    expect(several(['/in/x.jpg', '/in/x.png', '/in/y.jpg'])).toEqual(['/here/x-jpg', '/here/x-png', '/here/y']);
    expect(several(['/in/a/x.jpg', '/in/b/x.jpg'])).toEqual(['/here/a-x', '/here/b-x']);
    expect(several(['/1/a/x.jpg', '/2/a/x.jpg'])).toEqual(['/here/1-a-x', '/here/2-a-x']);
    expect(several(['/1/a/b/x.jpg', '/2/a/b/x.jpg'])).toEqual(['/here/x-1', '/here/x-2']);
  });

  it('never takes the place of a photo: one without an ending would be overwritten', () => {
    expect(planOutputs(['/here/portrait'], { isSingle: true, cwd: '/here' })).toEqual(['/here/portrait-face']);
  });

  it('counts names as equal that only differ in case, since some file systems do', () => {
    expect(several(['/in/X.jpg', '/in/x.png'])).toEqual(['/here/X-jpg', '/here/x-png']);
  });

  it('gives no folder twice, none inside another, and the same whatever the order', () => {
    const part = fc.constantFrom('a', 'A', 'b', 'a-b', 'x', 'x-1', 'x-jpg');
    const photo = fc.tuple(part, part, part, fc.constantFrom('.jpg', '.png', '')).map(([d, e, n, ext]) => `/${d}/${e}/${n}${ext}`);
    fc.assert(
      fc.property(fc.uniqueArray(photo, { maxLength: 12 }), (photos) => {
        const outputs = several(photos);
        expect(new Set(outputs.map((o) => o.toLowerCase())).size).toBe(photos.length);
        for (const output of outputs) expect(dirname(output)).toBe('/here');
        for (const output of outputs) expect(basename(output)).not.toBe('');
        const backwards = several([...photos].reverse()).reverse();
        expect(backwards).toEqual(outputs);
      }),
    );
  });
});

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { concat, createMarkedPicture, encodeAs, sharpFromRgb } from '../../test/photo-fixtures.ts';
import { isolateJpeg } from './isolate-jpeg.ts';

describe('isolateJpeg', () => {
  let jpeg: Uint8Array;
  let progressive: Uint8Array;
  beforeAll(async () => {
    const picture = createMarkedPicture(160, 120);
    jpeg = await encodeAs(sharpFromRgb(picture), 'jpeg');
    progressive = new Uint8Array(await sharpFromRgb(picture).jpeg({ progressive: true }).toBuffer());
  });

  it('gives a plain JPEG as it is, whatever follows that is not a JPEG', () => {
    for (const plain of [jpeg, progressive, concat([jpeg, new Uint8Array(100)]), concat([jpeg, new TextEncoder().encode('SEFT')])]) {
      expect(isolateJpeg(plain)).toBe(plain);
    }
  });

  it('leaves out further pictures, as in photos with a gain map', () => {
    expect(Buffer.compare(isolateJpeg(concat([jpeg, progressive])), jpeg)).toBe(0);
    expect(Buffer.compare(isolateJpeg(concat([progressive, jpeg, jpeg])), progressive)).toBe(0);
  });

  it('gives a JPEG its end mark back, and drops zeros that stand for missing data', () => {
    const open = jpeg.slice(0, -2);
    expect(Buffer.compare(isolateJpeg(open), jpeg)).toBe(0);
    expect(Buffer.compare(isolateJpeg(concat([open, new Uint8Array(1000)])), jpeg)).toBe(0);
    const half = jpeg.slice(0, jpeg.length >> 1);
    expect(isolateJpeg(half).length).toBe(half.length + 2);
  });

  it('does nothing to what is not a JPEG, and survives any bytes', () => {
    const other = Uint8Array.from([0xff, 0xd8, 0x12, 0x34, 0, 0, 0, 0]);
    expect(isolateJpeg(other)).toBe(other);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => isolateJpeg(concat([Uint8Array.from([0xff, 0xd8]), tail])).length > 0),
    );
  });
});

import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodePng } from './encode-png.ts';

/** libspng through sharp: a decoder that shares no code with ours. */
async function decode(png: Uint8Array) {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: info.channels, data: new Uint8Array(data) };
}

describe('encodePng', () => {
  it.each([3, 4] as const)('gives every pixel back, %d channels', async (channels) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), fc.integer(), async (width, height, seed) => {
        const data = Uint8Array.from({ length: width * height * channels }, (_, i) => Math.imul(i + 1, seed | 1) >>> 13);
        expect(await decode(await encodePng({ width, height, channels, data }))).toEqual({ width, height, channels, data });
      }),
      { numRuns: 40 },
    );
  });

  it('gives grey back', async () => {
    const data = Uint8Array.from({ length: 7 * 5 }, (_, i) => 7 * i);
    const back = await sharp(await encodePng({ width: 7, height: 5, channels: 1, data }))
      .toColourspace('b-w')
      .raw()
      .toBuffer();
    expect(new Uint8Array(back)).toEqual(data);
  });

  it.each([2, 255, 256, 257])('gives RGBA of %d colours back, with a palette up to 256', async (colors) => {
    const data = new Uint8Array(4 * 1024);
    for (let i = 0; i < 1024; i++) data.set([(i % colors) & 255, (i % colors) >> 8, 200, 255 - ((i % colors) & 255)], 4 * i);
    const png = await encodePng({ width: 32, height: 32, channels: 4, data });
    // Byte 25 is the colour type: 3 indexed, 6 RGBA.
    expect(png[25]).toBe(colors <= 256 ? 3 : 6);
    expect((await decode(png)).data).toEqual(data);
  });

  it('declares sRGB', async () => {
    const png = await encodePng({ width: 1, height: 1, channels: 3, data: Uint8Array.of(1, 2, 3) });
    expect(Buffer.from(png).includes('sRGB')).toBe(true);
  });
});

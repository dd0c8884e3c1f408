import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { orientRaster, storedFromUpright, uprightFromStored } from './orient-raster.ts';

const ORIENTATIONS = [1, 2, 3, 4, 5, 6, 7, 8];

/** A raster in which every pixel is different. */
function createNumbered(width: number, height: number) {
  return { width, height, rgb: Uint8Array.from({ length: 3 * width * height }, (_, i) => i) };
}

describe('orientRaster', () => {
  it.each(ORIENTATIONS)('turns as libvips does for orientation %i', async (orientation) => {
    const stored = createNumbered(7, 4);
    const file = await sharp(stored.rgb, { raw: { width: 7, height: 4, channels: 3 } })
      .withMetadata({ orientation })
      .png()
      .toBuffer();
    const { data, info } = await sharp(file).autoOrient().raw().toBuffer({ resolveWithObject: true });
    const upright = orientRaster(stored, orientation);
    expect([upright.width, upright.height]).toEqual([info.width, info.height]);
    expect([...upright.rgb]).toEqual([...data]);
  });

  it('gives the same raster, not a copy, where nothing is to be turned', () => {
    const stored = createNumbered(3, 2);
    expect(orientRaster(stored, 1)).toBe(stored);
  });
});

describe('uprightFromStored', () => {
  it.each(ORIENTATIONS)('puts a rectangle where its pixels go, orientation %i', (orientation) => {
    const stored = createNumbered(7, 4);
    const upright = orientRaster(stored, orientation);
    for (let y = 0; y < 4; y++) {
      for (let x = 0; x < 7; x++) {
        const at = uprightFromStored({ x, y, width: 1, height: 1 }, orientation, 7, 4);
        expect(upright.rgb[3 * (at.y * upright.width + at.x)]).toBe(stored.rgb[3 * (y * 7 + x)]);
      }
    }
  });

  it('is undone by storedFromUpright', () => {
    const rect = fc.record({ x: fc.integer(), y: fc.integer(), width: fc.nat(), height: fc.nat() });
    fc.assert(
      fc.property(rect, fc.constantFrom(...ORIENTATIONS), fc.nat(), fc.nat(), (r, orientation, width, height) => {
        expect(storedFromUpright(uprightFromStored(r, orientation, width, height), orientation, width, height)).toEqual(r);
      }),
    );
  });
});

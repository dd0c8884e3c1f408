import { describe, expect, it } from 'vitest';
import { createKernelMemory } from '../kernels/kernel-memory.ts';
import type { PhotoView } from '../photo/photo.ts';
import { countPhotoBytes, createPhotoLevel, createPhotoMemory } from './photo-level.ts';

const WIDTH = 40;
const HEIGHT = 30;
/** Red = column, green = row: every pixel tells where it is. */
const rgb = Uint8Array.from({ length: 3 * WIDTH * HEIGHT }, (_, i) => {
  const p = Math.floor(i / 3);
  return i % 3 === 0 ? 4 * (p % WIDTH) : i % 3 === 1 ? 4 * Math.floor(p / WIDTH) : 9;
});
const newPhoto = () => createPhotoMemory(createKernelMemory(countPhotoBytes(40)), 40);
const view: PhotoView = { raster: { width: WIDTH, height: HEIGHT, rgb }, x: 100, y: 50, scaleX: 2, scaleY: 2 };

describe('createPhotoLevel', () => {
  for (const factor of [1, 2, 3]) {
    it(`says where its pixels lie in the photo (reduced ${factor}-fold)`, () => {
      const level = createPhotoLevel(view, { x0: 124, y0: 62, x1: 160, y1: 96 }, factor, 0, newPhoto());
      for (let row = 0; row < level.height; row++) {
        for (let column = 0; column < level.width; column++) {
          // Centre of the level's pixel in the photo, then in the raster; the ramps have 4 levels per pixel and 0 at centre 0.5.
          const x = (level.originX + (column + 0.5) / level.scaleX - view.x) / view.scaleX;
          const y = (level.originY + (row + 0.5) / level.scaleY - view.y) / view.scaleY;
          const p = 3 * (row * level.width + column);
          // Rounding to whole levels.
          expect(Math.abs(level.rgb[p] - 4 * (x - 0.5))).toBeLessThanOrEqual(0.5);
          expect(Math.abs(level.rgb[p + 1] - 4 * (y - 0.5))).toBeLessThanOrEqual(0.5);
          expect(level.rgb[p + 2]).toBe(9);
        }
      }
    });
  }

  it('covers the box with a margin, cut to the photo', () => {
    const level = createPhotoLevel(view, { x0: 124, y0: 62, x1: 160, y1: 96 }, 1, 0, newPhoto());
    expect(level.originX).toBe(120);
    expect(level.originY).toBe(58);
    expect(level.originX + level.width / level.scaleX).toBe(164);
    const all = createPhotoLevel(view, { x0: -1000, y0: -1000, x1: 5000, y1: 5000 }, 1, 0, newPhoto());
    expect([all.width, all.height]).toEqual([WIDTH, HEIGHT]);
  });

  it('leaves ramps alone when it sharpens and steepens edges', () => {
    const plain = createPhotoLevel(view, { x0: 120, y0: 70, x1: 160, y1: 90 }, 1, 0, newPhoto());
    const sharp = createPhotoLevel(view, { x0: 120, y0: 70, x1: 160, y1: 90 }, 1, 0.5, newPhoto());
    for (let row = 1; row < plain.height - 1; row++) {
      for (let column = 1; column < plain.width - 1; column++) {
        const p = 3 * (row * plain.width + column);
        expect(sharp.rgb[p]).toBe(plain.rgb[p]);
      }
    }
    const edge: PhotoView = {
      raster: { width: 8, height: 8, rgb: Uint8Array.from({ length: 192 }, (_, i) => (Math.floor(i / 3) % 8 < 4 ? 80 : 120)) },
      x: 0,
      y: 0,
      scaleX: 1,
      scaleY: 1,
    };
    const level = createPhotoLevel(edge, { x0: 0, y0: 0, x1: 8, y1: 8 }, 1, 0.5, newPhoto());
    // 0.5 / 4 of the step of 40 on either side.
    expect([level.rgb[3 * (8 * 4 + 3)], level.rgb[3 * (8 * 4 + 4)]]).toEqual([75, 125]);
  });
});

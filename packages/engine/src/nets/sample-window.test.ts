import { describe, expect, it } from 'vitest';
import type { Raster } from '../photo/raster.ts';
import { letterboxWindow, type QuarterTurns, sampleWindow } from './sample-window.ts';

/** Red is x, green is y, both in the image frame, times 4: bilinear sampling has to give it back, up to its rounding. */
function ramp(width: number, height: number): Raster {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) rgb.set([4 * x + 2, 4 * y + 2, 128], 3 * (y * width + x));
  return { width, height, rgb };
}

/** The raster turned clockwise by a quarter. */
function turn({ width, height, rgb }: Raster): Raster {
  const out = { width: height, height: width, rgb: new Uint8Array(rgb.length) };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      out.rgb.set(rgb.subarray(3 * (y * width + x), 3 * (y * width + x) + 3), 3 * (x * height + height - 1 - y));
  }
  return out;
}

describe('sampleWindow', () => {
  it('samples a turned, scaled window at the places that it documents', () => {
    const raster = ramp(60, 50);
    const angle = 0.4;
    const window = { centerX: 31.3, centerY: 24.2, sizePx: 20, cos: Math.cos(angle), sin: Math.sin(angle) };
    const side = 16;
    const out = sampleWindow(raster, window, side, 0, 255, 'black');
    for (let j = 0; j < side; j++) {
      for (let i = 0; i < side; i++) {
        const u = (i / side - 0.5) * 20;
        const v = (j / side - 0.5) * 20;
        const x = 31.3 + u * Math.cos(angle) - v * Math.sin(angle);
        const y = 24.2 + u * Math.sin(angle) + v * Math.cos(angle);
        // Half a step of the value, and half a 32nd of a pixel at 4 steps per pixel.
        const rounding = 0.5 + 4 / 64 + 1e-6;
        expect(Math.abs(out[3 * (j * side + i)]! - 4 * x)).toBeLessThanOrEqual(rounding);
        expect(Math.abs(out[3 * (j * side + i) + 1]! - 4 * y)).toBeLessThanOrEqual(rounding);
        expect(out[3 * (j * side + i) + 2]).toBe(128);
      }
    }
  });

  it('fades to black outside, or repeats the nearest pixel', () => {
    const raster: Raster = { width: 2, height: 2, rgb: new Uint8Array(12).fill(200) };
    const window = { centerX: 1, centerY: 1, sizePx: 8, cos: 1, sin: 0 };
    // Samples lie at -3, -2, … 4; the raster covers 0 to 2, so 0 and 2 lie on its edge: half of the pixel, half of nothing.
    const black = sampleWindow(raster, window, 8, 0, 255, 'black');
    const middleRow = Array.from({ length: 8 }, (_, i) => Math.round(black[3 * (4 * 8 + i)]!));
    expect(middleRow).toEqual([0, 0, 0, 100, 200, 100, 0, 0]);
    expect(sampleWindow(raster, window, 8, 0, 255, 'nearest').every((v) => Math.abs(v - 200) < 1e-3)).toBe(true);
  });

  it('looks at a raster turned by quarters as if it had been turned', () => {
    const raster = ramp(50, 37);
    let turned = raster;
    for (const quarterTurns of [0, 1, 2, 3] as const satisfies readonly QuarterTurns[]) {
      const direct = sampleWindow(raster, letterboxWindow(raster, quarterTurns), 32, -1, 1, 'black');
      const physical = sampleWindow(turned, letterboxWindow(turned), 32, -1, 1, 'black');
      for (let k = 0; k < direct.length; k++) expect(direct[k]).toBeCloseTo(physical[k]!, 5);
      turned = turn(turned);
    }
  });
});

import type { Raster } from '../photo/raster.ts';

/**
 * A square window on a raster, possibly turned and partly or wholly outside. Coordinates: image frame of the raster, pixels.
 */
export interface Window {
  readonly centerX: number;
  readonly centerY: number;
  readonly sizePx: number;
  /** Unit vector along the window's rows, from left to right; its columns run at a right angle, clockwise on the screen. */
  readonly cos: number;
  readonly sin: number;
}

/**
 * Samples a window bilinearly to `side` x `side` pixels, as a network takes it.
 *
 * As in MediaPipe's graph on the CPU (OpenCV's warpPerspective), whose results this reproduces to 0.01 % of the eye
 * distance: pixel (i, j) of the sample lies `i / side` and `j / side` of the way from the window's corner (not half a pixel
 * further); there is no prefilter where the raster is finer; places are rounded to 1/32 pixel and values to whole 8-bit
 * steps. The last two alone move landmarks of a large photo by up to 0.4 %.
 *
 * @param low Value of black.
 * @param high Value of white.
 * @param border What lies outside the raster: black, into which the outermost half pixel fades (the detector's), or the
 *   nearest pixel (the landmark network's; black there moves the points of a cut face by 1.5 % of the eye distance).
 * @returns Shape (side,side,3), R G B.
 */
export function sampleWindow(
  raster: Raster,
  window: Window,
  side: number,
  low: number,
  high: number,
  border: 'black' | 'nearest',
): Float32Array {
  const { width, height, rgb } = raster;
  const out = new Float32Array(side * side * 3);
  const step = window.sizePx / side;
  const stepX = step * window.cos;
  const stepY = step * window.sin;
  const scale = (high - low) / 255;
  // Of the first sample, in a frame in which the centres of the pixels have whole coordinates.
  const originX = window.centerX - 0.5 - (side / 2) * (stepX - stepY);
  const originY = window.centerY - 0.5 - (side / 2) * (stepY + stepX);
  const black = border === 'black';
  const rowStride = 3 * width;
  const pixel = (px: number, py: number, c: number): number => {
    if (black && (px < 0 || py < 0 || px >= width || py >= height)) return 0;
    return rgb[Math.min(Math.max(py, 0), height - 1) * rowStride + 3 * Math.min(Math.max(px, 0), width - 1) + c]!;
  };
  let at = 0;
  for (let j = 0; j < side; j++) {
    for (let i = 0; i < side; i++) {
      const x = Math.round(SUBPIXELS * (originX + i * stepX - j * stepY));
      const y = Math.round(SUBPIXELS * (originY + i * stepY + j * stepX));
      const left = x >> SUBPIXEL_BITS;
      const top = y >> SUBPIXEL_BITS;
      const fx = x & (SUBPIXELS - 1);
      const fy = y & (SUBPIXELS - 1);
      // Weights of the four pixels: whole numbers that add up to SUBPIXELS squared.
      const w11 = fx * fy;
      const w10 = (SUBPIXELS - fx) * fy;
      const w01 = fx * (SUBPIXELS - fy);
      const w00 = (SUBPIXELS - fx) * (SUBPIXELS - fy);
      if (left >= 0 && top >= 0 && left < width - 1 && top < height - 1) {
        const p = top * rowStride + 3 * left;
        const q = p + rowStride;
        for (let c = 0; c < 3; c++) {
          const sum = w00 * rgb[p + c]! + w01 * rgb[p + c + 3]! + w10 * rgb[q + c]! + w11 * rgb[q + c + 3]!;
          out[at++] = ((sum + HALF_STEP) >> (2 * SUBPIXEL_BITS)) * scale + low;
        }
        continue;
      }
      for (let c = 0; c < 3; c++) {
        const sum =
          w00 * pixel(left, top, c) + w01 * pixel(left + 1, top, c) + w10 * pixel(left, top + 1, c) + w11 * pixel(left + 1, top + 1, c);
        out[at++] = ((sum + HALF_STEP) >> (2 * SUBPIXEL_BITS)) * scale + low;
      }
    }
  }
  return out;
}

/** OpenCV's INTER_BITS: places between two pixels are told apart in 32 steps. */
const SUBPIXEL_BITS = 5;
const SUBPIXELS = 1 << SUBPIXEL_BITS;
/** Added before the shift so that it rounds. */
const HALF_STEP = 1 << (2 * SUBPIXEL_BITS - 1);

/** Clockwise, by which a raster is turned before it is looked at. */
export type QuarterTurns = 0 | 1 | 2 | 3;

/** Unit vector along the rows of a raster that was turned clockwise, in the frame of the raster as it is. Exact. */
export const ROW_DIRECTION = [
  [1, 0],
  [0, -1],
  [-1, 0],
  [0, 1],
] as const;

/**
 * The smallest square that holds the whole raster, as MediaPipe places it: its centre lies half a pixel right of and
 * below the raster's, in the turned raster (a consequence of whole-numbered pixel centres there).
 *
 * @param quarterTurns Clockwise, by which the raster is turned before it is looked at.
 */
export function letterboxWindow(raster: Raster, quarterTurns: QuarterTurns = 0): Window {
  const [cos, sin] = ROW_DIRECTION[quarterTurns];
  return {
    centerX: raster.width / 2 + 0.5 * (cos - sin),
    centerY: raster.height / 2 + 0.5 * (sin + cos),
    sizePx: Math.max(raster.width, raster.height),
    cos,
    sin,
  };
}

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
 * As in MediaPipe, whose results this reproduces: pixel (i, j) of the sample lies `i / side` and `j / side` of the way
 * from the window's corner (not half a pixel further), and there is no prefilter where the raster is finer.
 *
 * @param border What lies outside the raster: black, into which the outermost half pixel fades (the detector's), or the
 *   nearest pixel (the landmark network's; black there moves the points of a cut face by 1.5 % of the eye distance).
 * @param low Value of black.
 * @param high Value of white.
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
  let at = 0;
  for (let j = 0; j < side; j++) {
    for (let i = 0; i < side; i++) {
      const x = originX + i * stepX - j * stepY;
      const y = originY + i * stepY + j * stepX;
      const left = Math.floor(x);
      const top = Math.floor(y);
      const fx = x - left;
      const fy = y - top;
      if (left >= 0 && top >= 0 && left < width - 1 && top < height - 1) {
        const p = top * rowStride + 3 * left;
        const q = p + rowStride;
        const w11 = fx * fy;
        const w10 = fy - w11;
        const w01 = fx - w11;
        const w00 = 1 - fx - w10;
        out[at] = (w00 * rgb[p]! + w01 * rgb[p + 3]! + w10 * rgb[q]! + w11 * rgb[q + 3]!) * scale + low;
        out[at + 1] = (w00 * rgb[p + 1]! + w01 * rgb[p + 4]! + w10 * rgb[q + 1]! + w11 * rgb[q + 4]!) * scale + low;
        out[at + 2] = (w00 * rgb[p + 2]! + w01 * rgb[p + 5]! + w10 * rgb[q + 2]! + w11 * rgb[q + 5]!) * scale + low;
      } else {
        for (let c = 0; c < 3; c++) {
          let sum = 0;
          for (let k = 0; k < 4; k++) {
            let px = left + (k & 1);
            let py = top + (k >> 1);
            if (px < 0 || py < 0 || px >= width || py >= height) {
              if (black) continue;
              px = Math.min(Math.max(px, 0), width - 1);
              py = Math.min(Math.max(py, 0), height - 1);
            }
            sum += (k & 1 ? fx : 1 - fx) * (k & 2 ? fy : 1 - fy) * rgb[py * rowStride + 3 * px + c]!;
          }
          out[at + c] = sum * scale + low;
        }
      }
      at += 3;
    }
  }
  return out;
}

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

import { useScratchMemory } from '../kernels/kernel-memory.ts';
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
  const { width, height } = raster;
  const step = window.sizePx / side;
  const stepX = step * window.cos;
  const stepY = step * window.sin;
  // Of the first sample, in a frame in which the centres of the pixels have whole coordinates.
  const originX = window.centerX - 0.5 - (side / 2) * (stepX - stepY);
  const originY = window.centerY - 0.5 - (side / 2) * (stepY + stepX);
  // Only the rows that the window may touch, and a pixel more: the nearest ones stand for those beyond them.
  const reach = (side / 2) * (Math.abs(stepX) + Math.abs(stepY));
  const middle = window.centerY;
  const first = clampRow(Math.floor(middle - reach) - 2, height - 1);
  const end = clampRow(Math.ceil(middle + reach) + 2, height - 1) + 1;
  const rows = raster.rgb.subarray(3 * first * width, 3 * end * width);
  const length = 3 * side * side;
  const memory = useScratchMemory(rows.length + 4 * length + 64);
  const place = memory.allocate(Uint8Array, rows.length);
  place.set(rows);
  const out = memory.allocate(Float32Array, length);
  memory.kernels.sampleWindow(
    place.byteOffset,
    width,
    end - first,
    originX,
    originY - first,
    stepX,
    stepY,
    side,
    (high - low) / 255,
    low,
    border === 'black' ? 1 : 0,
    out.byteOffset,
  );
  return out.slice();
}

const clampRow = (row: number, last: number): number => Math.max(0, Math.min(last, row));

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

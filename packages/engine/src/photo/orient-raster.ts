import type { Rect } from './photo.ts';
import type { Raster } from './raster.ts';

/**
 * Turns stored pixels upright as EXIF orientation 1..8 asks.
 *
 * Orientation 1 gives the same raster; the others a new one. Source: CIPA DC-008 §4.6.4 A, tag Orientation.
 */
export function orientRaster(stored: Raster, orientation: number): Raster {
  if (orientation === 1) return stored;
  const { width: w, height: h, rgb: src } = stored;
  const swaps = orientation >= 5;
  const width = swaps ? h : w;
  const height = swaps ? w : h;
  const rgb = new Uint8Array(3 * w * h);
  // Offset of the source pixel is start + column * perColumn + row * perRow, in bytes, of the upright column and row.
  const [start, perColumn, perRow] = strides(orientation, w, h);
  let dst = 0;
  for (let row = 0; row < height; row++) {
    let at = 3 * (start + row * perRow);
    const step = 3 * perColumn;
    for (let column = 0; column < width; column++) {
      rgb[dst] = src[at];
      rgb[dst + 1] = src[at + 1];
      rgb[dst + 2] = src[at + 2];
      dst += 3;
      at += step;
    }
  }
  return { width, height, rgb };
}

/** Index of the stored pixel of upright (0, 0), and its change per upright column and row, in pixels. */
function strides(orientation: number, w: number, h: number): readonly [start: number, perColumn: number, perRow: number] {
  switch (orientation) {
    case 2:
      return [w - 1, -1, w];
    case 3:
      return [w * h - 1, -1, -w];
    case 4:
      return [w * (h - 1), 1, -w];
    case 5:
      return [0, w, 1];
    case 6:
      return [w * (h - 1), -w, 1];
    case 7:
      return [w * h - 1, -w, -1];
    case 8:
      return [w - 1, w, -1];
    default:
      return [0, 1, w];
  }
}

/**
 * Rectangle of the upright photo that a rectangle of the stored photo becomes.
 *
 * @param width Stored width of the photo, pixels.
 * @param height Stored height, pixels.
 */
export function uprightFromStored(rect: Rect, orientation: number, width: number, height: number): Rect {
  const { x, y, width: w, height: h } = rect;
  const mirroredX = width - x - w;
  const mirroredY = height - y - h;
  switch (orientation) {
    case 2:
      return { x: mirroredX, y, width: w, height: h };
    case 3:
      return { x: mirroredX, y: mirroredY, width: w, height: h };
    case 4:
      return { x, y: mirroredY, width: w, height: h };
    case 5:
      return { x: y, y: x, width: h, height: w };
    case 6:
      return { x: mirroredY, y: x, width: h, height: w };
    case 7:
      return { x: mirroredY, y: mirroredX, width: h, height: w };
    case 8:
      return { x: y, y: mirroredX, width: h, height: w };
    default:
      return rect;
  }
}

/**
 * Rectangle of the stored photo that shows a rectangle of the upright photo.
 *
 * @param width Stored width of the photo, pixels.
 * @param height Stored height, pixels.
 */
export function storedFromUpright(rect: Rect, orientation: number, width: number, height: number): Rect {
  // Every orientation but 6 and 8 is its own inverse; those two are each other's.
  const inverse = orientation === 6 ? 8 : orientation === 8 ? 6 : orientation;
  return orientation >= 5 ? uprightFromStored(rect, inverse, height, width) : uprightFromStored(rect, inverse, width, height);
}

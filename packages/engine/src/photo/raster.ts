/**
 * An 8-bit sRGB picture in memory.
 *
 * Frame "image": x right, y down, origin at the top-left corner of the top-left pixel, unit one pixel; the pixel of
 * column j and row i covers [j, j+1) x [i, i+1) and has its centre at (j + 0.5, i + 0.5).
 */
export interface Raster {
  readonly width: number;
  readonly height: number;
  /** Shape (height, width, 3), row-major, R G B, sRGB-encoded, 0..255. */
  readonly rgb: Uint8Array;
}

import type { Warning } from '@facewright/protocol';
import type { Raster } from './raster.ts';

/** Image formats that are accepted, by content. */
export type PhotoFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff' | 'gif';

/** What is refused before or while a photo is decoded. */
export interface PhotoLimits {
  /** @default 50 MiB */
  readonly maxBytes: number;
  /**
   * Width times height as the header declares it. Half of it for progressive JPEG and interlaced PNG, a quarter for AVIF: they are held whole while
   * they are decoded. @default 120e6 (the largest common camera files have 102e6)
   */
  readonly maxPixels: number;
  /** Wall time of one decode, milliseconds. @default 10000 */
  readonly maxDecodeMs: number;
  /** Shortest accepted side, pixels. @default 40 */
  readonly minSidePx: number;
}

/** Rectangle in the image frame of the full-size upright photo, pixels. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A decoded piece of a photo and where it lies: photo coordinate = `x|y + raster coordinate * scale`. */
export interface PhotoView {
  readonly raster: Raster;
  /** Top-left corner of the raster in the image frame of the full-size upright photo, pixels. */
  readonly x: number;
  readonly y: number;
  /** Photo pixels per raster pixel, >= 1 (x and y differ only by rounding of the decoder). */
  readonly scaleX: number;
  readonly scaleY: number;
}

/**
 * An opened photo: header read and checked, pixels not yet decoded. All coordinates are in the image frame of the
 * full-size photo turned upright by its EXIF orientation.
 */
export interface Photo {
  /** Size of the full-size upright photo, pixels. */
  readonly width: number;
  readonly height: number;
  readonly format: PhotoFormat;
  readonly bytes: number;
  /** EXIF orientation 1..8 as found (already applied in everything that comes out of here). */
  readonly orientation: number;
  /** Focal length in pixels of the full-size photo from EXIF, or null where the photo does not tell. */
  readonly exifFocalPx: number | null;
  readonly isGrey: boolean;
  readonly warnings: readonly Warning[];
  /**
   * Decodes the whole photo, or the part `region`, with at least `longSidePx` pixels along its longer side where it has them; never
   * enlarged. More come where reducing further would cost more than it saves.
   *
   * A JPEG is cheapest where it may be reduced at least 3-fold (then half of it is decoded), 5-fold (a quarter) or 9-fold (an eighth).
   * A part costs what lies above it too, not what lies below. In a JPEG that is reduced, up to 7 pixels at the right and lower border
   * of the photo may be missing in the raster.
   *
   * @throws FW_ARG_INVALID (region outside the photo), FW_PHOTO_TRUNCATED, FW_PHOTO_DECODE_TIMEOUT, FW_CANCELED
   */
  decode(options: {
    /** Part wanted. @default the whole photo */
    readonly region?: Rect;
    /** Wanted size of the longer side of the part, pixels; the result has at least this if the photo has it. @default full size */
    readonly longSidePx?: number;
    readonly signal?: AbortSignal;
  }): Promise<PhotoView>;
}

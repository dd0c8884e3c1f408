import type { PhotoFormat } from './photo.ts';

/** How a photo is to be decoded: which reduction, and how the resulting grid of pixels lies on the stored photo. */
export interface DecodePlan {
  /** Size of the grid that the whole photo gives, pixels. Equal to the stored size where nothing is reduced. */
  readonly gridWidth: number;
  readonly gridHeight: number;
  /** Stored-photo pixels per grid pixel; both grids begin at the same top-left corner. */
  readonly scaleX: number;
  readonly scaleY: number;
  readonly isReduced: boolean;
}

/**
 * Below this reduction a resampling costs more than it saves: 7 to 12 ms for 2.4 megapixels that decode in 10 ms
 * (own measurement, sharp 0.35, one core of a 2026 server), and the caller samples what it gets anyway.
 */
const MIN_REDUCTION = 2;

/** Larger pieces are reduced all the same, to bound memory: 16 megapixels are 48 MB. */
const MAX_UNREDUCED_PIXELS = 16e6;
const MIN_REDUCTION_LARGE = 1.25;

/**
 * Plans the cheapest decode that leaves at least 1 pixel per `maxReduction` stored pixels on each side.
 *
 * JPEG pictures are reduced 2-, 4- or 8-fold inside the decoder, in the cosine transform. sharp chooses the factor (see
 * {@link computeJpegShrink}); what remains is resampled. Whole reductions of 3, 5 and 9 and a little more are therefore the
 * cheap ones. libvips drops the last column or row where the division leaves a rest, so that up to 7 stored pixels at the right
 * and lower border are not in the grid; the scale accounts for that (a test finds known marks to 0.06 pixels).
 *
 * @param maxReduction At least 1.
 * @param partPixels Stored pixels of the part that is wanted.
 */
export function planDecode(format: PhotoFormat, width: number, height: number, maxReduction: number, partPixels: number): DecodePlan {
  if (maxReduction < (partPixels > MAX_UNREDUCED_PIXELS ? MIN_REDUCTION_LARGE : MIN_REDUCTION)) {
    return { gridWidth: width, gridHeight: height, scaleX: 1, scaleY: 1, isReduced: false };
  }
  const gridWidth = Math.ceil(width / maxReduction);
  const gridHeight = Math.ceil(height / maxReduction);
  const n = format === 'jpeg' ? computeJpegShrink(Math.min(width / gridWidth, height / gridHeight)) : 1;
  return {
    gridWidth,
    gridHeight,
    scaleX: (n * Math.floor(width / n)) / gridWidth,
    scaleY: (n * Math.floor(height / n)) / gridHeight,
    isReduced: true,
  };
}

/**
 * Factor by which sharp 0.35 lets the JPEG decoder reduce when the whole reduction is `shrink`.
 *
 * Source: sharp, src/pipeline.cc, "jpegShrinkOnLoad": the largest of 8, 4, 2 that `shrink` reaches, halved where `shrink` is
 * less than one above it (there the rounding of the decoder could leave too few pixels). A test compares with real decodes.
 */
export function computeJpegShrink(shrink: number): number {
  const n = shrink >= 8 ? 8 : shrink >= 4 ? 4 : shrink >= 2 ? 2 : 1;
  return n > 1 && Math.trunc(shrink) === n ? n / 2 : n;
}

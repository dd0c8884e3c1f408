import { INNER_FACE } from '../nets/landmark-names.ts';
import type { Raster } from '../photo/raster.ts';

/** What the pixels of a face say about whether it was photographed from life. */
export interface AppearanceAssessment {
  /** Share of the inner face where brightness changes by less than the grain of any camera: fills of one colour. */
  readonly flatRatio: number;
  /** Share of the inner face on hard edges: outlines. */
  readonly edgeRatio: number;
  /** Mean distance from grey over the inner face, 8-bit levels. Skin in colour has 20 or more. */
  readonly faceChroma: number;
  /** The same at the most colourful fiftieth of the whole picture. */
  readonly pictureChroma: number;
}

/** Differences are taken over this share of the inner face's width, so that a face has the same figures at any size. */
const REACH_RATIO = 1 / 136;
/** Levels of 255 across twice the reach: below is no gradient at all, above an outline. Measured on photos and drawings, docs/decisions/acceptance.md. */
const FLAT_LEVELS = 1.5;
const EDGE_LEVELS = 40;

/**
 * Measures flatness, outlines and colour of a face in a picture. The landmark networks take a drawing or a statue for a
 * face with full confidence; its surface tells.
 *
 * @param points - shape (478,3), image frame of the raster
 * Source: own derivation; the figures behind the bounds are in docs/decisions/acceptance.md.
 */
export function assessAppearance(raster: Raster, points: Float64Array): AppearanceAssessment {
  const { width, height, rgb } = raster;
  let left = Number.POSITIVE_INFINITY;
  let right = Number.NEGATIVE_INFINITY;
  let top = Number.POSITIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (const l of INNER_FACE) {
    left = Math.min(left, points[3 * l]!);
    right = Math.max(right, points[3 * l]!);
    top = Math.min(top, points[3 * l + 1]!);
    bottom = Math.max(bottom, points[3 * l + 1]!);
  }
  const reach = Math.max(1, Math.round((right - left) * REACH_RATIO));
  const x0 = Math.max(reach, Math.floor(left));
  const x1 = Math.min(width - 1 - reach, Math.ceil(right));
  const y0 = Math.max(reach, Math.floor(top));
  const y1 = Math.min(height - 1 - reach, Math.ceil(bottom));
  const luma = (x: number, y: number): number => {
    const o = 3 * (y * width + x);
    return 0.299 * rgb[o]! + 0.587 * rgb[o + 1]! + 0.114 * rgb[o + 2]!;
  };
  let count = 0;
  let flat = 0;
  let edges = 0;
  let chroma = 0;
  // Every second place in each direction: some 5000 samples tell shares to a percent.
  for (let y = y0; y <= y1; y += 2 * reach) {
    for (let x = x0; x <= x1; x += 2 * reach) {
      const gradient = Math.hypot(luma(x + reach, y) - luma(x - reach, y), luma(x, y + reach) - luma(x, y - reach));
      if (gradient < FLAT_LEVELS) flat++;
      else if (gradient > EDGE_LEVELS) edges++;
      chroma += chromaAt(rgb, 3 * (y * width + x));
      count++;
    }
  }
  const n = Math.max(1, count);
  return { flatRatio: flat / n, edgeRatio: edges / n, faceChroma: chroma / n, pictureChroma: measurePictureChroma(raster) };
}

/** Distance from grey in the chroma plane of JPEG (ITU-R BT.601), levels. */
function chromaAt(rgb: Uint8Array, o: number): number {
  const r = rgb[o]!;
  const g = rgb[o + 1]!;
  const b = rgb[o + 2]!;
  const y = 0.299 * r + 0.587 * g + 0.114 * b;
  return Math.hypot(0.564 * (b - y), 0.713 * (r - y));
}

/** 98th percentile over a grid of at most some 4000 pixels. */
function measurePictureChroma({ width, height, rgb }: Raster): number {
  const step = Math.max(1, Math.floor(Math.sqrt((width * height) / 4096)));
  const histogram = new Uint32Array(256);
  let count = 0;
  for (let y = step >> 1; y < height; y += step) {
    for (let x = step >> 1; x < width; x += step) {
      histogram[Math.min(255, Math.round(chromaAt(rgb, 3 * (y * width + x))))]!++;
      count++;
    }
  }
  let above = 0;
  for (let level = 255; level > 0; level--) {
    above += histogram[level]!;
    if (above >= 0.02 * count) return level;
  }
  return 0;
}

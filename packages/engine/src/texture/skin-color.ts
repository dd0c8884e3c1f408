/** Colour of one person's skin in one photo: what it varies by, robustly. */
export interface SkinColor {
  /** Median, sRGB 0..255. */
  readonly rgb: readonly [number, number, number];
  /** Median of ln(luma + {@link LUMA_OFFSET}), of Cb / luma and Cr / luma. */
  readonly logLuma: number;
  readonly blueness: number;
  readonly redness: number;
  /** Robust standard deviations of the same. */
  readonly logLumaSpread: number;
  readonly bluenessSpread: number;
  readonly rednessSpread: number;
}

/** Keeps the logarithm and the ratios calm near black, 8-bit levels. */
const LUMA_OFFSET = 8;

/** Median absolute deviation to standard deviation of a normal distribution. */
const SIGMA_PER_MAD = 1.4826;

/**
 * Estimates the skin colour from samples that are skin in most cases (cheeks, forehead, nose): medians and median absolute deviations, so that
 * hair strands, glasses and highlights among them do not matter. Chroma is divided by luma, which makes it the same in light and in
 * shade.
 *
 * @param rgb - shape (N,3), 0..255
 */
export function estimateSkinColor(rgb: ArrayLike<number>): SkinColor {
  const n = Math.floor(rgb.length / 3);
  const luma = new Float64Array(n);
  const blue = new Float64Array(n);
  const red = new Float64Array(n);
  const channels = [new Float64Array(n), new Float64Array(n), new Float64Array(n)] as const;
  for (let i = 0; i < n; i++) {
    const r = rgb[3 * i]!;
    const g = rgb[3 * i + 1]!;
    const b = rgb[3 * i + 2]!;
    const y = 0.299 * r + 0.587 * g + 0.114 * b;
    luma[i] = Math.log(y + LUMA_OFFSET);
    blue[i] = (b - y) / (y + LUMA_OFFSET);
    red[i] = (r - y) / (y + LUMA_OFFSET);
    channels[0][i] = r;
    channels[1][i] = g;
    channels[2][i] = b;
  }
  const logLuma = median(luma);
  const blueness = median(blue);
  const redness = median(red);
  return {
    rgb: [median(channels[0]), median(channels[1]), median(channels[2])],
    logLuma,
    blueness,
    redness,
    // Floors: the same skin varies at least this much between cheek, nose and forehead.
    logLumaSpread: Math.max(0.16, spread(luma, logLuma)),
    bluenessSpread: Math.max(0.035, spread(blue, blueness)),
    rednessSpread: Math.max(0.03, spread(red, redness)),
  };
}

/**
 * Distance of a colour from the skin in standard deviations (Mahalanobis, axes taken as independent). Brightness counts
 * half below the median: skin in shade is skin.
 */
export function computeSkinDistance(skin: SkinColor, r: number, g: number, b: number): number {
  const y = 0.299 * r + 0.587 * g + 0.114 * b;
  const l = (Math.log(y + LUMA_OFFSET) - skin.logLuma) / skin.logLumaSpread;
  const u = ((b - y) / (y + LUMA_OFFSET) - skin.blueness) / skin.bluenessSpread;
  const v = ((r - y) / (y + LUMA_OFFSET) - skin.redness) / skin.rednessSpread;
  const light = l < 0 ? 0.5 * l : l;
  return Math.sqrt(light * light + u * u + v * v);
}

function median(values: Float64Array): number {
  if (values.length === 0) return 0;
  const sorted = values.slice().sort();
  return sorted[sorted.length >> 1]!;
}

function spread(values: Float64Array, center: number): number {
  const deviations = values.map((v) => Math.abs(v - center));
  return SIGMA_PER_MAD * median(deviations);
}

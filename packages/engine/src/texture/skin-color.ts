/**
 * A colour as (logarithm of its brightness, blue excess, red excess), the excesses divided by the brightness: light and shade move the first
 * only. Three numbers, {@link computeTone}.
 */
export const TONE_CHANNELS = 3;

/** Keeps the logarithm and the ratios calm near black, 8-bit levels. */
const LUMA_OFFSET = 8;

/** How much skin varies between neighbouring places of one face (standard deviation of each tone channel), from the shared photos' cheeks and foreheads. */
export const SKIN_SPREAD: readonly [number, number, number] = [0.2, 0.042, 0.036];

/** Brightness below the reference counts this much less than above: skin in shade is skin. */
const SHADE_FACTOR = 0.72;

/** Writes the tone of a colour (0..255) to `out[o..o+2]`. */
export function computeTone(r: number, g: number, b: number, out: Float32Array, o: number): void {
  const y = 0.299 * r + 0.587 * g + 0.114 * b;
  const inverse = 1 / (y + LUMA_OFFSET);
  out[o] = Math.log(y + LUMA_OFFSET);
  out[o + 1] = (b - y) * inverse;
  out[o + 2] = (r - y) * inverse;
}

/** Writes the colour (0..255, not clamped) of a tone to `out[o..o+2]`: the inverse of {@link computeTone}. */
export function writeColorOfTone(l: number, u: number, v: number, out: Float64Array, o: number): void {
  const bright = Math.exp(l);
  const luma = bright - LUMA_OFFSET;
  out[o] = luma + v * bright;
  out[o + 2] = luma + u * bright;
  out[o + 1] = (luma - 0.299 * out[o] - 0.114 * out[o + 2]) / 0.587;
}

/** Distance of one tone from another in standard deviations, the axes taken as independent. */
export function computeToneDistance(
  tone: Float32Array,
  o: number,
  reference: ArrayLike<number>,
  q: number,
  spread: readonly [number, number, number],
): number {
  const l = (tone[o] - reference[q]) / spread[0];
  const u = (tone[o + 1] - reference[q + 1]) / spread[1];
  const v = (tone[o + 2] - reference[q + 2]) / spread[2];
  const light = l < 0 ? SHADE_FACTOR * l : l;
  return Math.sqrt(light * light + u * u + v * v);
}

/** Median and robust spread (1.4826 times the median absolute deviation: the standard deviation of a normal distribution) of each channel of (N,channels). */
export function computeRobustStatistics(
  values: ArrayLike<number>,
  channels: number,
): { readonly median: number[]; readonly spread: number[] } {
  const n = Math.floor(values.length / channels);
  const median: number[] = [];
  const spread: number[] = [];
  const column = new Float32Array(n);
  for (let k = 0; k < channels; k++) {
    for (let i = 0; i < n; i++) column[i] = values[i * channels + k];
    column.sort();
    const m = n > 0 ? column[n >> 1] : 0;
    for (let i = 0; i < n; i++) column[i] = Math.abs(values[i * channels + k] - m);
    column.sort();
    median.push(m);
    spread.push(n > 0 ? 1.4826 * column[n >> 1] : 0);
  }
  return { median, spread };
}

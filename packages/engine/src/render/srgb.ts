/** Linear value of each sRGB byte, shape (256). IEC 61966-2-1. */
export const LINEAR_FROM_SRGB: Float32Array = Float32Array.from({ length: 256 }, (_, i) => {
  const s = i / 255;
  return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
});

/** Steps of the table below: the encoding is steepest at black, where one step is then 0.8 of an sRGB byte. */
const STEPS = 4096;

/** sRGB byte of each linear value n / 4096, shape (4097). */
export const SRGB_FROM_LINEAR: Uint8Array = Uint8Array.from({ length: STEPS + 1 }, (_, i) => {
  const linear = i / STEPS;
  const s = linear <= 0.0031308 ? linear * 12.92 : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.round(s * 255);
});

/** sRGB byte of a linear value; below 0 and above 1 are clipped. */
export function encodeSrgb(linear: number): number {
  return SRGB_FROM_LINEAR[linear <= 0 ? 0 : linear >= 1 ? STEPS : (linear * STEPS + 0.5) | 0]!;
}

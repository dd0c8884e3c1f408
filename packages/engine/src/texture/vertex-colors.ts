import { valueNoise } from './hash-noise.ts';
import { computeTexelGradients, NO_TRIANGLE, type TexelMap } from './texel-map.ts';

/**
 * Paints a texture by interpolating colours given per vertex, with soft mottling. Texels without a triangle take `beside`.
 *
 * @param rgb - shape (V,3), 0..255
 * @param mottle - relative brightness of the mottling, e.g. 0.06
 */
export function paintVertexColors(
  map: TexelMap,
  modelTriangles: Uint32Array,
  rgb: Float32Array,
  beside: readonly [number, number, number],
  mottle: number,
): Uint8Array {
  const { size, triangle } = map;
  const gradients = [0, 1, 2].map((k) => computeTexelGradients(map, modelTriangles, rgb, 3, k));
  const out = new Uint8Array(3 * size * size);
  for (let row = 0, p = 0; row < size; row++) {
    for (let column = 0; column < size; column++, p++) {
      const t = triangle[p];
      const u = (column / size) * 256;
      const v = (row / size) * 256;
      const noise = 1 + mottle * (valueNoise(u / 2, v / 2, 31) + valueNoise(u / 7, v / 7, 32) - 1);
      for (let k = 0; k < 3; k++) {
        const g = gradients[k];
        const c = t === NO_TRIANGLE ? beside[k] : g[3 * t] * (column + 0.5) + g[3 * t + 1] * (row + 0.5) + g[3 * t + 2];
        out[3 * p + k] = Math.max(0, Math.min(255, c * noise + 0.5));
      }
    }
  }
  return out;
}

import sharp from 'sharp';
import type { TextureMap } from '../texture/face-maps.ts';

export type ImageEncoding = 'jpeg' | 'webp';

/**
 * JPEG of opaque textures in the GLB, 1..100. Measured on a face at 1024 x 1024: 88: 137 KB, 43.0 dB; 90: 150 KB, 43.8 dB; 95: 211 KB,
 * 46.8 dB, 6 to 7 ms each. Optimised Huffman tables would save 1 % and cost twice the time.
 */
export const JPEG_QUALITY = 90;

/** WebP of the compact GLB, 1..100. 85 at effort 2: 83 KB, 40.9 dB, 41 ms; effort 0: 105 KB, 26 ms; effort 4: 80 KB, 91 ms. */
export const WEBP_QUALITY = 85;

/** Alpha of the WebP, 1..100: lashes take 33 KB instead of the 110 KB at 90, with no difference to be seen. */
export const WEBP_ALPHA_QUALITY = 60;

/**
 * Encodes a texture with loss (without: `encodePng`). The bytes depend on pixels and encoding only. JPEG drops alpha.
 */
export async function encodeImage(
  map: Pick<TextureMap, 'width' | 'height' | 'channels' | 'data'>,
  encoding: ImageEncoding,
): Promise<Uint8Array> {
  const { width, height, channels, data } = map;
  const image = sharp(data, { raw: { width, height, channels } });
  if (encoding === 'webp') return image.webp({ quality: WEBP_QUALITY, alphaQuality: WEBP_ALPHA_QUALITY, effort: 2 }).toBuffer();
  if (channels === 4) image.removeAlpha();
  return image.jpeg({ quality: JPEG_QUALITY, chromaSubsampling: '4:2:0', optimiseCoding: false, mozjpeg: false }).toBuffer();
}

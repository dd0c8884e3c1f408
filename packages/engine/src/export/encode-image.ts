import sharp from 'sharp';
import type { TextureMap } from '../texture/face-maps.ts';

export type ImageEncoding = 'jpeg' | 'png' | 'webp';

/** JPEG of opaque textures in the GLB, 1..100. */
export const JPEG_QUALITY = 88;
/** WebP of the compact GLB, 1..100. */
export const WEBP_QUALITY = 80;

/**
 * Encodes a texture. The bytes depend on pixels and encoding only.
 *
 * JPEG and WebP are lossy; PNG keeps every texel. JPEG drops alpha.
 */
export async function encodeImage(
  map: Pick<TextureMap, 'width' | 'height' | 'channels' | 'data'>,
  encoding: ImageEncoding,
): Promise<Uint8Array> {
  const { width, height, channels, data } = map;
  const image = sharp(data, { raw: { width, height, channels } });
  if (encoding === 'jpeg') {
    if (channels === 4) image.removeAlpha();
    return image.jpeg({ quality: JPEG_QUALITY, chromaSubsampling: '4:2:0', optimiseCoding: false, mozjpeg: false }).toBuffer();
  }
  if (encoding === 'webp') return image.webp({ quality: WEBP_QUALITY, alphaQuality: 90, effort: 2, smartSubsample: false }).toBuffer();
  return image.png({ compressionLevel: 2, adaptiveFiltering: true, palette: false }).toBuffer();
}

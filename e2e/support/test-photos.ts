import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const PORTRAIT = fileURLToPath(new URL('../../examples/portrait.jpg', import.meta.url));

/**
 * The shipped portrait at a width, as JPEG; `number` brightens it a little, so that each one has other bytes.
 */
export async function makePortrait(widthPx: number, number = 0): Promise<Buffer> {
  return sharp(PORTRAIT)
    .resize(widthPx)
    .modulate({ brightness: 1 + number / 1000 })
    .withExif({})
    .jpeg({ quality: 90 })
    .toBuffer();
}

/** A picture without a face. */
export async function makeLandscape(widthPx: number): Promise<Buffer> {
  return sharp({ create: { width: widthPx, height: widthPx, channels: 3, background: { r: 90, g: 140, b: 200 } } })
    .jpeg()
    .toBuffer();
}

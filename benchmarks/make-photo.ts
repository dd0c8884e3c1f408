import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const EXAMPLE = fileURLToPath(new URL('../examples/portrait.jpg', import.meta.url));

/** A JPEG of the example in the given size, its quality chosen so that it has about `bytes`. */
export async function makePhoto(width: number, height: number, bytes: number | null): Promise<Buffer> {
  const noise = await sharp({
    create: { width, height, channels: 3, background: '#808080', noise: { type: 'gaussian', mean: 128, sigma: 6 } },
  })
    .png({ compressionLevel: 1 })
    .toBuffer();
  const base = await sharp(EXAMPLE)
    .resize(width, height, { fit: 'cover' })
    .composite([{ input: noise, blend: 'soft-light' }])
    .png({ compressionLevel: 1 })
    .toBuffer();
  if (bytes === null) return sharp(base).jpeg({ quality: 90 }).toBuffer();
  let best = await sharp(base).jpeg({ quality: 95 }).toBuffer();
  for (let quality = 92; quality >= 50 && best.length > 1.1 * bytes; quality -= 3) best = await sharp(base).jpeg({ quality }).toBuffer();
  return best;
}

import type { FaceMaps } from '../texture/face-maps.ts';
import { createPngOnce, type PngOfTexture } from './create-png-once.ts';
import { encodePng } from './encode-png.ts';
import { nameTextures } from './name-textures.ts';
import type { OutputFile } from './output-file.ts';

/**
 * Encodes the pictures of a face as PNG: `albedo.png` (skin), `albedo-<surface>.png`, and `observed.png`, the mask of the skin texels
 * that the photo shows (255) rather than what was completed (0). Row 0 is v = 0 as in glTF.
 */
export async function encodeMaps(maps: FaceMaps, pngOf: PngOfTexture = createPngOnce()): Promise<OutputFile[]> {
  const { size, data } = maps.observed;
  return Promise.all([
    ...Array.from(nameTextures(maps), async ([map, name]) => ({ name, bytes: await pngOf(map) })),
    encodePng({ width: size, height: size, channels: 1, data }).then((bytes) => ({ name: 'observed.png', bytes })),
  ]);
}

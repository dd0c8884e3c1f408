import type { TextureMap } from '../texture/face-maps.ts';
import { encodePng } from './encode-png.ts';
import { keepConstant } from './keep-constant.ts';

/** The PNG of a texture. */
export type PngOfTexture = (map: TextureMap) => Promise<Uint8Array>;

/** Encodes each texture once however often it is asked for: those with alpha are in the GLB and beside it as files, in the same bytes. */
export function createPngOnce(): PngOfTexture {
  const made = new Map<TextureMap, Promise<Uint8Array>>();
  return (map) => {
    const known = made.get(map);
    if (known !== undefined) return known;
    const png = keepConstant(map, 'png', () => encodePng(map));
    made.set(map, png);
    return png;
  };
}

import type { TextureMap } from '../texture/face-maps.ts';

/** Reduced textures that were made already, so that several views of one face share them. */
export interface TextureCache {
  readonly levels: Map<TextureMap, TextureMap[]>;
}

export function createTextureCache(): TextureCache {
  return { levels: new Map() };
}

/**
 * A texture with `2 ** level` times fewer texels per side: means of square blocks. Averaged as stored (sRGB bytes): half a byte darker
 * than in linear light where neighbours differ by 20, which a preview does not show. Colours count by their alpha.
 */
export function reduceTexture(texture: TextureMap, level: number, cache: TextureCache): TextureMap {
  if (level <= 0) return texture;
  let made = cache.levels.get(texture);
  if (made === undefined) {
    made = [texture];
    cache.levels.set(texture, made);
  }
  while (made.length <= level) made.push(halveTexture(made[made.length - 1]!));
  return made[level]!;
}

function halveTexture(texture: TextureMap): TextureMap {
  const { channels, data } = texture;
  // An odd last row or column is left out; a side of one texel stays.
  const width = Math.max(1, texture.width >> 1);
  const height = Math.max(1, texture.height >> 1);
  const right = texture.width > 1 ? channels : 0;
  const down = texture.height > 1 ? texture.width * channels : 0;
  const out = new Uint8Array(width * height * channels);
  for (let y = 0, q = 0; y < height; y++) {
    let p = (texture.height > 1 ? 2 * y : 0) * texture.width * channels;
    for (let x = 0; x < width; x++, p += 2 * channels, q += channels) {
      if (channels === 3) {
        for (let c = 0; c < 3; c++)
          out[q + c] = (data[p + c]! + data[p + right + c]! + data[p + down + c]! + data[p + right + down + c]! + 2) >> 2;
        continue;
      }
      const a0 = data[p + 3]!;
      const a1 = data[p + right + 3]!;
      const a2 = data[p + down + 3]!;
      const a3 = data[p + right + down + 3]!;
      const sum = a0 + a1 + a2 + a3;
      for (let c = 0; c < 3; c++) {
        const c0 = data[p + c]!;
        const c1 = data[p + right + c]!;
        const c2 = data[p + down + c]!;
        const c3 = data[p + right + down + c]!;
        out[q + c] = sum === 0 ? (c0 + c1 + c2 + c3 + 2) >> 2 : Math.round((c0 * a0 + c1 * a1 + c2 * a2 + c3 * a3) / sum);
      }
      out[q + 3] = (sum + 2) >> 2;
    }
  }
  return { name: texture.name, width, height, channels, data: out };
}

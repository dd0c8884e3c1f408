import type { TextureMap } from '../texture/face-maps.ts';

/** Reduced textures that were made already, so that several views of one face share them. */
export interface TextureCache {
  /** By texture and level. */
  readonly levels: Map<TextureMap, (TextureMap | undefined)[]>;
}

export function createTextureCache(): TextureCache {
  return { levels: new Map() };
}

/**
 * A texture with `2 ** level` times fewer texels per side. Averaged as stored (sRGB bytes): half a byte darker than in linear light where
 * neighbours differ by 20, which a preview does not show. Colours count by their alpha.
 *
 * Two levels are taken in one step, as the mean of four texels of sixteen, one in each row and column: a texture of 1024 texels then costs
 * a quarter of reading it all, and what is left of stripes finer than a pixel is a twentieth.
 */
export function reduceTexture(texture: TextureMap, level: number, cache: TextureCache): TextureMap {
  if (level <= 0) return texture;
  let made = cache.levels.get(texture);
  if (made === undefined) {
    made = [];
    cache.levels.set(texture, made);
  }
  const known = made[level];
  if (known !== undefined) return known;
  const steps = Math.min(2, level);
  const reduced = takeMeans(reduceTexture(texture, level - steps, cache), steps === 1 ? HALVING : QUARTERING);
  made[level] = reduced;
  return reduced;
}

/** Which texels of a square block count: column and row of each. */
interface Block {
  readonly side: number;
  readonly columns: readonly [number, number, number, number];
  readonly rows: readonly [number, number, number, number];
}

const HALVING: Block = { side: 2, columns: [0, 1, 0, 1], rows: [0, 0, 1, 1] };
/** One in each row and each column, none beside another: four rooks. */
const QUARTERING: Block = { side: 4, columns: [1, 3, 0, 2], rows: [0, 1, 2, 3] };

function takeMeans({ name, width, height, channels, data }: TextureMap, { side, columns, rows }: Block): TextureMap {
  // Odd last rows and columns are left out; a side that is shorter than the block keeps one texel.
  const outWidth = Math.max(1, Math.floor(width / side));
  const outHeight = Math.max(1, Math.floor(height / side));
  const offset = (k: 0 | 1 | 2 | 3): number => (Math.min(rows[k], height - 1) * width + Math.min(columns[k], width - 1)) * channels;
  const o0 = offset(0);
  const o1 = offset(1);
  const o2 = offset(2);
  const o3 = offset(3);
  const out = new Uint8Array(outWidth * outHeight * channels);
  const step = side * channels;
  for (let y = 0, q = 0; y < outHeight; y++) {
    let p = y * side * width * channels;
    if (channels === 3) {
      for (let x = 0; x < outWidth; x++, p += step, q += 3) {
        out[q] = (data[p + o0]! + data[p + o1]! + data[p + o2]! + data[p + o3]! + 2) >> 2;
        out[q + 1] = (data[p + o0 + 1]! + data[p + o1 + 1]! + data[p + o2 + 1]! + data[p + o3 + 1]! + 2) >> 2;
        out[q + 2] = (data[p + o0 + 2]! + data[p + o1 + 2]! + data[p + o2 + 2]! + data[p + o3 + 2]! + 2) >> 2;
      }
      continue;
    }
    for (let x = 0; x < outWidth; x++, p += step, q += 4) {
      const a0 = data[p + o0 + 3]!;
      const a1 = data[p + o1 + 3]!;
      const a2 = data[p + o2 + 3]!;
      const a3 = data[p + o3 + 3]!;
      const sum = a0 + a1 + a2 + a3;
      for (let c = 0; c < 3; c++) {
        const c0 = data[p + o0 + c]!;
        const c1 = data[p + o1 + c]!;
        const c2 = data[p + o2 + c]!;
        const c3 = data[p + o3 + c]!;
        out[q + c] = sum === 0 ? (c0 + c1 + c2 + c3 + 2) >> 2 : Math.round((c0 * a0 + c1 * a1 + c2 * a2 + c3 * a3) / sum);
      }
      out[q + 3] = (sum + 2) >> 2;
    }
  }
  return { name, width: outWidth, height: outHeight, channels, data: out };
}

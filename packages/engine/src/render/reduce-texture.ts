import { countKernelBytes, useScratchMemory } from '../kernels/kernel-memory.ts';
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
  const offsets = Int32Array.from(
    [0, 1, 2, 3],
    (k) => (Math.min(rows[k]!, height - 1) * width + Math.min(columns[k]!, width - 1)) * channels,
  );
  const outBytes = outWidth * outHeight * channels;
  const memory = useScratchMemory(countKernelBytes([data, offsets]) + outBytes);
  const out = memory.allocate(Uint8Array, outBytes);
  memory.kernels.takeMeans(
    memory.place(data).byteOffset,
    side * width * channels,
    side * channels,
    memory.place(offsets).byteOffset,
    channels,
    outWidth,
    outHeight,
    out.byteOffset,
  );
  return { name, width: outWidth, height: outHeight, channels, data: out.slice() };
}

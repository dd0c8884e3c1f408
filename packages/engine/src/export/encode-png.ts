import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { countKernelBytes, useScratchMemory } from '../kernels/kernel-memory.ts';

const deflate = promisify(zlib.deflate);

const SIGNATURE = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** PNG colour type by number of channels: grey, -, RGB, RGBA. */
const COLOR_TYPES = { 1: 0, 3: 2, 4: 6 } as const;
const INDEXED = 3;
/** How zlib works on differences of colours, and on indices of a palette. */
const FAST = { level: 1, strategy: zlib.constants.Z_RLE } as const;
const PALETTE = { level: 4 } as const;

/**
 * Encodes an 8-bit picture as PNG, sRGB.
 *
 * Every row is stored as the difference from the row above (filter "Up") and deflated with run lengths and Huffman codes only:
 * on photographic textures that is as small as libpng's adaptive filters at zlib level 2 in 40 % of the time (1024 x 1024 RGB:
 * 0.93 MB in 25 ms, against 0.94 MB in 68 ms). RGBA of at most 256 different colours (lashes: one colour, many alphas) is stored
 * with a palette, at half the size or less. Every pixel comes back as it was.
 *
 * @param picture.data - shape (height, width, channels), row-major
 *
 * Source: PNG specification (W3C, third edition), sections 5.2 (signature), 9.2 (filters), 11.2 (IHDR, PLTE, IDAT, IEND), 11.3.1.1
 * (tRNS), 11.3.2.5 (sRGB).
 */
export async function encodePng(picture: {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array;
}): Promise<Uint8Array> {
  const { width, height, channels, data } = picture;
  const indexed = channels === 4 ? indexColors(data) : null;
  const samples = indexed === null ? data : indexed.indices;
  const filtered = filterUp(samples, indexed === null ? width * channels : width, height);
  const compressed = await deflate(
    filtered,
    // Output in a few large pieces: for each one the library comes back to this thread.
    { memLevel: 9, chunkSize: Math.max(1 << 14, filtered.length >> 1), ...(indexed === null ? FAST : PALETTE) },
  );

  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, indexed === null ? COLOR_TYPES[channels] : INDEXED, 0, 0, 0], 8);
  const chunks = [
    formatChunk('IHDR', header),
    // Rendering intent 0 (perceptual).
    formatChunk('sRGB', new Uint8Array(1)),
    ...(indexed === null ? [] : [formatChunk('PLTE', indexed.rgb), formatChunk('tRNS', indexed.alpha)]),
    formatChunk('IDAT', compressed),
    formatChunk('IEND', new Uint8Array(0)),
  ];
  const out = new Uint8Array(SIGNATURE.length + chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  out.set(SIGNATURE);
  let at = SIGNATURE.length;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** Rows as PNG stores them: the filter's number before each, and the difference from the row above. */
function filterUp(data: Uint8Array, stride: number, height: number): Uint8Array {
  const filtered = new Uint8Array((stride + 1) * height);
  const memory = useScratchMemory(countKernelBytes(data) + countKernelBytes(filtered));
  const from = memory.place(data);
  const to = memory.allocate(Uint8Array, filtered.length);
  memory.kernels.filterUp(from.byteOffset, stride, height, to.byteOffset);
  filtered.set(to);
  return filtered;
}

/**
 * Palette and index of each RGBA pixel; null where there are more than 256 colours. The palette is in order of alpha, so that
 * neighbouring pixels have neighbouring indices.
 */
function indexColors(data: Uint8Array): { readonly indices: Uint8Array; readonly rgb: Uint8Array; readonly alpha: Uint8Array } | null {
  const count = data.length / 4;
  const memory = useScratchMemory(data.length + count + 8192);
  const { kernels } = memory;
  const indices = memory.allocate(Uint8Array, count);
  const colors = memory.allocate(Uint32Array, 256);
  const slots = memory.allocate(Int32Array, 1024);
  const pixels = memory.allocate(Uint8Array, data.length);
  pixels.set(data);
  const found = kernels.indexPixels(pixels.byteOffset, count, slots.byteOffset, colors.byteOffset, indices.byteOffset);
  if (found < 0) return null;
  // Bytes of a colour lie in the order red, green, blue, alpha: the number is made of them in that order, too.
  const numbers = Array.from(
    colors.subarray(0, found),
    (c) => (((c & 255) << 24) | ((c & 0xff00) << 8) | ((c >>> 8) & 0xff00) | (c >>> 24)) >>> 0,
  );
  const order = Array.from(numbers.keys()).sort((a, b) => (numbers[a]! & 255) - (numbers[b]! & 255) || numbers[a]! - numbers[b]!);
  const newFromOld = memory.allocate(Uint8Array, 256);
  const rgb = new Uint8Array(3 * found);
  const alpha = new Uint8Array(found);
  order.forEach((old, k) => {
    const color = numbers[old]!;
    newFromOld[old] = k;
    rgb.set([color >>> 24, (color >>> 16) & 255, (color >>> 8) & 255], 3 * k);
    alpha[k] = color & 255;
  });
  kernels.renameIndices(indices.byteOffset, count, newFromOld.byteOffset);
  return { indices: indices.slice(), rgb, alpha };
}

function formatChunk(type: string, content: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(12 + content.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, content.length);
  for (let i = 0; i < 4; i++) chunk[4 + i] = type.charCodeAt(i);
  chunk.set(content, 8);
  view.setUint32(8 + content.length, zlib.crc32(chunk.subarray(4, 8 + content.length)));
  return chunk;
}

/** @module GIF89a with one palette for the whole film, and only what changes in each frame. Own code: 200 lines instead of a library. */

export interface GifOptions {
  readonly width: number;
  readonly height: number;
  /** Time that each frame is shown, ms; the format knows hundredths of a second. */
  readonly delayMs: number;
  /** RGB, 3 bytes each, at most 255 colours: one number is kept for "as before". */
  readonly palette: Uint8Array;
  /** How far colours are strewn to hide steps between those of the palette, of 255; 0 takes the nearest. */
  readonly dither: number;
}

export interface GifEncoder {
  /** RGBA, row-major; alpha is not looked at. */
  addFrame(pixels: Uint8ClampedArray): void;
  finish(): Uint8Array<ArrayBuffer>;
}

/** Where palettes are full: 256 numbers less the one that means "as before". */
export const MAX_COLORS = 255;
/** Bits of each channel in the tables of colours: finer than any step of a palette. */
const BITS = 6;
const SHIFT = 8 - BITS;
const CELLS = 1 << (3 * BITS);
const AS_BEFORE = 255;

/** Begins a GIF that plays for ever. */
export function createGifEncoder({ width, height, delayMs, palette, dither }: GifOptions): GifEncoder {
  const out = createWriter();
  const nearest = new Int16Array(CELLS).fill(-1);
  for (let c = 0; c < palette.length; c += 3) nearest[cellOf(palette[c]!, palette[c + 1]!, palette[c + 2]!)] = c / 3;
  const noise = createNoise(width, height, dither);
  let before: Uint8Array | null = null;

  out.text('GIF89a');
  out.u16(width);
  out.u16(height);
  // A global table of 256 colours, 8 bits each.
  out.bytes([0xf7, 0, 0]);
  const table = new Uint8Array(768);
  table.set(palette.subarray(0, 3 * MAX_COLORS));
  out.bytes(table);
  out.bytes([0x21, 0xff, 11]);
  out.text('NETSCAPE2.0');
  out.bytes([3, 1, 0, 0, 0]);

  return {
    addFrame(pixels) {
      const indices = new Uint8Array(width * height);
      for (let i = 0, p = 0; i < indices.length; i++, p += 4) {
        const [r, g, b, n] = [pixels[p]!, pixels[p + 1]!, pixels[p + 2]!, noise[i]!];
        const plain = findNearest(r, g, b, palette, nearest);
        const isExact = palette[3 * plain] === r && palette[3 * plain + 1] === g && palette[3 * plain + 2] === b;
        // Even areas in a colour of the palette stay even.
        indices[i] = isExact || n === 0 ? plain : findNearest(clamp(r + n), clamp(g + n), clamp(b + n), palette, nearest);
      }
      const box = before === null ? { left: 0, top: 0, width, height } : findChanged(before, indices, width, height);
      const cut = new Uint8Array(box.width * box.height);
      for (let y = 0, k = 0; y < box.height; y++) {
        for (let x = 0; x < box.width; x++, k++) {
          const i = (box.top + y) * width + box.left + x;
          cut[k] = before !== null && before[i] === indices[i] ? AS_BEFORE : indices[i]!;
        }
      }
      // What was drawn stays; the last number is transparent.
      out.bytes([0x21, 0xf9, 4, 0x05]);
      out.u16(Math.max(2, Math.round(delayMs / 10)));
      out.bytes([AS_BEFORE, 0]);
      out.bytes([0x2c]);
      for (const value of [box.left, box.top, box.width, box.height]) out.u16(value);
      out.bytes([0]);
      writeLzw(cut, out);
      before = indices;
    },
    finish() {
      out.bytes([0x3b]);
      return out.finish();
    },
  };
}

/**
 * Colours for pictures that have something in common: median cut over a histogram (Heckbert, "Color image quantization for frame
 * buffer display", SIGGRAPH 1982), then some rounds of k-means, which pulls each colour to the middle of what it stands for.
 *
 * @param pictures RGBA each
 * @returns RGB, 3 bytes each
 */
export function choosePalette(pictures: readonly Uint8ClampedArray[], count: number = MAX_COLORS): Uint8Array {
  const sums = new Float64Array(4 * CELLS);
  for (const pixels of pictures) {
    for (let p = 0; p < pixels.length; p += 4) {
      const c = 4 * cellOf(pixels[p]!, pixels[p + 1]!, pixels[p + 2]!);
      sums[c]!++;
      sums[c + 1]! += pixels[p]!;
      sums[c + 2]! += pixels[p + 1]!;
      sums[c + 3]! += pixels[p + 2]!;
    }
  }
  const points: ColorPoint[] = [];
  for (let c = 0; c < 4 * CELLS; c += 4) {
    const n = sums[c]!;
    // The root: a large even background must not take the colours of a small face.
    if (n > 0) points.push({ weight: Math.sqrt(n), rgb: [sums[c + 1]! / n, sums[c + 2]! / n, sums[c + 3]! / n] });
  }
  let colors = cutAtMedians(points, count);
  if (points.length > count) for (let round = 0; round < K_MEANS_ROUNDS; round++) colors = pullToMiddles(points, colors);
  return Uint8Array.from(colors.flat(), Math.round);
}

const K_MEANS_ROUNDS = 3;

type Rgb = readonly [number, number, number];

interface ColorPoint {
  readonly weight: number;
  readonly rgb: Rgb;
}

function cutAtMedians(points: readonly ColorPoint[], count: number): Rgb[] {
  const boxes = [createBox([...points])];
  while (boxes.length < count) {
    let widest = -1;
    for (const [i, box] of boxes.entries()) {
      if (box.points.length > 1 && (widest < 0 || box.spread > boxes[widest]!.spread)) widest = i;
    }
    if (widest < 0) break;
    const { points: all, axis } = boxes[widest]!;
    all.sort((a, b) => a.rgb[axis] - b.rgb[axis]);
    const half = all.reduce((sum, { weight }) => sum + weight, 0) / 2;
    let cut = 0;
    for (let sum = 0; cut < all.length - 1 && sum < half; cut++) sum += all[cut]!.weight;
    cut = Math.max(1, cut);
    boxes.splice(widest, 1, createBox(all.slice(0, cut)), createBox(all.slice(cut)));
  }
  return boxes.map(({ points: own }) => meanOf(own));
}

/** `spread`: variance along the widest axis, times the weight: where a cut saves most. */
function createBox(points: ColorPoint[]): { readonly points: ColorPoint[]; readonly axis: 0 | 1 | 2; readonly spread: number } {
  const mean = meanOf(points);
  const sums = [0, 0, 0];
  for (const { weight, rgb } of points) for (const a of AXES) sums[a]! += weight * (rgb[a] - mean[a]) ** 2;
  const axis = AXES.reduce((best, a) => (sums[a]! > sums[best]! ? a : best), 0 as 0 | 1 | 2);
  return { points, axis, spread: sums[axis]! };
}

const AXES = [0, 1, 2] as const;

function meanOf(points: readonly ColorPoint[]): Rgb {
  let [n, r, g, b] = [0, 0, 0, 0];
  for (const { weight, rgb } of points) {
    n += weight;
    r += weight * rgb[0];
    g += weight * rgb[1];
    b += weight * rgb[2];
  }
  return [r / n, g / n, b / n];
}

function pullToMiddles(points: readonly ColorPoint[], colors: readonly Rgb[]): Rgb[] {
  const groups: ColorPoint[][] = colors.map(() => []);
  const flat = Float64Array.from(colors.flat());
  for (const point of points) groups[indexOfNearest(point.rgb[0], point.rgb[1], point.rgb[2], flat)]!.push(point);
  return groups.map((group, i) => (group.length === 0 ? colors[i]! : meanOf(group)));
}

const cellOf = (r: number, g: number, b: number): number => ((r >> SHIFT) << (2 * BITS)) | ((g >> SHIFT) << BITS) | (b >> SHIFT);
const clamp = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

function findNearest(r: number, g: number, b: number, palette: Uint8Array, table: Int16Array): number {
  const cell = cellOf(r, g, b);
  const known = table[cell]!;
  if (known >= 0) return known;
  const found = indexOfNearest(r, g, b, palette);
  table[cell] = found;
  return found;
}

function indexOfNearest(r: number, g: number, b: number, colors: ArrayLike<number>): number {
  let best = 0;
  let least = Infinity;
  for (let c = 0; c < colors.length; c += 3) {
    const [dr, dg, db] = [r - colors[c]!, g - colors[c + 1]!, b - colors[c + 2]!];
    // Weights of luma, as eyes see differences: green most, blue least.
    const distance = 3 * dr * dr + 6 * dg * dg + db * db;
    if (distance < least) {
      least = distance;
      best = c / 3;
    }
  }
  return best;
}

/**
 * Strewing that is the same in every frame, so that what stands still stays the same: interleaved gradient noise (Jimenez, "Next
 * generation post processing in Call of Duty: Advanced Warfare", 2014).
 */
function createNoise(width: number, height: number, amount: number): Int8Array {
  const noise = new Int8Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const f = 52.982_918_9 * ((0.067_110_56 * x + 0.005_837_15 * y) % 1);
      noise[i] = Math.round(amount * (f - Math.floor(f) - 0.5));
    }
  }
  return noise;
}

/** The smallest rectangle around all that differs; one pixel where nothing does, because a frame must have some. */
function findChanged(a: Uint8Array, b: Uint8Array, width: number, height: number) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (a[i] === b[i]) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  return right < 0 ? { left: 0, top: 0, width: 1, height: 1 } : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** LZW as GIF has it: codes of 9 to 12 bits, the table begun anew when it is full, in blocks of at most 255 bytes. */
function writeLzw(indices: Uint8Array, out: Writer): void {
  const CLEAR = 256;
  const END = 257;
  const LIMIT = 4096;
  // What follows a code: next[code * 256 + index]; 0 is none, because no code that follows is 0.
  const next = new Uint16Array(LIMIT * 256);
  let size = 9;
  let count = END + 1;
  let pending = 0;
  let bits = 0;
  const block = new Uint8Array(255);
  let filled = 0;
  const putByte = (byte: number) => {
    block[filled++] = byte;
    if (filled < 255) return;
    out.bytes([255]);
    out.bytes(block);
    filled = 0;
  };
  const put = (code: number) => {
    pending |= code << bits;
    bits += size;
    for (; bits >= 8; bits -= 8, pending >>>= 8) putByte(pending & 255);
  };
  out.bytes([8]);
  put(CLEAR);
  let code = indices[0]!;
  for (let i = 1; i < indices.length; i++) {
    const index = indices[i]!;
    const key = code * 256 + index;
    const longer = next[key]!;
    if (longer !== 0) {
      code = longer;
      continue;
    }
    put(code);
    if (count === LIMIT) {
      put(CLEAR);
      next.fill(0);
      size = 9;
      count = END + 1;
    } else {
      next[key] = count;
      if (count === 1 << size) size++;
      count++;
    }
    code = index;
  }
  put(code);
  put(END);
  if (bits > 0) putByte(pending & 255);
  if (filled > 0) {
    out.bytes([filled]);
    out.bytes(block.subarray(0, filled));
  }
  out.bytes([0]);
}

type Writer = ReturnType<typeof createWriter>;

function createWriter() {
  let data = new Uint8Array(1 << 16);
  let length = 0;
  const bytes = (values: ArrayLike<number>) => {
    if (length + values.length > data.length) {
      const larger = new Uint8Array(Math.max(2 * data.length, length + values.length));
      larger.set(data);
      data = larger;
    }
    data.set(values, length);
    length += values.length;
  };
  return {
    bytes,
    text: (value: string) => bytes([...value].map((c) => c.charCodeAt(0))),
    u16: (value: number) => bytes([value & 255, value >> 8]),
    finish: () => data.slice(0, length),
  };
}

import type { PhotoView } from '../photo/photo.ts';

/** A reduced (or sharpened) copy of the part of a photo that a face covers. */
export interface PhotoLevel {
  readonly width: number;
  readonly height: number;
  /** Shape (height,width,3), sRGB. */
  readonly rgb: Uint8Array;
  /** Level pixel coordinate (centre of the first pixel at 0.5) = (photo coordinate - origin) * scale. */
  readonly originX: number;
  readonly originY: number;
  readonly scaleX: number;
  readonly scaleY: number;
}

/** Box in the image frame of the photo, pixels. */
export interface PhotoBox {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/**
 * Cuts `box` out of the photo and averages `factor` x `factor` pixels into one, so that a texture (or a coarse field) whose texels are wider
 * than photo pixels is sampled without aliasing.
 *
 * @param factor - whole number >= 1
 * @param sharpen - 0 leaves the pixels alone; else this share of their difference from the four neighbours is added, which undoes what
 * bilinear enlargement will blur (0.5 is near the response of a Catmull-Rom filter at a quarter of the sampling rate)
 */
export function createPhotoLevel(view: PhotoView, box: PhotoBox, factor: number, sharpen: number): PhotoLevel {
  const source = view.raster;
  const left = clamp(Math.floor((box.x0 - view.x) / view.scaleX) - 2 * factor, 0, Math.max(0, source.width - factor));
  const top = clamp(Math.floor((box.y0 - view.y) / view.scaleY) - 2 * factor, 0, Math.max(0, source.height - factor));
  const right = clamp(Math.ceil((box.x1 - view.x) / view.scaleX) + 2 * factor, left + factor, source.width);
  const bottom = clamp(Math.ceil((box.y1 - view.y) / view.scaleY) + 2 * factor, top + factor, source.height);
  const width = Math.max(1, Math.floor((right - left) / factor));
  const height = Math.max(1, Math.floor((bottom - top) / factor));
  const rgb =
    factor === 1
      ? crop(source.rgb, source.width, left, top, width, height)
      : average(source.rgb, source.width, left, top, width, height, factor);
  return {
    width,
    height,
    rgb: sharpen > 0 ? sharpened(rgb, width, height, sharpen) : rgb,
    originX: view.x + left * view.scaleX,
    originY: view.y + top * view.scaleY,
    scaleX: 1 / (factor * view.scaleX),
    scaleY: 1 / (factor * view.scaleY),
  };
}

function crop(rgb: Uint8Array, sourceWidth: number, left: number, top: number, width: number, height: number): Uint8Array {
  const out = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * sourceWidth + left) * 3;
    out.set(rgb.subarray(from, from + width * 3), row * width * 3);
  }
  return out;
}

function average(
  rgb: Uint8Array,
  sourceWidth: number,
  left: number,
  top: number,
  width: number,
  height: number,
  factor: number,
): Uint8Array {
  const out = new Uint8Array(width * height * 3);
  const sums = new Float64Array(width * 3);
  const inverse = 1 / (factor * factor);
  for (let row = 0; row < height; row++) {
    sums.fill(0);
    for (let j = 0; j < factor; j++) {
      let p = ((top + row * factor + j) * sourceWidth + left) * 3;
      for (let o = 0; o < sums.length; o += 3) {
        let r = 0;
        let g = 0;
        let b = 0;
        for (let i = 0; i < factor; i++, p += 3) {
          r += rgb[p];
          g += rgb[p + 1];
          b += rgb[p + 2];
        }
        sums[o] = sums[o] + r;
        sums[o + 1] = sums[o + 1] + g;
        sums[o + 2] = sums[o + 2] + b;
      }
    }
    const base = row * width * 3;
    for (let o = 0; o < sums.length; o++) out[base + o] = sums[o] * inverse + 0.5;
  }
  return out;
}

function sharpened(rgb: Uint8Array, width: number, height: number, amount: number): Uint8Array {
  const out = new Uint8Array(rgb.length);
  const stride = width * 3;
  for (let row = 0; row < height; row++) {
    const up = row > 0 ? -stride : 0;
    const down = row < height - 1 ? stride : 0;
    const first = row * stride;
    const last = first + stride - 3;
    if (width === 1) {
      sharpenRun(rgb, out, first, first + 3, 0, 0, up, down, amount);
      continue;
    }
    sharpenRun(rgb, out, first, first + 3, 0, 3, up, down, amount);
    sharpenRun(rgb, out, first + 3, last, -3, 3, up, down, amount);
    sharpenRun(rgb, out, last, last + 3, -3, 0, up, down, amount);
  }
  return out;
}

/** Sharpens bytes `from` to before `end`, whose four neighbours lie that many bytes away (0: beyond the border, the pixel itself). */
function sharpenRun(
  rgb: Uint8Array,
  out: Uint8Array,
  from: number,
  end: number,
  left: number,
  right: number,
  up: number,
  down: number,
  amount: number,
): void {
  const center = 1 + amount;
  const side = -amount / 4;
  for (let p = from; p < end; p++) {
    const v = center * rgb[p] + side * (rgb[p + left] + rgb[p + right] + rgb[p + up] + rgb[p + down]) + 0.5;
    out[p] = v < 0 ? 0 : v > 255 ? 255 : v;
  }
}

const clamp = (x: number, low: number, high: number): number => (x < low ? low : x > high ? high : x);

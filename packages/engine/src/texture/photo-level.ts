import type { KernelMemory } from '../kernels/kernel-memory.ts';
import type { PhotoView } from '../photo/photo.ts';
import type { Raster } from '../photo/raster.ts';

/** A reduced (or sharpened) copy of the part of a photo that a face covers. */
export interface PhotoLevel {
  readonly width: number;
  readonly height: number;
  /** Shape (height,width,3), sRGB; in the kernels' memory. */
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

/** Where levels are made: the one that is made next overwrites the last. */
export interface PhotoMemory {
  readonly memory: KernelMemory;
  readonly rgb: Uint8Array;
  /** Rows of the photo on their way to a reduced level. */
  readonly strip: Uint8Array;
}

/** Bytes of the largest level of textures of `size` texels: a head three textures wide. */
const countLevelBytes = (size: number): number => 27 * size * size;
const STRIP_BYTES = 1 << 20;

/** Bytes of {@link createPhotoMemory}. */
export const countPhotoBytes = (size: number): number => countLevelBytes(size) + STRIP_BYTES + 32;

/** @param size - texels per side of the textures that are painted from levels */
export function createPhotoMemory(memory: KernelMemory, size: number): PhotoMemory {
  const rgb = memory.allocate(Uint8Array, countLevelBytes(size));
  return { memory, rgb, strip: memory.allocate(Uint8Array, STRIP_BYTES) };
}

/**
 * Cuts `box` out of the photo and averages `factor` x `factor` pixels into one, so that a texture (or a coarse field) whose texels are wider
 * than photo pixels is sampled without aliasing. A photo for which there is no room is reduced further.
 *
 * @param factor - whole number >= 1
 * @param sharpen - 0 leaves the pixels alone; else this share of their difference from the four neighbours is added, which undoes what
 * bilinear enlargement will blur (0.5 is near the response of a Catmull-Rom filter at a quarter of the sampling rate)
 * @param photo - holds the level until the next one is made
 */
export function createPhotoLevel(view: PhotoView, box: PhotoBox, factor: number, sharpen: number, photo: PhotoMemory): PhotoLevel {
  const source = view.raster;
  const left = clamp(Math.floor((box.x0 - view.x) / view.scaleX) - 2 * factor, 0, Math.max(0, source.width - factor));
  const top = clamp(Math.floor((box.y0 - view.y) / view.scaleY) - 2 * factor, 0, Math.max(0, source.height - factor));
  const right = clamp(Math.ceil((box.x1 - view.x) / view.scaleX) + 2 * factor, left + factor, source.width);
  const bottom = clamp(Math.ceil((box.y1 - view.y) / view.scaleY) + 2 * factor, top + factor, source.height);
  const width = Math.max(1, Math.floor((right - left) / factor));
  const height = Math.max(1, Math.floor((bottom - top) / factor));
  const bytes = 3 * width * height;
  // Sharpening needs the level twice.
  if (bytes * (sharpen > 0 ? 2 : 1) > photo.rgb.length) return createPhotoLevel(view, box, factor + 1, 0, photo);
  const rgb = photo.rgb.subarray(0, bytes);
  if (factor > 1) average(source, left, top, width, height, factor, photo, rgb);
  else if (sharpen > 0) {
    const plain = photo.rgb.subarray(photo.rgb.length - bytes);
    crop(source, left, top, width, height, plain);
    photo.memory.kernels.sharpenPixels(plain.byteOffset, width, height, sharpen, rgb.byteOffset);
  } else crop(source, left, top, width, height, rgb);
  return {
    width,
    height,
    rgb,
    originX: view.x + left * view.scaleX,
    originY: view.y + top * view.scaleY,
    scaleX: 1 / (factor * view.scaleX),
    scaleY: 1 / (factor * view.scaleY),
  };
}

function crop({ rgb, width: sourceWidth }: Raster, left: number, top: number, width: number, height: number, out: Uint8Array): void {
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * sourceWidth + left) * 3;
    out.set(rgb.subarray(from, from + width * 3), row * width * 3);
  }
}

function average(
  source: Raster,
  left: number,
  top: number,
  width: number,
  height: number,
  factor: number,
  { memory, strip }: PhotoMemory,
  out: Uint8Array,
): void {
  const rowBytes = 3 * width * factor;
  const rowsAtOnce = Math.max(1, Math.floor(strip.length / (rowBytes * factor)));
  for (let row = 0; row < height; row += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, height - row);
    crop(source, left, top + row * factor, width * factor, count * factor, strip);
    memory.kernels.averagePixels(strip.byteOffset, rowBytes, factor, width, count, out.byteOffset + 3 * row * width);
  }
}

const clamp = (x: number, low: number, high: number): number => (x < low ? low : x > high ? high : x);

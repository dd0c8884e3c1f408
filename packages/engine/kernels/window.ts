/**
 * Samples a window on a picture for a network. AssemblyScript; src/nets/sample-window.ts says how and why.
 */

/** OpenCV's INTER_BITS: places between two pixels are told apart in 32 steps. */
const SUBPIXEL_BITS: i32 = 5;
const SUBPIXELS: i32 = 32;
/** Added before the shift so that it rounds. */
const HALF_STEP: i32 = 512;

let rgbAt: usize = 0;
let width: i32 = 0;
let height: i32 = 0;

/** Byte of channel `c` at (x, y); beyond the picture 0, or that of the nearest pixel. */
function byteAt(x: i32, y: i32, c: i32, isBlack: bool): i32 {
  if (isBlack && (x < 0 || y < 0 || x >= width || y >= height)) return 0;
  const row = min(max(y, 0), height - 1);
  const column = min(max(x, 0), width - 1);
  return <i32>load<u8>(rgbAt + <usize>(3 * (row * width + column) + c));
}

/**
 * Bilinear samples, shape (side,side,3), f32.
 *
 * @param rgb - shape (rows,columns,3), bytes
 * @param originX - of the first sample, in a frame in which the centres of the pixels have whole coordinates
 * @param stepX - from one sample to the next in a row; from row to row it is (-stepY, stepX)
 */
export function sampleWindow(
  rgb: usize,
  columns: i32,
  rows: i32,
  originX: f64,
  originY: f64,
  stepX: f64,
  stepY: f64,
  side: i32,
  scale: f64,
  low: f64,
  isBlack: bool,
  out: usize,
): void {
  rgbAt = rgb;
  width = columns;
  height = rows;
  const stride = <usize>(3 * columns);
  let at = out;
  for (let j = 0; j < side; j++) {
    for (let i = 0; i < side; i++) {
      const x = <i32>floor(<f64>SUBPIXELS * (originX + <f64>i * stepX - <f64>j * stepY) + 0.5);
      const y = <i32>floor(<f64>SUBPIXELS * (originY + <f64>i * stepY + <f64>j * stepX) + 0.5);
      const left = x >> SUBPIXEL_BITS;
      const top = y >> SUBPIXEL_BITS;
      const fx = x & (SUBPIXELS - 1);
      const fy = y & (SUBPIXELS - 1);
      // Weights of the four pixels: whole numbers that add up to SUBPIXELS squared.
      const w11 = fx * fy;
      const w10 = (SUBPIXELS - fx) * fy;
      const w01 = fx * (SUBPIXELS - fy);
      const w00 = (SUBPIXELS - fx) * (SUBPIXELS - fy);
      const isInside = left >= 0 && top >= 0 && left < columns - 1 && top < rows - 1;
      for (let c = 0; c < 3; c++, at += 4) {
        let sum: i32;
        if (isInside) {
          const p = rgb + <usize>top * stride + <usize>(3 * left + c);
          sum = w00 * <i32>load<u8>(p) + w01 * <i32>load<u8>(p, 3) + w10 * <i32>load<u8>(p + stride) + w11 * <i32>load<u8>(p + stride, 3);
        } else {
          sum =
            w00 * byteAt(left, top, c, isBlack) +
            w01 * byteAt(left + 1, top, c, isBlack) +
            w10 * byteAt(left, top + 1, c, isBlack) +
            w11 * byteAt(left + 1, top + 1, c, isBlack);
        }
        store<f32>(at, <f32>(<f64>((sum + HALF_STEP) >> (2 * SUBPIXEL_BITS)) * scale + low));
      }
    }
  }
}

/**
 * Reduced and sharpened copies of pictures of three bytes a pixel. AssemblyScript; called by src/texture/photo-level.ts.
 */

/**
 * Averages `factor` x `factor` pixels into one.
 *
 * @param from - first pixel; rows are `stride` bytes apart; four bytes after the last pixel may be read
 * @param width - of what is written
 */
export function averagePixels(from: usize, stride: i32, factor: i32, width: i32, height: i32, out: usize): void {
  const inverse: f32 = 1 / <f32>(factor * factor);
  const scale = f32x4.splat(inverse);
  const half = f32x4.splat(0.5);
  const step = <usize>(3 * factor);
  for (let row = 0; row < height; row++) {
    const top = from + <usize>(row * factor) * <usize>stride;
    for (let column = 0; column < width; column++) {
      let sum = i32x4.splat(0);
      for (let j = 0; j < factor; j++) {
        let at = top + <usize>j * <usize>stride + <usize>column * step;
        for (let i = 0; i < factor; i++, at += 3) {
          sum = i32x4.add(sum, i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at))));
        }
      }
      const mean = i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sum), scale), half));
      const narrow = i16x8.narrow_i32x4_s(mean, mean);
      const bytes = i32x4.extract_lane(i8x16.narrow_i16x8_u(narrow, narrow), 0);
      const at = out + 3 * <usize>(row * width + column);
      store<u16>(at, <u16>bytes);
      store<u8>(at, <u8>(bytes >> 16), 2);
    }
  }
}

/**
 * Adds `amount` of the difference from the four neighbours to every byte; beyond the border lies the pixel itself.
 */
export function sharpenPixels(from: usize, width: i32, height: i32, amount: f32, out: usize): void {
  const stride = <usize>(3 * width);
  const center = f32x4.splat(1 + amount);
  const side = f32x4.splat(-amount / 4);
  const half = f32x4.splat(0.5);
  for (let row = 0; row < height; row++) {
    const first = from + <usize>row * stride;
    const up = row > 0 ? stride : 0;
    const down = row < height - 1 ? stride : 0;
    // Four bytes at a time where both neighbours of all of them are in the row, single ones at its ends.
    let p: usize = 0;
    while (p < stride) {
      const at = first + p;
      const to = out + <usize>row * stride + p;
      if (p >= 3 && p + 7 <= stride) {
        const around = i32x4.add(i32x4.add(four(at - 3), four(at + 3)), i32x4.add(four(at - up), four(at + down)));
        const sharp = f32x4.add(
          f32x4.add(f32x4.mul(center, f32x4.convert_i32x4_s(four(at))), f32x4.mul(side, f32x4.convert_i32x4_s(around))),
          half,
        );
        // Down to whole numbers, as bytes are stored elsewhere.
        const whole = i32x4.trunc_sat_f32x4_s(sharp);
        const narrow = i16x8.narrow_i32x4_s(whole, whole);
        v128.store32_lane(to, i8x16.narrow_i16x8_u(narrow, narrow), 0);
        p += 4;
        continue;
      }
      const left = <i32>load<u8>(p >= 3 ? at - 3 : at);
      const right = <i32>load<u8>(p + 3 < stride ? at + 3 : at);
      const sum = left + right + <i32>load<u8>(at - up) + <i32>load<u8>(at + down);
      const v: f32 = (1 + amount) * <f32>load<u8>(at) + (-amount / 4) * <f32>sum + 0.5;
      store<u8>(to, <u8>max<f32>(0, min<f32>(255, v)));
      p++;
    }
  }
}

/** Four bytes as 32-bit numbers. */
function four(at: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at)));
}

/**
 * Each byte less the one `stride` before it, modulo 256, row by row with the filter's number before each row: what PNG calls filter 2 ("Up"). Row 0 has
 * nothing above it and filter 0.
 */
export function filterUp(from: usize, stride: i32, height: i32, out: usize): void {
  const row = <usize>stride;
  store<u8>(out, 0);
  memory.copy(out + 1, from, row);
  for (let y = 1; y < height; y++) {
    const source = from + <usize>y * row;
    const to = out + <usize>y * (row + 1);
    store<u8>(to, 2);
    let i: usize = 0;
    for (; i + 16 <= row; i += 16) v128.store(to + 1 + i, i8x16.sub(v128.load(source + i), v128.load(source + i - row)));
    for (; i < row; i++) store<u8>(to + 1 + i, load<u8>(source + i) - load<u8>(source + i - row));
  }
}

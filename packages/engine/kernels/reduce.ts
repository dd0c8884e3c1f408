/**
 * Smaller copies of textures for previews. AssemblyScript; called by src/render/reduce-texture.ts.
 */

/**
 * Each texel of `out` is the mean of four of a square block of `from`, colours weighted by alpha where there is one.
 *
 * @param rowBytes - from one row of blocks to the next
 * @param stepBytes - from one block to the next
 * @param offsets - i32 (4): where the four are in a block, bytes
 */
export function takeMeans(
  from: usize,
  rowBytes: i32,
  stepBytes: i32,
  offsets: usize,
  channels: i32,
  width: i32,
  height: i32,
  out: usize,
): void {
  const o0 = <usize>load<i32>(offsets);
  const o1 = <usize>load<i32>(offsets, 4);
  const o2 = <usize>load<i32>(offsets, 8);
  const o3 = <usize>load<i32>(offsets, 12);
  const step = <usize>stepBytes;
  let q = out;
  for (let y = 0; y < height; y++) {
    let p = from + <usize>y * <usize>rowBytes;
    for (let x = 0; x < width; x++, p += step, q += <usize>channels) {
      if (channels !== 4) {
        for (let c: usize = 0; c < <usize>channels; c++) store<u8>(q + c, (sumFour(p + c, o0, o1, o2, o3) + 2) >> 2);
        continue;
      }
      const a0 = <u32>load<u8>(p + o0, 3);
      const a1 = <u32>load<u8>(p + o1, 3);
      const a2 = <u32>load<u8>(p + o2, 3);
      const a3 = <u32>load<u8>(p + o3, 3);
      const sum = a0 + a1 + a2 + a3;
      for (let c: usize = 0; c < 3; c++) {
        if (sum === 0) {
          store<u8>(q + c, (sumFour(p + c, o0, o1, o2, o3) + 2) >> 2);
          continue;
        }
        const r = p + c;
        const weighted = <u32>load<u8>(r + o0) * a0 + <u32>load<u8>(r + o1) * a1 + <u32>load<u8>(r + o2) * a2 + <u32>load<u8>(r + o3) * a3;
        store<u8>(q + c, (2 * weighted + sum) / (2 * sum));
      }
      store<u8>(q, (sum + 2) >> 2, 3);
    }
  }
}

function sumFour(p: usize, o0: usize, o1: usize, o2: usize, o3: usize): u32 {
  return <u32>load<u8>(p + o0) + <u32>load<u8>(p + o1) + <u32>load<u8>(p + o2) + <u32>load<u8>(p + o3);
}

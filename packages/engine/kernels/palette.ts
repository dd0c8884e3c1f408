/**
 * Palettes of pictures with few colours. AssemblyScript; called by src/export/encode-png.ts.
 */

/** Slots of the hash table: four times the colours that a palette holds, so that probing is short. */
const HASH_SLOTS = 1024;

/**
 * The number of each pixel's colour in the order in which colours appear.
 *
 * @param pixels - RGBA (count,4)
 * @param slots - i32 (1024), for the work in between
 * @param colors - u32 (256): what was found, as it lies in the pixels
 * @param indices - u8 (count)
 * @returns how many colours there are; -1 where there are more than 256, and then the rest is unfinished
 */
export function indexPixels(pixels: usize, count: i32, slots: usize, colors: usize, indices: usize): i32 {
  memory.fill(slots, 0, HASH_SLOTS * 4);
  let found = 0;
  for (let i = 0; i < count; i++) {
    const color = load<u32>(pixels + ((<usize>i) << 2));
    // Fibonacci hashing: the top ten bits of a product with 2^32 over the golden ratio. A slot holds the number of its colour plus one.
    let slot = (color * 0x9e3779b1) >>> 22;
    let known = load<i32>(slots + ((<usize>slot) << 2));
    while (known !== 0 && load<u32>(colors + ((<usize>(known - 1)) << 2)) !== color) {
      slot = (slot + 1) & (HASH_SLOTS - 1);
      known = load<i32>(slots + ((<usize>slot) << 2));
    }
    if (known === 0) {
      if (found === 256) return -1;
      store<u32>(colors + ((<usize>found) << 2), color);
      known = ++found;
      store<i32>(slots + ((<usize>slot) << 2), known);
    }
    store<u8>(indices + <usize>i, <u8>(known - 1));
  }
  return found;
}

/** Each number replaced by what `table` has for it. */
export function renameIndices(indices: usize, count: i32, table: usize): void {
  for (let end = indices + <usize>count; indices < end; indices++) store<u8>(indices, load<u8>(table + <usize>load<u8>(indices)));
}

/**
 * Pixels to add before and behind an axis for TFLite's padding SAME.
 *
 * SAME asks for one output per started stride, ceil(size / stride). The last of them reads from the last multiple of the
 * stride below `size` on, where (size - 1) mod stride pixels follow its own; of the other `extent - 1` that it reads, those
 * are there already. What is missing is halved, and an odd pixel stands behind.
 *
 * @param extent - pixels from the first to the last that one output reads (with dilation, more than the kernel has)
 */
export function computeSamePadding(size: number, stride: number, extent: number): [before: number, behind: number] {
  const missing = Math.max(0, extent - 1 - ((size - 1) % stride));
  const before = Math.floor(missing / 2);
  return [before, missing - before];
}

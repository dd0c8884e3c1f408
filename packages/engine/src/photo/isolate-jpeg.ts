/** Zeros at the end of a file from this many on are the rest of a download that never came, not picture data, bytes. */
const MIN_ZERO_FILL_BYTES = 16;

/**
 * The main picture of a JPEG file alone, with an end mark.
 *
 * - What follows as further JPEGs is left out: gain maps of HDR phones (Ultra HDR), second views and previews (CIPA DC-007). libvips
 *   would take another loader for them, which holds the whole picture.
 * - A file without an end mark gets one: with all pixels present it is a whole photo. Zeros after the data are dropped before, because
 *   the decoder would take them for picture.
 *
 * What does not look like a JPEG comes back as it is, for the decoder to judge.
 *
 * @returns A view of `bytes` where possible, else a copy.
 */
export function isolateJpeg(bytes: Uint8Array): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let scan = 2;
  // Segments up to the first scan (ITU T.81 §B.1.1.4).
  while (scan + 4 <= buffer.length && buffer.readUInt16BE(scan) !== 0xffda) {
    if (buffer[scan] !== 0xff) return bytes;
    scan += 2 + buffer.readUInt16BE(scan + 2);
  }
  // In picture data, 0xff is followed by 0x00 or a restart mark, so an end mark and a beginning in a row are just that.
  const next = buffer.indexOf('\xff\xd9\xff\xd8', scan, 'latin1');
  if (next !== -1) return bytes.subarray(0, next + 2);
  if (buffer.lastIndexOf('\xff\xd9', undefined, 'latin1') > scan) return bytes;

  let end = bytes.length;
  while (end > scan && bytes[end - 1] === 0) end--;
  if (bytes.length - end < MIN_ZERO_FILL_BYTES) end = bytes.length;
  const ended = new Uint8Array(end + 2);
  ended.set(bytes.subarray(0, end));
  ended.set([0xff, 0xd9], end);
  return ended;
}

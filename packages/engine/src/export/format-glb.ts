/** "glTF" */
const MAGIC = 0x46546c67;
/** "JSON" */
const CHUNK_JSON = 0x4e4f534a;
/** "BIN\0" */
const CHUNK_BIN = 0x004e4942;

/**
 * Puts a glTF document and its binary buffer into one GLB file.
 *
 * Chunks are padded to multiples of four bytes, JSON with spaces, the buffer with zeros. Source: glTF 2.0 specification, section 4.4.
 *
 * @param binary - pieces of buffer 0, written one after another; each must be a multiple of four bytes long
 */
export function formatGlb(json: object, binary: readonly Uint8Array[]): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(json));
  const jsonBytes = (text.length + 3) & ~3;
  const binBytes = binary.reduce((sum, piece) => sum + piece.length, 0);
  const total = 12 + 8 + jsonBytes + 8 + binBytes;
  const out = new Uint8Array(total);
  const view = new DataView(out.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, 2, true);
  view.setUint32(8, total, true);
  view.setUint32(12, jsonBytes, true);
  view.setUint32(16, CHUNK_JSON, true);
  out.set(text, 20);
  out.fill(0x20, 20 + text.length, 20 + jsonBytes);
  let at = 20 + jsonBytes;
  view.setUint32(at, binBytes, true);
  view.setUint32(at + 4, CHUNK_BIN, true);
  at += 8;
  for (const piece of binary) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

import type { TextureMap } from '../texture/face-maps.ts';

/** By pixels and encoding; they go when the pixels go. */
const kept = new WeakMap<Uint8Array, Map<string, Promise<Uint8Array>>>();

/**
 * Encodes a texture, one that all faces of a model share once only: lashes and the shade of the lids are the same in every file.
 *
 * @param encoding - tells encodings of one texture apart
 */
export function keepConstant(
  map: Pick<TextureMap, 'data' | 'isConstant'>,
  encoding: string,
  encode: () => Promise<Uint8Array>,
): Promise<Uint8Array> {
  if (map.isConstant !== true) return encode();
  let encodings = kept.get(map.data);
  if (encodings === undefined) {
    encodings = new Map();
    kept.set(map.data, encodings);
  }
  const known = encodings.get(encoding);
  if (known !== undefined) return known;
  const made = encode();
  encodings.set(encoding, made);
  // What failed once (memory was short) may work the next time.
  made.catch(() => encodings.delete(encoding));
  return made;
}

import { createHash } from 'node:crypto';

/** Names of files have at most 255 bytes on the usual file systems; `.`, `.facewright-`, twelve digits and `-old` take 29 of them. */
const MAX_BYTES = 255 - 29;
/** Hexadecimal digits that tell shortened names apart. */
const DIGITS = 16;

/** How the name of something temporary for a file or folder of this name begins: hidden, and never too long for the file system. */
export function temporaryName(name: string): string {
  if (Buffer.byteLength(name) <= MAX_BYTES) return `.${name}.facewright-`;
  // Forty characters are at most 160 bytes, and enough to recognise a name by.
  return `.${[...name].slice(0, 40).join('')}${createHash('sha256').update(name).digest('hex').slice(0, DIGITS)}.facewright-`;
}

import { createHash } from 'node:crypto';
import { FacewrightError } from '@facewright/protocol';
import { EVEN_VIEW_TERMS, VIEW_TERMS } from '../fit/view-terms.ts';
import type { LandmarkHabits } from './face-model.ts';
import { mirrorExpressions } from './mirror-expressions.ts';

/**
 * @module The file of the network's habits: 56 bytes of preamble, then the numbers.
 *
 *      0  8 bytes  "FWHABIT\n"
 *      8  u32 LE   format version
 *     12  u32 LE   landmarks L
 *     16  u32 LE   identity modes K
 *     20  u32 LE   expressions E
 *     24  32 bytes sha256 of everything after byte 56
 *     56  f32 LE   steps of the rows (10 of the view, K of the identity, one of each expression or pair of them), millimetres
 *         i8       the rows of view and identity: x, y, z in steps, of each pair of landmarks the one with the smaller index
 *         i8       the rows of expressions, all landmarks, of each pair the one with the smaller index
 *
 * What is left out follows by mirroring.
 */
export const MAGIC = 'FWHABIT\n';
export const VERSION = 1;
export const PREAMBLE_BYTES = 56;

/**
 * Decodes a file of the network's habits.
 *
 * @param mirror - shape (L), as in `LandmarkBasis`
 * @param expressionNames - E
 * @param path - named in the errors only
 * @returns null where it was made for a model with other landmarks, modes or expressions
 * @throws FW_MODEL_CORRUPT, FW_MODEL_VERSION
 */
export function readLandmarkHabits(
  bytes: Uint8Array,
  mirror: Uint16Array,
  identityCount: number,
  expressionNames: readonly string[],
  path: string,
): LandmarkHabits | null {
  const corrupt = (reason: string): FacewrightError => new FacewrightError('FW_MODEL_CORRUPT', { path, reason });
  if (bytes.length < PREAMBLE_BYTES) throw corrupt('it is too short');
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, PREAMBLE_BYTES);
  if (head.toString('latin1', 0, MAGIC.length) !== MAGIC) throw corrupt('it holds no habits of a landmark network');
  const version = head.readUInt32LE(8);
  if (version !== VERSION) throw new FacewrightError('FW_MODEL_VERSION', { path, found: version, expected: VERSION });
  const body = bytes.subarray(PREAMBLE_BYTES);
  if (!createHash('sha256').update(body).digest().equals(head.subarray(24))) throw corrupt('its checksum differs');
  const count = mirror.length;
  const counts = [count, identityCount, expressionNames.length];
  if (counts.some((n, i) => head.readUInt32LE(12 + 4 * i) !== n)) return null;

  let pairs = 0;
  for (let l = 0; l < count; l++) if (mirror[l] >= l) pairs++;
  const mirrorExpression = mirrorExpressions(expressionNames);
  const stored = Array.from(mirrorExpression.keys()).filter((e) => mirrorExpression[e] >= e);
  const symmetricRows = VIEW_TERMS + identityCount;
  const rowCount = symmetricRows + stored.length;
  const stepBytes = 4 * rowCount;
  if (body.length !== stepBytes + 3 * (symmetricRows * pairs + stored.length * count)) throw corrupt('it has another length');
  const steps = new DataView(body.buffer, body.byteOffset, stepBytes);
  const values = new Int8Array(body.buffer, body.byteOffset + stepBytes);

  const width = 3 * count;
  const rows = new Float64Array(symmetricRows * width);
  for (let i = 0; i < symmetricRows; i++) {
    const isOdd = i >= EVEN_VIEW_TERMS && i < VIEW_TERMS;
    const row = rows.subarray(width * i, width * (i + 1));
    fillRow(values.subarray(3 * pairs * i, 3 * pairs * (i + 1)), steps.getFloat32(4 * i, true), mirror, isOdd ? -1 : 1, row);
  }
  const expression = new Float64Array(expressionNames.length * width);
  stored.forEach((e, i) => {
    const step = steps.getFloat32(4 * (symmetricRows + i), true);
    const first = 3 * symmetricRows * pairs + i * width;
    for (let l = 0; l < count; l++) {
      for (let k = 0; k < 3; k++) {
        const value = step * values[first + 3 * l + k];
        expression[mirrorExpression[e] * width + 3 * mirror[l] + k] = k === 0 ? -value : value;
        expression[e * width + 3 * l + k] = value;
      }
    }
  });
  return { view: rows.subarray(0, width * VIEW_TERMS), identity: rows.subarray(width * VIEW_TERMS), expression };
}

/** @param parity - 1: the mirror image is the same, -1: it is turned round */
function fillRow(values: Int8Array, step: number, mirror: Uint16Array, parity: number, out: Float64Array): void {
  let at = 0;
  for (let l = 0; l < mirror.length; l++) {
    const m = mirror[l];
    if (m < l) continue;
    for (let k = 0; k < 3; k++) {
      const value = step * values[at++];
      out[3 * m + k] = (k === 0 ? -parity : parity) * value;
      out[3 * l + k] = value;
    }
  }
}

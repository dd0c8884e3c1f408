import { createHash } from 'node:crypto';
import { FacewrightError } from '@facewright/protocol';
import { VIEW_TERMS } from '../fit/view-terms.ts';
import type { FaceReadout } from './face-model.ts';

/**
 * @module The file of a readout: 56 bytes of preamble, then the numbers.
 *
 *      0  8 bytes  "FWREADER"
 *      8  u32 LE   format version
 *     12  u32 LE   landmarks L
 *     16  u32 LE   features F
 *     20  u32 LE   identity modes K that it tells
 *     24  32 bytes sha256 of everything after byte 56
 *     56  f32 LE   constants (3 + K)
 *         f32 LE   steps, shape (3, 3 + K): of the terms of the view, of the landmarks, of the features
 *         i8       one row for each of the 3 + K results: 9 terms of the view, 3 L coordinates, F features, in steps
 *         f32 LE   covariance of the identity, shape (K, K)
 */
export const READOUT_MAGIC = 'FWREADER';
export const READOUT_VERSION = 1;
const PREAMBLE_BYTES = 56;

/**
 * Decodes a readout.
 *
 * @param landmarkCount - L of the model
 * @param identityCount - modes of the model
 * @param path - named in the errors only
 * @returns null where it was made for a model with other landmarks or fewer modes
 * @throws FW_MODEL_CORRUPT, FW_MODEL_VERSION
 */
export function readFaceReadout(bytes: Uint8Array, landmarkCount: number, identityCount: number, path: string): FaceReadout | null {
  const corrupt = (reason: string): FacewrightError => new FacewrightError('FW_MODEL_CORRUPT', { path, reason });
  if (bytes.length < PREAMBLE_BYTES) throw corrupt('it is too short');
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, PREAMBLE_BYTES);
  if (head.toString('latin1', 0, READOUT_MAGIC.length) !== READOUT_MAGIC) throw corrupt('it holds no readout of a landmark network');
  const version = head.readUInt32LE(8);
  if (version !== READOUT_VERSION) throw new FacewrightError('FW_MODEL_VERSION', { path, found: version, expected: READOUT_VERSION });
  const body = bytes.subarray(PREAMBLE_BYTES);
  if (!createHash('sha256').update(body).digest().equals(head.subarray(24))) throw corrupt('its checksum differs');
  const [count, featureCount, modes] = [12, 16, 20].map((at) => head.readUInt32LE(at)) as [number, number, number];
  if (count !== landmarkCount || modes > identityCount) return null;

  const results = 3 + modes;
  const width = VIEW_TERMS - 1 + 3 * count + featureCount;
  if (body.length !== 4 * (4 * results + modes * modes) + results * width) throw corrupt('it has another length');
  // The floats may lie at any byte: copied to where a typed array may begin.
  const floats = (at: number, length: number): Float32Array => new Float32Array(new Uint8Array(body.subarray(at, at + 4 * length)).buffer);
  const rowsAt = 16 * results;
  return {
    featureCount,
    identityCount: modes,
    constants: floats(0, results),
    steps: floats(4 * results, 3 * results),
    rows: new Int8Array(body.buffer, body.byteOffset + rowsAt, results * width),
    covariance: Float64Array.from(floats(rowsAt + results * width, modes * modes)),
  };
}

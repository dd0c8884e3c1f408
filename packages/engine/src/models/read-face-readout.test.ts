import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { faceReadoutPath } from '@facewright/head-model';
import { describe, expect, it } from 'vitest';
import { VIEW_TERMS } from '../fit/view-terms.ts';
import { factorCholesky } from '../math/cholesky.ts';
import { READOUT_MAGIC, READOUT_VERSION, readFaceReadout } from './read-face-readout.ts';

const bytes = readFileSync(faceReadoutPath());
const LANDMARKS = bytes.readUInt32LE(12);
const MODES = bytes.readUInt32LE(20);

/** A readout of 2 landmarks, 3 features and 1 mode: every number says where it stands. */
function writeSmall(): Buffer {
  const results = 4;
  const width = VIEW_TERMS - 1 + 6 + 3;
  const floats = (list: readonly number[]): Buffer => Buffer.from(Float32Array.from(list).buffer);
  const body = Buffer.concat([
    floats([10, 11, 12, 13]),
    floats(Array.from({ length: 3 * results }, (_, i) => i + 0.5)),
    Buffer.from(Int8Array.from({ length: results * width }, (_, i) => i - 50).buffer),
    floats([0.25]),
  ]);
  const head = Buffer.alloc(56);
  head.write(READOUT_MAGIC, 'latin1');
  for (const [i, n] of [READOUT_VERSION, 2, 3, 1].entries()) head.writeUInt32LE(n, 8 + 4 * i);
  createHash('sha256').update(body).digest().copy(head, 24);
  return Buffer.concat([head, body]);
}

describe('readFaceReadout', () => {
  it('gives back what the file says, wherever it lies in memory', () => {
    const file = writeSmall();
    const moved = Buffer.concat([Buffer.of(0), file]).subarray(1);
    for (const source of [file, moved]) {
      const readout = readFaceReadout(source, 2, 5, 'file')!;
      expect(readout).toMatchObject({ featureCount: 3, identityCount: 1 });
      expect([...readout.constants]).toEqual([10, 11, 12, 13]);
      expect([...readout.steps]).toEqual([0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5]);
      expect([...readout.rows]).toEqual(Array.from({ length: 72 }, (_, i) => i - 50));
      expect([...readout.covariance]).toEqual([0.25]);
    }
  });

  it('the shipped one is of the shipped model, and its covariance is one', () => {
    const readout = readFaceReadout(bytes, LANDMARKS, 100, 'file')!;
    expect([LANDMARKS, readout.featureCount]).toEqual([478, 128 * 6 * 6]);
    expect(factorCholesky(readout.covariance, MODES)).not.toBeNull();
    // The network takes away doubt: no mode is less sure than it was without it, one standard deviation (and a tenth of noise of the estimate).
    for (let k = 0; k < MODES; k++) expect(readout.covariance[k * MODES + k]).toBeLessThan(1.1);
  });

  it('is no readout of a model with other landmarks or fewer modes', () => {
    expect(readFaceReadout(bytes, LANDMARKS - 1, 100, 'file')).toBeNull();
    expect(readFaceReadout(bytes, LANDMARKS, MODES - 1, 'file')).toBeNull();
  });

  it.each([
    ['cut off', (b: Buffer) => b.subarray(0, b.length - 1), 'FW_MODEL_CORRUPT'],
    ['empty', () => Buffer.alloc(0), 'FW_MODEL_CORRUPT'],
    ['another file', (b: Buffer) => Buffer.concat([Buffer.from('FWHABIT\n'), b.subarray(8)]), 'FW_MODEL_CORRUPT'],
    ['damaged', (b: Buffer) => Buffer.concat([b.subarray(0, 300), Buffer.of(b[300]! ^ 1), b.subarray(301)]), 'FW_MODEL_CORRUPT'],
    ['of another version', (b: Buffer) => Buffer.concat([b.subarray(0, 8), Buffer.of(9), b.subarray(9)]), 'FW_MODEL_VERSION'],
  ])('a file that is %s is refused', (_, spoil, code) => {
    expect(() => readFaceReadout(spoil(bytes), LANDMARKS, 100, 'file')).toThrow(expect.objectContaining({ code }));
  });
});

import { readFileSync } from 'node:fs';
import { landmarkHabitsPath } from '@facewright/head-model';
import { isFacewrightError } from '@facewright/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { EVEN_VIEW_TERMS, VIEW_TERMS } from '../fit/view-terms.ts';
import type { FaceModel, LandmarkHabits } from './face-model.ts';
import { loadFaceModel } from './load-face-model.ts';
import { mirrorExpressions } from './mirror-expressions.ts';
import { readLandmarkHabits } from './read-landmark-habits.ts';

const bytes = readFileSync(landmarkHabitsPath());
let model: FaceModel;
let width: number;
beforeAll(async () => {
  model = await loadFaceModel('head');
  width = 3 * model.landmarks.count;
});

const read = (file: Uint8Array, modes = model.identityCount): LandmarkHabits | null =>
  readLandmarkHabits(file, model.landmarks.mirror, modes, model.expressionNames, 'habits.bin');

/** One row of a table, mirrored. */
function mirrorRow(row: Float64Array): Float64Array {
  const { mirror } = model.landmarks;
  return row.map((_, m) => (m % 3 === 0 ? -1 : 1) * row[3 * mirror[Math.floor(m / 3)]! + (m % 3)]!);
}

const rowOf = (table: Float64Array, i: number): Float64Array => table.subarray(i * width, (i + 1) * width);

/** Share of a field that is left where its habit is added. */
function response(field: Float64Array, habit: Float64Array): number {
  let along = 0;
  let squares = 0;
  for (let m = 0; m < width; m++) {
    along += habit[m]! * field[m]!;
    squares += field[m]! ** 2;
  }
  return 1 + along / squares;
}

describe('readLandmarkHabits', () => {
  it('reads the shipped file: both sides of a face have the same habits', () => {
    const habits = read(bytes)!;
    const expectSame = (a: Float64Array, b: Float64Array, sign: number): void => {
      let most = 0;
      for (let m = 0; m < width; m++) most = Math.max(most, Math.abs(a[m]! - sign * b[m]!));
      // Rounding to float32 steps alone; a landmark on the middle line may be off it by the rounding of the table's x.
      expect(most).toBeLessThan(0.5);
    };
    for (let k = 0; k < VIEW_TERMS; k++) {
      const row = rowOf(habits.view, k);
      expectSame(mirrorRow(row), row, k < EVEN_VIEW_TERMS ? 1 : -1);
    }
    const partner = mirrorExpressions(model.expressionNames);
    const open = model.expressionNames.indexOf('mouthSmile_L');
    expect(model.expressionNames[partner[open]!]).toBe('mouthSmile_R');
    expectSame(mirrorRow(rowOf(habits.expression, open)), rowOf(habits.expression, partner[open]!), 1);
  });

  it('holds a network that draws people to its own mean face and makes expressions smaller', () => {
    const habits = read(bytes)!;
    const { landmarks } = model;
    for (let k = 0; k < 8; k++) {
      const share = response(rowOf(landmarks.identity, k), rowOf(habits.identity, k));
      // Measured 0.3 to 1.0: a mode of which nothing or more than all is reported would be a mistake of the regression.
      expect(share, `mode ${k}`).toBeGreaterThan(0.15);
      expect(share, `mode ${k}`).toBeLessThan(1.15);
    }
    for (const name of ['jawOpen', 'mouthSmile_L', 'eyeBlink_R']) {
      const e = model.expressionNames.indexOf(name);
      const share = response(rowOf(landmarks.expression, e), rowOf(habits.expression, e));
      // Not less than 0.6 by construction, but for the rounding.
      expect(share, name).toBeGreaterThan(0.55);
      expect(share, name).toBeLessThan(1);
    }
    // Taken as reported: what would be gained would be found on calm faces too.
    const pucker = model.expressionNames.indexOf('mouthPucker');
    expect(rowOf(habits.expression, pucker).every((x) => x === 0)).toBe(true);
  });

  it('belongs to one model: for others there are no habits', () => {
    expect(read(bytes, model.identityCount - 1)).toBeNull();
  });

  it.each([
    ['cut off', (b: Buffer) => b.subarray(0, b.length - 9), 'FW_MODEL_CORRUPT'],
    ['empty', () => Buffer.alloc(0), 'FW_MODEL_CORRUPT'],
    ['another file', (b: Buffer) => Buffer.concat([Buffer.from('FWHEAD\r\n'), b.subarray(8)]), 'FW_MODEL_CORRUPT'],
    [
      'a changed byte',
      (b: Buffer) => {
        b[b.length >> 1]! ^= 1;
        return b;
      },
      'FW_MODEL_CORRUPT',
    ],
    [
      'a later version',
      (b: Buffer) => {
        b.writeUInt32LE(9, 8);
        return b;
      },
      'FW_MODEL_VERSION',
    ],
  ] as const)('refuses %s', (_, change, code) => {
    try {
      read(change(Buffer.from(bytes)));
      expect.unreachable();
    } catch (e) {
      expect(isFacewrightError(e, code)).toBe(true);
    }
  });
});

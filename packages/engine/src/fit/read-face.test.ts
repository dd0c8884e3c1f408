import { beforeAll, describe, expect, it } from 'vitest';
import { anglesFromRotation, rotationFromAngles } from '../camera/pose-angles.ts';
import { createRandom } from '../math/random.ts';
import { multiply3, rotationFromVector } from '../math/rotation.ts';
import type { FaceModel, FaceReadout } from '../models/face-model.ts';
import { loadFaceModel } from '../models/load-face-model.ts';
import { readFace } from './read-face.ts';
import { computeViewTerms } from './view-terms.ts';

let model: FaceModel;
let weight: Float64Array;
beforeAll(async () => {
  model = await loadFaceModel('head');
  weight = new Float64Array(model.landmarks.count).fill(1);
});

/** The mean face as lifted landmarks: turned, 3 pixels per millimetre, somewhere in the picture. */
function lift(yawDeg: number, pitchDeg: number, rollDeg: number): { lifted: Float64Array; rotation: Float64Array } {
  const rotation = rotationFromAngles(yawDeg, pitchDeg, rollDeg);
  const lifted = model.landmarks.mean.slice();
  for (let m = 0; m < lifted.length; m += 3) {
    const [x, y, z] = lifted.slice(m, m + 3);
    for (let k = 0; k < 3; k++) {
      const turned = rotation[3 * k]! * x! + rotation[3 * k + 1]! * y! + rotation[3 * k + 2]! * z!;
      // The camera's y and z point the other way.
      lifted[m + k] = 3 * (k === 0 ? turned : -turned) + 40 * k - 7;
    }
  }
  return { lifted, rotation };
}

function makeReadout(fill: (i: number) => number, constants: readonly number[]): FaceReadout {
  const featureCount = 5;
  const width = 9 + 3 * model.landmarks.count + featureCount;
  return {
    featureCount,
    identityCount: constants.length - 3,
    constants: Float32Array.from(constants),
    steps: Float32Array.from({ length: 3 * constants.length }, (_, i) => 1e-4 * (1 + i)),
    rows: Int8Array.from({ length: constants.length * width }, (_, i) => fill(i)),
    covariance: Float64Array.from({ length: (constants.length - 3) ** 2 }, () => 1),
  };
}

describe('readFace', () => {
  it('an empty table leaves the pose that lays the landmarks over the mean face', () => {
    const { lifted, rotation } = lift(25, -10, 40);
    const reading = readFace(
      model.landmarks,
      makeReadout(() => 0, [0, 0, 0, 0.5]),
      lifted,
      weight,
      new Float32Array(5),
    )!;
    // Exact but for the eigenvector of Horn's method.
    for (let i = 0; i < 9; i++) expect(reading.rotation[i]).toBeCloseTo(rotation[i]!, 8);
    expect([...reading.identity]).toEqual([0.5]);
  });

  it('turns about the axes of the head', () => {
    const { lifted, rotation } = lift(25, -10, 40);
    const reading = readFace(
      model.landmarks,
      makeReadout(() => 0, [0.05, -0.03, 0.02, 0]),
      lifted,
      weight,
      new Float32Array(5),
    )!;
    const expected = multiply3(rotation, rotationFromVector(0.05, -0.03, 0.02));
    // The vector is kept in 32 bits.
    for (let i = 0; i < 9; i++) expect(reading.rotation[i]).toBeCloseTo(expected[i]!, 6);
    // A turn about the head's x axis, the nose down, is a nod: pitch falls.
    const nodded = readFace(
      model.landmarks,
      makeReadout(() => 0, [0.05, 0, 0, 0]),
      lifted,
      weight,
      new Float32Array(5),
    )!;
    expect(anglesFromRotation(nodded.rotation).pitchDeg + 10).toBeCloseTo((-0.05 * 180) / Math.PI, 1);
  });

  it('is the product of table and input, written out', () => {
    const random = createRandom(3);
    const { lifted } = lift(-15, 5, 0);
    const features = Float32Array.from({ length: 5 }, () => random.normal());
    const readout = makeReadout((i) => ((i * 37) % 255) - 127, [0, 0, 0, 0.1, -0.2]);
    const { identity } = readFace(model.landmarks, readout, lifted, weight, features)!;
    // The landmarks lie over the mean face: their residuals are zero, view and features are left.
    const turned = rotationFromAngles(-15, 5, 0);
    const view = computeViewTerms(-turned[6]!, -turned[7]!).slice(1);
    const width = readout.rows.length / 5;
    for (const k of [0, 1]) {
      const row = readout.rows.subarray((3 + k) * width, (4 + k) * width);
      let sum = readout.constants[3 + k]!;
      for (const [i, term] of view.entries()) sum += readout.steps[3 + k]! * row[i]! * term;
      for (const [i, feature] of features.entries()) sum += readout.steps[10 + 3 + k]! * row[width - 5 + i]! * feature;
      // 32-bit features of size 1 times rows of up to 127 and steps of 1e-3.
      expect(identity[k]).toBeCloseTo(sum, 5);
    }
  });

  it('says nothing of features of another network, or of landmarks in one place', () => {
    const readout = makeReadout(() => 0, [0, 0, 0]);
    const { lifted } = lift(0, 0, 0);
    expect(readFace(model.landmarks, readout, lifted, weight, new Float32Array(4))).toBeNull();
    expect(readFace(model.landmarks, readout, lifted.fill(1), weight, new Float32Array(5))).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { anglesFromRotation, rotationFromAngles } from './pose-angles.ts';

/** Where the face looks, camera frame (x right, y down, z forward). */
const gaze = (r: Float64Array): number[] => [r[2], r[5], r[8]];

describe('rotationFromAngles', () => {
  it('looks into the camera at 0, 0, 0', () => {
    expect([...rotationFromAngles(0, 0, 0)].map((x) => x + 0)).toEqual([1, 0, 0, 0, -1, 0, 0, 0, -1]);
  });

  it('turns right for yaw, up for pitch, leans clockwise for roll', () => {
    expect(gaze(rotationFromAngles(30, 0, 0))[0]).toBeCloseTo(0.5, 12);
    expect(gaze(rotationFromAngles(0, 30, 0))[1]).toBeCloseTo(-0.5, 12);
    const crown = rotationFromAngles(0, 0, 30);
    // The top of the head (model y) goes to the right of the picture.
    expect(crown[1]).toBeCloseTo(0.5, 12);
  });

  it('comes back from the matrix', () => {
    for (const yaw of [-89, -30, 0, 45, 89]) {
      for (const pitch of [-60, 0, 20]) {
        for (const roll of [-170, -90, 0, 15, 135]) {
          const a = anglesFromRotation(rotationFromAngles(yaw, pitch, roll));
          expect(a.yawDeg).toBeCloseTo(yaw, 9);
          expect(a.pitchDeg).toBeCloseTo(pitch, 9);
          expect(a.rollDeg).toBeCloseTo(roll, 9);
        }
      }
    }
  });

  it('gives finite angles that rebuild the matrix in profile', () => {
    const r = rotationFromAngles(90, 12, 0);
    const a = anglesFromRotation(r);
    const again = rotationFromAngles(a.yawDeg, a.pitchDeg, a.rollDeg);
    for (let k = 0; k < 9; k++) expect(again[k]).toBeCloseTo(r[k], 7);
  });
});

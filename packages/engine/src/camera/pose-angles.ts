import { multiply3, rotationFromVector } from '../math/rotation.ts';
import type { Pose } from './camera.ts';

const DEG = Math.PI / 180;

/**
 * cameraFromModel rotation of the three angles: first pitch about the head's own x axis, then yaw about the vertical of the
 * photo, then roll in the picture plane, then the turn from y up, z toward the viewer to y down, z forward:
 * R = diag(1,-1,-1) Rz(-roll) Ry(yaw) Rx(-pitch). A photo that is turned changes roll alone.
 *
 * @returns shape (3,3) row-major
 */
export function rotationFromAngles(yawDeg: number, pitchDeg: number, rollDeg: number): Float64Array {
  const turned = multiply3(
    rotationFromVector(0, 0, -rollDeg * DEG),
    multiply3(rotationFromVector(0, yawDeg * DEG, 0), rotationFromVector(-pitchDeg * DEG, 0, 0)),
  );
  for (let i = 3; i < 9; i++) turned[i] = -turned[i];
  return turned;
}

/**
 * Yaw, pitch and roll in degrees of a cameraFromModel rotation: inverse of {@link rotationFromAngles} for |yaw| < 90. At
 * |yaw| = 90 pitch and roll turn about the same axis; roll is then 0.
 */
export function anglesFromRotation(rotation: Float64Array): { yawDeg: number; pitchDeg: number; rollDeg: number } {
  // With the sign turn undone, M = Rz(-roll) Ry(yaw) Rx(-pitch): first column (cos roll cos yaw, -sin roll cos yaw, -sin yaw).
  const m00 = rotation[0];
  const m10 = -rotation[3];
  const m20 = -rotation[6];
  const m21 = -rotation[7];
  const m22 = -rotation[8];
  const cosYaw = Math.hypot(m00, m10);
  const yaw = Math.atan2(-m20, cosYaw);
  if (cosYaw < 1e-9) return { yawDeg: yaw / DEG, pitchDeg: Math.atan2(-rotation[5], -rotation[4]) / DEG, rollDeg: 0 };
  // third row: (-sin yaw, -sin pitch cos yaw, cos pitch cos yaw)
  return { yawDeg: yaw / DEG, pitchDeg: Math.atan2(-m21, m22) / DEG, rollDeg: Math.atan2(-m10, m00) / DEG };
}

/** A pose with its angles filled in. */
export function createPose(rotation: Float64Array, translation: Float64Array): Pose {
  return { rotation, translation, ...anglesFromRotation(rotation) };
}

import { FacewrightError } from '@facewright/protocol';
import type { FittedFace } from '../fit/fitted-face.ts';

/**
 * Refuses a face with a number that is not finite: nothing of it is written.
 *
 * @throws FW_FIT_FAILED naming what is not finite
 */
export function checkFaceFinite(face: FittedFace): void {
  const { pose, intrinsics } = face;
  check('position', face.positions);
  check('neutral position', face.neutralPositions);
  check('pose', [...pose.rotation, ...pose.translation, pose.yawDeg, pose.pitchDeg, pose.rollDeg]);
  check('camera', [intrinsics.focalPx, intrinsics.centerX, intrinsics.centerY]);
}

function check(what: string, values: ArrayLike<number>): void {
  // A sum is not finite when a term is not; 79 000 additions of finite coordinates cannot overflow.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  if (!Number.isFinite(sum)) throw new FacewrightError('FW_FIT_FAILED', { reason: `a ${what} is not a finite number` });
}

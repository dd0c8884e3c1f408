import { FacewrightError } from '@facewright/protocol';
import type { FittedFace } from '../fit/fitted-face.ts';
import { countKernelBytes, useScratchMemory } from '../kernels/kernel-memory.ts';

/**
 * Refuses a face with a number that is not finite: nothing of it is written.
 *
 * @throws FW_FIT_FAILED naming what is not finite
 */
export function checkFaceFinite(face: FittedFace): void {
  const { pose, intrinsics } = face;
  check('position', sumPositions(face.positions));
  check('neutral position', sumPositions(face.neutralPositions));
  check('pose', sum([...pose.rotation, ...pose.translation, pose.yawDeg, pose.pitchDeg, pose.rollDeg]));
  check('camera', sum([intrinsics.focalPx, intrinsics.centerX, intrinsics.centerY]));
}

/** A sum is not finite when a term is not; 79 000 additions of finite coordinates cannot overflow. */
function sumPositions(positions: Float32Array): number {
  const memory = useScratchMemory(countKernelBytes(positions));
  return memory.kernels.sumNumbers(memory.place(positions).byteOffset, positions.length);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function check(what: string, total: number): void {
  if (!Number.isFinite(total)) throw new FacewrightError('FW_FIT_FAILED', { reason: `a ${what} is not a finite number` });
}

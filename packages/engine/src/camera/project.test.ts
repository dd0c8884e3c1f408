import { expect, it } from 'vitest';
import { createPose, rotationFromAngles } from './pose-angles.ts';
import { project } from './project.ts';

const intrinsics = { focalPx: 1000, centerX: 300, centerY: 200, source: 'option' } as const;

it('is the pinhole: x right, y up in the model is up in the picture', () => {
  const pose = createPose(rotationFromAngles(0, 0, 0), Float64Array.of(10, 0, 500));
  const out = project([0, 0, 0, 5, 0, 0, 0, 7, 0, 0, 0, 100], pose, intrinsics, new Float64Array(8));
  // 500 mm away a millimetre is 2 px; the last point is 100 mm nearer.
  expect([...out]).toEqual([320, 200, 330, 200, 320, 186, 325, 200]);
});

it('marks points behind the pinhole', () => {
  const pose = createPose(rotationFromAngles(0, 0, 0), Float64Array.of(0, 0, 50));
  const out = project([0, 0, 60], pose, intrinsics);
  expect(out[0]).toBeNaN();
  expect(out[1]).toBeNaN();
});

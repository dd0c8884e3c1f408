import { expect, it } from 'vitest';
import { joinSteps } from './join-steps.ts';
import { splitSteps } from './split-steps.ts';

it('numbers of every size come back exactly', () => {
  // Both sides of each edge of a byte, and of the carries.
  const edges = [0, 1, -1, 127, 128, -128, -129, 255, 256, -256, 383, 384, 32639, -32640];
  const steps = Int32Array.from([...edges, ...edges.toReversed(), ...edges.map(() => 5)]);
  const split = splitSteps(steps, 3);
  expect(joinSteps({ ...split, columnCount: 3 })).toEqual(steps);
  expect(Array.from(split.carries.count)).toEqual([9, 9, 0]);
});

it('a number that two bytes do not hold is refused', () => {
  expect(() => splitSteps(Int32Array.of(32640), 1)).toThrow('32640');
});

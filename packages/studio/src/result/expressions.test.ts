import { expect, it } from 'vitest';
import { ARKIT_NAMES } from '../../../engine/src/models/arkit-blendshapes.ts';
import { PRESETS } from './expression-presets.ts';
import { computeDemoPose } from './talking-demo.ts';

const names = new Set<string>(ARKIT_NAMES);

it('presets and the demo name only what the model has, and stay within 0 and 1', () => {
  const poses = [...Object.values(PRESETS), ...Array.from({ length: 400 }, (_, i) => computeDemoPose(37 * i).weights)];
  for (const pose of poses) {
    for (const [name, weight] of Object.entries(pose)) {
      expect(names.has(name), name).toBe(true);
      expect(weight).toBeGreaterThanOrEqual(0);
      expect(weight).toBeLessThanOrEqual(1);
    }
  }
});

it('the demo blinks, talks, and never jumps', () => {
  const poses = Array.from({ length: 8200 / 8 }, (_, i) => computeDemoPose(8 * i));
  const of = (name: string) => poses.map(({ weights }) => weights[name]!);
  expect(Math.max(...of('eyeBlinkLeft'))).toBeGreaterThan(0.95);
  expect(Math.max(...of('jawOpen'))).toBeGreaterThan(0.3);
  // Half way in 8 ms would be a jump; lids close within 85 ms, and begin the fastest.
  for (const name of ['eyeBlinkLeft', 'jawOpen', 'mouthPucker', 'browInnerUp']) {
    const values = of(name);
    expect(Math.max(...values.slice(1).map((value, i) => Math.abs(value - values[i]!))), name).toBeLessThan(0.5);
  }
});

import { expect, it } from 'vitest';
import type { Job } from './job.ts';
import { packJob, unpackJob } from './pack-job.ts';
import { ERROR, makeJob, OUTCOME } from './test-jobs.test-support.ts';

const ended = (change: Partial<Job>): Job => ({
  ...makeJob('a', 'x'),
  state: 'succeeded',
  attempt: 1,
  startedAt: 1,
  finishedAt: 2,
  expiresAt: 3,
  progress: { stage: 'fit', index: 3, total: 6, ratio: 0.5 },
  landmarks: null,
  outcome: OUTCOME,
  error: null,
  ...change,
});

it.each([
  ['one that succeeded', ended({})],
  ['one that failed', ended({ state: 'failed', outcome: null, error: ERROR })],
  ['text beyond ASCII', ended({ webhookUrl: 'https://example.org/é字😀', batchId: 'b' })],
])('gives back %s', (_name, job) => {
  const { index, packed } = packJob({ ...job, landmarks: { widthPx: 1, heightPx: 1, points: [[1, 2]] } });
  // One character of two bytes would double the memory of all.
  expect([...packed].every((c) => c.charCodeAt(0) < 256)).toBe(true);
  expect(unpackJob(index, packed)).toEqual(job);
});

it('is small: of a job with all blendshapes little is left but what is random', () => {
  const blendshapes = Array.from({ length: 52 }, (_, i) => ({ name: i < 26 ? 'eyeBlinkLeft' : 'mouthSmileRight', weight: i / 52 }));
  const job = ended({ outcome: { ...OUTCOME, blendshapes } });
  expect(packJob(job).packed.length).toBeLessThan(JSON.stringify(job).length / 4);
});

import type { ReconstructionView } from '@facewright/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { INITIAL_JOB, isEnded, type JobAction, type JobState, reduceJob } from './job-state.ts';

const view = (state: ReconstructionView['state'], more: Partial<ReconstructionView> = {}) =>
  ({ id: 'a', state, attempt: 1, ...more }) as ReconstructionView;
const progress = (index: number) => ({ stage: 'fit' as const, index, total: 6, ratio: index / 6 });
const run = (actions: readonly JobAction[]): JobState => actions.reduce(reduceJob, INITIAL_JOB);

it('goes from the upload to the face', () => {
  const state = run([
    { type: 'upload', sentBytes: 120, totalBytes: 100 },
    { type: 'view', view: view('queued', { queue: { position: 2, etaS: 1 } }) },
    { type: 'event', event: { event: 'queued', data: { position: 0, etaS: 0 } } },
    { type: 'event', event: { event: 'progress', data: progress(3) } },
    { type: 'connection', connected: false },
  ]);
  expect(state).toMatchObject({
    phase: 'processing',
    upload: { sentBytes: 100, totalBytes: 100 },
    queue: null,
    progress: { index: 3 },
    reconnecting: true,
  });
  expect(reduceJob(state, { type: 'event', event: { event: 'end', data: view('succeeded') } })).toMatchObject({
    phase: 'succeeded',
    reconnecting: false,
  });
});

it('progress never goes back, but a second attempt begins anew', () => {
  const before = run([
    { type: 'view', view: view('processing') },
    { type: 'event', event: { event: 'progress', data: progress(4) } },
    { type: 'event', event: { event: 'progress', data: progress(2) } },
  ]);
  expect(before.progress?.index).toBe(4);
  expect(
    reduceJob(before, { type: 'event', event: { event: 'snapshot', data: view('processing', { attempt: 2, progress: progress(0) }) } })
      .progress?.index,
  ).toBe(0);
});

it('a failed job carries its reason', () => {
  const error = { code: 'FW_FACE_CUT', message: 'cut', hint: 'h', params: { visibleRatio: 0.5 } };
  expect(run([{ type: 'view', view: view('failed', { error }) }])).toMatchObject({
    phase: 'failed',
    failure: { kind: 'service', code: 'FW_FACE_CUT', params: { visibleRatio: 0.5 } },
  });
});

it('what has ended stays ended, in whatever order things arrive', () => {
  const action: fc.Arbitrary<JobAction> = fc.oneof(
    fc.constant<JobAction>({ type: 'upload', sentBytes: 1, totalBytes: 2 }),
    fc.constantFrom<JobAction>({ type: 'connection', connected: true }, { type: 'connection', connected: false }, { type: 'lost' }),
    fc.constant<JobAction>({ type: 'refused', failure: { kind: 'connection' } }),
    fc.nat(5).map((index): JobAction => ({ type: 'event', event: { event: 'progress', data: progress(index) } })),
  );
  fc.assert(
    fc.property(fc.constantFrom('succeeded', 'failed', 'canceled'), fc.array(action), (end, late) => {
      const ended = run([{ type: 'view', view: view(end) }]);
      expect(isEnded(ended.phase)).toBe(true);
      expect(late.reduce(reduceJob, ended)).toEqual(ended);
    }),
  );
});

import { ConnectionError, ServiceError } from '@facewright/client';
import type { ReconstructionEvent, ReconstructionView } from '@facewright/protocol';
import { expect, it, vi } from 'vitest';
import { createJobTracker, resendDelayS, type TrackerOptions } from './job-tracker.ts';

const view = (state: ReconstructionView['state']) => ({ id: 'a', state, attempt: 1 }) as ReconstructionView;
const upload = { photo: new Blob(['photo']), options: {} };

function createTracker(client: Partial<TrackerOptions['client']>, { withPhoto = true, askForKey = async () => false } = {}) {
  const full = {
    put: vi.fn(async () => view('queued')),
    get: vi.fn(async () => view('queued')),
    cancel: vi.fn(async () => view('canceled')),
    events: vi.fn(async function* (): AsyncGenerator<ReconstructionEvent, void> {
      yield { event: 'end', data: view('succeeded') };
    }),
    ...client,
  };
  return { client: full, tracker: createJobTracker({ client: full, id: 'a', askForKey, ...(withPhoto ? { upload } : {}) }) };
}
const phaseOf = (tracker: ReturnType<typeof createTracker>['tracker']) => expect.poll(() => tracker.state.get().phase);

it('sends, follows and ends', async () => {
  const { tracker, client } = createTracker({});
  tracker.send();
  expect(tracker.state.get().phase).toBe('uploading');
  await phaseOf(tracker).toBe('succeeded');
  expect(client.put).toHaveBeenCalledWith('a', upload.photo, expect.objectContaining({ wait: 0 }));
});

it('asks for a key and goes on with it, once', async () => {
  const put = vi
    .fn<TrackerOptions['client']['put']>()
    .mockRejectedValueOnce(new ServiceError(401, { code: 'FW_AUTH_REQUIRED' }))
    .mockResolvedValue(view('queued'));
  const askForKey = vi.fn(async () => true);
  const { tracker } = createTracker({ put }, { askForKey });
  tracker.send();
  await phaseOf(tracker).toBe('succeeded');
  expect(askForKey).toHaveBeenCalledTimes(1);
});

it.each([
  [new ServiceError(429, { code: 'FW_QUEUE_FULL' }, 7), 7],
  [new ServiceError(503, { code: 'FW_STARTING' }), 5],
  [new ServiceError(502, {}), 5],
  [new ServiceError(413, { code: 'FW_BODY_TOO_LARGE' }), null],
  [new ConnectionError('PUT /x'), null],
])('after %s the photo is sent again in %s s', async (error, delayS) => {
  const { tracker } = createTracker({ put: vi.fn().mockRejectedValueOnce(error).mockResolvedValue(view('queued')) });
  tracker.send();
  await phaseOf(tracker).toBe('refused');
  expect(resendDelayS(tracker.state.get())).toBe(delayS);
  tracker.send();
  await phaseOf(tracker).toBe('succeeded');
});

it('a job that nobody knows is lost', async () => {
  // biome-ignore lint/correctness/useYield: it throws before the first event
  const events = async function* (): AsyncGenerator<ReconstructionEvent, void> {
    throw new ServiceError(404, { code: 'FW_NOT_FOUND' });
  };
  const { tracker } = createTracker({ events }, { withPhoto: false });
  tracker.follow();
  await phaseOf(tracker).toBe('lost');
});

it('cancels the upload that is under way', async () => {
  let signal: AbortSignal | undefined;
  const put: TrackerOptions['client']['put'] = (_id, _photo, options) => {
    signal = options?.signal;
    return new Promise(() => undefined);
  };
  const { tracker } = createTracker({ put, cancel: vi.fn().mockRejectedValue(new ServiceError(404, { code: 'FW_NOT_FOUND' })) });
  tracker.send();
  await tracker.cancel();
  expect(signal?.aborted).toBe(true);
  expect(tracker.state.get().phase).toBe('canceled');
});

it('goes on with a photo that a reload interrupted', async () => {
  const { tracker, client } = createTracker({}, { withPhoto: false });
  expect(tracker.upload).toBeNull();
  tracker.resume(upload);
  await phaseOf(tracker).toBe('succeeded');
  expect(tracker.upload).toBe(upload);
  expect(client.put).toHaveBeenCalledWith('a', upload.photo, expect.objectContaining({ wait: 0 }));
});

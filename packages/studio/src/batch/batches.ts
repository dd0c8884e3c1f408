import type { BatchView, JobOptionsInput } from '@facewright/protocol';
import { type Failure, failureFrom, isKeyProblem, retryDelayS } from '../errors/failure.ts';
import { askForKey } from '../errors/key-question.ts';
import { createJobId } from '../jobs/create-job-id.ts';
import { rememberPhoto } from '../jobs/jobs.ts';
import { service } from '../service.ts';
import { createStore, type Store } from '../ui/create-store.ts';
import { goTo } from '../ui/route.ts';
import type { Refusal } from '../upload/intake.ts';

export interface BatchState {
  readonly view: BatchView | null;
  readonly sentBytes: number;
  readonly totalBytes: number;
  readonly failure: Failure | null;
  readonly retryInS: number | null;
}

export interface BatchTracker {
  readonly state: Store<BatchState>;
  /** Photos by their place, where this page sent them. */
  readonly photos: readonly Blob[];
  /** Files that were chosen with them and are no photos. */
  readonly refused: readonly Refusal[];
  send(): void;
  cancel(): Promise<void>;
}

/** Between two looks at a batch, ms. */
const POLL_MS = 1000;
const trackers = new Map<string, BatchTracker>();

/** Sends a batch. Returns the id under which the page shows it until the service has given its own. */
export function startBatch(
  photos: readonly { readonly name: string; readonly photo: Blob }[],
  options: JobOptionsInput,
  refused: readonly Refusal[] = [],
): string {
  const localId = createJobId();
  const state = createStore<BatchState>({
    view: null,
    sentBytes: 0,
    totalBytes: photos.reduce((sum, { photo }) => sum + photo.size, 0),
    failure: null,
    retryInS: null,
  });
  const update = (changed: Partial<BatchState>) => state.set({ ...state.get(), ...changed });
  const blobs = photos.map(({ photo }) => photo);
  const send = async (): Promise<void> => {
    update({ failure: null, retryInS: null, sentBytes: 0 });
    try {
      const view = await service.batches.create(photos, {
        options,
        idempotencyKey: localId,
        onUploadProgress: ({ sentBytes }) => update({ sentBytes: Math.min(sentBytes, state.get().totalBytes) }),
      });
      remember(view, blobs);
      update({ view });
      trackers.set(view.id, tracker);
      if (location.hash === `#/batch/${localId}`) goTo({ name: 'batch', id: view.id }, { replace: true });
      await poll(view.id, state, blobs);
    } catch (e) {
      const failure = failureFrom(e);
      if (isKeyProblem(failure) && (await askForKey(failure))) return send();
      update({ failure, retryInS: retryDelayS(failure) });
    }
  };
  const tracker = createTracker(state, blobs, refused, () => void send());
  trackers.set(localId, tracker);
  void send();
  return localId;
}

export function followBatch(id: string): BatchTracker {
  const known = trackers.get(id);
  if (known !== undefined) return known;
  const state = createStore<BatchState>({ view: null, sentBytes: 0, totalBytes: 0, failure: null, retryInS: null });
  const start = async (): Promise<void> => {
    state.set({ ...state.get(), failure: null });
    try {
      await poll(id, state, []);
    } catch (e) {
      const failure = failureFrom(e);
      if (isKeyProblem(failure) && (await askForKey(failure))) return start();
      state.set({ ...state.get(), failure });
    }
  };
  const tracker = createTracker(state, [], [], () => void start());
  trackers.set(id, tracker);
  void start();
  return tracker;
}

function createTracker(state: Store<BatchState>, photos: readonly Blob[], refused: readonly Refusal[], send: () => void): BatchTracker {
  return {
    state,
    photos,
    refused,
    send,
    async cancel() {
      const { view } = state.get();
      if (view !== null) state.set({ ...state.get(), view: await service.batches.cancel(view.id) });
    },
  };
}

/** Reads a batch until it is done. A service that does not answer for a moment is asked again. */
async function poll(id: string, state: Store<BatchState>, photos: readonly Blob[]): Promise<void> {
  for (;;) {
    try {
      const view = await service.batches.get(id);
      // Jobs get their ids one after another. Before the cards are drawn, because they ask for the pictures.
      remember(view, photos);
      state.set({ ...state.get(), view, failure: null });
      if (view.state !== 'processing') return;
    } catch (e) {
      const failure = failureFrom(e);
      const passes = failure.kind === 'connection' || retryDelayS(failure) !== null;
      if (!passes) throw e;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function remember(view: BatchView, photos: readonly Blob[]): void {
  view.photos.forEach(({ reconstruction }, i) => {
    const photo = photos[i];
    if (reconstruction !== undefined && photo !== undefined) rememberPhoto(reconstruction, photo).catch(() => undefined);
  });
}

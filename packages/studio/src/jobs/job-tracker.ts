import { type Client, ServiceError } from '@facewright/client';
import type { JobOptionsInput } from '@facewright/protocol';
import { type Failure, failureFrom, isKeyProblem, retryDelayS } from '../errors/failure.ts';
import { createStore, type Store } from '../ui/create-store.ts';
import { INITIAL_JOB, isEnded, type JobAction, type JobState, reduceJob } from './job-state.ts';

/** What is sent. The photo itself is kept only as long as the page is open. */
export interface Upload {
  readonly photo: Blob;
  readonly options: JobOptionsInput;
}

/** One job, followed for as long as the page is open, whatever the reader looks at meanwhile. */
export interface JobTracker {
  readonly id: string;
  readonly state: Store<JobState>;
  /** What is sent from this page; null where the service had it before a reload. */
  readonly upload: Upload | null;
  /** Sends the photo (again: the id makes it the same job). */
  send(): void;
  /** Goes on with sending a photo that a reload interrupted. */
  resume(upload: Upload): void;
  /** Follows a job that the service has already. */
  follow(): void;
  /** Stops the upload, or the job. */
  cancel(): Promise<void>;
  /** No longer listens; the job goes on. */
  stop(): void;
}

export interface TrackerOptions {
  readonly client: Pick<Client, 'put' | 'get' | 'events' | 'cancel'>;
  readonly id: string;
  readonly upload?: Upload;
  /** Called where a key is missing or wrong; what was going on is taken up when it resolves to true. */
  readonly askForKey: (failure: Failure) => Promise<boolean>;
}

export function createJobTracker({ client, id, askForKey, ...given }: TrackerOptions): JobTracker {
  let upload: Upload | null = given.upload ?? null;
  const state = createStore(INITIAL_JOB);
  const dispatch = (action: JobAction) => state.set(reduceJob(state.get(), action));
  let controller = new AbortController();
  const begin = () => {
    controller.abort();
    controller = new AbortController();
    return controller.signal;
  };

  const fail = async (error: unknown, signal: AbortSignal, again: () => Promise<void>): Promise<void> => {
    if (signal.aborted) return;
    const failure = failureFrom(error);
    if (isKeyProblem(failure) && (await askForKey(failure)) && !signal.aborted) return again();
    dispatch({ type: 'refused', failure });
  };

  const send = async (signal: AbortSignal): Promise<void> => {
    if (upload === null) return;
    const totalBytes = upload.photo.size;
    dispatch({ type: 'upload', sentBytes: 0, totalBytes });
    try {
      const view = await client.put(id, upload.photo, {
        options: upload.options,
        wait: 0,
        signal,
        // The form around the photo makes the request some bytes longer than the photo.
        onUploadProgress: ({ sentBytes }) => dispatch({ type: 'upload', sentBytes, totalBytes }),
      });
      dispatch({ type: 'view', view });
    } catch (e) {
      return fail(e, signal, () => send(signal));
    }
    return follow(signal);
  };

  const follow = async (signal: AbortSignal): Promise<void> => {
    if (isEnded(state.get().phase)) return;
    try {
      for await (const event of client.events(id, {
        signal,
        onConnection: ({ connected }) => dispatch({ type: 'connection', connected }),
      })) {
        dispatch({ type: 'event', event });
      }
    } catch (e) {
      if (e instanceof ServiceError && e.status === 404) return dispatch({ type: 'lost' });
      return fail(e, signal, () => follow(signal));
    }
  };

  return {
    id,
    state,
    get upload() {
      return upload;
    },
    send: () => void send(begin()),
    resume(interrupted) {
      upload = interrupted;
      void send(begin());
    },
    follow: () => void follow(begin()),
    async cancel() {
      const { phase } = state.get();
      const isSending = phase === 'uploading' || phase === 'preparing';
      if (isSending) begin();
      try {
        dispatch({ type: 'view', view: await client.cancel(id) });
      } catch (e) {
        if (e instanceof ServiceError && e.status === 404) dispatch({ type: isSending ? 'canceled' : 'lost' });
        // What was not sent whole is not made, whether or not the service can be asked.
        else if (isSending) dispatch({ type: 'canceled' });
        else throw e;
      }
    },
    stop: () => void begin(),
  };
}

/** Whether a refusal is one that passes: then the photo is sent again after so many seconds. */
export function resendDelayS(state: JobState): number | null {
  return state.phase === 'refused' && state.failure !== null ? retryDelayS(state.failure) : null;
}

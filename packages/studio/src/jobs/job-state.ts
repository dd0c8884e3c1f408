import type { JobLandmarks, JobProgress, ReconstructionEvent, ReconstructionView } from '@facewright/protocol';
import { type Failure, failureFromJob } from '../errors/failure.ts';

/**
 * Where a job stands, from the reader's point of view.
 *
 * `lost`: the service does not know it (deleted, expired, another key, or the page was left before the photo had arrived).
 * `refused`: the service did not take the photo; `failed`: it took it and no face came of it.
 */
export type JobPhase = 'preparing' | 'uploading' | 'queued' | 'processing' | 'succeeded' | 'failed' | 'canceled' | 'refused' | 'lost';

export interface JobState {
  readonly phase: JobPhase;
  /** 0..1 of the upload; null before it began. */
  readonly upload: { readonly sentBytes: number; readonly totalBytes: number } | null;
  readonly queue: { readonly position: number; readonly etaS: number } | null;
  readonly progress: JobProgress | null;
  readonly landmarks: JobLandmarks | null;
  readonly view: ReconstructionView | null;
  readonly failure: Failure | null;
  /** The events are cut off at the moment; the work goes on. */
  readonly reconnecting: boolean;
}

export const INITIAL_JOB: JobState = {
  phase: 'preparing',
  upload: null,
  queue: null,
  progress: null,
  landmarks: null,
  view: null,
  failure: null,
  reconnecting: false,
};

export type JobAction =
  | { readonly type: 'upload'; readonly sentBytes: number; readonly totalBytes: number }
  | { readonly type: 'view'; readonly view: ReconstructionView }
  | { readonly type: 'event'; readonly event: ReconstructionEvent }
  | { readonly type: 'connection'; readonly connected: boolean }
  | { readonly type: 'refused'; readonly failure: Failure }
  | { readonly type: 'lost' }
  /** Before the service had it. */
  | { readonly type: 'canceled' };

/** The state after something happened. What has ended does not change any more, whatever still arrives. */
export function reduceJob(state: JobState, action: JobAction): JobState {
  if (isEnded(state.phase) && action.type !== 'view') return state;
  switch (action.type) {
    case 'upload': {
      const { sentBytes, totalBytes } = action;
      return { ...state, phase: 'uploading', failure: null, upload: { sentBytes: Math.min(sentBytes, totalBytes), totalBytes } };
    }
    case 'view':
      return applyView(state, action.view);
    case 'connection':
      return { ...state, reconnecting: !action.connected };
    case 'refused':
      return { ...state, phase: 'refused', failure: action.failure };
    case 'lost':
      return { ...state, phase: 'lost', reconnecting: false };
    case 'canceled':
      return { ...state, phase: 'canceled', reconnecting: false };
    case 'event':
      return applyEvent(state, action.event);
  }
}

export function isEnded(phase: JobPhase): boolean {
  return phase === 'succeeded' || phase === 'failed' || phase === 'canceled';
}

function applyEvent(state: JobState, { event, data }: ReconstructionEvent): JobState {
  switch (event) {
    case 'snapshot':
    case 'end':
      return applyView(state, data);
    case 'queued':
      return { ...state, phase: 'queued', queue: data };
    case 'progress':
      return { ...state, phase: 'processing', queue: null, progress: furthest(state.progress, data) };
    case 'landmarks':
      return { ...state, landmarks: data };
    default:
      // An event of a later version.
      return state;
  }
}

function applyView(state: JobState, view: ReconstructionView): JobState {
  const again = view.attempt > (state.view?.attempt ?? 0);
  const progress = view.progress ?? null;
  return {
    ...state,
    phase: view.state,
    view,
    reconnecting: false,
    queue: view.queue ?? null,
    // A second attempt begins anew.
    progress: again ? progress : furthest(state.progress, progress),
    failure: view.error === undefined ? null : failureFromJob(view.error),
  };
}

/** Snapshots and events may overtake each other: progress never goes back. */
function furthest(a: JobProgress | null, b: JobProgress | null): JobProgress | null {
  if (a === null || b === null) return a ?? b;
  return b.ratio >= a.ratio ? b : a;
}

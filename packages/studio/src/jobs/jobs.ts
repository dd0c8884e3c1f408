import type { JobOptionsInput } from '@facewright/protocol';
import { mayHelpAgain } from '../errors/failure.ts';
import { askForKey } from '../errors/key-question.ts';
import { service } from '../service.ts';
import { createThumbnail, type Thumbnail } from '../upload/create-thumbnail.ts';
import { createJobId } from './create-job-id.ts';
import { isEnded } from './job-state.ts';
import { createJobTracker, type JobTracker } from './job-tracker.ts';
import { dropUpload, findPhoto, findUpload, keepPhoto, keepUpload } from './photo-store.ts';

const trackers = new Map<string, JobTracker>();
const thumbnails = new Map<string, Promise<Thumbnail | null>>();
const LAST_NAME = 'facewright.lastJob';
/** How long a photo waits for its picture to be kept, ms: a disk that hangs must not hold the photo back. */
const KEEP_LIMIT_MS = 3000;

/**
 * Sends a photo. Returns at once with the tracker of the new job; its id is known before anything has left, and the photo and its
 * picture are kept before: whenever the page is loaded anew, it goes on where it was.
 */
export function startJob(photo: Blob, options: JobOptionsInput): JobTracker {
  const id = createJobId();
  const thumbnail = createThumbnail(photo);
  thumbnails.set(id, thumbnail);
  const tracker = createJobTracker({ client: service, id, upload: { photo, options }, askForKey });
  trackers.set(id, tracker);
  localStorage.setItem(LAST_NAME, id);
  const keptPicture = thumbnail.then((small) => (small === null ? undefined : keepPhoto(id, small))).catch(() => undefined);
  const kept = Promise.all([keptPicture, keepUpload(id, { photo, options })]);
  dropUploadWhenSent(tracker);
  const limit = new Promise((resolve) => setTimeout(resolve, KEEP_LIMIT_MS));
  void Promise.race([kept, limit]).then(() => {
    // It may have been canceled meanwhile.
    if (tracker.state.get().phase === 'preparing') tracker.send();
  });
  return tracker;
}

/** The tracker of a job, be it from this page or from before a reload. */
export function followJob(id: string): JobTracker {
  const known = trackers.get(id);
  if (known !== undefined) return known;
  const tracker = createJobTracker({ client: service, id, askForKey });
  trackers.set(id, tracker);
  void findUpload(id).then((upload) => {
    if (upload === null) return tracker.follow();
    // Sending it once more does no harm where it had arrived after all: the id makes it the same job.
    dropUploadWhenSent(tracker);
    tracker.resume(upload);
  });
  return tracker;
}

/** The photo is kept here only until the service has it, or the reader has given up. */
function dropUploadWhenSent(tracker: JobTracker): void {
  const unsubscribe = tracker.state.subscribe(() => {
    const { phase, failure } = tracker.state.get();
    if (phase === 'preparing' || phase === 'uploading' || (phase === 'refused' && failure !== null && mayHelpAgain(failure))) return;
    unsubscribe();
    void dropUpload(tracker.id);
  });
}

/** The small picture of the photo of a job, where this browser sent it. */
export function loadThumbnail(id: string): Promise<Thumbnail | null> {
  let thumbnail = thumbnails.get(id);
  if (thumbnail === undefined) {
    thumbnail = findPhoto(id);
    thumbnails.set(id, thumbnail);
  }
  return thumbnail;
}

/** Keeps the picture of a photo that was sent in a batch. */
export async function rememberPhoto(id: string, photo: Blob): Promise<void> {
  if (thumbnails.has(id)) return;
  const thumbnail = createThumbnail(photo);
  thumbnails.set(id, thumbnail);
  const small = await thumbnail;
  if (small !== null) await keepPhoto(id, small);
}

/** Forgets what this page knows of a job: after it was deleted, or when the reader wants its picture gone. */
export function dropJob(id: string, { keepTracker = false } = {}): void {
  thumbnails.set(id, Promise.resolve(null));
  if (keepTracker) return;
  trackers.get(id)?.stop();
  trackers.delete(id);
  if (localStorage.getItem(LAST_NAME) === id) localStorage.removeItem(LAST_NAME);
}

export function dropAllThumbnails(): void {
  for (const id of thumbnails.keys()) thumbnails.set(id, Promise.resolve(null));
}

/** The last job that this browser sent, where it may still run. */
export function lastJobId(): string | null {
  const id = localStorage.getItem(LAST_NAME);
  if (id === null) return null;
  const tracker = trackers.get(id);
  return tracker !== undefined && isEnded(tracker.state.get().phase) ? null : id;
}

// A connection that is back is used at once, not after the pause that has grown meanwhile.
addEventListener('online', () => {
  for (const tracker of trackers.values()) if (tracker.state.get().reconnecting) tracker.follow();
});

import type { JobOptionsInput } from '@facewright/protocol';
import { currentAccount } from '../account.ts';
import { startBatch } from '../batch/batches.ts';
import type { Failure, LocalProblem } from '../errors/failure.ts';
import { startJob } from '../jobs/jobs.ts';
import { announce } from '../ui/announce.tsx';
import { createStore } from '../ui/create-store.ts';
import { goTo } from '../ui/route.ts';
import { checkPhoto } from './check-photo.ts';
import { uploadOptions } from './upload-options.ts';

/** Where no service has told its limit yet. */
const DEFAULT_MAX_PHOTOS = 200;

/** A file that was not taken, to be shown where photos are chosen. */
export interface Refusal {
  readonly name: string;
  readonly file: Blob;
  readonly failure: Failure;
}

export const refusals = createStore<readonly Refusal[]>([]);

/**
 * Takes photos from wherever they came: dropped, pasted, chosen, taken. One becomes a job, several a batch; what is no photo is
 * refused here, before anything is sent.
 */
export async function takePhotos(files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  refusals.set([]);
  const { maxPhotos, maxBytes } = limits();
  if (files.length > maxPhotos) {
    refusals.set([{ name: '', file: new Blob(), failure: localFailure({ code: 'tooMany', max: maxPhotos }) }]);
    return;
  }
  const good: { name: string; photo: Blob }[] = [];
  const refused: Refusal[] = [];
  for (const file of files) {
    const checked = await checkPhoto(file, maxBytes);
    if (checked instanceof Blob) good.push({ name: file.name, photo: checked });
    else refused.push({ name: file.name, file, failure: localFailure(checked) });
  }
  if (refused.length > 0) announce(refused.map(({ name }) => name).join(', '));
  const options = uploadOptions.get();
  if (good.length === 1 && files.length === 1) takePhoto(good[0]!.photo, options);
  else if (good.length > 0) goTo({ name: 'batch', id: startBatch(good, options, refused) });
  else refusals.set(refused);
}

/** Sends one photo and shows what becomes of it. */
export function takePhoto(photo: Blob, options: JobOptionsInput = uploadOptions.get()): void {
  refusals.set([]);
  goTo({ name: 'job', id: startJob(photo, options).id });
}

function limits(): { maxPhotos: number; maxBytes: number | undefined } {
  const account = currentAccount();
  return { maxPhotos: account?.limits.batchPhotos ?? DEFAULT_MAX_PHOTOS, maxBytes: account?.limits.photoBytes };
}

function localFailure(problem: LocalProblem): Failure {
  return { kind: 'local', problem };
}

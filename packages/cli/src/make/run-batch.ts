import { type FacewrightError, isFacewrightError } from '@facewright/protocol';
import { errorOfTable } from '../print/report-error.ts';
import type { MakeJob } from './make-options.ts';
import type { MadePhoto } from './make-photo.ts';
import type { PhotoMaker } from './photo-maker.ts';

/** What became of one photo of a batch. */
export interface PhotoOutcome {
  /** Absolute path. */
  readonly photo: string;
  /** Wall time, milliseconds; 0 where nothing was done. */
  readonly ms: number;
  readonly made?: MadePhoto;
  readonly error?: FacewrightError;
}

export interface BatchResult {
  readonly outcomes: readonly PhotoOutcome[];
  /** What made the rest of the batch pointless, e.g. a full disk. */
  readonly stoppedBy: FacewrightError | null;
  /** Photos that were not tried, because of `stoppedBy` or Ctrl-C. */
  readonly untried: readonly string[];
}

/**
 * Errors of the installation or the disk: every other photo would meet the same one. Not FW_ARG_INVALID: options are checked before
 * the first photo, so whatever the engine objects to later is about one photo (a region of it, a number computed from it).
 */
const STOPPING_CODES: readonly string[] = [
  'FW_MODEL_UNKNOWN',
  'FW_MODEL_CORRUPT',
  'FW_MODEL_VERSION',
  'FW_NETWORK_CORRUPT',
  'FW_PROVIDER_UNAVAILABLE',
  'FW_OUTPUT_DISK_FULL',
];

/**
 * Makes many photos, as many at once as there are makers; a photo that fails does not stop the others.
 *
 * @param jobs - in order; one with an error is passed on as failed
 * @param findFinished - gives the result that is there already, or null; runs beside the makers and needs none
 * @param onOutcome - called as photos finish, in no particular order
 * @returns outcomes in the order of `jobs`
 */
export async function runBatch(options: {
  readonly jobs: readonly (MakeJob & { readonly error?: FacewrightError | undefined })[];
  readonly makers: readonly PhotoMaker[];
  readonly findFinished: ((job: MakeJob) => Promise<MadePhoto | null>) | null;
  readonly signal?: AbortSignal | undefined;
  readonly now: () => number;
  readonly onStart: (job: MakeJob) => void;
  readonly onOutcome: (outcome: PhotoOutcome) => void;
}): Promise<BatchResult> {
  const { jobs, makers, findFinished, signal, now, onStart, onOutcome } = options;
  const outcomes: (PhotoOutcome | undefined)[] = jobs.map(() => undefined);
  let stoppedBy: FacewrightError | null = null;
  let next = 0;

  const makeOne = async (
    maker: PhotoMaker,
    job: MakeJob & { readonly error?: FacewrightError | undefined },
  ): Promise<PhotoOutcome | undefined> => {
    if (job.error !== undefined) return { photo: job.photo, ms: 0, error: job.error };
    const start = now();
    try {
      onStart(job);
      const finished = findFinished === null ? null : await findFinished(job);
      if (finished !== null) return { photo: job.photo, ms: 0, made: finished };
      return { photo: job.photo, made: await maker.make(job, { signal }), ms: now() - start };
    } catch (thrown) {
      const error = errorOfTable(thrown);
      // Stopped from outside or by another photo's trouble: not this photo's failure.
      if (isFacewrightError(error, 'FW_CANCELED')) return undefined;
      if (STOPPING_CODES.includes(error.code)) stoppedBy ??= error;
      return { photo: job.photo, ms: now() - start, error };
    }
  };
  await Promise.all(
    makers.map(async (maker) => {
      while (next < jobs.length && stoppedBy === null && signal?.aborted !== true) {
        const position = next++;
        const outcome = await makeOne(maker, jobs[position]!);
        if (outcome === undefined) continue;
        outcomes[position] = outcome;
        onOutcome(outcome);
      }
    }),
  );
  return {
    outcomes: outcomes.filter((o) => o !== undefined),
    stoppedBy,
    untried: jobs.filter((_, position) => outcomes[position] === undefined).map((job) => job.photo),
  };
}

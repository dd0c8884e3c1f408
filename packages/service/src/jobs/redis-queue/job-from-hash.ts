import { errorFromWire, type JobLandmarks, type JobProgress, type JobState, type WireError } from '@facewright/protocol';
import type { Job, JobOutcome, NewJob } from '../job.ts';

/** The job that a hash holds (names and values in turn, as `HGETALL` replies), with its submission number; null where there is none. */
export function jobFromHash(flat: readonly string[]): { readonly job: Job; readonly seq: number } | null {
  if (flat.length === 0) return null;
  const fields = new Map<string, string>();
  for (let i = 0; i < flat.length; i += 2) fields.set(flat[i], flat[i + 1]);
  const parse = <T>(name: string): T | null => {
    const text = fields.get(name);
    return text === undefined ? null : (JSON.parse(text) as T);
  };
  const error = parse<WireError>('error');
  const job: Job = {
    ...parse<NewJob>('job')!,
    state: fields.get('state') as JobState,
    attempt: Number(fields.get('attempt')),
    startedAt: parse('startedAt'),
    finishedAt: parse('finishedAt'),
    expiresAt: parse('expiresAt'),
    progress: parse<JobProgress>('progress'),
    landmarks: parse<JobLandmarks>('landmarks'),
    outcome: parse<JobOutcome>('outcome'),
    // Scripts know codes and parameters; the text is that of the table.
    error: error && { ...error, message: error.message || errorFromWire(error).message },
  };
  return { job, seq: Number(fields.get('seq')) };
}

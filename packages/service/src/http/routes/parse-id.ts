import { FacewrightError } from '@facewright/protocol';
import { ID_PATTERN } from '@facewright/protocol/api';
import type { FastifyRequest } from 'fastify';
import type { Job } from '../../jobs/job.ts';
import type { AppContext } from '../app-context.ts';

/** What is said of every id that the asker has no job of, whatever the reason. */
export function noReconstruction(): FacewrightError<'FW_NOT_FOUND'> {
  return new FacewrightError('FW_NOT_FOUND', { what: 'reconstruction' });
}

/** The id in the path. One that no job can have is answered like one that no job has. @throws FW_NOT_FOUND */
export function readId(request: FastifyRequest): string {
  const { id } = request.params as { id: string };
  if (!ID_PATTERN.test(id)) throw noReconstruction();
  request.jobId = id;
  return id;
}

/** The asker's job of the id in the path. @throws FW_NOT_FOUND */
export async function readJob(request: FastifyRequest, { queue }: Pick<AppContext, 'queue'>): Promise<Job> {
  const job = await queue.get(request.tenant.name, readId(request));
  if (job === null) throw noReconstruction();
  return job;
}

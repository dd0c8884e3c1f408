/** Keys of everything that belongs to a job. One folder per job, so that deleting a job is deleting a prefix. */
export const jobPrefix = (tenant: string, id: string): string => `${tenant}/jobs/${id}`;
export const photoKey = (tenant: string, id: string): string => `${jobPrefix(tenant, id)}/photo`;
/** Files of one attempt: an attempt that lost its lease never writes where another one does. */
export const resultKey = (tenant: string, id: string, token: string, name: string): string => `${jobPrefix(tenant, id)}/${token}/${name}`;
export const batchPrefix = (tenant: string, id: string): string => `${tenant}/batches/${id}`;

import type { BatchList, BatchSummary } from '@facewright/protocol';
import type { AppContext } from '../http/app-context.ts';
import { invalidRequest } from '../http/error-from-request.ts';
import { formatCursor, parseCursor } from '../http/list-cursor.ts';
import type { BatchMark, BatchStore } from './batch-store.ts';
import { batchPath } from './read-batch-status.ts';

/**
 * A tenant's batches, newest first: what is known without asking for each photo, of which a page may have thousands.
 *
 * @throws FW_REQUEST_INVALID for a cursor that this list has not returned
 */
export async function listBatches(
  store: BatchStore,
  { linkSecret }: Pick<AppContext, 'linkSecret'>,
  tenant: string,
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
): Promise<BatchList> {
  const last = after === undefined ? null : readPlace(parseCursor(linkSecret, tenant, after));
  const marks: BatchMark[] = [];
  for await (const mark of store.known(tenant)) if (last === null || compareMarks(last, mark) < 0) marks.push(mark);
  marks.sort(compareMarks);
  const batches: BatchSummary[] = [];
  for (const [i, { id }] of marks.entries()) {
    // Without a record: one that is still being received.
    const record = await store.read(tenant, id);
    if (record === null) continue;
    batches.push({ id, createdAt: new Date(record.createdAt).toISOString(), total: record.photos.length, links: { self: batchPath(id) } });
    if (batches.length < limit) continue;
    return i + 1 < marks.length ? { batches, next: formatCursor(linkSecret, tenant, formatPlace(marks[i]!)) } : { batches };
  }
  return { batches };
}

type Place = Pick<BatchMark, 'id' | 'markedAt'>;

/** Newest first; of two of the same time that with the lower id. */
function compareMarks(a: Place, b: Place): number {
  return b.markedAt - a.markedAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

const formatPlace = ({ markedAt, id }: Place): string => `batch ${markedAt} ${id}`;

function readPlace(cursor: string): Place {
  const [, markedAt, id] = /^batch (\d+(?:\.\d+)?) (\S+)$/.exec(cursor) ?? [];
  if (markedAt === undefined || id === undefined) throw invalidRequest('after', 'is not a cursor that this list returned');
  return { markedAt: Number(markedAt), id };
}

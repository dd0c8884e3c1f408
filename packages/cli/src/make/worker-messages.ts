import type { WireError } from '@facewright/protocol';
import type { MakeJob, MakeOptions } from './make-options.ts';
import type { MadePhoto } from './make-photo.ts';

/** What the command line tells a worker process. */
export type ToWorker =
  | { readonly type: 'start'; readonly options: MakeOptions }
  | { readonly type: 'make'; readonly job: MakeJob }
  | { readonly type: 'cancel' }
  | { readonly type: 'close' };

/** What a worker process answers. Errors cross as plain objects: a border strips what an Error carries. */
export type FromWorker =
  | { readonly type: 'made'; readonly made: MadePhoto }
  | { readonly type: 'failed'; readonly error: WireError; readonly stack: string };

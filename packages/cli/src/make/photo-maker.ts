import type { OnProgress } from '../engine-port.ts';
import type { MakeJob } from './make-options.ts';
import type { MadePhoto } from './make-photo.ts';

/** Makes photos one after the other; several of them make several at once. */
export interface PhotoMaker {
  make(
    job: MakeJob,
    events: { readonly signal?: AbortSignal | undefined; readonly onProgress?: OnProgress | undefined },
  ): Promise<MadePhoto>;
  close(): Promise<void>;
}

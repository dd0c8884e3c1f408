import { FacewrightError } from '@facewright/protocol';
import type { Stage } from '../progress.ts';

/** Between two runs of a network. @throws FW_CANCELED when the signal was aborted */
export function checkNotCanceled(signal: AbortSignal | undefined, stage: Stage): void {
  if (signal?.aborted) throw new FacewrightError('FW_CANCELED', { stage }, { cause: signal.reason });
}

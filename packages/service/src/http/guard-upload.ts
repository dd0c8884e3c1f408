import type { IncomingMessage } from 'node:http';
import { FacewrightError } from '@facewright/protocol';
import type { UploadPace } from './app-deps.ts';

/** Default: a megabyte would take a quarter of an hour; nobody who waits for a face is as slow. */
export const DEFAULT_UPLOAD_PACE: UploadPace = { windowMs: 10_000, minBytes: 10 * 1024 };

/** Watches a body arrive. */
export interface UploadGuard {
  /** Aborts with FW_REQUEST_TIMEOUT where the body is too slow, or with another error when the caller has gone. */
  readonly signal: AbortSignal;
  readonly release: () => void;
}

/**
 * Gives a request's body a time in which it must have arrived, and a pace it must keep. Waiting for us (storage that is slower than the
 * network) is not held against it.
 */
export function guardUpload(raw: IncomingMessage, timeoutMs: number, pace: UploadPace = DEFAULT_UPLOAD_PACE): UploadGuard {
  const controller = new AbortController();
  const cutOff = (limitMs: number) => controller.abort(new FacewrightError('FW_REQUEST_TIMEOUT', { limitMs }));
  const deadline = setTimeout(() => cutOff(timeoutMs), timeoutMs);
  let seen = raw.socket?.bytesRead ?? 0;
  const watch = setInterval(() => {
    const now = raw.socket?.bytesRead ?? 0;
    const waitsForUs = raw.readableLength > 0;
    if (!raw.complete && !waitsForUs && now - seen < pace.minBytes) cutOff(pace.windowMs);
    seen = now;
  }, pace.windowMs);
  const onClose = () => {
    if (!raw.complete) controller.abort(new Error('the caller has gone'));
  };
  raw.once('close', onClose);
  return {
    signal: controller.signal,
    release() {
      clearTimeout(deadline);
      clearInterval(watch);
      raw.removeListener('close', onClose);
    },
  };
}

import { FacewrightError } from '@facewright/protocol';
import type { Photo, PhotoView } from './photo.ts';

/**
 * The same photo, which decodes the whole of itself once per size and hands out that view again. (Parts are decoded each time.) The views
 * are held as long as the photo is.
 */
export function rememberDecodes(photo: Photo): Photo {
  const { width, height, format, bytes, orientation, exifFocalPx, isGrey, warnings } = photo;
  const views = new Map<number | undefined, Promise<PhotoView>>();
  return {
    width,
    height,
    format,
    bytes,
    orientation,
    exifFocalPx,
    isGrey,
    warnings,
    decode(options) {
      const { region, longSidePx, signal } = options;
      if (region !== undefined) return photo.decode(options);
      let view = views.get(longSidePx);
      if (view === undefined) {
        // Without the signal: who comes later may still want it.
        view = photo.decode(longSidePx === undefined ? {} : { longSidePx });
        views.set(longSidePx, view);
        view.catch(() => views.delete(longSidePx));
      }
      return signal === undefined ? view : untilAborted(view, signal);
    },
  };
}

/** @throws FW_CANCELED as soon as the signal is aborted */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new FacewrightError('FW_CANCELED', { stage: 'decode' }, { cause: signal.reason }));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

import { OVERVIEW_LONG_SIDE_PX } from './locate-faces.ts';
import { configureSharp } from './photo/configure-sharp.ts';
import { openPhoto } from './photo/open-photo.ts';
import type { Photo, PhotoLimits } from './photo/photo.ts';
import { rememberDecodes } from './photo/remember-decodes.ts';

/** A photo that is being decoded, or was: what `preparePhoto` gives and `engine.reconstruct` takes. */
export interface PreparedPhoto {
  /** Rejects with what `openPhoto` throws. */
  readonly opened: Promise<Photo>;
}

/**
 * Begins to decode a photo before there is an engine: the decoder works on a thread of its own while networks and models load. A photo of
 * which several faces are made is decoded once when it is prepared. Its pixels are held as long as the result of this is.
 *
 * What is wrong with the photo is thrown by `engine.reconstruct`, not here.
 *
 * @param bytes - as for `engine.reconstruct`; do not change them meanwhile
 * @param options.limits - @default DEFAULT_PHOTO_LIMITS; those of the engine are not asked
 */
export function preparePhoto(
  bytes: Uint8Array,
  options: { readonly limits?: Partial<PhotoLimits>; readonly fileName?: string } = {},
): PreparedPhoto {
  configureSharp();
  const { limits, fileName } = options;
  const opened = openPhoto(bytes, limits, fileName === undefined ? {} : { fileName }).then(rememberDecodes);
  // Errors come to light where the photo is used.
  opened.then((photo) => photo.decode({ longSidePx: OVERVIEW_LONG_SIDE_PX })).catch(() => undefined);
  return { opened };
}

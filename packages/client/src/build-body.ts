/** A photo: a file of the browser, bytes, or a stream of bytes (then its content type must be named). */
export type PhotoBody = Blob | Uint8Array | ReadableStream<Uint8Array>;

/** What is sent, and the headers that belong to it. */
export interface RequestBody {
  readonly content: FormData | ReadableStream<Uint8Array>;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * A form with the photo, or the stream itself: a form cannot hold a stream.
 *
 * The photo's name is not sent: names of photos are often those of people.
 */
export function buildPhotoBody(photo: PhotoBody, contentType: string | undefined): RequestBody {
  if (isStream(photo)) return { content: photo, headers: { 'content-type': contentType ?? 'application/octet-stream' } };
  const form = new FormData();
  form.append('photo', toBlob(photo, contentType), 'photo');
  return { content: form, headers: {} };
}

/** A form with many photos by name (the status of a batch tells of each by its name), or with one zip. */
export function buildBatchBody(photos: readonly { readonly name: string; readonly photo: Blob | Uint8Array }[] | Blob): RequestBody {
  const form = new FormData();
  if (photos instanceof Blob) form.append('archive', new Blob([photos], { type: 'application/zip' }), 'photos.zip');
  else for (const { name, photo } of photos) form.append('photo', toBlob(photo, undefined), name);
  return { content: form, headers: {} };
}

function isStream(photo: PhotoBody): photo is ReadableStream<Uint8Array> {
  return !(photo instanceof Blob) && !(photo instanceof Uint8Array);
}

function toBlob(photo: Blob | Uint8Array, type: string | undefined): Blob {
  if (photo instanceof Blob && (type === undefined || type === photo.type)) return photo;
  // The bytes may lie in a SharedArrayBuffer as far as the types know; a Blob copies either.
  return new Blob([photo as Uint8Array<ArrayBuffer>], { type: type ?? 'application/octet-stream' });
}

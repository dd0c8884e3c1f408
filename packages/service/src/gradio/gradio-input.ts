/** What a call of `/predict` brought as its photo: an upload's id, or what to say instead. */
export type GradioInput = { readonly uploadId: string } | { readonly refusal: string };

const UPLOAD_PATH = /^u\/(g[0-9a-f]{24})\/photo$/;
const MIB = 2 ** 20;

/** Path of an upload as the client hands it back. */
export const formatUploadPath = (id: string): string => `u/${id}/photo`;

/**
 * Reads the one input of `/predict`: FileData, or its path alone. Addresses are never fetched. Where an upload failed, some clients call
 * all the same, with an empty object or with what they would have uploaded.
 */
export function readGradioInput(input: unknown, maxPhotoBytes: number): GradioInput {
  const path = typeof input === 'string' ? input : (input as { path?: unknown } | null | undefined)?.path;
  if (typeof path !== 'string' || path === '') {
    const limit = Math.floor((maxPhotoBytes / MIB) * 10) / 10;
    return { refusal: `No photo arrived. Upload it first; it may have at most ${limit} MB.` };
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(path) && !/^[a-z]:\\/i.test(path)) {
    return { refusal: 'Photos are not fetched from addresses. Download it and send the file.' };
  }
  const id = UPLOAD_PATH.exec(path)?.[1];
  return id === undefined ? { refusal: UPLOAD_GONE } : { uploadId: id };
}

/** Also for an upload of somebody else: it looks the same. */
export const UPLOAD_GONE = 'This upload is not here, or no longer. Upload the photo again.';

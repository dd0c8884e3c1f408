import { createWarning, type FaceChoice, FacewrightError, type Warning } from '@facewright/protocol';

/** Which face of a photo is wanted: the only one of its size, the largest, or the N-th largest (from 1). */
export type FaceOption = 'only' | 'largest' | number;

/** Another face counts as "of similar size" from this share of the largest one's width on: a bystander is usually below half. */
const SIMILAR_WIDTH_RATIO = 0.5;

/**
 * Picks the wanted face.
 *
 * @param faces - largest first, numbered from 1
 * @returns position in `faces`, and a warning where others were passed over
 * @throws FW_FACE_SEVERAL when `only` was asked for and several are of similar size; FW_FACE_INDEX when there is no such face;
 *   FW_ARG_INVALID for another word
 */
export function chooseFace(
  faces: readonly FaceChoice[],
  wanted: FaceOption,
): { readonly position: number; readonly warnings: readonly Warning[] } {
  const [largest] = faces;
  if (largest === undefined) throw new FacewrightError('FW_FACE_INDEX', { index: 1, count: 0 });
  if (typeof wanted === 'number') {
    if (!Number.isInteger(wanted) || wanted < 1 || wanted > faces.length)
      throw new FacewrightError('FW_FACE_INDEX', { index: wanted, count: faces.length });
    return { position: wanted - 1, warnings: [] };
  }
  if (wanted !== 'only' && wanted !== 'largest') {
    throw new FacewrightError('FW_ARG_INVALID', { name: 'face', expected: "'only', 'largest' or a number from 1", actual: wanted });
  }
  const similar = faces.filter((f) => f.box.width >= SIMILAR_WIDTH_RATIO * largest.box.width);
  if (wanted === 'only' && similar.length > 1) throw new FacewrightError('FW_FACE_SEVERAL', { faces: similar });
  return { position: 0, warnings: faces.length > 1 ? [createWarning('FACE_SEVERAL', { faces, taken: 1 })] : [] };
}

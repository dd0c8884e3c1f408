import type { FaceModel, PartMaterial } from '../models/face-model.ts';

/** Materials of parts in the order in which their surfaces are made, each a surface of its own. */
const SURFACE_ORDER: readonly PartMaterial[] = [
  'skin',
  'scalp',
  'mouth',
  'teeth',
  'sclera',
  'iris',
  'lacrimal',
  'eyeBlend',
  'eyeOcclusion',
  'lashes',
];

/** The surfaces that a face of a model has, in order: known before there is a face. */
export function listSurfaceMaterials({ parts }: FaceModel): PartMaterial[] {
  return SURFACE_ORDER.filter((material) => parts.some((part) => part.material === material));
}

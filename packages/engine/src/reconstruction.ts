import type { Warning } from '@facewright/protocol';
import type { FittedFace } from './fit/fitted-face.ts';
import type { FaceLandmarks } from './nets/face-networks.ts';
import type { PhotoFormat, PhotoView } from './photo/photo.ts';
import type { Stage } from './progress.ts';
import type { FaceMaps } from './texture/face-maps.ts';

/** One reconstructed face, in memory. `encodeFiles` turns it into GLB, OBJ, PNG and JSON. */
export interface Reconstruction {
  /** Geometry, camera, pose, coefficients, residuals. */
  readonly face: FittedFace;
  readonly maps: FaceMaps;
  /** Image frame of the full-size upright photo. */
  readonly landmarks: FaceLandmarks;
  /** ARKit weights of the photo's own expression, in the order of `face.model.blendshapes`, 0..1. */
  readonly blendshapes: readonly { readonly name: string; readonly weight: number }[];
  readonly warnings: readonly Warning[];
  /** Wall time of each stage, milliseconds. Not part of what must be the same for the same input. */
  readonly timings: Readonly<Partial<Record<Stage, number>>>;
  readonly photo: { readonly width: number; readonly height: number; readonly format: PhotoFormat; readonly bytes: number };
  /** The part of the photo that the texture was taken from; the preview shows it. Pixels of a face: keep it no longer than needed. */
  readonly view: PhotoView;
  /** Number of the face taken (from 1, largest first) and how many there are. */
  readonly faceIndex: number;
  readonly faceCount: number;
  /** What ran. */
  readonly provider: string;
}

import { applySimilarity, estimateSimilarity } from '../math/similarity.ts';
import type { FaceLandmarks } from './face-networks.ts';
import { MESH_LANDMARK_COUNT, OUTER_EYE_CORNERS } from './landmark-names.ts';
import type { CanonicalMesh } from './read-canonical-mesh.ts';

/**
 * How believable landmarks are as those of a human face. All are zero for a perfect face and have no unit: they are shares
 * of the distance between the outer corners of the eyes (in space, so that a turned head does not shrink it).
 */
export interface LandmarkAssessment {
  /** RMS distance between the two halves of the face, mirrored in the mean face's frame. Grows with one-sided expressions. */
  readonly asymmetryRatio: number;
  /**
   * RMS distance (in the picture) to the landmarks found from another region, after the best shift: how far they hang on where
   * the network looked. Null when no second set was given.
   */
  readonly instabilityRatio: number | null;
}

/**
 * Measures how far landmarks hang together as a face.
 *
 * @param again Landmarks of the same face from another region, for example from `passes: 2`.
 */
export function assessLandmarks(landmarks: FaceLandmarks, mesh: CanonicalMesh, again?: FaceLandmarks): LandmarkAssessment {
  return {
    asymmetryRatio: measureAsymmetry(landmarks.points, mesh),
    instabilityRatio: again ? measureInstability(landmarks, again) : null,
  };
}

/** {@link LandmarkAssessment.asymmetryRatio}; infinite for points that have no extent. */
function measureAsymmetry(points: Float64Array, { positionsCm, procrustesWeights, mirrorVertex }: CanonicalMesh): number {
  // Landmarks have y down and z away from the viewer; the mesh has y up and z toward the viewer.
  const face = new Float64Array(3 * MESH_LANDMARK_COUNT);
  for (let i = 0; i < face.length; i += 3) {
    face[i] = points[i]!;
    face[i + 1] = -points[i + 1]!;
    face[i + 2] = -points[i + 2]!;
  }
  const meanFromFace = estimateSimilarity(face, new Float64Array(positionsCm), new Float64Array(procrustesWeights));
  if (meanFromFace === null) return Number.POSITIVE_INFINITY;
  const aligned = applySimilarity(meanFromFace, face);
  let sum = 0;
  for (let i = 0; i < MESH_LANDMARK_COUNT; i++) {
    const a = 3 * i;
    const b = 3 * mirrorVertex[i]!;
    sum += (aligned[a]! + aligned[b]!) ** 2 + (aligned[a + 1]! - aligned[b + 1]!) ** 2 + (aligned[a + 2]! - aligned[b + 2]!) ** 2;
  }
  const [right, left] = OUTER_EYE_CORNERS;
  return Math.sqrt(sum / MESH_LANDMARK_COUNT) / Math.abs(positionsCm[3 * right]! - positionsCm[3 * left]!);
}

/** {@link LandmarkAssessment.instabilityRatio} of two sets of landmarks of one face. */
export function measureInstability({ points: a }: FaceLandmarks, { points: b }: FaceLandmarks): number {
  let shiftX = 0;
  let shiftY = 0;
  for (let i = 0; i < 3 * MESH_LANDMARK_COUNT; i += 3) {
    shiftX += (a[i]! - b[i]!) / MESH_LANDMARK_COUNT;
    shiftY += (a[i + 1]! - b[i + 1]!) / MESH_LANDMARK_COUNT;
  }
  let sum = 0;
  for (let i = 0; i < 3 * MESH_LANDMARK_COUNT; i += 3) sum += (a[i]! - b[i]! - shiftX) ** 2 + (a[i + 1]! - b[i + 1]! - shiftY) ** 2;
  return Math.sqrt(sum / MESH_LANDMARK_COUNT) / measureEyeDistance(a);
}

function measureEyeDistance(points: Float64Array): number {
  const [right, left] = OUTER_EYE_CORNERS;
  const along = (k: number): number => points[3 * right + k]! - points[3 * left + k]!;
  return Math.hypot(along(0), along(1), along(2));
}

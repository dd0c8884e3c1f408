import { applySimilarity, estimateSimilarity } from '../math/similarity.ts';
import type { FaceDetection, FaceLandmarks } from './face-networks.ts';
import type { CanonicalMesh } from './read-canonical-mesh.ts';

/**
 * How believable landmarks are as those of a human face. All are zero for a perfect face and have no unit: they are shares
 * of the distance between the outer corners of the eyes (in space, so that a turned head does not shrink it).
 */
export interface LandmarkAssessment {
  /**
   * Mean distance between the detector's eyes, nose tip and mouth and those of the landmarks. Two networks that were trained
   * apart see the same face; on other things they disagree.
   */
  readonly keypointErrorRatio: number;
  /** Weighted RMS distance (33 points, as MediaPipe weights them) to the mean face after the best similarity. */
  readonly shapeErrorRatio: number;
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
export function assessLandmarks(
  detection: Pick<FaceDetection, 'keypoints'>,
  landmarks: FaceLandmarks,
  mesh: CanonicalMesh,
  again?: FaceLandmarks,
): LandmarkAssessment {
  const { points } = landmarks;
  const eyeDistance = measureEyeDistance(points);
  return {
    keypointErrorRatio: measureKeypointError(detection.keypoints, points) / eyeDistance,
    ...measureShape(points, mesh),
    instabilityRatio: again ? measureInstability(landmarks, again) : null,
  };
}

/** Outer corners: right, left. */
const EYE_CORNERS = [33, 263] as const;
const MESH_COUNT = 468;
/** Landmarks whose mean is each of the detector's first four keypoints: corners of the right and left eye, nose tip, inner lips. */
const KEYPOINT_LANDMARKS = [
  [33, 133],
  [263, 362],
  [1, 4],
  [13, 14],
] as const;

function measureKeypointError(keypoints: Float64Array, points: Float64Array): number {
  let sum = 0;
  for (const [k, [a, b]] of KEYPOINT_LANDMARKS.entries()) {
    const x = (points[3 * a]! + points[3 * b]!) / 2;
    const y = (points[3 * a + 1]! + points[3 * b + 1]!) / 2;
    sum += Math.hypot(keypoints[2 * k]! - x, keypoints[2 * k + 1]! - y);
  }
  return sum / KEYPOINT_LANDMARKS.length;
}

function measureShape(points: Float64Array, mesh: CanonicalMesh): { shapeErrorRatio: number; asymmetryRatio: number } {
  // Landmarks have y down and z away from the viewer; the mesh has y up and z toward the viewer.
  const face = new Float64Array(3 * MESH_COUNT);
  for (let i = 0; i < face.length; i += 3) {
    face[i] = points[i]!;
    face[i + 1] = -points[i + 1]!;
    face[i + 2] = -points[i + 2]!;
  }
  const mean = Float64Array.from(mesh.positionsCm);
  const weights = Float64Array.from(mesh.procrustesWeights);
  const meanFromFace = estimateSimilarity(face, mean, weights);
  if (meanFromFace === null) return { shapeErrorRatio: Number.POSITIVE_INFINITY, asymmetryRatio: Number.POSITIVE_INFINITY };
  const aligned = applySimilarity(meanFromFace, face);
  const mirror = mirrorVertices(mesh);
  const eyeDistance = Math.abs(mean[3 * EYE_CORNERS[0]]! - mean[3 * EYE_CORNERS[1]]!);
  let weightSum = 0;
  let shape = 0;
  let asymmetry = 0;
  for (let i = 0; i < MESH_COUNT; i++) {
    const m = mirror[i]!;
    weightSum += weights[i]!;
    for (let k = 0; k < 3; k++) {
      shape += weights[i]! * (aligned[3 * i + k]! - mean[3 * i + k]!) ** 2;
      asymmetry += (aligned[3 * i + k]! - (k === 0 ? -1 : 1) * aligned[3 * m + k]!) ** 2;
    }
  }
  return {
    shapeErrorRatio: Math.sqrt(shape / weightSum) / eyeDistance,
    asymmetryRatio: Math.sqrt(asymmetry / MESH_COUNT) / eyeDistance,
  };
}

/** For each vertex the one on the other side. The mesh is symmetric to float precision: the nearest to the mirror image. */
function mirrorVertices({ positionsCm: p }: CanonicalMesh): Uint16Array {
  const mirror = new Uint16Array(MESH_COUNT);
  for (let i = 0; i < MESH_COUNT; i++) {
    let least = Number.POSITIVE_INFINITY;
    for (let j = 0; j < MESH_COUNT; j++) {
      const d = (p[3 * i]! + p[3 * j]!) ** 2 + (p[3 * i + 1]! - p[3 * j + 1]!) ** 2 + (p[3 * i + 2]! - p[3 * j + 2]!) ** 2;
      if (d < least) {
        least = d;
        mirror[i] = j;
      }
    }
  }
  return mirror;
}

/** {@link LandmarkAssessment.instabilityRatio} of two sets of landmarks of one face. */
export function measureInstability({ points: a }: FaceLandmarks, { points: b }: FaceLandmarks): number {
  let shiftX = 0;
  let shiftY = 0;
  for (let i = 0; i < 3 * MESH_COUNT; i += 3) {
    shiftX += (a[i]! - b[i]!) / MESH_COUNT;
    shiftY += (a[i + 1]! - b[i + 1]!) / MESH_COUNT;
  }
  let sum = 0;
  for (let i = 0; i < 3 * MESH_COUNT; i += 3) sum += (a[i]! - b[i]! - shiftX) ** 2 + (a[i + 1]! - b[i + 1]! - shiftY) ** 2;
  return Math.sqrt(sum / MESH_COUNT) / measureEyeDistance(a);
}

function measureEyeDistance(points: Float64Array): number {
  const [right, left] = EYE_CORNERS;
  const along = (k: number): number => points[3 * right + k]! - points[3 * left + k]!;
  return Math.hypot(along(0), along(1), along(2));
}

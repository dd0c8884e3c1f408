import type { LandmarksOutput } from '@facewright/protocol';
import type { FittedFace } from '../fit/fitted-face.ts';
import type { FaceLandmarks } from '../nets/face-networks.ts';
import type { PhotoSize } from './describe-camera.ts';
import { roundTo } from './round-to.ts';

/**
 * Describes what was measured in the photo and where that is on the mesh, as landmarks.json has it (schema: `landmarksOutputSchema`).
 *
 * @param landmarks - image frame of the full-size upright photo
 */
export function describeLandmarks(face: FittedFace, landmarks: FaceLandmarks, photo: PhotoSize): LandmarksOutput {
  const { model, positions } = face;
  const { points } = landmarks;
  const basis = model.landmarks;
  return {
    schema: 'facewright/landmarks@1',
    image: { widthPx: photo.width, heightPx: photo.height },
    presence: roundTo(landmarks.presence, 4),
    eyeDistancePx: roundTo(face.eyeDistancePx, 3),
    points: Array.from({ length: points.length / 3 }, (_, l) => [
      roundTo(points[3 * l]!, 3),
      roundTo(points[3 * l + 1]!, 3),
      roundTo(points[3 * l + 2]!, 3),
    ]),
    residualsPx: residualsOf(face),
    model: {
      id: model.id,
      version: model.version,
      points: Array.from({ length: basis.count }, (_, i) => {
        const triangle = basis.triangle[i]!;
        const weights = basis.barycentric.subarray(3 * i, 3 * i + 3);
        const at = (k: number) => {
          let sum = 0;
          for (let c = 0; c < 3; c++) sum += weights[c]! * positions[3 * model.triangles[3 * triangle + c]! + k]!;
          return roundTo(sum, 4);
        };
        return {
          landmark: basis.landmark[i]!,
          triangle,
          barycentric: [roundTo(weights[0]!, 6), roundTo(weights[1]!, 6), roundTo(weights[2]!, 6)],
          positionMm: [at(0), at(1), at(2)],
        };
      }),
    },
  };
}

/** Null where the model has no such landmark (the fit leaves 0 there) or where it was not used (NaN). */
function residualsOf(face: FittedFace): (number | null)[] {
  const onModel = new Set(face.model.landmarks.landmark);
  return Array.from(face.residualsPx, (r, l) => (onModel.has(l) && Number.isFinite(r) ? roundTo(r, 3) : null));
}

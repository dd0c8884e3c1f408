import type { FaceDetection, FaceRegion } from './face-networks.ts';
import { MESH_LANDMARK_COUNT, OUTER_EYE_CORNERS } from './landmark-names.ts';

/** Side of the region over the long side of the box it is made from: MediaPipe's RectTransformation in its face mesh graph. */
const REGION_SCALE = 1.5;
const [RIGHT_EYE_CORNER, LEFT_EYE_CORNER] = OUTER_EYE_CORNERS;

/** Region of interest of the landmark network from the detector's box and eyes, as MediaPipe makes it. */
export function regionFromDetection({ box, keypoints }: Pick<FaceDetection, 'box' | 'keypoints'>): FaceRegion {
  return {
    centerX: box.x + box.width / 2,
    centerY: box.y + box.height / 2,
    sizePx: REGION_SCALE * Math.max(box.width, box.height),
    rotationRad: Math.atan2(keypoints[3]! - keypoints[1]!, keypoints[2]! - keypoints[0]!),
  };
}

/**
 * Region of interest from landmarks: around their bounding box along the line of the eyes. (MediaPipe takes the box along
 * the picture's axes, which grows when the head is tilted; the two agree for an upright head.)
 *
 * @param points Shape (468 or more,3).
 */
export function regionFromLandmarks(points: Float64Array): FaceRegion {
  const rotationRad = Math.atan2(
    points[3 * LEFT_EYE_CORNER + 1]! - points[3 * RIGHT_EYE_CORNER + 1]!,
    points[3 * LEFT_EYE_CORNER]! - points[3 * RIGHT_EYE_CORNER]!,
  );
  const cos = Math.cos(rotationRad);
  const sin = Math.sin(rotationRad);
  let [minU, maxU, minV, maxV] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < 3 * MESH_LANDMARK_COUNT; i += 3) {
    const u = points[i]! * cos + points[i + 1]! * sin;
    const v = points[i + 1]! * cos - points[i]! * sin;
    minU = Math.min(minU, u);
    maxU = Math.max(maxU, u);
    minV = Math.min(minV, v);
    maxV = Math.max(maxV, v);
  }
  const u = (minU + maxU) / 2;
  const v = (minV + maxV) / 2;
  return {
    centerX: u * cos - v * sin,
    centerY: u * sin + v * cos,
    sizePx: REGION_SCALE * Math.max(maxU - minU, maxV - minV),
    rotationRad,
  };
}

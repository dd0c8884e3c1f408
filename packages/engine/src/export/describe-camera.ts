import type { CameraOutput } from '@facewright/protocol';
import type { Intrinsics, Pose } from '../camera/camera.ts';
import { roundTo } from './round-to.ts';

/** Size of the full-size upright photo, pixels. */
export interface PhotoSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Describes the camera of a fitted face as camera.json has it (schema: `cameraOutputSchema`).
 *
 * `gltf.nodeMatrix` undoes the pose: it is modelFromGlCamera in metres, the glTF camera being the camera frame with y and z
 * turned round (glTF 2.0 specification, section 3.10.2: a camera looks along -z with +y up).
 */
export function describeCamera(intrinsics: Intrinsics, pose: Pose, photo: PhotoSize): CameraOutput {
  const r = Array.from(pose.rotation, (x) => roundTo(x, 9));
  const t = Array.from(pose.translation, (x) => roundTo(x, 6));
  const { focalPx, centerX, centerY, source } = intrinsics;
  const f = roundTo(focalPx, 6);
  const cx = roundTo(centerX, 6);
  const cy = roundTo(centerY, 6);
  // modelFromGlCamera = [Rᵀ·diag(1,-1,-1) | -Rᵀ·t]; its columns are the rows of R (glTF writes columns), signs of y and z turned.
  const origin = (k: number) =>
    -(
      pose.rotation[k]! * pose.translation[0]! +
      pose.rotation[3 + k]! * pose.translation[1]! +
      pose.rotation[6 + k]! * pose.translation[2]!
    ) / 1000;
  const negate = (x: number) => (x === 0 ? 0 : -x);
  return {
    schema: 'facewright/camera@1',
    image: { widthPx: photo.width, heightPx: photo.height },
    intrinsics: { focalPx: f, centerXPx: cx, centerYPx: cy, source },
    pose: { yawDeg: roundTo(pose.yawDeg, 4), pitchDeg: roundTo(pose.pitchDeg, 4), rollDeg: roundTo(pose.rollDeg, 4) },
    cameraFromModel: [r[0]!, r[1]!, r[2]!, t[0]!, r[3]!, r[4]!, r[5]!, t[1]!, r[6]!, r[7]!, r[8]!, t[2]!, 0, 0, 0, 1],
    imageFromCamera: [f, 0, cx, 0, f, cy, 0, 0, 1],
    gltf: {
      yfovRad: roundTo(2 * Math.atan(photo.height / 2 / focalPx), 9),
      aspectRatio: roundTo(photo.width / photo.height, 9),
      nodeMatrix: [
        r[0]!,
        r[1]!,
        r[2]!,
        0,
        negate(r[3]!),
        negate(r[4]!),
        negate(r[5]!),
        0,
        negate(r[6]!),
        negate(r[7]!),
        negate(r[8]!),
        0,
        roundTo(origin(0), 9),
        roundTo(origin(1), 9),
        roundTo(origin(2), 9),
        1,
      ],
    },
  };
}

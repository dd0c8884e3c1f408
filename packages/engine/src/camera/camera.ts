/** Pinhole camera without distortion. Frame "camera": x right, y down, z forward, millimetres, origin at the pinhole. */
export interface Intrinsics {
  /** Pixels of the full-size upright photo. */
  readonly focalPx: number;
  /** Principal point in the image frame, pixels. */
  readonly centerX: number;
  readonly centerY: number;
  readonly source: 'option' | 'exif' | 'default';
}

/** Rigid placement of the head: pointCamera = rotation * pointModel + translation. */
export interface Pose {
  /** cameraFromModel, shape (3,3) row-major, det +1. A head that looks into the camera has diag(1,-1,-1). */
  readonly rotation: Float64Array;
  /** Millimetres, camera frame: where the model's origin is. */
  readonly translation: Float64Array;
  /** Degrees; 0,0,0 looks into the camera. Positive yaw: the face turns to the right side of the picture; positive pitch: it looks up; positive roll: it leans clockwise in the picture. */
  readonly yawDeg: number;
  readonly pitchDeg: number;
  readonly rollDeg: number;
}

import type { LandmarksOutput } from '@facewright/protocol';

/** Distances on the fitted face, mm. */
export interface FaceSize {
  readonly heightMm: number;
  readonly widthMm: number;
  readonly eyesMm: number;
  readonly mouthMm: number;
}

/** Landmarks in MediaPipe's numbering, in pairs: brow bridge and chin, cheeks, outer eye corners, corners of the mouth. */
const PAIRS = { heightMm: [9, 152], widthMm: [234, 454], eyesMm: [33, 263], mouthMm: [61, 291] } as const;

/** Measures the fitted face; null where the model has not all of the points. */
export function measureFace({ model }: LandmarksOutput): FaceSize | null {
  const positions = new Map(model.points.map(({ landmark, positionMm }) => [landmark, positionMm]));
  const distance = ([a, b]: readonly [number, number]): number => {
    const p = positions.get(a);
    const q = positions.get(b);
    return p === undefined || q === undefined ? Number.NaN : Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
  };
  const size = {
    heightMm: distance(PAIRS.heightMm),
    widthMm: distance(PAIRS.widthMm),
    eyesMm: distance(PAIRS.eyesMm),
    mouthMm: distance(PAIRS.mouthMm),
  };
  return Object.values(size).every(Number.isFinite) ? size : null;
}

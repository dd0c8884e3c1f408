import { createPose, rotationFromAngles } from '../src/camera/pose-angles.ts';
import type { FittedFace } from '../src/fit/fitted-face.ts';
import type { FaceModel } from '../src/models/face-model.ts';
import type { FaceLandmarks } from '../src/nets/face-networks.ts';
import type { PhotoView } from '../src/photo/photo.ts';
import { createRasterBuffers, rasterize } from '../src/render/rasterize.ts';

/** A photo of a face of which everything is known: geometry, camera, colour of every point of the surface. */
export interface SyntheticPortrait {
  readonly face: FittedFace;
  readonly view: PhotoView;
  readonly landmarks: FaceLandmarks;
}

/** Colour of a point of the skin or the scalp, 0..255: by its place on the mean head (millimetres, model frame). */
export type Albedo = (x: number, y: number, z: number) => readonly [number, number, number];

const FOCAL_PX = 1400;
const DISTANCE_MM = 900;
const EYE_CENTERS = [
  [-32, 0, 12],
  [32, 0, 12],
] as const;
const IRIS_RADIUS_MM = 5.85;

/**
 * Renders the mean head without light: what a perfect photo of `albedo` would be (one sample per pixel).
 *
 * @param background - sRGB behind the head
 */
export function renderSyntheticPortrait(
  model: FaceModel,
  albedo: Albedo,
  options: {
    readonly width?: number;
    readonly height?: number;
    readonly yawDeg?: number;
    readonly background?: readonly [number, number, number];
  } = {},
): SyntheticPortrait {
  const width = options.width ?? 640;
  const height = options.height ?? 760;
  const background = options.background ?? [90, 110, 130];
  const rotation = rotationFromAngles(options.yawDeg ?? 0, 0, 0);
  const translation = new Float64Array([0, 10, DISTANCE_MM]);
  const positions = model.evaluate([], []);
  const intrinsics = { focalPx: FOCAL_PX, centerX: width / 2, centerY: height / 2, source: 'option' } as const;
  const project = (x: number, y: number, z: number): [number, number, number] => {
    const cx = rotation[0] * x + rotation[1] * y + rotation[2] * z + translation[0];
    const cy = rotation[3] * x + rotation[4] * y + rotation[5] * z + translation[1];
    const cz = rotation[6] * x + rotation[7] * y + rotation[8] * z + translation[2];
    return [intrinsics.centerX + (FOCAL_PX * cx) / cz, intrinsics.centerY + (FOCAL_PX * cy) / cz, cz];
  };

  const imagePoints = new Float32Array(2 * model.vertexCount);
  const depth = new Float32Array(model.vertexCount);
  for (let v = 0; v < model.vertexCount; v++) {
    const [x, y, z] = project(positions[3 * v], positions[3 * v + 1], positions[3 * v + 2]);
    imagePoints[2 * v] = x;
    imagePoints[2 * v + 1] = y;
    depth[v] = z;
  }

  const buffers = createRasterBuffers(width, height);
  rasterize({ screen: imagePoints, depth, triangles: model.triangles, cullBack: true, perspective: true }, buffers);
  const materialOf: string[] = [];
  for (const part of model.parts) {
    for (let t = part.firstTriangle; t < part.firstTriangle + part.triangleCount; t++) materialOf[t] = part.material;
  }
  const rgb = new Uint8Array(3 * width * height);
  for (let p = 0; p < width * height; p++) {
    const t = buffers.triangle[p];
    let color: readonly number[] = background;
    if (t >= 0) {
      const material = materialOf[t];
      if (material === 'sclera' || material === 'iris') color = [215, 210, 205];
      else if (material === 'teeth' || material === 'mouth') color = [150, 60, 60];
      else {
        const at = [0, 0, 0];
        const w = [1 - buffers.weight1[p] - buffers.weight2[p], buffers.weight1[p], buffers.weight2[p]];
        for (let c = 0; c < 3; c++) for (let k = 0; k < 3; k++) at[k] += w[c] * model.neutral[3 * model.triangles[3 * t + c] + k];
        color = albedo(at[0], at[1], at[2]);
      }
    }
    for (let k = 0; k < 3; k++) rgb[3 * p + k] = Math.round(color[k]);
  }

  const points = new Float64Array(3 * 478);
  const { landmarks } = model;
  for (let i = 0; i < landmarks.count; i++) {
    const corners = [0, 1, 2].map((c) => model.triangles[3 * landmarks.triangle[i] + c]);
    const at = [0, 1, 2].map((k) => corners.reduce((sum, v, c) => sum + landmarks.barycentric[3 * i + c] * positions[3 * v + k], 0));
    const [x, y] = project(at[0], at[1], at[2]);
    points.set([x, y, 0], 3 * landmarks.landmark[i]);
  }
  EYE_CENTERS.forEach(([x, y, z], eye) => {
    for (let k = 0; k < 5; k++) {
      const r = k === 0 ? 0 : IRIS_RADIUS_MM;
      const [px, py] = project(x + r * Math.cos((k * Math.PI) / 2), y + r * Math.sin((k * Math.PI) / 2), z);
      points.set([px, py, 0], 3 * (468 + 5 * eye + k));
    }
  });

  const face: FittedFace = {
    model,
    intrinsics,
    pose: createPose(rotation, translation),
    identity: new Float64Array(model.identityCount),
    expression: new Float64Array(model.expressionNames.length),
    positions,
    neutralPositions: positions,
    imagePoints,
    residualsPx: new Float64Array(478),
    residualRmsPx: 0,
    eyeDistancePx: (90 * FOCAL_PX) / DISTANCE_MM,
    confidence: 1,
  };
  return {
    face,
    view: { raster: { width, height, rgb }, x: 0, y: 0, scaleX: 1, scaleY: 1 },
    landmarks: { points, presence: 1, region: { centerX: width / 2, centerY: height / 2, sizePx: width, rotationRad: 0 } },
  };
}

/** The same portrait as a mirror would show it. */
export function mirrorSyntheticPortrait({ face, view, landmarks }: SyntheticPortrait): SyntheticPortrait {
  const { width, height, rgb } = view.raster;
  const mirrored = new Uint8Array(rgb.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = 3 * (row * width + column);
      mirrored.set(rgb.subarray(from, from + 3), 3 * (row * width + width - 1 - column));
    }
  }
  const { model } = face;
  const imagePoints = new Float32Array(face.imagePoints.length);
  const positions = new Float32Array(face.positions.length);
  for (let v = 0; v < model.vertexCount; v++) {
    const m = model.mirrorVertex[v];
    imagePoints[2 * v] = width - face.imagePoints[2 * m];
    imagePoints[2 * v + 1] = face.imagePoints[2 * m + 1];
    positions[3 * v] = -face.positions[3 * m];
    positions[3 * v + 1] = face.positions[3 * m + 1];
    positions[3 * v + 2] = face.positions[3 * m + 2];
  }
  const points = new Float64Array(landmarks.points.length);
  const { landmark, mirror, count } = model.landmarks;
  for (let i = 0; i < count; i++) {
    const from = 3 * landmark[mirror[i]];
    points.set([width - landmarks.points[from], landmarks.points[from + 1], landmarks.points[from + 2]], 3 * landmark[i]);
  }
  for (let k = 468; k < 478; k++) {
    const from = 3 * (k < 473 ? k + 5 : k - 5);
    points.set([width - landmarks.points[from], landmarks.points[from + 1], 0], 3 * k);
  }
  const R = face.pose.rotation;
  // diag(-1,1,1) R diag(-1,1,1)
  const rotation = Float64Array.of(R[0], -R[1], -R[2], -R[3], R[4], R[5], -R[6], R[7], R[8]);
  const T = face.pose.translation;
  return {
    face: { ...face, imagePoints, positions, neutralPositions: positions, pose: createPose(rotation, Float64Array.of(-T[0], T[1], T[2])) },
    view: { ...view, raster: { width, height, rgb: mirrored } },
    landmarks: { ...landmarks, points },
  };
}

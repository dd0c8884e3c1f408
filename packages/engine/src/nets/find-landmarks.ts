import type { Raster } from '../photo/raster.ts';
import type { FaceLandmarks, FaceRegion } from './face-networks.ts';
import { MESH_LANDMARK_COUNT as MESH_COUNT, LANDMARK_COUNT as POINT_COUNT } from './landmark-names.ts';
import type { RunNetwork } from './load-face-networks.ts';
import { EYE_CONTOUR_COUNT, REFINED_LANDMARKS } from './refined-landmarks.ts';
import { sampleWindow } from './sample-window.ts';

/** Side of the landmark network's input, pixels. */
const LANDMARK_SIDE_PX = 192;
const IRIS_COUNT = 5;

/**
 * 478 landmarks of the face in a region: the mesh of 468, in which lips and eyes are replaced (x and y) by the network's
 * second look at them, and two irises of 5 points at the mean depth of their eye's contour. Order and depth as in
 * MediaPipe's graph (face_landmark_with_attention, LandmarksRefinement).
 *
 * Frame: MediaPipe's coordinates count pixel centres as whole numbers, so everything that leaves this folder is MediaPipe's
 * plus 0.5 in x and y. Nothing is added for the pixels of the network's own input: between a photo and its mirror image the
 * points shift by 0.21 (standard error 0.07) of such a pixel, in between the two conventions (0 and 0.5); that is 0.4 % of
 * the eye distance and less than the network's noise.
 */
export async function findLandmarksInRegion(run: RunNetwork, raster: Raster, region: FaceRegion): Promise<FaceLandmarks> {
  const cos = Math.cos(region.rotationRad);
  const sin = Math.sin(region.rotationRad);
  const input = sampleWindow(raster, { ...region, cos, sin }, LANDMARK_SIDE_PX, 0, 1, 'nearest');
  const output = await run(input);

  const points = Float64Array.from(output.output_mesh_identity!.subarray(0, 3 * MESH_COUNT));
  const all = new Float64Array(3 * POINT_COUNT);
  all.set(points);
  refine(all, REFINED_LANDMARKS.lips, output.output_lips!);
  refine(all, REFINED_LANDMARKS.rightEye, output.output_left_eye!);
  refine(all, REFINED_LANDMARKS.leftEye, output.output_right_eye!);
  appendIris(all, MESH_COUNT, output.output_left_iris!, REFINED_LANDMARKS.rightEye);
  appendIris(all, MESH_COUNT + IRIS_COUNT, output.output_right_iris!, REFINED_LANDMARKS.leftEye);

  const scale = region.sizePx / LANDMARK_SIDE_PX;
  for (let i = 0; i < all.length; i += 3) {
    const u = (all[i]! - LANDMARK_SIDE_PX / 2) * scale;
    const v = (all[i + 1]! - LANDMARK_SIDE_PX / 2) * scale;
    all[i] = region.centerX + u * cos - v * sin;
    all[i + 1] = region.centerY + u * sin + v * cos;
    all[i + 2]! *= scale;
  }
  return { points: all, presence: 1 / (1 + Math.exp(-output.conv_faceflag![0]!)), region, features: output.features! };
}

/** The network names its outputs by sides of the picture; its "left" is the person's right. */
function refine(points: Float64Array, indices: readonly number[], xy: Float32Array): void {
  for (const [k, index] of indices.entries()) {
    points[3 * index] = xy[2 * k]!;
    points[3 * index + 1] = xy[2 * k + 1]!;
  }
}

function appendIris(points: Float64Array, first: number, xy: Float32Array, eye: readonly number[]): void {
  let depth = 0;
  for (let k = 0; k < EYE_CONTOUR_COUNT; k++) depth += points[3 * eye[k]! + 2]! / EYE_CONTOUR_COUNT;
  for (let k = 0; k < IRIS_COUNT; k++) points.set([xy[2 * k]!, xy[2 * k + 1]!, depth], 3 * (first + k));
}

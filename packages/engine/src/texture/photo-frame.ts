import type { FittedFace } from '../fit/fitted-face.ts';
import type { FaceLandmarks } from '../nets/face-networks.ts';
import type { PhotoView } from '../photo/photo.ts';
import { computePartNormals, computePolygonDistance, FACE_OVAL, type HeadLayout } from './head-layout.ts';
import type { PhotoBox } from './photo-level.ts';
import type { TriangleRange } from './texel-map.ts';
import { computeVisibility, type VisibilityBuffers, type VisibilityGrid } from './visibility.ts';

/** One face as one photo shows it, per vertex. */
export interface PhotoFrame {
  readonly view: PhotoView;
  /** Box around the head in the photo, cut to the view. */
  readonly box: PhotoBox;
  /** Shape (V,2), photo pixels. */
  readonly imagePoints: Float32Array;
  /** Shape (V,3), unit, model frame; those of surfaces that are not painted from the photo are 0. */
  readonly normals: Float32Array;
  /** Shape (V), millimetres from the camera. */
  readonly depth: Float32Array;
  /** Shape (V), cosine between the normal and the direction to the camera. */
  readonly facing: Float32Array;
  /** Shape (V), pixels: distance inside the view's border, negative outside. */
  readonly insidePx: Float32Array;
  /** Shape (V), millimetres: distance outside the outline of the face landmarks in the photo, negative inside; -100 far inside and on what faces away. */
  readonly beyondMm: Float32Array;
  readonly visibility: VisibilityGrid;
  /** Distance of the outer eye corners in the photo, pixels. */
  readonly eyeDistancePx: number;
}

export function computePhotoFrame(
  face: FittedFace,
  view: PhotoView,
  landmarks: FaceLandmarks,
  layout: HeadLayout,
  outside: readonly TriangleRange[],
  buffers: VisibilityBuffers,
): PhotoFrame {
  const { model, positions, pose, imagePoints } = face;
  const count = model.vertexCount;
  const normals = computePartNormals(positions, model.triangles, outside);
  const depth = new Float32Array(count);
  const facing = new Float32Array(count);
  const insidePx = new Float32Array(count);
  const R = pose.rotation;
  const T = pose.translation;
  const right = view.x + view.raster.width * view.scaleX;
  const bottom = view.y + view.raster.height * view.scaleY;
  let x0 = Number.POSITIVE_INFINITY;
  let y0 = Number.POSITIVE_INFINITY;
  let x1 = Number.NEGATIVE_INFINITY;
  let y1 = Number.NEGATIVE_INFINITY;
  for (let v = 0; v < count; v++) {
    const px = positions[3 * v];
    const py = positions[3 * v + 1];
    const pz = positions[3 * v + 2];
    const cx = R[0] * px + R[1] * py + R[2] * pz + T[0];
    const cy = R[3] * px + R[4] * py + R[5] * pz + T[1];
    const cz = R[6] * px + R[7] * py + R[8] * pz + T[2];
    depth[v] = cz;
    const nx = normals[3 * v];
    const ny = normals[3 * v + 1];
    const nz = normals[3 * v + 2];
    const mx = R[0] * nx + R[1] * ny + R[2] * nz;
    const my = R[3] * nx + R[4] * ny + R[5] * nz;
    const mz = R[6] * nx + R[7] * ny + R[8] * nz;
    facing[v] = -(mx * cx + my * cy + mz * cz) / (Math.sqrt(cx * cx + cy * cy + cz * cz) || 1);
    const ix = imagePoints[2 * v];
    const iy = imagePoints[2 * v + 1];
    insidePx[v] = Math.min(ix - view.x, right - ix, iy - view.y, bottom - iy);
    if (ix < x0) x0 = ix;
    if (ix > x1) x1 = ix;
    if (iy < y0) y0 = iy;
    if (iy > y1) y1 = iy;
  }
  const box = { x0: Math.max(x0, view.x), y0: Math.max(y0, view.y), x1: Math.min(x1, right), y1: Math.min(y1, bottom) };
  return {
    view,
    box,
    imagePoints,
    normals,
    depth,
    facing,
    insidePx,
    beyondMm: computeBeyond(face, landmarks, layout, facing),
    visibility: computeVisibility(model, imagePoints, depth, outside, box, T[2] / face.intrinsics.focalPx, buffers),
    eyeDistancePx: face.eyeDistancePx,
  };
}

/** Vertices further inside the face than this are not near its outline in any photo that is accepted, millimetres. */
const INSIDE_MM = -45;
/** Further out nothing but skin is taken anyway. */
const OUTSIDE_MM = 10;

function computeBeyond(face: FittedFace, landmarks: FaceLandmarks, layout: HeadLayout, facing: Float32Array): Float32Array {
  const { imagePoints, pose, intrinsics } = face;
  const outline = Float64Array.from(FACE_OVAL.flatMap((l) => [landmarks.points[3 * l], landmarks.points[3 * l + 1]]));
  const mmPerPx = pose.translation[2] / intrinsics.focalPx;
  const out = new Float32Array(layout.outsideMm.length).fill(-100);
  for (let v = 0; v < out.length; v++) {
    if (layout.outsideMm[v] < INSIDE_MM || layout.outsideMm[v] > OUTSIDE_MM || !(facing[v] > 0)) continue;
    out[v] = mmPerPx * computePolygonDistance(outline, imagePoints[2 * v], imagePoints[2 * v + 1]);
  }
  return out;
}

import sharp from 'sharp';
import type { FittedFace } from '../fit/fitted-face.ts';
import { INNER_LOWER_LIP, INNER_UPPER_LIP } from '../nets/landmark-names.ts';
import type { PhotoView } from '../photo/photo.ts';
import type { Raster } from '../photo/raster.ts';
import { computeVertexNormals } from '../render/compute-vertex-normals.ts';
import { createViewCamera, type RenderCamera } from '../render/create-view-camera.ts';
import { createTextureCache } from '../render/reduce-texture.ts';
import { renderMesh } from '../render/render-mesh.ts';
import type { FaceMaps } from '../texture/face-maps.ts';
import { encodePng } from './encode-png.ts';

/** What a preview is made of. A `Reconstruction` has all of it. */
export interface PreviewInput {
  readonly face: FittedFace;
  readonly maps: FaceMaps;
  /** The part of the photo that holds the face. */
  readonly view: PhotoView;
}

export interface PreviewOptions {
  /** Height of the picture, pixels; its width is 3.3 times that. @default 320 */
  readonly height?: number;
}

/** Widths of photo, front, three-quarter and side picture as shares of the height: what a head needs from there. */
const WIDTH_RATIOS = [0.74, 0.74, 0.84, 0.94] as const;
/** Between two pictures, as a share of the height. */
const GAP_RATIO = 0.018;
/** sRGB of the gaps: white. */
const GAP_GREY = 255;
const THREE_QUARTER_DEG = 38;
const SIDE_DEG = 85;
/** Free share of a picture around the head. */
const MARGIN = 0.05;
/** The picture ends this far below the eyes, in distances from eyes to chin: on the neck, so that the cut of the bust does not show. */
const BUST_RATIO = 1.2;
/** Lips that are no further apart hide what is behind them: the landmark of a closed mouth lies within a lip's roundness, some 2 mm. */
const CLOSED_LIPS_MM = 2.5;
/** Below this the photo shows both sides alike, and the head is turned to the left of the picture, toward its other pictures. */
const FRONTAL_YAW_DEG = 3;

/**
 * Composes preview.png: the photo, and the face from the front, from three quarters and from the side, all at one scale.
 *
 * The head has the expression of the photo and is turned so that the side which the photo shows better is seen.
 *
 * @returns PNG bytes, 8-bit RGB
 */
export async function composePreview(input: PreviewInput, options: PreviewOptions = {}): Promise<Uint8Array> {
  const { face, maps, view } = input;
  const height = options.height ?? 320;
  const widths = WIDTH_RATIOS.map((ratio) => Math.round(ratio * height));
  const gap = Math.round(GAP_RATIO * height);
  const turn = face.pose.yawDeg > FRONTAL_YAW_DEG ? 1 : -1;
  const { model, positions } = face;
  const mesh = {
    positions,
    normals: computeVertexNormals(positions, model.triangles),
    triangles: model.triangles,
    uvs: model.uvs,
    triangleUvs: model.triangleUvs,
    parts: isMouthOpen(face) ? model.parts : model.parts.filter(({ material }) => material !== 'mouth' && material !== 'teeth'),
  };
  const framed = aboveNeck(face);
  const cameras = [0, turn * THREE_QUARTER_DEG, turn * SIDE_DEG].map((yawDeg, k) =>
    createViewCamera(framed, { width: widths[k + 1]!, height, yawDeg, margin: MARGIN }),
  );
  // One distance for all: that of the view which needs the most room.
  const distance = Math.max(...cameras.map((camera) => camera.translation[2]!));
  const sameScale = cameras.map(
    (camera): RenderCamera => ({ ...camera, translation: [camera.translation[0]!, camera.translation[1]!, distance] }),
  );
  const photo = cropPhoto(face, view, sameScale[0]!, widths[0]!, height);
  const textureCache = createTextureCache();
  const pictures = sameScale.map((camera, k) => {
    const width = widths[k + 1]!;
    return renderMesh({ mesh, surfaces: maps.surfaces, camera, size: { width, height }, textureCache });
  });
  return encodePng(joinRow([await photo, ...pictures], gap));
}

/** False where the lips hide the inside of the mouth: a quarter of the head's triangles need not be drawn then. */
function isMouthOpen({ model, positions }: FittedFace): boolean {
  const basis = model.landmarks;
  const heightOf = (landmark: number): number => {
    const l = basis.landmark.indexOf(landmark);
    if (l < 0) return Number.NaN;
    let y = 0;
    for (let c = 0; c < 3; c++) y += basis.barycentric[3 * l + c]! * positions[3 * model.triangles[3 * basis.triangle[l]! + c]! + 1]!;
    return y;
  };
  // Not "open > limit": a model without these landmarks is drawn whole.
  return !(heightOf(INNER_UPPER_LIP) - heightOf(INNER_LOWER_LIP) < CLOSED_LIPS_MM);
}

/** The vertices that the pictures must hold, shape (N,3). */
function aboveNeck({ model, positions }: FittedFace): Float32Array {
  // The model's origin lies between the eyes; its lowest landmark is the chin.
  let chinY = 0;
  for (let i = 1; i < model.landmarks.mean.length; i += 3) chinY = Math.min(chinY, model.landmarks.mean[i]!);
  const limit = chinY === 0 ? Number.NEGATIVE_INFINITY : BUST_RATIO * chinY;
  const above = new Float32Array(positions.length);
  let n = 0;
  for (let i = 0; i < positions.length; i += 3) {
    if (!(positions[i + 1]! > limit)) continue;
    above[n++] = positions[i]!;
    above[n++] = positions[i + 1]!;
    above[n++] = positions[i + 2]!;
  }
  return above.subarray(0, n);
}

/** The photo cut so that the head has the size that it has in the front picture, as far as there is photo. */
async function cropPhoto(face: FittedFace, view: PhotoView, camera: RenderCamera, width: number, height: number): Promise<Raster> {
  const { raster } = view;
  // The model's origin lies between the eyes: its size and place in the photo and in the picture are compared.
  const { intrinsics, pose } = face;
  const photoPxPerMm = intrinsics.focalPx / pose.translation[2]!;
  const picturePxPerMm = camera.focalPx / camera.translation[2]!;
  const scale = photoPxPerMm / picturePxPerMm;
  const originX = intrinsics.centerX + pose.translation[0]! * photoPxPerMm;
  const originY = intrinsics.centerY + pose.translation[1]! * photoPxPerMm;
  // In pixels of the raster; smaller where the photo ends, never beyond it.
  const fit = Math.min(1, raster.width / ((width * scale) / view.scaleX), raster.height / ((height * scale) / view.scaleY));
  const cropWidth = Math.max(1, Math.min(raster.width, Math.round((fit * width * scale) / view.scaleX)));
  const cropHeight = Math.max(1, Math.min(raster.height, Math.round((fit * height * scale) / view.scaleY)));
  const eyeLine = (camera.centerY + (camera.translation[1]! / camera.translation[2]!) * camera.focalPx) / height;
  const left = clamp(Math.round((originX - view.x) / view.scaleX - cropWidth / 2), raster.width - cropWidth);
  const top = clamp(Math.round((originY - view.y) / view.scaleY - eyeLine * cropHeight), raster.height - cropHeight);
  const data = await sharp(raster.rgb, { raw: { width: raster.width, height: raster.height, channels: 3 } })
    .extract({ left, top, width: cropWidth, height: cropHeight })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer();
  return { width, height, rgb: data };
}

function clamp(value: number, largest: number): number {
  return Math.min(Math.max(value, 0), largest);
}

/** Pictures of one height side by side, gaps between them. */
function joinRow(pictures: readonly Raster[], gap: number): { width: number; height: number; channels: 3; data: Uint8Array } {
  const { height } = pictures[0]!;
  const rowWidth = pictures.reduce((sum, picture) => sum + picture.width, (pictures.length - 1) * gap);
  const data = new Uint8Array(3 * rowWidth * height).fill(GAP_GREY);
  let left = 0;
  for (const { width, rgb } of pictures) {
    for (let y = 0; y < height; y++) data.set(rgb.subarray(3 * y * width, 3 * (y + 1) * width), 3 * (y * rowWidth + left));
    left += width + gap;
  }
  return { width: rowWidth, height, channels: 3, data };
}

import sharp from 'sharp';
import type { FittedFace } from '../fit/fitted-face.ts';
import type { PhotoView } from '../photo/photo.ts';
import type { Raster } from '../photo/raster.ts';
import { createViewCamera, type RenderCamera } from '../render/create-view-camera.ts';
import { createRenderBuffers, renderMesh } from '../render/render-mesh.ts';
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
  /** Height of the picture, pixels; its width is 3.26 times that. @default 440 */
  readonly height?: number;
}

/** Width of each of the four pictures as a share of the height. */
const CELL_RATIO = 0.8;
/** Between two pictures, as a share of the height. */
const GAP_RATIO = 0.018;
/** sRGB of the gaps. */
const GAP_COLOR = [255, 255, 255] as const;
const THREE_QUARTER_DEG = 38;
const SIDE_DEG = 85;
/** Free share of a picture above and below the head. */
const MARGIN = 0.05;
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
  const height = options.height ?? 440;
  const width = Math.round(CELL_RATIO * height);
  const gap = Math.round(GAP_RATIO * height);
  const turn = face.pose.yawDeg > FRONTAL_YAW_DEG ? 1 : -1;
  const { model, positions } = face;
  const mesh = { positions, triangles: model.triangles, uvs: model.uvs, triangleUvs: model.triangleUvs, parts: model.parts };
  const cameras = [0, turn * THREE_QUARTER_DEG, turn * SIDE_DEG].map((yawDeg) =>
    createViewCamera(positions, { width, height, yawDeg, margin: MARGIN }),
  );
  // One distance for all: that of the view which needs the most room.
  const distance = Math.max(...cameras.map((camera) => camera.translation[2]!));
  const sameScale = cameras.map(
    (camera): RenderCamera => ({ ...camera, translation: [camera.translation[0]!, camera.translation[1]!, distance] }),
  );
  const photo = cropPhoto(face, view, sameScale[0]!, width, height);
  const buffers = createRenderBuffers(width, height);
  const pictures = sameScale.map((camera) => renderMesh({ mesh, surfaces: maps.surfaces, camera, size: { width, height }, buffers }));
  return encodePng(joinRow([await photo, ...pictures], gap));
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

/** Pictures of one size side by side, gaps between them. */
function joinRow(pictures: readonly Raster[], gap: number): { width: number; height: number; channels: 3; data: Uint8Array } {
  const { width, height } = pictures[0]!;
  const rowWidth = pictures.length * width + (pictures.length - 1) * gap;
  const data = new Uint8Array(3 * rowWidth * height);
  for (let y = 0; y < height; y++) {
    for (let p = 0; p < pictures.length; p++) {
      const at = 3 * (y * rowWidth + p * (width + gap));
      data.set(pictures[p]!.rgb.subarray(3 * y * width, 3 * (y + 1) * width), at);
      for (let x = 0; p + 1 < pictures.length && x < gap; x++) data.set(GAP_COLOR, at + 3 * (width + x));
    }
  }
  return { width: rowWidth, height, channels: 3, data };
}

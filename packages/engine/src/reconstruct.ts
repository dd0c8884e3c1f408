import { FacewrightError } from '@facewright/protocol';
import { checkFit, checkLandmarks } from './acceptance/check-face.ts';
import { chooseFace } from './acceptance/choose-face.ts';
import { chooseIntrinsics, warnOfAssumedFocal } from './camera/choose-intrinsics.ts';
import type { EngineParts } from './create-engine.ts';
import type { ReconstructOptions } from './engine-options.ts';
import { fitFace } from './fit/fit-face.ts';
import { growRect, locateFaces, measureFace, OVERVIEW_LONG_SIDE_PX } from './locate-faces.ts';
import type { FaceLandmarks } from './nets/face-networks.ts';
import { MESH_LANDMARK_COUNT } from './nets/landmark-names.ts';
import { openPhoto } from './photo/open-photo.ts';
import type { Photo, PhotoView, Rect } from './photo/photo.ts';
import type { PreparedPhoto } from './prepare-photo.ts';
import type { Reconstruction } from './reconstruction.ts';
import { createStageRunner } from './run-stages.ts';
import { checkTextureSize } from './texture/check-texture-size.ts';

/**
 * The pipeline on one page: decode → detect → landmarks → fit → texture. (Export is a step of its own: `encodeFiles`.)
 *
 * @throws every FW_PHOTO_…, FW_FACE_…, FW_FIT_… code, FW_CANCELED
 */
export async function reconstruct(
  parts: EngineParts,
  source: Uint8Array | PreparedPhoto,
  options: ReconstructOptions,
): Promise<Reconstruction> {
  const { networks } = parts;
  const { signal } = options;
  const abort = signal === undefined ? {} : { signal };
  const stages = createStageRunner(parts.now, signal, options.onProgress);
  checkOptions(options);

  // 1 decode: the header, then no more pixels than the networks and (as a rule) the texture need.
  const { photo, overview, model, baker } = await stages.run('decode', async () => {
    const loading = parts.model(options.model);
    const named = options.fileName === undefined ? {} : { fileName: options.fileName };
    const opened = await (isPrepared(source) ? source.opened : openPhoto(source, parts.options.limits, named));
    const decoding = opened.decode({ longSidePx: OVERVIEW_LONG_SIDE_PX, ...abort });
    decoding.catch(() => undefined); // awaited below, after what may fail before it
    const loaded = await loading;
    // The decoder works on a thread of its own; meanwhile this one reads or makes the texture's tables, once for a model and size.
    const made = await parts.baker(loaded, options.textureSize);
    return { photo: opened, overview: await decoding, model: loaded, baker: made };
  });

  // 2 detect: all faces, and the one that is wanted.
  const { located, choice } = await stages.run('detect', async () => {
    const all = await locateFaces(networks, photo, overview, { everyFace: typeof options.face === 'number', signal });
    return { located: all, choice: chooseFace(all.choices, options.face ?? 'only') };
  });

  // 3 landmarks: 478 points; what cannot be a measurable human face ends here.
  const { measured, landmarkWarnings } = await stages.run('landmarks', async () => {
    const face = await measureFace(networks, parts.canonicalMesh, located, choice.position, signal);
    return { measured: face, landmarkWarnings: checkLandmarks(photo, face) };
  });
  options.onLandmarks?.(measured.landmarks, { width: photo.width, height: photo.height });

  // 4 fit: camera, pose, identity, expression.
  const { face, intrinsics, fitWarnings } = await stages.run('fit', () => {
    const camera = chooseIntrinsics({
      width: photo.width,
      height: photo.height,
      exifFocalPx: photo.exifFocalPx,
      landmarks: measured.landmarks,
      focalPx: options.focalPx,
      focal35mm: options.focal35mm,
    });
    const fitted = fitFace({
      model,
      landmarks: measured.landmarks,
      intrinsics: camera,
      ...(options.identityPrior === undefined ? {} : { identityPrior: options.identityPrior }),
    });
    return { face: fitted, intrinsics: camera, fitWarnings: checkFit(photo, measured, fitted) };
  });

  // 5 texture: from the original photo, closer where the overview is too coarse for the texture that was asked for.
  const { maps, view } = await stages.run('texture', async () => {
    const closest = await decodeForTexture(photo, measured.view, measured.landmarks, baker.size, signal);
    return { maps: await baker.bake({ face, view: closest, landmarks: measured.landmarks, ...abort }), view: closest };
  });

  return {
    face,
    maps,
    landmarks: measured.landmarks,
    blendshapes: blendshapeWeights(face),
    warnings: [
      ...networks.warnings,
      ...photo.warnings,
      ...choice.warnings,
      ...landmarkWarnings,
      ...fitWarnings,
      ...warnOfAssumedFocal(intrinsics, photo),
    ],
    timings: stages.timings,
    photo: { width: photo.width, height: photo.height, format: photo.format, bytes: photo.bytes },
    view,
    faceIndex: choice.position + 1,
    faceCount: located.choices.length,
    provider: networks.provider,
  };
}

function isPrepared(source: unknown): source is PreparedPhoto {
  // What is neither is refused by `openPhoto`.
  return typeof source === 'object' && source !== null && 'opened' in source;
}

/** What is wrong with the options is said before any work is done. */
function checkOptions({ focalPx, focal35mm, textureSize }: ReconstructOptions): void {
  for (const [name, value] of [
    ['focalPx', focalPx],
    ['focal35mm', focal35mm],
  ] as const) {
    if (value !== undefined && !(value > 0 && value < Number.POSITIVE_INFINITY)) {
      throw new FacewrightError('FW_ARG_INVALID', { name, expected: 'a positive number', actual: value });
    }
  }
  if (textureSize !== undefined) checkTextureSize(textureSize);
}

/** Share of the texture's side that the width of the face takes in the head model's UV layout: texels per face width. */
const FACE_WIDTH_UV = 0.55;

/** The view that a texture of `size` texels is sampled from: the one at hand unless the photo has more to give. */
async function decodeForTexture(
  photo: Photo,
  view: PhotoView,
  landmarks: FaceLandmarks,
  size: number,
  signal: AbortSignal | undefined,
): Promise<PhotoView> {
  const face = boundsOfLandmarks(landmarks);
  const wantedScale = Math.max(1, face.width / (FACE_WIDTH_UV * size));
  const region = growRect(face, 0.5, photo);
  const isCovered =
    view.x <= region.x &&
    view.y <= region.y &&
    view.x + view.raster.width * view.scaleX >= region.x + region.width - view.scaleX &&
    view.y + view.raster.height * view.scaleY >= region.y + region.height - view.scaleY;
  // Decoding again is worth it only for a visible gain in sharpness.
  if (isCovered && view.scaleX <= 1.25 * wantedScale) return view;
  return photo.decode({
    region,
    longSidePx: Math.ceil(Math.max(region.width, region.height) / wantedScale),
    ...(signal === undefined ? {} : { signal }),
  });
}

function boundsOfLandmarks(landmarks: FaceLandmarks): Rect {
  let left = Number.POSITIVE_INFINITY;
  let top = Number.POSITIVE_INFINITY;
  let right = Number.NEGATIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < 3 * MESH_LANDMARK_COUNT; k += 3) {
    left = Math.min(left, landmarks.points[k]);
    right = Math.max(right, landmarks.points[k]);
    top = Math.min(top, landmarks.points[k + 1]);
    bottom = Math.max(bottom, landmarks.points[k + 1]);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** ARKit weight of each morph target, 0..1: the mean over the expression shapes that it stands for (browInnerUp is a left and a right one). */
function blendshapeWeights(face: Reconstruction['face']): Reconstruction['blendshapes'] {
  return face.model.blendshapes.map(({ name, terms }) => {
    const mean = terms.reduce((sum, t) => sum + face.expression[t.expression] / t.weight, 0) / terms.length;
    return { name, weight: Math.min(1, Math.max(0, mean)) };
  });
}

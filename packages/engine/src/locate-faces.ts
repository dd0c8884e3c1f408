import { type FaceChoice, FacewrightError } from '@facewright/protocol';
import { FACE_BOUNDS } from './acceptance/check-face.ts';
import { assessLandmarks, type LandmarkAssessment } from './nets/assess-landmarks.ts';
import type { FaceDetection, FaceLandmarks, FaceNetworks } from './nets/face-networks.ts';
import type { CanonicalMesh } from './nets/read-canonical-mesh.ts';
import type { Photo, PhotoView, Rect } from './photo/photo.ts';

/**
 * Longer side of the picture that faces are looked for in, pixels. A face that fills a fifth of it has 270 px, more than the
 * networks read (192), and it is what a 1024-texel skin needs of a usual portrait, so that most photos are decoded once. The decoder
 * halves a JPEG on the way only where a third is asked for: 4000 / 1333 costs half of 4000 / 1500.
 */
export const OVERVIEW_LONG_SIDE_PX = 1333;

/** Longer side of the second, closer look for small faces, pixels: a 40-px face of a 12 MP photo has 27 there, about the least that the detector knows. */
const CLOSER_LONG_SIDE_PX = 2 * OVERVIEW_LONG_SIDE_PX;

/** Photos reduced by less than this show nothing more in a closer look. */
const MIN_GAIN = 1.3;

/** Below this detector score a face is not believed. The reference's own bound is 0.5; a cat scores 0.58, a dog up to 0.66, a person cut in half 0.73. */
export const MIN_DETECTION_SCORE = 0.7;

/** Above this difference between the two halves the landmarks are looked for a second time; people with a relaxed face stay below. Share of the eye distance. */
const DOUBTFUL_ASYMMETRY = 0.06;
/** Below this score likewise; portraits measured 0.85 and more. */
const DOUBTFUL_SCORE = 0.8;

/** A face region with fewer raster pixels than the landmark network reads (192) is decoded again in more detail where the photo has it. */
const MIN_REGION_PX = 192;

/** Width of a face region relative to the detector's box (the reference's margin). */
const REGION_PER_BOX = 1.5;

/** The faces of a photo, not yet measured. */
export interface LocatedFaces {
  readonly photo: Photo;
  /** The view that the detections refer to. */
  readonly view: PhotoView;
  /** Image frame of `view.raster`, largest face first. */
  readonly detections: readonly FaceDetection[];
  /** The same in the image frame of the photo, numbered from 1. */
  readonly choices: readonly FaceChoice[];
}

/** Rectangle of the photo that a rectangle of a view's raster covers. */
export function photoFromViewRect(view: PhotoView, r: Rect): Rect {
  return { x: view.x + r.x * view.scaleX, y: view.y + r.y * view.scaleY, width: r.width * view.scaleX, height: r.height * view.scaleY };
}

/**
 * Finds the faces of an opened and decoded photo, from {@link FACE_BOUNDS}.minFaceWidthPx of the full-size photo up. Where the reduced view shows none, or
 * every face is wanted, a large photo is searched once more in a closer view.
 *
 * @throws FW_FACE_NOT_FOUND
 */
export async function locateFaces(
  networks: FaceNetworks,
  photo: Photo,
  overview: PhotoView,
  options: { /** Also the small ones beside a large one. */ readonly everyFace: boolean; readonly signal?: AbortSignal | undefined },
): Promise<LocatedFaces> {
  const { everyFace, signal } = options;
  const abort = signal === undefined ? {} : { signal };
  const search = (minFacePx: number): Promise<FaceDetection[]> =>
    networks.detectFaces(view.raster, { minScore: 0.5, everyFace, minFacePx, ...abort });
  const isReduced = overview.scaleX > MIN_GAIN;
  let view = overview;
  let found = everyFace && isReduced ? [] : await search(FACE_BOUNDS.minFaceWidthPx);
  if (isReduced && !found.some((d) => d.score >= MIN_DETECTION_SCORE)) {
    view = await photo.decode({ longSidePx: CLOSER_LONG_SIDE_PX, ...abort });
    found = await search(FACE_BOUNDS.minFaceWidthPx / view.scaleX);
  }
  const detections = found
    .filter((d) => d.score >= MIN_DETECTION_SCORE)
    .sort((a, b) => b.box.width * b.box.height - a.box.width * a.box.height);
  if (detections.length === 0) {
    const bestScore = found.reduce((best, d) => Math.max(best, d.score), 0);
    throw new FacewrightError('FW_FACE_NOT_FOUND', { candidates: found.length, bestScore, minScore: MIN_DETECTION_SCORE });
  }
  const choices = detections.map((d, k) => ({ index: k + 1, box: photoFromViewRect(view, d.box), score: d.score }));
  return { photo, view, detections, choices };
}

/** A face with its landmarks and what they were read from. */
export interface MeasuredFace {
  /** Image frame of the full-size photo, pixels. */
  readonly landmarks: FaceLandmarks;
  /** The view that was read. */
  readonly view: PhotoView;
  /** Detection in the frame of `view.raster`. */
  readonly detection: FaceDetection;
  /** Landmarks in the frame of `view.raster`. */
  readonly viewLandmarks: FaceLandmarks;
  /** How far they hang together as a face. */
  readonly assessment: LandmarkAssessment;
}

/**
 * Reads the 478 landmarks of one located face, from a closer view where the overview is too coarse for it, and looks a second
 * time where there is reason to doubt that it is a face.
 */
export async function measureFace(
  networks: FaceNetworks,
  canonicalMesh: CanonicalMesh,
  located: LocatedFaces,
  position: number,
  signal?: AbortSignal,
): Promise<MeasuredFace> {
  const abort = signal === undefined ? {} : { signal };
  let { view } = located;
  let detection = located.detections[position]!;
  const regionPx = REGION_PER_BOX * Math.max(detection.box.width, detection.box.height);
  if (regionPx < MIN_REGION_PX && view.scaleX > 1.2) {
    const region = growRect(photoFromViewRect(view, detection.box), 1.5, located.photo);
    const closer = await located.photo.decode({
      region,
      longSidePx: Math.ceil((MIN_REGION_PX / regionPx) * (Math.max(region.width, region.height) / view.scaleX)),
      ...abort,
    });
    detection = moveDetection(detection, view, closer);
    view = closer;
  }
  const viewLandmarks = await networks.findLandmarks(view.raster, detection, abort);
  let assessment = assessLandmarks(viewLandmarks, canonicalMesh);
  if (assessment.asymmetryRatio > DOUBTFUL_ASYMMETRY || detection.score < DOUBTFUL_SCORE) {
    const again = await networks.findLandmarks(view.raster, detection, { passes: 2, ...abort });
    assessment = assessLandmarks(viewLandmarks, canonicalMesh, again);
  }
  return { landmarks: photoFromViewLandmarks(view, viewLandmarks), view, detection, viewLandmarks, assessment };
}

/** A rectangle grown about its centre by `margin` times its size on every side, cut at the borders of the photo. */
export function growRect(r: Rect, margin: number, photo: { readonly width: number; readonly height: number }): Rect {
  const grow = margin * Math.max(r.width, r.height);
  const x = Math.max(0, Math.floor(r.x - grow));
  const y = Math.max(0, Math.floor(r.y - grow));
  const right = Math.min(photo.width, Math.ceil(r.x + r.width + grow));
  const bottom = Math.min(photo.height, Math.ceil(r.y + r.height + grow));
  return { x, y, width: right - x, height: bottom - y };
}

function moveDetection(d: FaceDetection, from: PhotoView, to: PhotoView): FaceDetection {
  const moveX = (x: number): number => (from.x + x * from.scaleX - to.x) / to.scaleX;
  const moveY = (y: number): number => (from.y + y * from.scaleY - to.y) / to.scaleY;
  const x = moveX(d.box.x);
  const y = moveY(d.box.y);
  return {
    ...d,
    box: { x, y, width: moveX(d.box.x + d.box.width) - x, height: moveY(d.box.y + d.box.height) - y },
    keypoints: d.keypoints.map((value, k) => (k % 2 === 0 ? moveX(value) : moveY(value))),
  };
}

function photoFromViewLandmarks(view: PhotoView, l: FaceLandmarks): FaceLandmarks {
  const scale = (view.scaleX + view.scaleY) / 2;
  const points = new Float64Array(l.points.length);
  for (let k = 0; k < points.length; k += 3) {
    points[k] = view.x + l.points[k] * view.scaleX;
    points[k + 1] = view.y + l.points[k + 1] * view.scaleY;
    points[k + 2] = l.points[k + 2] * scale;
  }
  const { region } = l;
  return {
    points,
    presence: l.presence,
    ...(l.features && { features: l.features }),
    region: {
      centerX: view.x + region.centerX * view.scaleX,
      centerY: view.y + region.centerY * view.scaleY,
      sizePx: region.sizePx * scale,
      rotationRad: region.rotationRad,
    },
  };
}

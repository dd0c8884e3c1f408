import type { Warning } from '@facewright/protocol';
import type { Raster } from '../photo/raster.ts';

/** A face as the detector sees it. Coordinates: image frame of the raster it was given, pixels. */
export interface FaceDetection {
  /** 0..1 */
  readonly score: number;
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  /** Shape (6,2): right eye, left eye (the person's), nose tip, mouth centre, right ear, left ear. */
  readonly keypoints: Float64Array;
  /** Quarter turns, clockwise, by which the raster must be turned for this face to stand upright (to within 45 degrees). */
  readonly quarterTurns: 0 | 1 | 2 | 3;
}

/** Square region of interest, turned by `rotationRad` (clockwise on the screen, y being down) about its centre. */
export interface FaceRegion {
  readonly centerX: number;
  readonly centerY: number;
  readonly sizePx: number;
  readonly rotationRad: number;
}

/** Landmarks of one face. */
export interface FaceLandmarks {
  /**
   * Shape (478,3): x, y in the image frame of the raster, pixels; z in pixels of the same scale, negative toward the
   * camera, relative to the head's centre. 0..467 face mesh, 468..472 right iris, 473..477 left iris (the person's).
   */
  readonly points: Float64Array;
  /** The network's own belief that the region holds a face, 0..1. */
  readonly presence: number;
  readonly region: FaceRegion;
  /**
   * Shape (128,6,6): the last picture inside the network, upright in `region`. It knows more of the face than the points that the network makes of it
   * (fit/read-face.ts). Absent where the points come from elsewhere.
   */
  readonly features?: Float32Array;
}

/** What runs the networks, all of each: `auto` takes the first of cuda, webgpu, cpu that does. */
export type Provider = 'cpu' | 'webgpu' | 'cuda' | 'auto';

/** The loaded networks. Re-entrant; calls may overlap. */
export interface FaceNetworks {
  /** The provider that really runs. */
  readonly provider: 'cpu' | 'webgpu' | 'cuda';
  /**
   * What `facewright doctor` shows: onnxruntime's version, the cache folder (null: none), and whether the converted networks were
   * read from it (`hit`), made and left in it (`made`), or made and not kept (`off`).
   */
  readonly info: { readonly onnxruntime: string; readonly cache: 'hit' | 'made' | 'off'; readonly cacheDir: string | null };
  /** What loading had to say: a cache folder that cannot be written. */
  readonly warnings: readonly Warning[];
  /** Faces, best score first. */
  detectFaces(raster: Raster, options?: DetectOptions): Promise<FaceDetection[]>;
  /** 478 landmarks of one detected face. `passes`: 1 = region from the detector (as the reference), 2 = once more from the landmarks. */
  findLandmarks(
    raster: Raster,
    detection: FaceDetection,
    options?: { readonly passes?: 1 | 2; readonly signal?: AbortSignal },
  ): Promise<FaceLandmarks>;
  close(): Promise<void>;
}

export interface DetectOptions {
  /** @default 0.5 as the reference; the pipeline believes a face from `MIN_DETECTION_SCORE` of locate-faces.ts on */
  readonly minScore?: number;
  /**
   * Also look for faces at the three other quarter turns, from further away, and in overlapping tiles for small ones; look
   * closer at every face that is not certain, and give it the mean score of those looks. @default true
   */
  readonly thorough?: boolean;
  /** Narrower faces are not looked for (they may still be found). Thorough search only. @default 40 */
  readonly minFacePx?: number;
  /** Go on until `minFacePx` even if larger faces were found; otherwise faces less than half as wide as the largest may be missed. @default false */
  readonly everyFace?: boolean;
  readonly signal?: AbortSignal;
}

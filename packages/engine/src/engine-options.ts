import type { FaceOption } from './acceptance/choose-face.ts';
import type { IdentityPrior } from './fit/fitted-face.ts';
import type { FaceLandmarks, Provider } from './nets/face-networks.ts';
import type { PhotoLimits } from './photo/photo.ts';
import type { OnProgress } from './progress.ts';

export interface EngineOptions {
  /** What runs the networks. @default 'cpu' */
  readonly provider?: Provider;
  /** Face model that is loaded at the start and used unless a call names another. @default 'head' */
  readonly model?: string;
  /** Folder for the converted networks; null keeps nothing on disk. @default the user's cache folder */
  readonly cacheDir?: string | null;
  readonly limits?: Partial<PhotoLimits>;
  /** Side of the skin texture, texels, 512..4096. @default 1024 */
  readonly textureSize?: number;
  /** Milliseconds; only for timings. @default performance.now */
  readonly now?: () => number;
}

export interface ReconstructOptions {
  /** Which face where there are several: `only` refuses to guess. @default 'only' */
  readonly face?: FaceOption;
  /** Focal length in pixels of the full-size photo. @default from EXIF, else assumed */
  readonly focalPx?: number;
  /** Focal length as a full-frame (36 mm wide) equivalent, millimetres. `focalPx` goes before it. */
  readonly focal35mm?: number;
  /** Texels, 512..4096. @default that of the engine */
  readonly textureSize?: number;
  /** @default that of the engine */
  readonly model?: string;
  /** What is known of the identity beforehand, e.g. from another photo or a network. @default N(0, 1) of the model */
  readonly identityPrior?: IdentityPrior;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  /** Called once, as soon as the landmarks are known: in the frame of the full-size upright photo, whose size comes with them. */
  readonly onLandmarks?: (landmarks: FaceLandmarks, photo: { readonly width: number; readonly height: number }) => void;
  /** Only its extension is looked at, for the warning about a wrong one. */
  readonly fileName?: string;
}

export interface FindFacesOptions {
  /** Model whose pose is reported. @default that of the engine */
  readonly model?: string;
  readonly focalPx?: number;
  readonly focal35mm?: number;
  readonly signal?: AbortSignal;
  readonly fileName?: string;
}

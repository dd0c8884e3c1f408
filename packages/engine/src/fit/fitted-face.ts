import type { Intrinsics, Pose } from '../camera/camera.ts';
import type { FaceModel } from '../models/face-model.ts';

/**
 * What is believed about the identity before the landmarks are looked at: N(mean, covariance) in standard deviations of
 * the model's modes. A network that reads the crop may give it; the default is the model's own N(0, 1).
 */
export interface IdentityPrior {
  /** Shape (K) */
  readonly mean: Float64Array;
  /** Shape (K,K) row-major, symmetric positive definite. */
  readonly covariance: Float64Array;
}

/** A face model placed in front of a camera so that it explains the landmarks. */
export interface FittedFace {
  readonly model: FaceModel;
  readonly intrinsics: Intrinsics;
  readonly pose: Pose;
  /** Shape (identityCount), standard deviations. */
  readonly identity: Float64Array;
  /** Shape (expressionNames.length). */
  readonly expression: Float64Array;
  /** Shape (V,3), millimetres, model frame: with the expression of the photo. */
  readonly positions: Float32Array;
  /** Shape (V,3), millimetres, model frame: the same person with a neutral face (base of the morph targets). */
  readonly neutralPositions: Float32Array;
  /**
   * Shape (V,2), pixels, image frame: where each vertex is in the photo: the projection of `positions`, moved smoothly so that the
   * landmarks are met (used to look up the texture only; geometry does not know of it).
   */
  readonly imagePoints: Float32Array;
  /** Shape (478), pixels: distance between landmark and projected model; NaN is not used, points that the model lacks have 0 and are left out of `residualRms`. */
  readonly residualsPx: Float64Array;
  readonly residualRmsPx: number;
  /** Distance of the outer eye corners in the photo, pixels: what residuals are compared with. */
  readonly eyeDistancePx: number;
  /** 0..1: how far the numbers can be trusted (landmark residual, presence, pose, size). */
  readonly confidence: number;
}

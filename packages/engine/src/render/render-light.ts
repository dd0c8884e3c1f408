/** A distant light. */
export interface DirectionalLight {
  /** Shape (3), camera frame (x right, y down, z away from the viewer): from the surface to the light; need not have length 1. */
  readonly toLight: readonly [number, number, number];
  /** Linear RGB: what a white surface that faces the light sends to the eye. */
  readonly rgb: readonly [number, number, number];
  /** Whether it is mirrored in the surface. Faint lights need not: it costs time. @default true */
  readonly highlight?: boolean;
}

/** Light of a picture: a few distant lights and a sky that is brighter above than below. */
export interface RenderLight {
  readonly lights: readonly DirectionalLight[];
  /** Linear RGB on surfaces that face up. */
  readonly sky: readonly [number, number, number];
  /** Linear RGB on surfaces that face down. */
  readonly ground: readonly [number, number, number];
}

/**
 * Soft studio light for textures that already hold the light of the photo: mostly ambient, a key from the upper left that
 * models the form, a cool fill, and a rim that parts the head from the background.
 */
export const PREVIEW_LIGHT: RenderLight = {
  lights: [
    { toLight: [-0.55, -0.65, -0.75], rgb: [0.5, 0.48, 0.45] },
    { toLight: [0.8, -0.1, -0.6], rgb: [0.12, 0.13, 0.15], highlight: false },
    { toLight: [0.75, -0.5, 0.75], rgb: [0.3, 0.32, 0.36], highlight: false },
  ],
  sky: [0.66, 0.67, 0.69],
  ground: [0.42, 0.4, 0.39],
};

/** Harder light for untextured clay, so that the form reads. */
export const CLAY_LIGHT: RenderLight = {
  lights: [
    { toLight: [-0.6, -0.7, -0.7], rgb: [0.95, 0.92, 0.86] },
    { toLight: [0.9, -0.05, -0.45], rgb: [0.16, 0.19, 0.25], highlight: false },
    { toLight: [0.75, -0.5, 0.75], rgb: [0.45, 0.48, 0.55], highlight: false },
  ],
  sky: [0.3, 0.31, 0.34],
  ground: [0.14, 0.13, 0.12],
};

import type { PersonLook } from './person.ts';
import { HARD_SIDE_LIGHT, OVERCAST, SOFT_STUDIO, type Studio } from './studio.ts';

/** Everything that decides a synthetic portrait. */
export interface PortraitSpec {
  readonly look: PersonLook;
  /** Standard deviations of the head model's first identity modes. */
  readonly identity: readonly number[];
  /** Amounts by expression name of the head model. */
  readonly expression: Readonly<Record<string, number>>;
  readonly yawDeg: number;
  readonly pitchDeg: number;
  readonly rollDeg: number;
  /** Focal length for a frame of 36 x 24 mm, its longer side along that of the picture. */
  readonly focal35Mm: number;
  /** From the pinhole to the point between the eyeballs. */
  readonly distanceMm: number;
  /** Where the point between the eyeballs lies, as shares of the picture. */
  readonly eyesAt: readonly [number, number];
  readonly width: number;
  readonly height: number;
  readonly studio: Studio;
  /** Strength of the film grain: 0.03 is a good camera. */
  readonly grain: number;
  /** Standard deviation of a blur over the whole picture, pixels. */
  readonly blurPx: number;
  readonly seed: number;
}

const ANNA_LOOK: PersonLook = {
  melanin: 0.2,
  redness: 1,
  freckles: 0.35,
  age: 0.2,
  stubble: 0,
  hairColor: [0.1, 0.052, 0.027],
  hairTopMm: 52,
  hairSideMm: 20,
  brows: 1,
  lashes: 1.1,
  irisColor: [0.1, 0.15, 0.13],
  lips: 0.75,
  shirtColor: [0.045, 0.07, 0.105],
};

const BASE: PortraitSpec = {
  look: ANNA_LOOK,
  identity: [],
  expression: {},
  yawDeg: 0,
  pitchDeg: 0,
  rollDeg: 0,
  focal35Mm: 85,
  distanceMm: 1000,
  eyesAt: [0.5, 0.42],
  width: 512,
  height: 640,
  studio: SOFT_STUDIO,
  grain: 0.03,
  blurPx: 0,
  seed: 1,
};

/** The portraits that tests use, by what is special about them. */
export const PORTRAITS = {
  /** The example that the project ships: a slight turn, a slight smile. */
  example: {
    ...BASE,
    identity: [-0.7, 0.5, 0.6, -0.4, 0.5, 0.3],
    expression: {
      mouthSmile_L: 0.28,
      mouthSmile_R: 0.24,
      cheekSquint_L: 0.2,
      cheekSquint_R: 0.2,
      browInnerUp_L: 0.06,
      browInnerUp_R: 0.06,
    },
    yawDeg: -12,
    pitchDeg: 2,
    rollDeg: 2,
    eyesAt: [0.49, 0.42],
    width: 1600,
    height: 2000,
    seed: 7,
  },
  /** Straight into the camera, nothing moves. */
  frontal: BASE,
} as const satisfies Record<string, PortraitSpec>;

export const STUDIOS = { soft: SOFT_STUDIO, hardSide: HARD_SIDE_LIGHT, overcast: OVERCAST } as const;

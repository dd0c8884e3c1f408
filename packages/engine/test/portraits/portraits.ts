import type { PersonLook } from './person.ts';
import { HARD_SIDE_LIGHT, OVERCAST, SOFT_STUDIO, type Studio } from './studio.ts';

/** Everything that decides a synthetic portrait. */
export interface PortraitSpec {
  readonly look: PersonLook;
  /** Standard deviations of the head model's first identity modes. */
  readonly identity: readonly number[];
  /** Amounts by expression name of the head model. */
  readonly expression: Readonly<Record<string, number>>;
  /** `camera`: the eyes look at the camera; otherwise where the head looks. */
  readonly gaze: 'camera' | 'ahead';
  readonly yawDeg: number;
  readonly pitchDeg: number;
  readonly rollDeg: number;
  /** 35 mm equivalent focal length: the angle across the picture's diagonal as on film of 36 x 24 mm (as EXIF has it). */
  readonly focal35Mm: number;
  /** From the pinhole to the point between the eyeballs. */
  readonly distanceMm: number;
  /** Where the point between the eyeballs lies, as shares of the picture. */
  readonly eyesAt: readonly [number, number];
  readonly width: number;
  readonly height: number;
  readonly studio: Studio;
  /** `statue`: all of grey stone. */
  readonly material: 'person' | 'statue';
  /** Strength of the film grain: 0.03 is a good camera. */
  readonly grain: number;
  /** Standard deviation of a blur over the whole picture, pixels. */
  readonly blurPx: number;
  readonly seed: number;
}

/** Fair, freckled, brown hair swept aside. */
const BEN: PersonLook = {
  melanin: 0.2,
  redness: 1,
  freckles: 0.3,
  age: 0.2,
  stubble: 0,
  hairColor: [0.1, 0.052, 0.027],
  hairTopMm: 52,
  hairSideMm: 20,
  brows: 1,
  lashes: 1.1,
  irisColor: [0.1, 0.105, 0.07],
  lips: 0.7,
  shirtColor: [0.045, 0.07, 0.105],
};

/** Black hair combed back, strong lips. */
const MEI: PersonLook = {
  ...BEN,
  melanin: 0.3,
  redness: 0.75,
  freckles: 0,
  age: 0.1,
  hairColor: [0.02, 0.015, 0.013],
  hairTopMm: 60,
  hairSideMm: 30,
  brows: 0.85,
  lashes: 1.3,
  irisColor: [0.05, 0.025, 0.013],
  lips: 1,
  shirtColor: [0.32, 0.28, 0.24],
};

/** Dark skin, hair cropped to 6 mm, a day's beard. */
const KOFI: PersonLook = {
  ...BEN,
  melanin: 0.74,
  redness: 0.8,
  freckles: 0,
  age: 0.3,
  stubble: 0.45,
  hairColor: [0.012, 0.01, 0.009],
  hairTopMm: 6,
  hairSideMm: 4,
  brows: 1.1,
  lashes: 1,
  irisColor: [0.035, 0.018, 0.01],
  lips: 0.45,
  shirtColor: [0.33, 0.075, 0.03],
};

/** Weathered, grey, a three-day beard. */
const JAN: PersonLook = {
  ...BEN,
  melanin: 0.16,
  redness: 1.35,
  freckles: 0.1,
  age: 1,
  stubble: 0.9,
  hairColor: [0.26, 0.25, 0.24],
  hairTopMm: 30,
  hairSideMm: 12,
  brows: 0.9,
  lashes: 0.8,
  irisColor: [0.1, 0.14, 0.19],
  lips: 0.35,
  shirtColor: [0.035, 0.04, 0.035],
};

/** Olive skin, dark wavy hair. */
const LEILA: PersonLook = {
  ...BEN,
  melanin: 0.42,
  redness: 0.9,
  freckles: 0.1,
  age: 0.25,
  hairColor: [0.035, 0.022, 0.015],
  hairTopMm: 58,
  hairSideMm: 26,
  brows: 1.25,
  lashes: 1.35,
  irisColor: [0.075, 0.045, 0.02],
  lips: 0.95,
  shirtColor: [0.1, 0.16, 0.12],
};

const BASE: PortraitSpec = {
  look: BEN,
  identity: [],
  expression: {},
  gaze: 'camera',
  yawDeg: 0,
  pitchDeg: 0,
  rollDeg: 0,
  focal35Mm: 105,
  distanceMm: 1330,
  eyesAt: [0.5, 0.42],
  width: 512,
  height: 640,
  studio: SOFT_STUDIO,
  material: 'person',
  grain: 0.03,
  blurPx: 0,
  seed: 1,
};

const both = (name: string, amount: number): Record<string, number> => ({ [`${name}_L`]: amount, [`${name}_R`]: amount });

/** The portraits that tests use, by what is special about them. 512 x 640 px, face about 230 px wide, unless said. */
export const PORTRAITS = {
  /** The example that the project ships, 1600 x 2000 px: a slight turn, a slight smile. */
  example: {
    ...BASE,
    identity: [-0.7, 0.5, 0.6, -0.4, 0.5, 0.3],
    expression: {
      mouthSmile_L: 0.36,
      mouthSmile_R: 0.3,
      ...both('cheekSquint', 0.25),
      ...both('browInnerUp', 0.05),
      ...both('mouthPress', 0.1),
      ...both('eyeWide', 0.22),
    },
    yawDeg: -10,
    pitchDeg: -4,
    rollDeg: 2,
    eyesAt: [0.495, 0.415],
    width: 1600,
    height: 2000,
    blurPx: 0.5,
    seed: 7,
  },
  /** Mean head, straight into the camera, nothing moves. */
  frontal: BASE,
  /** Turned to the right of the picture, another person, overcast light. */
  turnedRight: {
    ...BASE,
    look: MEI,
    identity: [1.1, 1.1, -0.3, 0.2, -0.9, 0.4, -0.3],
    expression: both('mouthSmile', 0.15),
    yawDeg: 38,
    pitchDeg: 3,
    studio: OVERCAST,
    seed: 2,
  },
  /** Turned left, chin down, head leaning: a dark-skinned man. */
  turnedLeftDown: {
    ...BASE,
    look: KOFI,
    identity: [-0.8, -0.3, -1.5, 0.4, 0.3, -0.4, 0.5],
    yawDeg: -28,
    pitchDeg: -14,
    rollDeg: 11,
    seed: 3,
  },
  /** Laughing: teeth show, cheeks lift. Chin up. */
  smile: {
    ...BASE,
    look: LEILA,
    identity: [0.8, -0.5, 0.2, -0.4, -0.6, 0.2],
    expression: {
      ...both('mouthSmile', 0.85),
      ...both('mouthUpperUp', 0.35),
      jawOpen: 0.12,
      ...both('cheekSquint', 0.6),
      ...both('eyeSquint', 0.25),
    },
    yawDeg: 9,
    pitchDeg: 8,
    rollDeg: -5,
    seed: 4,
  },
  closedEyes: {
    ...BASE,
    look: MEI,
    identity: [0.9, 0.8, -0.2],
    expression: both('eyeBlink', 1),
    gaze: 'ahead',
    yawDeg: -6,
    pitchDeg: -3,
    seed: 5,
  },
  openMouth: {
    ...BASE,
    look: KOFI,
    identity: [-0.3, 0.2, -1, 0.6],
    expression: { jawOpen: 0.7, ...both('browInnerUp', 0.5), ...both('eyeWide', 0.5) },
    yawDeg: 5,
    pitchDeg: 2,
    seed: 6,
  },
  /** An older man, lamp hard from the side, noise of a poor camera. */
  hardSideLight: {
    ...BASE,
    look: JAN,
    identity: [-1.2, -1.2, 1.1, 0.3, 0.4, -0.5, 0.6],
    yawDeg: 14,
    pitchDeg: -5,
    studio: HARD_SIDE_LIGHT,
    grain: 0.12,
    blurPx: 0.6,
    seed: 8,
  },
  /** As a phone sees it from an arm's length: strong perspective. */
  wideAngle: { ...BASE, look: LEILA, identity: [0.6, -0.3, 0.1], focal35Mm: 28, distanceMm: 360, pitchDeg: -8, yawDeg: -8, seed: 9 },
  /** More than a reconstruction takes. */
  nearProfile: { ...BASE, look: JAN, identity: [-0.9, -0.9, 0.8], yawDeg: 72, gaze: 'ahead', seed: 10 },
  /** Half of the face lies outside the picture. */
  cutByBorder: { ...BASE, eyesAt: [0.06, 0.42], seed: 11 },
  /** A face of about 24 px. */
  tinyFace: { ...BASE, distanceMm: 11000, width: 480, height: 480, seed: 12 },
  /** A bust of grey stone. */
  statue: { ...BASE, material: 'statue', identity: [-0.7, -0.8, 0.7], gaze: 'ahead', yawDeg: -12, seed: 13 },
} as const satisfies Record<string, PortraitSpec>;

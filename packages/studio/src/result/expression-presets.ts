/** ARKit weights of the presets. Both sides where a name ends in Left and Right. */
const both = (name: string, weight: number): Record<string, number> => ({ [`${name}Left`]: weight, [`${name}Right`]: weight });

export const PRESETS = {
  neutral: {},
  smile: {
    ...both('mouthSmile', 0.75),
    ...both('cheekSquint', 0.5),
    ...both('eyeSquint', 0.25),
    ...both('mouthDimple', 0.2),
    jawOpen: 0.06,
  },
  surprise: { jawOpen: 0.48, browInnerUp: 0.85, ...both('browOuterUp', 0.75), ...both('eyeWide', 0.7), mouthFunnel: 0.25 },
  frown: {
    ...both('browDown', 0.85),
    ...both('mouthFrown', 0.6),
    mouthShrugLower: 0.35,
    ...both('eyeSquint', 0.3),
    ...both('mouthPress', 0.25),
  },
  wink: { eyeBlinkLeft: 1, cheekSquintLeft: 0.6, mouthSmileLeft: 0.55, mouthSmileRight: 0.25, browDownLeft: 0.3 },
  kiss: { mouthPucker: 0.9, mouthFunnel: 0.2, cheekPuff: 0.15, ...both('eyeSquint', 0.2), browInnerUp: 0.15 },
  sneer: {
    ...both('noseSneer', 0.75),
    mouthUpperUpLeft: 0.45,
    mouthUpperUpRight: 0.2,
    ...both('browDown', 0.4),
    ...both('eyeSquint', 0.35),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, number>>>>;

export type PresetName = keyof typeof PRESETS;

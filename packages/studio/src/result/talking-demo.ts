/** What a talking face does at one moment. */
export interface DemoPose {
  /** ARKit weights by name. */
  readonly weights: Readonly<Record<string, number>>;
  /** Slight turning of the head, degrees. */
  readonly swayYawDeg: number;
  readonly swayPitchDeg: number;
}

/** Shapes of the mouth for sounds: jaw, funnel, pucker, smile, lips pressed. */
const SOUNDS = {
  a: [0.42, 0.05, 0, 0.12, 0],
  e: [0.2, 0, 0, 0.42, 0],
  o: [0.3, 0.5, 0.25, 0, 0],
  u: [0.12, 0.35, 0.65, 0, 0],
  m: [0.02, 0, 0.08, 0.05, 0.55],
  f: [0.08, 0.12, 0, 0.1, 0.15],
  s: [0.06, 0.05, 0, 0.3, 0.05],
  i: [0.12, 0, 0, 0.5, 0],
  n: [0.1, 0, 0, 0.15, 0.05],
  ' ': [0, 0, 0, 0.06, 0],
} as const;
/** Something like "hello, this is my face; nice to meet you", sound by sound. */
const SPEECH = [...'eo  es es ma fes   nas u mi u    '] as readonly (keyof typeof SOUNDS)[];
/** About as fast as people talk. */
const SOUND_MS = 105;
/** When the eyes close, ms within a round of {@link BLINK_ROUND_MS}: unevenly, as eyes do. */
const BLINKS_MS = [900, 3400, 3750, 6600];
const BLINK_ROUND_MS = 8200;
const BLINK_MS = 170;

/** The pose at a time of the demo; smooth, and the same for the same time. */
export function computeDemoPose(timeMs: number): DemoPose {
  const position = timeMs / SOUND_MS;
  const index = Math.floor(position);
  const sound = (i: number) => SOUNDS[SPEECH[i % SPEECH.length]!];
  // A smooth step between the shapes: lips have mass.
  const x = position - index;
  const part = x * x * (3 - 2 * x);
  const mix = (k: number) => sound(index)[k]! * (1 - part) + sound(index + 1)[k]! * part;
  const blink = computeBlink(timeMs % BLINK_ROUND_MS);
  const seconds = timeMs / 1000;
  const lift = 0.5 + 0.5 * Math.sin(seconds * 0.9);
  const glance = 0.14 * Math.sin(seconds * 0.7) * Math.sin(seconds * 0.31);
  return {
    weights: {
      jawOpen: mix(0),
      mouthFunnel: mix(1),
      mouthPucker: mix(2),
      mouthSmileLeft: mix(3),
      mouthSmileRight: mix(3) * 0.92,
      mouthPressLeft: mix(4),
      mouthPressRight: mix(4),
      mouthClose: Math.min(0.04, mix(0) * 0.1),
      browInnerUp: 0.1 + 0.28 * lift * lift,
      browOuterUpLeft: 0.14 * lift,
      browOuterUpRight: 0.1 * lift,
      eyeBlinkLeft: blink,
      eyeBlinkRight: blink,
      eyeLookOutLeft: Math.max(0, glance),
      eyeLookInRight: Math.max(0, glance),
      eyeLookInLeft: Math.max(0, -glance),
      eyeLookOutRight: Math.max(0, -glance),
    },
    swayYawDeg: 2.6 * Math.sin(seconds * 0.83) + 1.1 * Math.sin(seconds * 1.9),
    swayPitchDeg: 1.4 * Math.sin(seconds * 1.27),
  };
}

function computeBlink(timeMs: number): number {
  for (const at of BLINKS_MS) {
    const x = (timeMs - at) / BLINK_MS;
    if (x >= 0 && x <= 1) return Math.sin(Math.PI * x) ** 0.6;
  }
  return 0;
}

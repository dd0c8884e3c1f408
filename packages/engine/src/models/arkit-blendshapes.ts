import type { FaceModel } from './face-model.ts';

/** The 52 blend shapes of ARKit (ARFaceAnchor.BlendShapeLocation), in Apple's order. */
export const ARKIT_NAMES = [
  'eyeBlinkLeft',
  'eyeLookDownLeft',
  'eyeLookInLeft',
  'eyeLookOutLeft',
  'eyeLookUpLeft',
  'eyeSquintLeft',
  'eyeWideLeft',
  'eyeBlinkRight',
  'eyeLookDownRight',
  'eyeLookInRight',
  'eyeLookOutRight',
  'eyeLookUpRight',
  'eyeSquintRight',
  'eyeWideRight',
  'jawForward',
  'jawLeft',
  'jawRight',
  'jawOpen',
  'mouthClose',
  'mouthFunnel',
  'mouthPucker',
  'mouthLeft',
  'mouthRight',
  'mouthSmileLeft',
  'mouthSmileRight',
  'mouthFrownLeft',
  'mouthFrownRight',
  'mouthDimpleLeft',
  'mouthDimpleRight',
  'mouthStretchLeft',
  'mouthStretchRight',
  'mouthRollLower',
  'mouthRollUpper',
  'mouthShrugLower',
  'mouthShrugUpper',
  'mouthPressLeft',
  'mouthPressRight',
  'mouthLowerDownLeft',
  'mouthLowerDownRight',
  'mouthUpperUpLeft',
  'mouthUpperUpRight',
  'browDownLeft',
  'browDownRight',
  'browInnerUp',
  'browOuterUpLeft',
  'browOuterUpRight',
  'cheekPuff',
  'cheekSquintLeft',
  'cheekSquintRight',
  'noseSneerLeft',
  'noseSneerRight',
  'tongueOut',
] as const;

/**
 * ARKit's blend shapes as sums of the head's expression shapes: `_L` and `_R` are Left and Right, shapes that ARKit does not
 * split are the sum of both sides, and each eyeLook is the motion of the lids plus the turn of the eyeball.
 *
 * Only names for which the model has a shape are listed.
 */
export function listArkitBlendshapes(expressionNames: readonly string[]): FaceModel['blendshapes'] {
  return ARKIT_NAMES.flatMap((name) => {
    const sided = name.replace(/Left$/, '_L').replace(/Right$/, '_R');
    const wanted = [name, sided, `${name}_L`, `${name}_R`, sided.replace(/^eyeLook/, 'gaze')];
    const terms = [...new Set(wanted)].flatMap((w) => {
      const expression = expressionNames.indexOf(w);
      return expression < 0 ? [] : [{ expression, weight: 1 }];
    });
    return terms.length === 0 ? [] : [{ name, terms }];
  });
}

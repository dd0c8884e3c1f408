import type { HeadMaterial } from '../src/head-model-data.ts';

/** A part as the table in upstream's README lists it; both ranges are half open. */
export interface PartRange {
  readonly name: string;
  readonly material: HeadMaterial;
  readonly vertices: readonly [number, number];
  readonly polygons: readonly [number, number];
  /** Part on the other side; its own name where it lies across the middle. */
  readonly mirror: string;
}

const part = (
  name: string,
  material: HeadMaterial,
  vertices: readonly [number, number],
  polygons: readonly [number, number],
  mirror = name,
): PartRange => ({ name, material, vertices, polygons, mirror });

/**
 * Parts of the ICT-FaceKit light head. Head and neck, mouth socket and eye sockets share one texture tile upstream (1) without
 * lying on one another, hence one material.
 */
export const HEAD_PARTS: readonly PartRange[] = [
  part('face', 'skin', [0, 9409], [0, 9230]),
  part('headNeck', 'scalp', [9409, 11248], [9230, 11144]),
  part('mouthSocket', 'scalp', [11248, 13294], [11144, 13226]),
  part('eyeSocketLeft', 'scalp', [13294, 13678], [13226, 13630], 'eyeSocketRight'),
  part('eyeSocketRight', 'scalp', [13678, 14062], [13630, 14034], 'eyeSocketLeft'),
  part('gumsTongue', 'mouth', [14062, 17039], [14034, 17006]),
  part('teeth', 'teeth', [17039, 21451], [17006, 21496]),
  part('scleraLeft', 'sclera', [21451, 22221], [21496, 22296], 'scleraRight'),
  part('irisLeft', 'iris', [22221, 23021], [22296, 23094], 'irisRight'),
  part('scleraRight', 'sclera', [23021, 23791], [23094, 23894], 'scleraLeft'),
  part('irisRight', 'iris', [23791, 24591], [23894, 24692], 'irisLeft'),
  part('lacrimalLeft', 'lacrimal', [24591, 24795], [24692, 24855], 'lacrimalRight'),
  part('lacrimalRight', 'lacrimal', [24795, 24999], [24855, 25018], 'lacrimalLeft'),
  part('eyeBlendLeft', 'eyeBlend', [24999, 25023], [25018, 25033], 'eyeBlendRight'),
  part('eyeBlendRight', 'eyeBlend', [25023, 25047], [25033, 25048], 'eyeBlendLeft'),
  part('eyeOcclusionLeft', 'eyeOcclusion', [25047, 25199], [25048, 25176], 'eyeOcclusionRight'),
  part('eyeOcclusionRight', 'eyeOcclusion', [25199, 25351], [25176, 25304], 'eyeOcclusionLeft'),
  part('lashesLeft', 'lashes', [25351, 26035], [25304, 25844], 'lashesRight'),
  part('lashesRight', 'lashes', [26035, 26719], [25844, 26384], 'lashesLeft'),
];

/** The part of this name. */
export function findPart(name: string): PartRange {
  const found = HEAD_PARTS.find((p) => p.name === name);
  if (!found) throw new Error(`no part is named ${name}`);
  return found;
}
